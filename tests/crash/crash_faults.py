"""What is checked after a crash, and what can be found wrong with it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Fault(StrEnum):
    """What can be wrong."""

    LOST = "lost"  # a task, or a part of its file, is nowhere
    DOUBLED = "doubled"  # a task is in two places
    UNEXPLAINED = "unexplained"  # file, folder and events do not agree, or it is left half-way
    OVERRUN = "overrun"  # the tool ran more often than its events show, or not at all
    TORN = "torn"  # an event file has a line that is none
    LITTER = "litter"  # something temporary is left
    UNCOMMITTED = "uncommitted"  # the branch and the disk differ
    REPOSITORY = "repository"  # git itself complains
    MONEY = "money"  # the ledger holds money for nobody, or is not what a rebuild makes of the event files
    INDEX = "index"  # index.db is not what a rebuild makes of the event files


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that is wrong, and about what."""

    fault: Fault
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.about}: {self.what}"


@dataclass(slots=True, kw_only=True)
class Subject:
    """What is checked."""

    work: Path
    state: Path
    submitted: Mapping[str, bytes]  # every task that was dropped, as it was dropped
    journal: Path  # where the tools wrote: `began TASK INVOCATION`, `ended TASK INVOCATION`, `overlap TASK INVOCATION`
    killed_runs: Collection[str] = ()  # that were killed with their guard, and so had to begin again
    branch: str = ""  # of the trail; empty: no trail
    rebuild_index: Callable[[], None] | None = None
    found: list[Violation] = field(default_factory=list)

    def fault(self, fault: Fault, about: str, what: str) -> None:
        self.found.append(Violation(fault=fault, about=about, what=what))
