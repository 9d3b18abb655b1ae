"""What the events of a task add up to. One pure function decides it for live updates and for rebuilds alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from orchestrator.core.events import Event, EventKind
from orchestrator.core.moves import HOME
from orchestrator.core.types import Folder, MicroUsd, Priority, Status, TaskId, Tokens
from orchestrator.errors import OrchestratorError

_LARGEST = 2**63 - 1  # what a column of the index holds
_NOTHING = MicroUsd(0)
_NO_TOKENS = Tokens()
_TITLE, _WHY = 300, 2_000  # characters kept of them


class IndexUnusable(OrchestratorError):  # noqa: N818  # reads as what is said of it
    """The derived index is missing, damaged, or not of this version or workspace. Rebuilding it always answers."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the index cannot be used: {reason}; run: orchestrator index rebuild")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """Where a task stands, as its events tell. A rejected, frozen or archived task keeps its status; see `folder`."""

    id: TaskId
    agent: str = ""
    title: str = ""
    priority: Priority = Priority.NORMAL
    status: Status = Status.NEW
    folder: Folder = Folder.INBOX
    path: str = ""  # the task file after the last event that says so, relative to the work folder
    run: str = ""
    tool: str = ""
    model: str = ""
    invocation: str = ""  # the one that runs now, as far as the events tell; empty: none
    attempts: int = 0
    verdict: str = ""
    why: str = ""
    error_kind: str = ""
    cost: MicroUsd = _NOTHING
    created: datetime | None = None
    claimed: datetime | None = None
    started: datetime | None = None  # the latest attempt
    finished: datetime | None = None
    last_event_id: str = ""
    last_ts: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Whether a person put it into the fridge."""
        return self.folder is Folder.FRIDGE

    @property
    def rejected(self) -> bool:
        """Whether its file could not be used."""
        return self.folder is Folder.REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationState:
    """One run of one tool, as its two events tell, and what was judged of it afterwards."""

    id: str
    task_id: TaskId
    agent: str = ""
    run: str = ""
    tool: str = ""
    model: str = ""
    provider: str = ""
    task_type: str = ""
    reason: str = ""  # why this tool and model: a RouteReason
    billing: str = ""  # subscription, free: what it cost is no money; api or empty: it is
    attempt: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    duration_ms: int = 0
    exit_code: int | None = None
    error_kind: str = ""
    tokens: Tokens = _NO_TOKENS
    cost: MicroUsd = _NOTHING
    cost_source: str = ""  # empty: nobody knows what it cost
    outcome: str = ""  # done, or the kind of its failure; empty: it was not judged yet
    checked: bool = False  # whether a declared check ran after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The committed file that a task was taken from."""

    path: str
    blob: str
    commit: str
    task_id: TaskId


_Changes = dict[str, Any]


def is_of_task(event: Event) -> bool:
    """Whether it tells of a task. An adjustment of money tells of limits: its file is none of a task."""
    return event.event != EventKind.BUDGET_ADJUSTED


def fold(state: TaskState | None, event: Event) -> TaskState:
    """The state of a task after one more event. Kinds of a later version change no more than what was last heard."""
    state = state or TaskState(id=TaskId(event.task_id))
    rule = _RULES.get(event.event)
    changes = rule(state, event) if rule else {}
    if event.agent:
        changes["agent"] = event.agent
    if event.run_id:
        changes["run"] = event.run_id
    if event.path and rule:
        changes.setdefault("path", event.path)
    if event.details:
        _take_details(event.details, changes)
    changes["last_event_id"] = event.event_id
    changes["last_ts"] = event.ts
    return TaskState(**dict(zip(_TASK_FIELDS, _task_values(state), strict=True)) | changes)


# dataclasses.replace costs five times as much, and this is the inner loop of a rebuild.
_TASK_FIELDS = tuple(field.name for field in fields(TaskState))
_task_values = attrgetter(*_TASK_FIELDS)


