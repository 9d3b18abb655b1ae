"""Makes index.db anew from the event files, beside the old one, and puts it in its place in one rename."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters import index_rows as rows
from orchestrator.adapters import index_schema as schema
from orchestrator.adapters.buckets import sync_folder
from orchestrator.adapters.index import hold
from orchestrator.adapters.index_telling import Telling, folders, listing, tell
from orchestrator.adapters.index_writing import retell, write_facts
from orchestrator.core.history import IndexUnusable
from orchestrator.errors import BusyError

_BATCH = 500  # files whose rows are in memory at once
_CACHE_KIB = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild read."""

    files: int
    events: int
    seconds: float


Progress = Callable[[int, int], None]  # files and events read so far


def rebuild(state: Path, work: Path, progress: Progress | None = None) -> Rebuilt:
    """Makes the index anew. Memory is bounded by a batch of files; a crash at any moment leaves the old one or the new.

    Raises:
        BusyError: a daemon has the index open, or another rebuild runs.
        OSError: the disk refuses.
    """
    started = time.monotonic()
    state.mkdir(parents=True, exist_ok=True)
    lock = hold(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        database = state / schema.NAME
        fresh = state / f"{schema.NAME}.new"
        _remove(fresh)
        try:
            files, events = _build(fresh, work, progress or (lambda _files, _events: None))
            _put_in_place(fresh, database)
        except BaseException:
            _remove(fresh)
            raise
    finally:
        os.close(lock)
    return Rebuilt(files=files, events=events, seconds=time.monotonic() - started)


def _build(fresh: Path, work: Path, progress: Progress) -> tuple[int, int]:
    with schema.guarded(), contextlib.closing(schema.connect(fresh, mode="rwc")) as connection:
        # No journal and no syncs: until it is renamed nobody reads this file, and a crash throws it away.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.executescript(schema.TABLES)
        connection.execute("BEGIN")
        read = _fill(connection, work, progress)
        for statement in _statements(schema.INDEXES):
            connection.execute(statement)
        _retell_split_tasks(connection, work)
        values = [("work", schema.workspace_of(work)), ("open", "0")]
        connection.executemany("INSERT INTO meta VALUES (?, ?)", values)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    return read


def _fill(connection: sqlite3.Connection, work: Path, progress: Progress) -> tuple[int, int]:
    files = events = 0
    batch: list[Telling] = []
    for folder in folders(work):
        for seen in sorted(listing(work, folder), key=lambda seen: seen.task_id):
            telling = tell(work, seen.task_id, [folder])
            batch.append(telling)
            files += 1
            events += telling.events
            if len(batch) >= _BATCH:
                _write(connection, batch)
                batch.clear()
                progress(files, events)
    _write(connection, batch)
    progress(files, events)
    return files, events


def _write(connection: sqlite3.Connection, batch: list[Telling]) -> None:
    tasks = [rows.from_task(telling.state) for telling in batch if telling.state is not None]
    connection.executemany(rows.ADD_TASK, tasks)
    write_facts(connection, batch)


def _retell_split_tasks(connection: sqlite3.Connection, work: Path) -> None:
    """Tasks with several event files (rare: two machines) are told from all of them together."""
    question = "SELECT task_id FROM event_files GROUP BY task_id HAVING count(*) > 1"
    for (task_id,) in connection.execute(question).fetchall():
        held = connection.execute("SELECT folder FROM event_files WHERE task_id = ?", (task_id,)).fetchall()
        retell(connection, work, task_id, [folder for (folder,) in held])


def _statements(script: str) -> list[str]:
    """The statements of a script one by one: executescript would end our transaction."""
    statements: list[str] = []
    text = ""
    for line in script.splitlines():
        text += line + "\n"
        if sqlite3.complete_statement(text):
            statements.append(text)
            text = ""
    return statements


def _put_in_place(fresh: Path, database: Path) -> None:
    descriptor = os.open(fresh, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _empty_log(database)
    # A log of the old database beside the new one would be replayed into it.
    for stale in (schema.wal_of(database), schema.shm_of(database)):
        stale.unlink(missing_ok=True)
    fresh.rename(database)
    sync_folder(database.parent)


def _empty_log(database: Path) -> None:
    """Brings an old database that is sound into its one file, so that a crash before the rename leaves it whole."""
    if not database.is_file():
        return
    with (
        contextlib.suppress(IndexUnusable, OSError, BusyError),
        schema.guarded(),
        contextlib.closing(schema.connect(database, mode="rw")) as old,
    ):
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _remove(database: Path) -> None:
    for path in (database, schema.wal_of(database), schema.shm_of(database), Path(f"{database}-journal")):
        path.unlink(missing_ok=True)
