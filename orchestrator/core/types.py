"""The nouns that everything shares: ids, choices, money and tokens. Values only, no behaviour of the outside world."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

TaskId = NewType("TaskId", str)
AgentKey = NewType("AgentKey", str)
InvocationId = NewType("InvocationId", str)
MicroUsd = NewType("MicroUsd", int)  # money: millionths of a US dollar, never a float


class Status(StrEnum):
    """Where a task stands. Its folder says the same (FORMATS, status and moves)."""

    NEW = "new"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"


class Folder(StrEnum):
    """The folders of the collaboration space, by their names on disk."""

    INBOX = "inbox"
    ASSIGNED = "assigned"
    DONE = "done"
    REJECTED = "rejected"
    FRIDGE = "fridge"
    ARCHIVE = "archive"


class Priority(StrEnum):
    """How urgent, the most urgent first; `rank` sorts (0 is first)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for critical, rising to 4 for low."""
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}


class ErrorKind(StrEnum):
    """Why a task failed."""

    DENIED = "denied"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    BUDGET = "budget"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    NO_TOOL = "no_tool"
    BAD_OUTPUT = "bad_output"
    VERIFY_FAILED = "verify_failed"
    LOST = "lost"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class CostSource(StrEnum):
    """Where a cost came from."""

    REPORTED = "reported"
    COMPUTED = "computed"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of one invocation, by what they were billed as."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
