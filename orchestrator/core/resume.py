"""What start-up does with a task that it finds half-way: decided from its events and the status in its file alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.events import Event, EventKind
from orchestrator.core.types import Status

MOST_LOST = 3  # runs of one task that may be lost with the daemon before it is given back as `lost`


class Stage(StrEnum):
    """Where the straight path is taken up again."""

    ASSIGN = "assign"  # in assigned/ with no status of ours: a person put it there, or the claim was cut short
    RUN = "run"  # assigned: waits for its turn
    RERUN = "rerun"  # a run was announced and its end is not known
    GIVE_UP = "give_up"  # that happened too often
    JUDGE = "judge"  # the run's end is known, what came of it is not
    CLOSE = "close"  # what came of it is known, the file has not followed
    REST = "rest"  # nothing is ours to do: error, cancelled, blocked, or a person's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """The stage, and what it starts from."""

    stage: Stage
    attempt: int = 0  # runs announced so far
    started: Event | None = None  # the last execution_started
    finished: Event | None = None  # the end of that run
    again: Event | None = None  # the attempt_failed after which it is to run once more
    closed: Event | None = None  # the last task_completed, task_error, task_cancelled or task_blocked


_CLOSING = {EventKind.TASK_COMPLETED, EventKind.TASK_ERROR, EventKind.TASK_CANCELLED, EventKind.TASK_BLOCKED}
_STATUS_OF = {
    EventKind.TASK_COMPLETED: Status.DONE,
    EventKind.TASK_ERROR: Status.ERROR,
    EventKind.TASK_CANCELLED: Status.CANCELLED,
    EventKind.TASK_BLOCKED: Status.BLOCKED,
}
_TURNED_BACK = {EventKind.TASK_CLAIMED, EventKind.TASK_RETRIED}


def resume(events: Sequence[Event], status: Status, *, manual: bool) -> Resumption:
    """What to do with a task found in assigned/ with that status in its file, given its events, oldest first."""
    started = finished = closed = again = None
    attempt = 0
    lost = 0
    retried_from = ""
    for event in events:
        if event.event in _TURNED_BACK:
            started = finished = closed = again = None
            lost = 0
            retried_from = str(event.details.get("from", "")) if event.event == EventKind.TASK_RETRIED else ""
        elif event.event == EventKind.EXECUTION_STARTED:
            started, finished, closed, again = event, None, None, None
            attempt += 1
        elif event.event == EventKind.ATTEMPT_FAILED:
            started, finished, closed, again = None, None, None, event
            lost = 0
        elif event.event == EventKind.EXECUTION_FINISHED:
            lost += event.reason == "lost"
            finished = event
        elif event.event in _CLOSING:
            closed = event
    stage = _stage(status, started, finished, closed, lost=lost, manual=manual)
    if stage is Stage.REST and again is not None and closed is None and status is Status.IN_PROGRESS:
        stage = Stage.RUN  # its next run was told, and the file has not followed
    if stage is Stage.REST and closed is None and status == retried_from:
        stage = Stage.ASSIGN  # another turn was told, and the file has not followed
    return Resumption(stage=stage, attempt=attempt, started=started, finished=finished, again=again, closed=closed)


def _stage(
    status: Status, started: Event | None, finished: Event | None, closed: Event | None, *, lost: int, manual: bool
) -> Stage:
    if closed is not None:
        wanted = _STATUS_OF[EventKind(closed.event)]
        if status is wanted:
            return Stage.CLOSE if wanted is Status.DONE else Stage.REST
        # `new` is a file put there again; an error always follows in_progress, so `assigned` after one is a person's
        # wish for another turn. Anything else was cut short between event and file.
        wish = status is Status.NEW or (wanted is Status.ERROR and status is Status.ASSIGNED)
        return Stage.ASSIGN if wish else Stage.CLOSE
    if status in {Status.ERROR, Status.CANCELLED, Status.BLOCKED, Status.DONE}:
        return Stage.REST
    if manual:
        return Stage.ASSIGN if status is Status.NEW else Stage.REST
    if finished is not None and finished.reason not in {"lost", "interrupted"}:
        return Stage.JUDGE
    if started is not None and finished is None:
        return Stage.GIVE_UP if lost + 1 >= MOST_LOST else Stage.RERUN
    if started is None and status is Status.IN_PROGRESS:
        return Stage.REST  # somebody else's: no run of ours was announced
    if finished is not None and finished.reason == "lost" and lost >= MOST_LOST:
        return Stage.GIVE_UP
    return Stage.ASSIGN if status is Status.NEW else Stage.RUN


def waits_for_its_turn(status: Status, at: Resumption) -> bool:
    """Whether it is blocked by us, for a reason that may have gone: a dependency, a tool that was missing."""
    return status is Status.BLOCKED and at.closed is not None and at.closed.event == EventKind.TASK_BLOCKED


def finish_of(events: Sequence[Event], invocation_id: str) -> Event | None:
    """The end of that run, where it was announced."""
    for event in reversed(events):
        if event.event == EventKind.EXECUTION_FINISHED and event.invocation_id == invocation_id:
            return event
    return None
