"""Blocking calls beside the event loop. A full or read-only disk is waited for and said; nothing is lost."""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

THREADS = 4  # a synced write is mostly waiting; more threads than this only queue at the disk
_WAITED_FOR = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "the disk is read-only",
}


class WaitingDisk:
    """Runs calls in a few threads of its own; `trouble` says what it waits for."""

    def __init__(self, *, first_pause: float = 0.25, longest_pause: float = 5.0) -> None:
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="disk")
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._waiting: set[object] = set()  # calls that the disk refused
        self._gives_up = asyncio.Event()
        self.trouble = ""

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The call's result. It is made again while the disk refuses: it must be repeatable.

        Raises:
            OSError: any other refusal, or any at all once `give_up` was called.
        """
        loop = asyncio.get_running_loop()
        work = partial(call, *args, **kwargs)
        pause = self._first_pause
        waiting: set[object] = set()
        try:
            while True:
                try:
                    return await loop.run_in_executor(self._threads, work)
                except OSError as error:
                    if error.errno not in _WAITED_FOR or self._gives_up.is_set():
                        raise
                    where = f" ({error.filename})" if error.filename else ""
                    self.trouble = f"{_WAITED_FOR[error.errno]}{where}; make room, it goes on by itself"
                waiting = {work}
                self._waiting |= waiting
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._gives_up.wait()
                pause = min(pause * 2, self._longest_pause)
        finally:
            # Only when nobody waits any more: what needs no room succeeds on a full disk too.
            self._waiting -= waiting
            if not self._waiting:
                self.trouble = ""

    def give_up(self) -> None:
        """The daemon is ending: a disk that refuses is no longer waited for."""
        self._gives_up.set()

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=True)
