"""index.db: what the event files add up to, kept current by the daemon. Derived: rebuilding it always answers.

There is no mark by which a start could skip `catch_up`: while no daemon runs, a pull, a reset or a person may change
any event file, and nothing but looking tells. Looking costs a stat a file.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.adapters import index_rows as rows
from orchestrator.adapters import index_schema as schema
from orchestrator.adapters.index_telling import folders, listing, path_of
from orchestrator.adapters.index_writing import fold_in, retell
from orchestrator.adapters.mounts import Mount, refuse_network
from orchestrator.core.events import Event, encode
from orchestrator.core.history import IndexUnusable, TaskState
from orchestrator.core.types import Status, TaskId
from orchestrator.errors import BusyError
from orchestrator.ports import Known

LOCK = "index.lock"  # held shared by whoever has the index open for writing, alone by a rebuild
_MANY = 500  # ids in one question
_CHECKPOINT = 4_000  # pages of log: at SQLite's own 1,000 a daemon at work copied and synced them every 20 tasks
UNFINISHED = (Status.NEW, Status.ASSIGNED, Status.IN_PROGRESS, Status.BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """What catching up with the event files did."""

    files_read: int = 0
    events: int = 0
    forgotten: int = 0  # files that vanished


class Index:
    """The index, open for writing by one process. Thread-safe.

    Every method may raise IndexUnusable (rebuild it), BusyError, and OSError where the disk refuses; after any of them
    nothing of the call is in the index, and `catch_up` makes it whole again.
    """

    def __init__(self, connection: sqlite3.Connection, work: Path, lock: int) -> None:
        self._connection = connection
        self._work = work
        self._held = lock
        self._lock = threading.RLock()
        self._waiting: dict[TaskId, str] = {}

    @classmethod
    def open(cls, state: Path, work: Path) -> "Index":
        """Opens and checks it; call `catch_up` next.

        Raises:
            IndexUnusable: it is missing, damaged, or not of this version or workspace.
        """
        database = state / schema.NAME
        if not database.is_file():
            raise IndexUnusable("it is missing")
        lock = hold(state, fcntl.LOCK_SH)
        try:
            connection = _checked(database, work)
        except BaseException:
            os.close(lock)
            raise
        return cls(connection, work, lock)

    def close(self) -> None:
        """Leaves it whole in its one file."""
        with self._lock, contextlib.suppress(IndexUnusable, BusyError, OSError), schema.guarded():
            self._connection.execute("UPDATE meta SET value = '0' WHERE key = 'open'")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._lock:
            self._connection.close()
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    # --- writing -------------------------------------------------------------------------------------------------

    def apply(self, file: str, size: int, task_id: TaskId, events: Sequence[Event]) -> None:
        """Takes in events that were just appended to `file`, which is `size` bytes long now.

        Where the index did not know all that stood before them, the task is told anew from its files.
        """
        folder = file.rpartition("/")[0]
        with self._transaction() as connection:
            known = self._files_of(task_id)
            expected = known.get(folder, 0) + sum(len(encode(event)) for event in events)
            if known.keys() <= {folder} and expected == size and all(event.task_id == task_id for event in events):
                fold_in(connection, task_id, events)
                connection.execute(rows.PUT_FILE, (folder, task_id, size, self._mtime(file)))
            else:
                retell(connection, self._work, task_id, {*known, folder})

    def catch_up(self) -> CatchUp:
        """Reads the event files that are new or changed since they were read, and forgets those that vanished.

        A change is seen by size or time of modification. What a person takes away stays away.

        Raises:
            OSError: a file or folder is there and cannot be read.
        """
        with self._lock, schema.guarded():
            known = {folder for (folder,) in self._connection.execute("SELECT DISTINCT folder FROM event_files")}
        done = CatchUp()
        for folder in sorted(known.union(folders(self._work))):
            more = self._catch_up_folder(folder)
            done = CatchUp(
                files_read=done.files_read + more.files_read,
                events=done.events + more.events,
                forgotten=done.forgotten + more.forgotten,
            )
        return done

    def set_waiting(self, waiting: Mapping[TaskId, str]) -> None:
        """Which tasks wait, and for what: for people to look at, not a fact. Only what changed is written."""
        with self._lock:
            gone = [(task_id,) for task_id in self._waiting.keys() - waiting.keys()]
            changed = [(key, rows.clean(why)) for key, why in waiting.items() if self._waiting.get(key) != why]
            if not gone and not changed:
                return
            with self._transaction() as connection:
                connection.executemany("DELETE FROM waiting WHERE task_id = ?", gone)
                connection.executemany("INSERT OR REPLACE INTO waiting VALUES (?, ?)", changed)
            self._waiting = dict(waiting)

    # --- asking --------------------------------------------------------------------------------------------------

    def statuses(self, ids: Collection[TaskId]) -> dict[TaskId, TaskState]:
        """What the events tell of these tasks; absent: nothing."""
        wanted = list(ids)
        found: dict[TaskId, TaskState] = {}
        for start in range(0, len(wanted), _MANY):
            part = wanted[start : start + _MANY]
            for state in self._tasks(f"WHERE id IN ({', '.join('?' * len(part))})", part):
                found[state.id] = state
        return found

    def known(self, ids: Collection[TaskId]) -> dict[TaskId, Known]:
        """The same, in the words of the straight path."""
        return {task_id: _known(state) for task_id, state in self.statuses(ids).items()}

    def locate(self, task_id: TaskId) -> str | None:
        """Where the task's event file is (the newest, where there are several)."""
        with self._lock, schema.guarded():
            known = self._files_of(task_id)
        return path_of(max(known), task_id) if known else None

    def is_taken_in(self, path: str, blob: str) -> bool:
        """Whether a task was submitted from that committed file."""
        question = "SELECT 1 FROM taken_in WHERE path = ? AND blob = ? LIMIT 1"
        with self._lock, schema.guarded():
            return self._connection.execute(question, (rows.clean(path), rows.clean(blob))).fetchone() is not None

    def unfinished(self, statuses: Collection[Status] = UNFINISHED) -> Iterator[TaskState]:
        """Tasks of these statuses that were not rejected, by id: what recovery looks at. Frozen ones are among them."""
        marks = ", ".join("?" * len(statuses))
        last = ""
        while True:
            page = self._tasks(
                f"WHERE status IN ({marks}) AND folder NOT IN ('rejected', 'archive') AND id > ? ORDER BY id LIMIT ?",
                [*(status.value for status in statuses), last, _MANY],
            )
            yield from page
            if len(page) < _MANY:
                return
            last = page[-1].id

    def in_assigned(self) -> list[Known]:
        """Tasks that ought to be in assigned/, as their events tell."""
        statuses = (*UNFINISHED, Status.ERROR, Status.CANCELLED)
        marks = ", ".join("?" * len(statuses))
        where = f"WHERE status IN ({marks}) AND folder = 'assigned' AND path <> '' LIMIT 10000"
        return [_known(state) for state in self._tasks(where, [status.value for status in statuses])]

    def retained(self, finished_before: datetime, limit: int) -> list[Known]:
        """Tasks in done/ that finished before then, oldest first."""
        where = "WHERE folder = 'done' AND finished < ? ORDER BY finished LIMIT ?"
        return [_known(state) for state in self._tasks(where, [rows.from_time(finished_before), limit])]

    def recent(self, limit: int) -> list[TaskState]:
        """The tasks that something happened to last, the newest first."""
        return self._tasks("WHERE last_ts IS NOT NULL ORDER BY last_ts DESC LIMIT ?", [limit])

    def agents(self) -> list[tuple[str, str, int]]:
        """How many tasks each agent has in each status, in assigned/ and done/: (agent, status, number)."""
        question = (
            "SELECT agent, status, sum(n) FROM counts WHERE agent <> '' AND folder IN ('assigned', 'done') AND n > 0 "
            "GROUP BY agent, status ORDER BY agent, status"
        )
        with self._lock, schema.guarded():
            return self._connection.execute(question).fetchall()

    def last_finished(self) -> dict[str, datetime]:
        """When each agent ended something last; agents that never did are left out."""
        question = (
            "SELECT agent, (SELECT max(finished) FROM tasks WHERE agent = held.agent AND finished IS NOT NULL) "
            "FROM (SELECT DISTINCT agent FROM counts WHERE agent <> '' AND n > 0) AS held"
        )
        with self._lock, schema.guarded():
            ended = ((agent, rows.to_time(at)) for agent, at in self._connection.execute(question))
            return {agent: at for agent, at in ended if at is not None}

    # --- inside --------------------------------------------------------------------------------------------------

    def _tasks(self, where: str, values: Sequence[object]) -> list[TaskState]:
        question = f"SELECT {rows.TASK_COLUMNS} FROM tasks {where}"  # noqa: S608  # `where` is ours; values are bound
        with self._lock, schema.guarded():
            return [rows.to_task(row) for row in self._connection.execute(question, values)]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, schema.guarded():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _files_of(self, task_id: TaskId) -> dict[str, int]:
        question = "SELECT folder, size FROM event_files WHERE task_id = ?"
        return dict(self._connection.execute(question, (task_id,)).fetchall())

    def _mtime(self, file: str) -> int:
        try:
            return (self._work / file).lstat().st_mtime_ns
        except FileNotFoundError:
            return 0  # catching up forgets it

    def _catch_up_folder(self, folder: str) -> CatchUp:
        # One folder under the lock at a time: an append either was applied before, or finds all that is read here.
        with self._lock, schema.guarded():
            question = "SELECT task_id, size, mtime_ns FROM event_files WHERE folder = ?"
            known = {row[0]: (row[1], row[2]) for row in self._connection.execute(question, (folder,))}
            changed = [
                seen.task_id
                for seen in listing(self._work, folder)
                if known.pop(seen.task_id, None) != (seen.size, seen.mtime_ns)
            ]
            if not changed and not known:
                return CatchUp()
            events = 0
            with self._transaction() as connection:
                for task_id in changed:
                    events += retell(connection, self._work, task_id, {*self._files_of(task_id), folder})
                for task_id in known:
                    retell(connection, self._work, TaskId(task_id), self._files_of(TaskId(task_id)))
            return CatchUp(files_read=len(changed), events=events, forgotten=len(known))


