"""What an examination of this machine and workspace found (`orchestrator doctor`). Values only."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"  # something is slower, weaker or soon wrong; tasks are done all the same
    FAILED = "failed"  # tasks are not done, or not safely, until somebody acts
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. Never holds the value of a variable or the content of a file of credentials."""

    topic: str  # git, tools, ...: what it is shown below
    what: str
    mark: Mark
    found: str
    todo: str = ""  # what to do about it; empty: nothing


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether an agent has all that it needs: nothing failed."""
    return all(finding.mark is not Mark.FAILED for finding in findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Makes the findings of one topic."""

    name: str

    def ok(self, what: str, found: str) -> Finding:
        """It is well."""
        return Finding(topic=self.name, what=what, mark=Mark.OK, found=found)

    def warn(self, what: str, found: str, todo: str) -> Finding:
        """It could be better."""
        return Finding(topic=self.name, what=what, mark=Mark.WARNING, found=found, todo=todo)

    def fail(self, what: str, found: str, todo: str) -> Finding:
        """It must be mended."""
        return Finding(topic=self.name, what=what, mark=Mark.FAILED, found=found, todo=todo)

    def skip(self, what: str, why: str, todo: str = "") -> Finding:
        """It has no meaning here."""
        return Finding(topic=self.name, what=what, mark=Mark.NOT_APPLICABLE, found=why, todo=todo)