def fold_invocation(state: InvocationState | None, event: Event) -> InvocationState | None:
    """The state of the invocation that an event names, or None where nothing of a run is known."""
    rule = _RUN_RULES.get(event.event) if event.invocation_id else None
    if rule is None or (state is None and event.event not in _OF_RUNS):
        return state
    if state is None:
        changes = rule(_UNKNOWN_RUN, event)
        return InvocationState(id=event.invocation_id, task_id=TaskId(event.task_id), **changes)
    values = dict(zip(_RUN_FIELDS, _run_values(state), strict=True))
    values.update(rule(state, event))
    return InvocationState(**values)


_RUN_FIELDS = tuple(field.name for field in fields(InvocationState))
_run_values = attrgetter(*_RUN_FIELDS)
_UNKNOWN_RUN = InvocationState(id="", task_id=TaskId(""))
_OF_RUNS = frozenset({EventKind.EXECUTION_STARTED, EventKind.EXECUTION_FINISHED})


def _run_began(known: InvocationState, event: Event) -> _Changes:
    details = event.details
    return {
        "agent": event.agent or known.agent,
        "run": event.run_id or known.run,
        "tool": event.tool or known.tool,
        "model": event.model or known.model,
        "attempt": _bounded(event.attempt) or known.attempt,
        "started": event.ts,
        "reason": event.reason,
        "provider": _text(details.get("provider")),
        "task_type": _text(details.get("task_type")),
        "billing": _text(details.get("billing")) or known.billing,
    }


def _run_ended(known: InvocationState, event: Event) -> _Changes:
    details = event.details
    cost = _count(details.get("cost_microusd"))
    return {
        "agent": event.agent or known.agent,
        "run": event.run_id or known.run,
        "tool": event.tool or known.tool,
        "model": event.model or known.model,
        "attempt": _bounded(event.attempt) or known.attempt,
        "finished": event.ts,
        "duration_ms": _bounded(event.duration_ms),
        "exit_code": None if event.exit_code is None else _bounded(event.exit_code),
        "error_kind": event.error_kind,
        "tokens": _tokens(details.get("tokens")),
        "cost": MicroUsd(cost),
        "cost_source": _text(details.get("cost_source")) or ("reported" if cost else ""),
        "billing": _text(details.get("billing")) or known.billing,
    }


def _run_judged(_: InvocationState, event: Event) -> _Changes:
    return {"outcome": "done" if event.event == EventKind.TASK_COMPLETED else event.error_kind or "failed"}


def _run_checked(_known: InvocationState, _event: Event) -> _Changes:
    return {"checked": True}


_RUN_RULES: Mapping[str, Callable[[InvocationState, Event], _Changes]] = {
    EventKind.EXECUTION_STARTED: _run_began,
    EventKind.EXECUTION_FINISHED: _run_ended,
    EventKind.CHECK_FINISHED: _run_checked,
    EventKind.ATTEMPT_FAILED: _run_judged,
    EventKind.TASK_COMPLETED: _run_judged,
    EventKind.TASK_ERROR: _run_judged,
    EventKind.TASK_CANCELLED: _run_judged,
}


def origin_of(event: Event) -> Origin | None:
    """Where a submitted task was taken from, where the event says so."""
    if event.event != EventKind.TASK_SUBMITTED:
        return None
    path, blob, commit = (_text(event.details.get(f"origin_{name}")) for name in ("path", "blob", "commit"))
    return Origin(path=path, blob=blob, commit=commit, task_id=TaskId(event.task_id)) if path and blob else None


def _submitted(state: TaskState, event: Event) -> _Changes:
    """New, or new again after a rejection; of a task that is under way it changes nothing but its birth, if unknown."""
    changes: _Changes = {"created": state.created or event.ts}
    if state.status is not Status.NEW:
        return changes | {"path": state.path}
    return changes | {"folder": Folder.INBOX, "why": ""}


def _claimed(state: TaskState, event: Event) -> _Changes:
    return _at(Status.ASSIGNED) | {
        "claimed": event.ts,
        "created": state.created or event.ts,
        "invocation": "",
        "why": "",
    }


def _rejected(state: TaskState, event: Event) -> _Changes:
    """A file with the id of a task that was claimed before is a second file: its rejection is not the task's."""
    if state.status is not Status.NEW:
        return {"path": state.path}
    return {"folder": Folder.REJECTED, "why": _why(event), "error_kind": event.error_kind}


