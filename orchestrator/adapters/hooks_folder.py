"""Hooks in a folder of git's: copied beside what is there, a former one called first, taken out without a trace.

Git runs one file for each event. A former one gets out of the way by a rename, and ours calls it first; to remove ours
is to rename it back, so that every byte, mode and link is what it was.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FORMER = ".before-orchestrator"
HELPERS = ("orchestrator-check", "orchestrator-nudge")
_MARKS = (b"A hook of orchestrator", b"orchestrator-nudge", b"Wakes the orchestrator")  # those of older versions too
_BEGINNING = 4096  # bytes in which one of them stands
_MOVED_ASIDE = (".legacy", ".old")  # by pre-commit and lefthook, when they are installed over ours


class Found(StrEnum):
    """What is where git looks for a hook."""

    NOTHING = "nothing"
    OURS = "ours"
    OLDER = "older"  # ours, of another version
    CHAINED = "chained"  # ours, and what was there before is called first
    FOREIGN = "foreign"
    NOT_EXECUTABLE = "not executable"  # ours, and git passes over it


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFolder:
    """One folder, and the one that the scripts are copied from."""

    folder: Path
    shipped: Path

    def look(self, event: str) -> Found:
        """What is there for an event."""
        file = self.folder / event
        if not os.path.lexists(file):
            return Found.NOTHING
        if not is_ours(file):
            return Found.FOREIGN
        if not os.access(file, os.X_OK):
            return Found.NOT_EXECUTABLE
        if file.read_bytes() != (self.shipped / event).read_bytes():
            return Found.OLDER
        return Found.CHAINED if os.path.lexists(self._former(event)) else Found.OURS

    def put(self, events: Sequence[str]) -> list[str]:
        """Copies ours; which of them call a former hook now. Doing it again brings them up to date.

        Each file is there whole at once: the helpers first, then each hook, so that none calls what is not there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for helper in HELPERS:
            self._copy(helper)
        chained = []
        for event in events:
            file = self.folder / event
            if os.path.lexists(file) and not is_ours(file):
                file.rename(self._former(event))
            if os.path.lexists(self._former(event)):
                chained.append(event)
            self._copy(event)
        return chained

    def take_out(self, events: Iterable[str]) -> list[str]:
        """Removes ours, and puts back what was there before; for which events there was something to remove."""
        removed = []
        for event in events:
            names = (event, *(event + suffix for suffix in _MOVED_ASIDE))
            removed += [event for name in names if self._take_out(self.folder / name, self._former(event))]
        for helper in HELPERS:
            if is_ours(self.folder / helper):
                (self.folder / helper).unlink()
        return list(dict.fromkeys(removed))

    def _take_out(self, file: Path, former: Path) -> bool:
        if is_ours(file):
            if os.path.lexists(former):
                former.replace(file)
            else:
                file.unlink()
            return True
        if os.path.lexists(former) and not os.path.lexists(file) and file.name in former.name:
            former.rename(file)  # somebody took ours away by hand, and would have lost the former one
            return True
        return False

    def _former(self, event: str) -> Path:
        return self.folder / f"{event}{FORMER}"

    def _copy(self, name: str) -> None:
        """Over what is there of ours, in one step: git may be running it."""
        beside = self.folder / f".{name}.{os.getpid()}.tmp"
        beside.write_bytes((self.shipped / name).read_bytes())
        beside.chmod(0o755)
        beside.replace(self.folder / name)


def is_ours(file: Path) -> bool:
    """Whether a file is one of our hooks."""
    beginning = beginning_of(file)
    return beginning.startswith(b"#!/bin/sh") and any(mark in beginning for mark in _MARKS)


def beginning_of(file: Path) -> bytes:
    """Its first bytes; nothing where it cannot be read."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(_BEGINNING)
    except OSError:
        return b""
