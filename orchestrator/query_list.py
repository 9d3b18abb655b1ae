"""`task list`: what the index knows, with what lies in the inbox and no event tells of yet."""

import contextlib
import heapq
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import query_disk as disk
from orchestrator.core import layout
from orchestrator.core.history import TaskState
from orchestrator.core.reports import TaskFilter, TaskList
from orchestrator.core.types import Folder, Priority, Status, TaskId

if TYPE_CHECKING:
    from orchestrator.query import Reader

READ_AT_MOST = 500  # inbox files that are read for one list: who filters a full inbox is told of the newest
_LARGEST = 1 << 20
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def listing(
    reader: "Reader", work: Path, wanted: Sequence[TaskFilter], limit: int, agent_of: Callable[[str], str]
) -> TaskList:
    """The newest that fit one of the filters, which do not overlap; and how many fit in all."""
    known: list[TaskState] = []
    total = 0
    for one in wanted:
        found, count = reader.tasks(one, limit), reader.count(one)
        if one.folders == (Folder.REJECTED,) and not _is_narrow(one):
            found += _rejected(work, limit, {state.path for state in found})
            count = max(count, disk.count(work, Folder.REJECTED))
        known += found
        total += count
    waiting: list[TaskState] = []
    for one in wanted:
        if _wants_inbox(one):
            waiting, others = _waiting(reader, work, one, limit, agent_of)
            total += len(waiting) + others
            break
    tasks = heapq.nlargest(limit, [*known, *waiting], key=_age)
    return TaskList(tasks=tuple(tasks), more=total > len(tasks), total=max(total, len(tasks)))


def _age(state: TaskState) -> tuple[datetime, str]:
    return state.last_ts or _LONG_AGO, state.last_event_id


def _wants_inbox(wanted: TaskFilter) -> bool:
    fits_status = not wanted.statuses or Status.NEW in wanted.statuses
    return fits_status and (not wanted.folders or Folder.INBOX in wanted.folders)


def _waiting(
    reader: "Reader", work: Path, wanted: TaskFilter, limit: int, agent_of: Callable[[str], str]
) -> tuple[list[TaskState], int]:
    """Those of the inbox that no event tells of, as their files say; and how many more there are, unread."""
    files = list(_inbox(work))
    narrow = _is_narrow(wanted)
    newest = heapq.nlargest(READ_AT_MOST if narrow else limit, files)
    found: list[TaskState] = []
    unheard = 0
    for mtime_ns, name in newest:
        if _is_known(reader, layout.stem(name)):
            continue
        unheard += 1
        state = _read(work, name, mtime_ns)
        if state is not None and _fits(state, wanted, agent_of):
            found.append(state)
    return found, 0 if narrow else len(files) - len(newest)


def _is_narrow(wanted: TaskFilter) -> bool:
    return bool(wanted.agent or wanted.priority or wanted.run)


def _rejected(work: Path, limit: int, known: Collection[str]) -> list[TaskState]:
    """Files that are no task: no event could tell of what has no id."""
    return [
        TaskState(
            id=TaskId(layout.stem(path.rpartition("/")[2])),
            folder=Folder.REJECTED,
            path=path,
            why=why,
            last_ts=datetime.fromtimestamp(at / 1e9, UTC),
        )
        for path, why, at in disk.rejected(work, limit)
        if path not in known
    ]


def _is_known(reader: "Reader", task_id: str) -> bool:
    state = reader.task(task_id)
    return state is not None and state.folder is Folder.INBOX


def _inbox(work: Path) -> Iterator[tuple[int, str]]:
    with contextlib.suppress(OSError), os.scandir(work / layout.INBOX) as scan:
        for entry in scan:
            if layout.is_task_name(entry.name):
                with contextlib.suppress(OSError):
                    seen = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(seen.st_mode):
                        yield seen.st_mtime_ns, entry.name


def _read(work: Path, name: str, mtime_ns: int) -> TaskState | None:
    """What the file says; of one that is no task yet only its name. None where it is gone."""
    from orchestrator import taskfile

    when = datetime.fromtimestamp(mtime_ns / 1e9, UTC)
    path = f"{layout.INBOX}/{name}"
    state = TaskState(id=TaskId(layout.stem(name)), path=path, last_ts=when)
    try:
        with (work / path).open("rb") as file:
            task = taskfile.parse(file.read(_LARGEST + 1), name=name, path=path).task
    except taskfile.TaskFileRefused:
        return state
    except OSError:
        return None
    return TaskState(
        id=task.id,
        agent=task.agent,
        title=task.name,
        priority=task.priority,
        run=task.run,
        path=path,
        created=task.created_at,
        last_ts=when,
    )


def _fits(state: TaskState, wanted: TaskFilter, agent_of: Callable[[str], str]) -> bool:
    return (
        (not wanted.agent or agent_of(state.agent) == wanted.agent)
        and (not wanted.priority or state.priority is Priority(wanted.priority))
        and (not wanted.run or state.run == wanted.run)
    )
