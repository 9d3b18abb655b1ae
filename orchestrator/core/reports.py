"""What the read side answers: values that turn into plain dicts for --json and for pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum

from orchestrator.core.events import Event, format_ts
from orchestrator.core.history import InvocationState, TaskState
from orchestrator.core.types import Folder, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonReport:
    """Whether somebody works on the queue now. `state` and `why` are its own words, e.g. paused: the disk is full."""

    running: bool = False
    pid: int = 0
    host: str = ""
    since: str = ""
    version: str = ""
    what: str = ""  # daemon, or the command that holds the workspace
    state: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A task in the inbox that cannot start yet."""

    task_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that goes on only when a person acts."""

    id: str
    what: str  # error, blocked, rejected
    why: str
    path: str
    agent: str = ""
    error_kind: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """Where everything stands. Lists are the newest few of what there is; the counts are of all."""

    daemon: DaemonReport
    folders: Mapping[str, int]  # task files: inbox, assigned, rejected, fridge as listed; done, archive from the index
    folders_capped: tuple[str, ...] = ()  # there are more files in these than were counted
    statuses: Mapping[str, int]  # tasks that the index knows, outside archive/ and rejected/
    agents: Mapping[str, Mapping[str, int]]  # the same by agent, without done
    running: tuple[TaskState, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    waiting_total: int = 0
    finished: tuple[TaskState, ...] = ()
    attention: tuple[Attention, ...] = ()
    attention_total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """One task, whole."""

    state: TaskState
    path: str  # its file, relative to the work folder; empty: not found on disk
    known: bool  # False: no event tells of it yet, only its file
    invocations: tuple[InvocationState, ...] = ()
    events: tuple[Event, ...] = ()  # the newest
    event_file: str = ""
    logs: tuple[str, ...] = ()  # work logs, relative to the work folder


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks to list. Empty fields do not narrow."""

    statuses: tuple[Status, ...] = ()
    folders: tuple[Folder, ...] = ()
    agent: str = ""
    priority: str = ""
    run: str = ""
    before: datetime | None = None  # last heard of before then: the next page


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """Tasks, the one last heard of first."""

    tasks: tuple[TaskState, ...] = ()
    more: bool = False
    total: int = 0  # of all that fit, where that was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many tasks stand alike."""

    folder: Folder
    status: Status
    agent: str
    n: int = field(default=0)


def plain(value: object) -> object:
    """Values as dicts, lists, numbers and texts: times in ISO 8601, empty fields kept, money in micro-dollars."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return format_ts(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return value