def _started(state: TaskState, event: Event) -> _Changes:
    return _at(Status.IN_PROGRESS) | {
        "attempts": _bounded(event.attempt) or state.attempts + 1,
        "tool": event.tool,
        "model": event.model,
        "invocation": event.invocation_id,
        "started": event.ts,
        "finished": None,
        "verdict": "",
        "error_kind": "",
        "why": "",
    }


def _run_finished(state: TaskState, event: Event) -> _Changes:
    cost = MicroUsd(_bounded(state.cost + _count(event.details.get("cost_microusd"))))
    return {"invocation": "", "cost": cost}


def _completed(_: TaskState, event: Event) -> _Changes:
    verdict = _text(event.details.get("verdict"))
    return _at(Status.DONE) | {"verdict": verdict, "why": _why(event), "error_kind": "", **_ended(event)}


def _failed(_: TaskState, event: Event) -> _Changes:
    return _at(Status.ERROR) | {"error_kind": event.error_kind, "why": _why(event), "verdict": "", **_ended(event)}


def _cancelled(_: TaskState, event: Event) -> _Changes:
    return _at(Status.CANCELLED) | {"why": _why(event), "verdict": "", **_ended(event)}


def _blocked(_: TaskState, event: Event) -> _Changes:
    return _at(Status.BLOCKED) | {"why": _why(event), "error_kind": event.error_kind, "invocation": ""}


def _retried(_: TaskState, event: Event) -> _Changes:
    fresh: _Changes = {"finished": None, "verdict": "", "error_kind": "", "invocation": ""}
    return _at(Status.ASSIGNED) | fresh | {"why": _why(event)}


def _frozen(_: TaskState, event: Event) -> _Changes:
    return {"folder": Folder.FRIDGE, "why": _why(event), "invocation": ""}


def _thawed(state: TaskState, _: Event) -> _Changes:
    return {"folder": HOME[state.status], "why": ""}


def _archived(_state: TaskState, _event: Event) -> _Changes:
    return {"folder": Folder.ARCHIVE}


_RULES: Mapping[str, Callable[[TaskState, Event], _Changes]] = {
    EventKind.TASK_SUBMITTED: _submitted,
    EventKind.TASK_CLAIMED: _claimed,
    EventKind.TASK_REJECTED: _rejected,
    EventKind.EXECUTION_STARTED: _started,
    EventKind.EXECUTION_FINISHED: _run_finished,
    EventKind.TASK_COMPLETED: _completed,
    EventKind.TASK_ERROR: _failed,
    EventKind.TASK_CANCELLED: _cancelled,
    EventKind.TASK_BLOCKED: _blocked,
    EventKind.TASK_FROZEN: _frozen,
    EventKind.TASK_THAWED: _thawed,
    EventKind.TASK_RETRIED: _retried,
    EventKind.TASK_ARCHIVED: _archived,
}


def _at(status: Status) -> _Changes:
    return {"status": status, "folder": HOME[status]}


def _ended(event: Event) -> _Changes:
    return {"finished": event.ts, "invocation": ""}


def _why(event: Event) -> str:
    return (event.why or event.reason)[:_WHY]


def _take_details(details: Mapping[str, object], changes: _Changes) -> None:
    """Title and priority travel in the details of whichever event knows them."""
    title, priority = details.get("title"), details.get("priority")
    if isinstance(title, str) and title:
        changes["title"] = title[:_TITLE]
    if isinstance(priority, str) and priority in _PRIORITIES:
        changes["priority"] = Priority(priority)


_PRIORITIES = frozenset(Priority)


def _tokens(raw: object) -> Tokens:
    if not isinstance(raw, Mapping):
        return _NO_TOKENS
    return Tokens(**{name: _count(raw.get(name)) for name in ("input", "cache_read", "cache_write", "output")})


def _count(value: object) -> int:
    return min(value, _LARGEST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _bounded(value: int) -> int:
    return max(-_LARGEST, min(value, _LARGEST))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
