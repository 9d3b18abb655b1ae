"""The read side: one QueryService for the CLI, pages and anything else. It never writes, and loads nothing heavy.

Facts come from the index, what lies in a folder now comes from the folder. Every answer is bounded.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from orchestrator import query_disk as disk
from orchestrator.core.events import Event
from orchestrator.core.history import IndexUnusable, InvocationState, TaskState
from orchestrator.core.reports import (
    Attention,
    Count,
    DaemonReport,
    StatusReport,
    TaskFilter,
    TaskList,
    TaskReport,
    Waiting,
)
from orchestrator.core.types import Folder, Status, TaskId
from orchestrator.errors import NotFoundError, OrchestratorError

FEW = 20  # of each list in a status report
MANY = 1_000  # tasks in one list
EVENTS = 500  # the newest of a task
_NEAR = 5
_RECENT = 300  # ids that a misspelt one is compared with
_ACTIVE = (Folder.INBOX, Folder.ASSIGNED, Folder.REJECTED, Folder.FRIDGE)


class IndexNeeded(OrchestratorError):  # noqa: N818  # what is needed, not what went wrong
    """The index is missing or cannot be used; `orchestrator index rebuild` makes it."""


class _Closable(Protocol):
    def close(self) -> None: ...


R = TypeVar("R", bound=_Closable)


@contextlib.contextmanager
def reading(open_reader: Callable[[], R]) -> Iterator[R]:
    """One look at the index, closed at its end. Raises IndexNeeded."""
    try:
        reader = open_reader()
        try:
            yield reader
        finally:
            reader.close()
    except IndexUnusable as error:
        raise IndexNeeded(str(error)) from error


class Reader(Protocol):
    """What a look at the index answers. Methods may raise IndexUnusable."""

    def close(self) -> None: ...
    def counts(self) -> list[Count]: ...
    def task(self, task_id: str) -> TaskState | None: ...
    def starting_with(self, prefix: str, limit: int) -> list[TaskState]: ...
    def tasks(self, wanted: TaskFilter, limit: int) -> list[TaskState]: ...
    def count(self, wanted: TaskFilter) -> int: ...
    def finished(self, limit: int) -> list[TaskState]: ...
    def like(self, text: str, limit: int) -> list[str]: ...
    def waiting(self, limit: int) -> list[Waiting]: ...
    def waiting_total(self) -> int: ...
    def invocations(self, task_id: str, limit: int) -> list[InvocationState]: ...
    def event_files(self, task_id: str) -> list[str]: ...
    def events(self, task_id: str) -> list[Event]: ...


class Holder(Protocol):
    """Who holds the workspace, in its own words."""

    @property
    def pid(self) -> int: ...
    @property
    def host(self) -> str: ...
    @property
    def since(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def why(self) -> str: ...


class QueryService:
    """Answers questions about one workspace.

    `open_reader` opens a look at the index, anew for each question: a rebuild may have replaced it. `holder` says who
    holds the workspace's lock, or None.
    """

    def __init__(self, work: Path, *, open_reader: Callable[[], Reader], holder: Callable[[], Holder | None]) -> None:
        self._work = work
        self._open_reader = open_reader
        self._holder = holder

    def daemon(self) -> DaemonReport:
        """Whether a daemon runs, and what it says of itself."""
        held = self._holder()
        if held is None:
            return DaemonReport()
        return DaemonReport(
            running=True,
            pid=held.pid,
            host=held.host,
            since=held.since,
            version=held.version,
            what=held.what,
            state=held.state,
            why=held.why,
        )

    def status(self, few: int = FEW) -> StatusReport:
        """Where everything stands; lists hold at most `few`. Raises IndexNeeded."""
        daemon = self.daemon()
        files = {folder: disk.count(self._work, folder) for folder in _ACTIVE}
        with reading(self._open_reader) as reader:
            counts = reader.counts()
            attention = self._attention(reader, few)
            running = reader.tasks(TaskFilter(statuses=(Status.IN_PROGRESS,), folders=(Folder.ASSIGNED,)), few)
            finished = reader.finished(few)
            # What a daemon that is gone said of waiting tasks is no longer true.
            waiting = reader.waiting(few) if daemon.running else []
            waiting_total = reader.waiting_total() if daemon.running else 0
        folders = {folder.value: files.get(folder, _sum(counts, folder)) for folder in Folder}
        statuses, agents = _by_status(counts)
        return StatusReport(
            daemon=daemon,
            folders=folders,
            folders_capped=tuple(folder.value for folder, n in files.items() if n >= disk.MOST),
            statuses=statuses,
            agents=agents,
            running=tuple(running),
            waiting=tuple(waiting),
            waiting_total=waiting_total,
            finished=tuple(finished),
            attention=tuple(attention),
            attention_total=files[Folder.REJECTED] + statuses["error"] + statuses["blocked"],
        )

    def left_waiting(self, few: int = FEW) -> tuple[tuple[Waiting, ...], int]:
        """What the last daemon said of tasks that cannot start, and how many they are: for whoever saw it end."""
        with reading(self._open_reader) as reader:
            return tuple(reader.waiting(few)), reader.waiting_total()

    def task(self, name: str, events: int = EVENTS) -> TaskReport:
        """The task of that id, or whose id alone starts so.

        Raises:
            NotFoundError: there is none, or several; the message names those that are near.
            IndexNeeded
        """
        with reading(self._open_reader) as reader:
            state, found = self._resolve(reader, name)
            if state is None:
                return _from_file(found)
            told = reader.events(state.id)
            files = reader.event_files(state.id)
            return TaskReport(
                state=state,
                path=found.path if found else "",
                known=True,
                invocations=tuple(reader.invocations(state.id, events)),
                events=tuple(told[-events:] if events else ()),
                event_file=files[-1] if files else "",
                logs=_logs(told),
            )

    def tasks(self, wanted: TaskFilter | None = None, limit: int = 100) -> TaskList:
        """Tasks that the index knows and that fit, the one last heard of first; at most MANY. Raises IndexNeeded."""
        limit = max(1, min(limit, MANY))
        with reading(self._open_reader) as reader:
            found = reader.tasks(wanted or TaskFilter(), limit + 1)
        return TaskList(tasks=tuple(found[:limit]), more=len(found) > limit)

    def listing(self, wanted: Sequence[TaskFilter], limit: int = 50, agent_of: Callable[[str], str] = str) -> TaskList:
        """Tasks that fit one of the filters, the newest first, with what waits in the inbox unheard of; and how many.

        `agent_of` gives the key of the agent that a file names. Raises IndexNeeded.
        """
        from orchestrator.query_list import listing

        with reading(self._open_reader) as reader:
            return listing(reader, self._work, wanted, max(1, min(limit, MANY)), agent_of)

    def ids(self, prefix: str, limit: int = 50) -> list[str]:
        """Ids that start so, for the completion of a shell. Raises IndexNeeded."""
        with reading(self._open_reader) as reader:
            known = {str(state.id) for state in reader.starting_with(prefix, limit)}
        return sorted(known.union(file.id for file in disk.starting_with(self._work, prefix, limit)))[:limit]

    def _resolve(self, reader: Reader, name: str) -> tuple[TaskState | None, "disk.Found | None"]:
        if (state := reader.task(name)) is not None:
            return state, self._located(state)
        if (found := disk.find(self._work, name)) is not None:
            return None, found
        if name:
            states = {state.id: state for state in reader.starting_with(name, _NEAR + 1)}
            files = {file.id: file for file in disk.starting_with(self._work, name, _NEAR + 1)}
            ids = sorted({*states, *files})
            if len(ids) == 1:
                only = states.get(TaskId(ids[0]))
                return only, self._located(only) if only else files[ids[0]]
            if ids:
                more = " and more" if len(ids) > _NEAR else ""
                raise NotFoundError(f"{name!r} could be {', '.join(ids[:_NEAR])}{more}; write more of the id")
        near = self._near(reader, name)
        hint = f"did you mean {', '.join(near)}?" if near else "`orchestrator status` shows what there is"
        raise NotFoundError(f"no task {name!r}; {hint}")

    def _located(self, state: TaskState) -> "disk.Found | None":
        """Where its file is now: where the events say, else wherever a person has put it."""
        if state.path and (self._work / state.path).is_file():
            return disk.Found(id=state.id, folder=state.folder, path=state.path)
        return disk.find(self._work, state.id)

    def _near(self, reader: Reader, name: str) -> list[str]:
        if name and (holding := reader.like(name, _NEAR)):
            return holding
        import difflib  # 8 ms, and only a message needs it

        recent = [str(state.id) for state in reader.tasks(TaskFilter(), _RECENT)]
        recent += [file.id for file in disk.starting_with(self._work, "", _RECENT)]
        return difflib.get_close_matches(name[:200], list(dict.fromkeys(recent)), n=3, cutoff=0.6)

    def _attention(self, reader: Reader, few: int) -> list[Attention]:
        stuck = reader.tasks(TaskFilter(statuses=(Status.ERROR, Status.BLOCKED), folders=(Folder.ASSIGNED,)), few)
        found = [
            Attention(
                id=state.id,
                what=state.status.value,
                why=state.why,
                path=state.path,
                agent=state.agent,
                error_kind=state.error_kind,
                at=state.last_ts,
            )
            for state in stuck
        ]
        for path, why, at in disk.rejected(self._work, few):
            when = datetime.fromtimestamp(at / 1e9, UTC)
            found.append(Attention(id=path.rpartition("/")[2], what="rejected", why=why, path=path, at=when))
        found.sort(key=lambda item: item.at.timestamp() if item.at else 0.0, reverse=True)
        return found[:few]


def _sum(counts: Sequence[Count], folder: Folder) -> int:
    return sum(count.n for count in counts if count.folder is folder)


def _by_status(counts: Sequence[Count]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    statuses = {status.value: 0 for status in Status}
    agents: dict[str, dict[str, int]] = {}
    for count in counts:
        if count.folder in {Folder.ARCHIVE, Folder.REJECTED, Folder.FRIDGE}:
            continue
        statuses[count.status] += count.n
        if count.agent and count.status is not Status.DONE:
            of_agent = agents.setdefault(count.agent, {})
            of_agent[count.status.value] = of_agent.get(count.status.value, 0) + count.n
    return statuses, agents


def _from_file(found: "disk.Found | None") -> TaskReport:
    assert found is not None  # _resolve gives a state, a file, or raises
    status = Status.ASSIGNED if found.folder is Folder.ASSIGNED else Status.NEW
    state = TaskState(id=TaskId(found.id), status=status, folder=found.folder, path=found.path, agent=found.agent)
    return TaskReport(state=state, path=found.path, known=False)


def _logs(events: Sequence[Event]) -> tuple[str, ...]:
    logs: dict[str, None] = {}
    for event in events:
        named = event.details.get("log_paths")
        if isinstance(named, list):
            logs.update((path, None) for path in named if isinstance(path, str))
    return tuple(logs)
