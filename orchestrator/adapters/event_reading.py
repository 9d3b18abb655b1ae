"""Reading event files: every line that is an event, whatever else a crash or a person left between them."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from orchestrator.core.events import Event, decode

SUFFIX = ".jsonl"
LONGEST = 1 << 20  # bytes of a line; a longer one is no event of ours
_YEARS = range(1970, 9000)  # times outside are nobody's, and overflow in other zones


class EventFile:
    """One open event file. Iterating gives its events; `size` is what was read so far, `mtime_ns` from before reading.

    Raises:
        FileNotFoundError, OSError: as open; a link and what is no regular file count as not there.
    """

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileNotFoundError(f"{path} is a link") from error
            raise
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            os.close(descriptor)
            raise FileNotFoundError(f"{path} is no regular file")
        self.mtime_ns = seen.st_mtime_ns
        self.size = 0
        self._name = path.name.removesuffix(SUFFIX)
        self._file = os.fdopen(descriptor, "rb")

    def __enter__(self) -> "EventFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Event]:
        while line := self._file.readline(LONGEST):
            self.size += len(line)
            if line[-1] != 10 and len(line) == LONGEST:
                self._skip_line()
            elif (event := as_event(line, self._name)) is not None:
                yield event

    def _skip_line(self) -> None:
        while line := self._file.readline(LONGEST):
            self.size += len(line)
            if line[-1] == 10:
                return


def as_event(line: bytes, task_id: str) -> Event | None:
    """The event on a line of that task's file; None where it is torn, none, or of another task."""
    event = decode(line)
    if event is None or event.ts.year not in _YEARS:
        return None
    if event.task_id == task_id:
        return event
    return None if event.task_id else replace(event, task_id=task_id)


def read_events(path: Path) -> list[Event]:
    """All events of a file in its order; none where it is not there."""
    try:
        with EventFile(path) as file:
            return list(file)
    except FileNotFoundError:
        return []
