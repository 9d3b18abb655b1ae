"""What the operating system and the tool reported (Ran), and what it means once looked at (Verdict)."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Tokens


class Ending(StrEnum):
    """How a process came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the daemon was asked to stop, or died
    NOT_STARTED = "not_started"  # the operating system refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One invocation, as reported."""

    ending: Ending
    exit_code: int | None = None  # negative: ended by that signal
    duration_ms: int = 0
    text: str = ""  # the answer
    errors: str = ""  # the end of stderr, or why it could not start
    truncated: bool = False  # output past the bound was counted, not kept
    tokens: Tokens | None = None
    cost: MicroUsd | None = None
    cost_source: CostSource | None = None
    failure: ErrorKind | None = None  # what the reader of the output recognised
    denials: tuple[str, ...] = ()


class Outcome(StrEnum):
    """The verdicts with which a task is done (FORMATS, `result.verdict`)."""

    DONE = "done"
    NO_CHANGE = "no_change"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The task is finished."""

    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The task is not finished."""

    kind: ErrorKind
    why: str


Verdict = Done | Failed
