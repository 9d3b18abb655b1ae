"""Writing tasks and what belongs to them into the index, inside a transaction of the caller's."""

import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from orchestrator.adapters import index_rows as rows
from orchestrator.adapters.index_telling import Telling, tell
from orchestrator.core.events import Event
from orchestrator.core.history import fold, fold_invocation, is_of_task, origin_of
from orchestrator.core.types import TaskId

_TASK = f"SELECT {rows.TASK_COLUMNS} FROM tasks WHERE id = ?"  # noqa: S608  # constants
_INVOCATION = f"SELECT {rows.INVOCATION_COLUMNS} FROM invocations WHERE task_id = ? AND invocation_id = ?"  # noqa: S608  # constants
_FORGET = tuple(f"DELETE FROM {table} WHERE task_id = ?" for table in ("invocations", "taken_in", "event_files"))  # noqa: S608  # constants


def fold_in(connection: sqlite3.Connection, task_id: TaskId, events: Sequence[Event]) -> None:
    """Takes events into a task of which the index knows all that came before."""
    row = connection.execute(_TASK, (task_id,)).fetchone()
    state = rows.to_task(row) if row else None
    for event in filter(is_of_task, events):
        state = fold(state, event)
        if event.invocation_id:
            _fold_invocation_in(connection, event)
        if (origin := origin_of(event)) is not None:
            connection.execute(rows.PUT_ORIGIN, rows.from_origin(origin))
    if state is not None:
        connection.execute(rows.PUT_TASK, rows.from_task(state))


def _fold_invocation_in(connection: sqlite3.Connection, event: Event) -> None:
    row = connection.execute(_INVOCATION, (event.task_id, rows.clean(event.invocation_id))).fetchone()
    known = rows.to_invocation(row) if row else None
    invocation = fold_invocation(known, event)
    if invocation is not None and invocation is not known:
        connection.execute(rows.PUT_INVOCATION, rows.from_invocation(invocation))


def retell(connection: sqlite3.Connection, work: Path, task_id: TaskId, folders: Collection[str]) -> int:
    """Tells a task anew from its files in these folders, and forgets it where nothing is left. The number of events."""
    telling = tell(work, task_id, folders)
    for statement in _FORGET:
        connection.execute(statement, (task_id,))
    if telling.state is None:
        connection.execute("DELETE FROM tasks WHERE id = ?", (task_id,))
    else:
        connection.execute(rows.PUT_TASK, rows.from_task(telling.state))
    write_facts(connection, [telling])
    return telling.events


def write_facts(connection: sqlite3.Connection, tellings: Sequence[Telling]) -> None:
    """Writes what belongs to tasks besides their own rows: invocations, origins and files."""
    runs = [rows.from_invocation(run) for telling in tellings for run in telling.invocations.values()]
    origins = [rows.from_origin(origin) for telling in tellings for origin in telling.origins]
    files = [(file.folder, file.task_id, file.size, file.mtime_ns) for telling in tellings for file in telling.files]
    connection.executemany(rows.PUT_INVOCATION, runs)
    connection.executemany(rows.PUT_ORIGIN, origins)
    connection.executemany(rows.PUT_FILE, files)
