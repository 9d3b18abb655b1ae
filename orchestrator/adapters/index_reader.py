"""Reading index.db without ever writing it: the other half of `orchestrator.query`. Loads nothing heavy."""

from collections.abc import Sequence
from pathlib import Path

from orchestrator.adapters import index_rows as rows
from orchestrator.adapters import index_schema as schema
from orchestrator.adapters.event_reading import read_events
from orchestrator.adapters.index_telling import path_of
from orchestrator.core.events import Event
from orchestrator.core.history import IndexUnusable, InvocationState, TaskState
from orchestrator.core.reports import Count, TaskFilter, Waiting
from orchestrator.core.types import Folder, Status

_LONGEST_ID = 200
_LAST = "\U0010ffff"


class IndexReader:
    """One look at the index, for one question or a few. A daemon may write meanwhile.

    Every method may raise IndexUnusable; BusyError and OSError are rare, and mean what they say.
    """

    def __init__(self, state: Path, work: Path) -> None:
        """Opens it. Raises IndexUnusable where it is missing, damaged, or not of this version or workspace."""
        self._work = work
        database = state / schema.NAME
        if not database.is_file():
            raise IndexUnusable("it is missing")
        with schema.guarded():
            self._connection = schema.connect(database, mode="ro")
            try:
                self._connection.execute("PRAGMA query_only = ON")
                schema.check_identity(self._connection, work)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Ends the look."""
        self._connection.close()

    def counts(self) -> list[Count]:
        """How many tasks stand where."""
        found = self._all("SELECT folder, status, agent, n FROM counts WHERE n > 0", ())
        with schema.guarded():
            return [Count(folder=Folder(row[0]), status=Status(row[1]), agent=row[2], n=row[3]) for row in found]

    def task(self, task_id: str) -> TaskState | None:
        """That very task."""
        found = self._tasks("WHERE id = ?", (rows.clean(task_id),))
        return found[0] if found else None

    def starting_with(self, prefix: str, limit: int) -> list[TaskState]:
        """Tasks whose ids start so."""
        prefix = rows.clean(prefix)
        return self._tasks("WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (prefix, prefix + _LAST, limit))

    def tasks(self, wanted: TaskFilter, limit: int) -> list[TaskState]:
        """Tasks that fit, the one last heard of first."""
        found: list[TaskState] = []
        for status in wanted.statuses or (None,):  # one by one: so an index answers in order
            where, values = _conditions(wanted, status)
            found += self._tasks(f"{where} ORDER BY last_ts DESC LIMIT ?", (*values, limit))
        if len(wanted.statuses) > 1:
            found.sort(key=lambda state: state.last_event_id, reverse=True)
            found.sort(key=lambda state: rows.from_time(state.last_ts) or "", reverse=True)
        return found[:limit]

    def count(self, wanted: TaskFilter) -> int:
        """How many fit. Without priority, run and time it is added up from the counters."""
        if wanted.priority or wanted.run or wanted.before is not None:
            total = 0
            for status in wanted.statuses or (None,):
                where, values = _conditions(wanted, status)
                total += int(self._all(f"SELECT count(*) FROM tasks {where}", values)[0][0])  # noqa: S608  # as in _tasks
            return total
        return sum(
            one.n
            for one in self.counts()
            if (not wanted.statuses or one.status in wanted.statuses)
            and (not wanted.folders or one.folder in wanted.folders)
            and (not wanted.agent or one.agent == wanted.agent)
        )

    def finished(self, limit: int) -> list[TaskState]:
        """Tasks that ended, in whatever way, the newest first."""
        return self._tasks("WHERE finished IS NOT NULL ORDER BY finished DESC LIMIT ?", (limit,))

    def like(self, text: str, limit: int) -> list[str]:
        """Ids that hold that text anywhere: a scan, for an error message."""
        escaped = rows.clean(text[:_LONGEST_ID]).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        found = self._all("SELECT id FROM tasks WHERE id LIKE ? ESCAPE '\\' LIMIT ?", (f"%{escaped}%", limit))
        return [row[0] for row in found]

    def waiting(self, limit: int) -> list[Waiting]:
        """What the daemon last said of tasks that wait."""
        found = self._all("SELECT task_id, why FROM waiting ORDER BY task_id LIMIT ?", (limit,))
        return [Waiting(task_id=row[0], why=row[1]) for row in found]

    def waiting_total(self) -> int:
        """How many there are."""
        return int(self._all("SELECT count(*) FROM waiting", ())[0][0])

    def invocations(self, task_id: str, limit: int) -> list[InvocationState]:
        """The newest runs of a task, oldest first."""
        question = (
            f"SELECT {rows.INVOCATION_COLUMNS} FROM invocations WHERE task_id = ? "  # noqa: S608  # constants
            "ORDER BY started DESC, invocation_id DESC LIMIT ?"
        )
        found = self._all(question, (rows.clean(task_id), limit))
        with schema.guarded():
            return [rows.to_invocation(row) for row in reversed(found)]

    def event_files(self, task_id: str) -> list[str]:
        """The task's event files, relative to the work folder."""
        found = self._all("SELECT folder FROM event_files WHERE task_id = ? ORDER BY folder", (rows.clean(task_id),))
        return [path_of(folder, task_id) for (folder,) in found]

    def events(self, task_id: str) -> list[Event]:
        """The task's events, oldest first, read from its files."""
        files = self.event_files(task_id)
        if len(files) == 1:
            return read_events(self._work / files[0])
        events = {event.event_id: event for file in files for event in read_events(self._work / file)}
        return [events[event_id] for event_id in sorted(events)]

    def _tasks(self, where: str, values: Sequence[object]) -> list[TaskState]:
        question = f"SELECT {rows.TASK_COLUMNS} FROM tasks {where}"  # noqa: S608  # `where` is ours; values are bound
        found = self._all(question, values)
        with schema.guarded():
            return [rows.to_task(row) for row in found]

    def _all(self, question: str, values: Sequence[object]) -> list[rows.Row]:
        with schema.guarded():
            return self._connection.execute(question, values).fetchall()


def _conditions(wanted: TaskFilter, status: Status | None) -> tuple[str, list[object]]:
    conditions: list[str] = ["last_ts IS NOT NULL"]
    values: list[object] = []
    if status is not None:
        conditions.append("status = ?")
        values.append(status.value)
    if wanted.agent:
        conditions.append("agent = ?")
        values.append(rows.clean(wanted.agent))
    if wanted.priority:
        conditions.append("priority = ?")
        values.append(rows.clean(wanted.priority))
    if wanted.run:
        conditions.append("run = ?")
        values.append(rows.clean(wanted.run))
    if wanted.folders:
        conditions.append(f"folder IN ({', '.join('?' * len(wanted.folders))})")
        values += [folder.value for folder in wanted.folders]
    if wanted.before is not None:
        conditions.append("last_ts < ?")
        values.append(rows.from_time(wanted.before))
    return f"WHERE {' AND '.join(conditions)}", values
