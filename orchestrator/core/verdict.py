"""What the operating system and the tool reported (Ran), and what it means once looked at (Verdict)."""

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Tokens


class Ending(StrEnum):
    """How a process came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    SILENT = "silent"  # it printed nothing for as long as it may be silent
    OVER_LIMIT = "over_limit"  # more output, memory or processes than it may have; `errors` says which
    CANCELLED = "cancelled"
    ORPHANED = "orphaned"  # its daemon died, and none came back within the grace
    INTERRUPTED = "interrupted"  # the daemon was asked to stop, or died
    NOT_STARTED = "not_started"  # the operating system refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Where what a run printed lies on disk: raw bytes, head and tail where it was more than is kept."""

    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a tool's session had added up to at the end of a run, in its own figures.

    Some tools count a resumed session on from there: what a later run cost is the difference.
    """

    session_id: str
    tokens: Tokens = field(default_factory=Tokens)
    cost: MicroUsd | None = None
    version: str = ""  # of the tool, where it tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One invocation, as reported. The operating system's part first; a reader of the tool's output adds the rest."""

    ending: Ending
    exit_code: int | None = None  # negative: ended by that signal
    duration_ms: int = 0
    text: str = ""  # the answer
    errors: str = ""  # the end of stderr, or why it could not start
    truncated: bool = False  # output past the bound was counted, not kept
    left_out: int = 0  # bytes of output that were counted, not kept
    tokens: Tokens | None = None  # of this run alone
    usage_fault: str = ""  # why what it reported of its usage cannot be true, and was dropped
    cost: MicroUsd | None = None  # of this run alone
    cost_source: CostSource | None = None
    model: str = ""  # what it says that it ran on, where that is one
    session_id: str = ""
    turns: int | None = None
    failure: ErrorKind | None = None  # what the reader of the output recognised
    problem: str = ""  # what the tool itself says went wrong, in a sentence
    retry_after: int | None = None  # seconds, where it says when to come back
    denials: tuple[str, ...] = ()  # what it was not permitted, e.g. "Write notes.md"
    reported: Reported | None = None  # for the next run of the same session


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a declared command said about the work."""

    name: str
    passed: bool
    why: str = ""  # in a sentence, e.g. "exit code 1: 3 failed"


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
