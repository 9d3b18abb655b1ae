"""Where the next file of a day goes, so that no folder that the daemon fills grows past 256 entries.

A flat folder of 100,000 files costs git and every listing dearly. A root gets one folder more for each day and each 256
files; how many of them there are is bounded by archiving, not here.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.layout import FULL, bucket

FLAT = FULL - 32  # files in a root before it gets folders, which are entries of it too
_IN_FLIGHT = 16  # places handed out whose files may not be there yet when a folder is listed again
_DATES = 512  # dates remembered; a forgotten one is listed again


@dataclass(slots=True)
class _Open:
    """The folder of a date that is being filled."""

    number: int
    count: int


class Buckets:
    """The day folders below one root. Thread-safe; what another process adds is seen when a folder is opened."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}
        self._flat: int | None = None  # an upper bound of what the root holds

    def place(self, date: str) -> str:
        """The folder for one more file of that date, made where missing; room for it is kept from now on.

        Raises:
            OSError: it cannot be listed or made.
        """
        with self._lock:
            return self._place(date)

    def flat_or_bucket(self, date: str) -> str:
        """'' while the root itself has room (kept for one more file from now on), else as `place`."""
        with self._lock:
            if self._flat is None:
                self._flat = _entries(self._root)
            elif self._flat >= FLAT:
                # Files leave a flat folder as tasks move on: only a new listing shows the room.
                self._flat = _entries(self._root) + _IN_FLIGHT
            if self._flat >= FLAT:
                return self._place(date)
            self._flat += 1
            return ""

    def note_added(self, folder: str) -> None:
        """Counts a file that was put into `folder` ('' is the root) without asking for a place."""
        with self._lock:
            if not folder:
                self._flat = None if self._flat is None else self._flat + 1
                return
            for date, filling in self._open.items():
                if bucket(date, filling.number) == folder:
                    filling.count += 1

    def _place(self, date: str) -> str:
        filling = self._open.get(date)
        if filling is None:
            if len(self._open) >= _DATES:
                del self._open[next(iter(self._open))]
            number = self._newest(date)
            filling = self._open[date] = _Open(number=number, count=self._opened(date, number))
        elif not (self._root / bucket(date, filling.number)).is_dir():
            filling.count = self._opened(date, filling.number)  # somebody took it away: it is made again
        while filling.count >= FULL:
            filling.number += 1
            filling.count = self._opened(date, filling.number)
        filling.count += 1
        return bucket(date, filling.number)

    def _newest(self, date: str) -> int:
        prefix = f"{date}."
        names = os.listdir(self._root) if self._root.is_dir() else []
        numbers = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
        return max((int(number) for number in numbers if number.isdecimal()), default=1)

    def _opened(self, date: str, number: int) -> int:
        """Makes the folder, durably, and says how many entries it has; FULL where something else has its name."""
        path = self._root / bucket(date, number)
        try:
            path.mkdir()
        except FileExistsError:
            return FULL if path.is_symlink() or not path.is_dir() else _entries(path)
        except FileNotFoundError:
            path.mkdir(parents=True)
        sync_folder(self._root)
        return 0


def sync_folder(path: Path) -> None:
    """Makes new names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entries(path: Path) -> int:
    try:
        return len(os.listdir(path))
    except FileNotFoundError:
        return 0
