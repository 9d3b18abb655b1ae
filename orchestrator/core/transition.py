"""One transition of a task as the trail commits it: a message and exactly the files that it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file of a transition. `content` is what was written, captured then; None: the file is gone from there."""

    path: str  # relative to the work folder, with /
    content: bytes | None
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One commit of the trail."""

    subject: str  # e.g. task: done 2026-02-12T1101-backend-dev-cache-layer
    at: datetime
    changes: tuple[Change, ...]
    body: str = ""
    trailers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The commit message: subject, body and trailers. No value can start a line of its own."""
        lines = [_one_line(self.subject), ""]
        if self.body:
            lines += [self.body.strip(), ""]
        lines += [f"{key}: {_one_line(value)}" for key, value in self.trailers.items() if value]
        return "\n".join(lines).rstrip("\n") + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