def hold(state: Path, how: int, mounts: Sequence[Mount] | None = None) -> int:
    """Takes the lock of the index; closing the descriptor lets it go. `mounts` stands for those of this machine.

    Raises:
        BusyError: LOCK_NB was asked for, and somebody has it.
        OrchestratorError: it would be on a network file system.
    """
    refuse_network(state, mounts)
    descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        raise BusyError(
            f"{state / schema.NAME} is in use: a daemon has it open, or it is being rebuilt; try again once that ended"
        ) from None
    return descriptor


def _checked(database: Path, work: Path) -> sqlite3.Connection:
    had_log = schema.wal_of(database).exists()
    with schema.guarded():
        connection = schema.connect(database, mode="rw")
        try:
            schema.check_identity(connection, work)
            _check_soundness(connection, had_log=had_log)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
            connection.execute("DELETE FROM waiting")
            connection.execute("UPDATE meta SET value = '1' WHERE key = 'open'")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except BaseException:
            connection.close()
            raise
    return connection


def _check_soundness(connection: sqlite3.Connection, *, had_log: bool) -> None:
    is_open = connection.execute("SELECT value FROM meta WHERE key = 'open'").fetchone()
    if is_open == ("1",) and not had_log:
        # Without its log a database that was not closed may hold half of a checkpoint, and no check shows it.
        raise IndexUnusable("its write-ahead log was taken away")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise IndexUnusable(f"it is damaged: {found}")


def _known(state: TaskState) -> Known:
    return Known(
        task_id=state.id,
        status=state.status.value,
        path=state.path,
        agent=state.agent,
        attempts=state.attempts,
        why=state.why,
    )
