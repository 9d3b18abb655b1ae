"""One at a time: what changes the repository's list of worktrees waits here, not on git's own locks."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.errors import BusyError

_STEP = 0.005


@contextmanager
def turn(file: Path, *, seconds: float = 120) -> Iterator[None]:
    """Holds the lock of that file, across threads and processes; it ends with its holder.

    Raises:
        BusyError: somebody else holds it for longer than `seconds`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"{file}: another process has held it for {seconds:.0f} s; see what it does"
                    ) from error
                time.sleep(_STEP)  # a wait for flock itself could not be ended in time
        yield
    finally:
        os.close(descriptor)
