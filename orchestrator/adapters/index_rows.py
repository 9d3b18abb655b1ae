"""Values of the core as rows of the index, and back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.core.history import InvocationState, Origin, TaskState
from orchestrator.core.types import Folder, MicroUsd, Priority, Status, TaskId, Tokens

Row = Sequence[Any]
_MOST = 10**12  # tokens or micro-dollars of one run: what damaged events say must not overflow the sum of many

TASK_COLUMNS = (
    "id, agent, title, priority, status, folder, path, run, tool, model, invocation, attempts, verdict, why, "
    "error_kind, cost_microusd, created, claimed, started, finished, last_event_id, last_ts"
)
INVOCATION_COLUMNS = (
    "task_id, invocation_id, agent, run, tool, model, provider, task_type, reason, billing, attempt, started, "
    "finished, duration_ms, exit_code, error_kind, tokens_input, tokens_cache_read, tokens_cache_write, "
    "tokens_output, cost_microusd, cost_source, outcome, checked"
)
# The SQL below is put together from the constants above, never from data.
_PLACES = ", ".join("?" * len(TASK_COLUMNS.split(",")))
_UPDATES = ", ".join(f"{name} = excluded.{name}" for name in TASK_COLUMNS.split(", ")[1:])
ADD_TASK = f"INSERT INTO tasks ({TASK_COLUMNS}) VALUES ({_PLACES}) ON CONFLICT DO NOTHING"  # noqa: S608  # constants
PUT_TASK = f"INSERT INTO tasks ({TASK_COLUMNS}) VALUES ({_PLACES}) ON CONFLICT (id) DO UPDATE SET {_UPDATES}"  # noqa: S608  # constants
_RUN_PLACES = ", ".join("?" * len(INVOCATION_COLUMNS.split(",")))
PUT_INVOCATION = f"INSERT OR REPLACE INTO invocations ({INVOCATION_COLUMNS}) VALUES ({_RUN_PLACES})"  # noqa: S608  # constants
PUT_ORIGIN = 'INSERT OR REPLACE INTO taken_in (path, blob, task_id, "commit") VALUES (?,?,?,?)'
PUT_FILE = "INSERT OR REPLACE INTO event_files (folder, task_id, size, mtime_ns) VALUES (?,?,?,?)"


def clean(text: str) -> str:
    """Text that SQLite can hold: a name that is no UTF-8 becomes escapes, and stays one of its kind."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def from_task(state: TaskState) -> Row:
    """The row of a task."""
    return (
        state.id,
        clean(state.agent),
        clean(state.title),
        state.priority.value,
        state.status.value,
        state.folder.value,
        clean(state.path),
        clean(state.run),
        clean(state.tool),
        clean(state.model),
        clean(state.invocation),
        state.attempts,
        clean(state.verdict),
        clean(state.why),
        clean(state.error_kind),
        state.cost,
        from_time(state.created),
        from_time(state.claimed),
        from_time(state.started),
        from_time(state.finished),
        clean(state.last_event_id),
        from_time(state.last_ts),
    )


def to_task(row: Row) -> TaskState:
    """The task of a row. Raises ValueError where the row is damaged."""
    return TaskState(
        id=TaskId(row[0]),
        agent=row[1],
        title=row[2],
        priority=Priority(row[3]),
        status=Status(row[4]),
        folder=Folder(row[5]),
        path=row[6],
        run=row[7],
        tool=row[8],
        model=row[9],
        invocation=row[10],
        attempts=row[11],
        verdict=row[12],
        why=row[13],
        error_kind=row[14],
        cost=MicroUsd(row[15]),
        created=to_time(row[16]),
        claimed=to_time(row[17]),
        started=to_time(row[18]),
        finished=to_time(row[19]),
        last_event_id=row[20],
        last_ts=to_time(row[21]),
    )


def from_invocation(state: InvocationState) -> Row:
    """The row of an invocation."""
    return (
        state.task_id,
        clean(state.id),
        clean(state.agent),
        clean(state.run),
        clean(state.tool),
        clean(state.model),
        clean(state.provider),
        clean(state.task_type),
        clean(state.reason),
        clean(state.billing),
        state.attempt,
        from_time(state.started),
        from_time(state.finished),
        state.duration_ms,
        state.exit_code,
        clean(state.error_kind),
        min(state.tokens.input, _MOST),
        min(state.tokens.cache_read, _MOST),
        min(state.tokens.cache_write, _MOST),
        min(state.tokens.output, _MOST),
        min(state.cost, _MOST),
        clean(state.cost_source),
        clean(state.outcome),
        state.checked,
    )


def to_invocation(row: Row) -> InvocationState:
    """The invocation of a row. Raises ValueError where the row is damaged."""
    return InvocationState(
        task_id=TaskId(row[0]),
        id=row[1],
        agent=row[2],
        run=row[3],
        tool=row[4],
        model=row[5],
        provider=row[6],
        task_type=row[7],
        reason=row[8],
        billing=row[9],
        attempt=row[10],
        started=to_time(row[11]),
        finished=to_time(row[12]),
        duration_ms=row[13],
        exit_code=row[14],
        error_kind=row[15],
        tokens=Tokens(input=row[16], cache_read=row[17], cache_write=row[18], output=row[19]),
        cost=MicroUsd(row[20]),
        cost_source=row[21],
        outcome=row[22],
        checked=bool(row[23]),
    )


def from_origin(origin: Origin) -> Row:
    """The row of a file that was taken in."""
    return (clean(origin.path), clean(origin.blob), origin.task_id, clean(origin.commit))


def from_time(time: datetime | None) -> str | None:
    """ISO 8601, UTC, microseconds, always of the same length, so that it sorts."""
    if time is None:
        return None
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return time.isoformat(timespec="microseconds")[:-6] + "Z"


def to_time(text: str | None) -> datetime | None:
    """The time of a column."""
    return None if text is None else datetime.fromisoformat(text)
