"""A hint that a folder changed. The scan is the truth: a lost hint costs a moment, never a task (GIT-FACTS 2)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

STEP_MS = 20  # 10 answers 14 ms sooner and costs half as much again while nothing happens (docs/explanation/speed.md)
DEBOUNCE_MS = 50
WATCHED_FOR_MS = 5_000  # at a time; then it is looked whether the folders are still the same ones
MISSED_FOR_MS = 200  # the same, while one of them is not there


class FolderWatch:
    """Watches folders that exist, not recursively. `glance` compares their times, for what no hint told."""

    def __init__(self, folders: Sequence[Path], *, below: Sequence[Path] = ()) -> None:
        """`below`: the folders inside of these are glanced at as well, and not watched."""
        self._folders = tuple(folders)
        self._below = tuple(below)
        self._times = self._look()

    def _look(self) -> dict[str, int]:
        names = [os.fspath(folder) for folder in self._folders]
        for folder in self._below:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as scan:
                names += [item.path for item in scan if item.is_dir(follow_symlinks=False)]
        times = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                times[name] = os.stat(name).st_mtime_ns  # noqa: PTH116 - once a second, for life: no object each
        return times

    def glance(self) -> bool:
        """Whether a folder's time changed since the last glance."""
        before, self._times = self._times, self._look()
        return before != self._times

    async def hints(self) -> AsyncIterator[None]:
        """One for each batch of changes; ends when cancelled. A folder that is made again is watched again."""
        import watchfiles

        stop = asyncio.Event()
        try:
            while True:
                there = self._identities()
                async for changes in watchfiles.awatch(
                    *(folder for folder in self._folders if folder.is_dir()),
                    recursive=False,
                    step=STEP_MS,
                    debounce=DEBOUNCE_MS,
                    stop_event=stop,
                    watch_filter=None,
                    rust_timeout=WATCHED_FOR_MS if all(there) else MISSED_FOR_MS,
                    yield_on_timeout=True,
                ):
                    if changes:
                        yield None
                    if self._identities() != there:
                        break
        except (OSError, RuntimeError):
            # No more watches to be had: the glance each second and the rescan find everything.
            return
        finally:
            stop.set()

    def _identities(self) -> tuple[tuple[int, int] | None, ...]:
        """Which folders are at our paths now; None where there is none. A watch stays with the folder that it saw."""
        found: list[tuple[int, int] | None] = []
        for folder in self._folders:
            try:
                seen = folder.stat()
            except OSError:
                found.append(None)
            else:
                found.append((seen.st_dev, seen.st_ino))
        return tuple(found)
