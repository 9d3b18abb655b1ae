"""An index that mends itself: found missing, damaged or of another version, it is rebuilt from the event files."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from orchestrator.adapters.index import Index
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.core.events import Event
from orchestrator.core.history import IndexUnusable, TaskState
from orchestrator.core.types import TaskId
from orchestrator.ports import Known

T = TypeVar("T")


class MendingIndex:
    """The index of a workspace, open for writing. Thread-safe. Blocking: a rebuild takes as long as it takes."""

    def __init__(self, state: Path, work: Path, *, told: Callable[[str], None]) -> None:
        self._state = state
        self._work = work
        self._told = told
        self._lock = threading.RLock()
        self._index = self._open()

    def _open(self) -> Index:
        try:
            return self._caught_up()
        except IndexUnusable as unusable:
            rebuilt = rebuild(self._state, self._work)
            if rebuilt.files:
                self._told(f"the index was rebuilt from {rebuilt.files} event files: {unusable}")
            return self._caught_up()

    def _caught_up(self) -> Index:
        index = Index.open(self._state, self._work)
        try:
            index.catch_up()
        except BaseException:
            index.close()  # it holds the lock that a rebuild needs
            raise
        return index

    def _ask(self, question: Callable[[Index], T]) -> T:
        index = self._index
        try:
            return question(index)
        except IndexUnusable:
            with self._lock:
                if self._index is index:
                    index.close()
                    self._index = self._open()
            return question(self._index)

    def is_gone(self) -> bool:
        """Whether its file was taken away while it was open: SQLite would not notice."""
        return not (self._state / "index.db").exists()

    def mend(self) -> None:
        """Opens it anew, rebuilding it where it cannot be used."""
        with self._lock:
            self._index.close()
            self._index = self._open()

    def close(self) -> None:
        """Leaves it whole in its one file."""
        self._index.close()

    def apply(self, file: str, size: int, task_id: TaskId, events: Sequence[Event]) -> None:
        """Takes in events that were just appended."""
        self._ask(lambda index: index.apply(file, size, task_id, events))

    def catch_up(self) -> None:
        """Reads what changed in the event files by another hand."""
        self._ask(lambda index: index.catch_up())

    def set_waiting(self, waiting: Mapping[TaskId, str]) -> None:
        """Which tasks wait, and for what."""
        self._ask(lambda index: index.set_waiting(waiting))

    def known(self, ids: Collection[TaskId]) -> Mapping[TaskId, Known]:
        """What is known of these tasks."""
        return self._ask(lambda index: index.known(ids))

    def locate(self, task_id: TaskId) -> str | None:
        """Where the task's event file is."""
        return self._ask(lambda index: index.locate(task_id))

    def is_taken_in(self, path: str, blob: str) -> bool:
        """Whether a task was submitted from that committed file."""
        return self._ask(lambda index: index.is_taken_in(path, blob))

    def unfinished(self) -> Iterator[TaskState]:
        """Tasks that are not finished."""
        return iter(self._ask(lambda index: list(index.unfinished())))

    def in_assigned(self) -> Sequence[Known]:
        """Tasks that ought to be in assigned/, as their events tell."""
        return self._ask(lambda index: index.in_assigned())

    def retained(self, finished_before: datetime, limit: int) -> Sequence[Known]:
        """Tasks in done/ that finished before then, oldest first."""
        return self._ask(lambda index: index.retained(finished_before, limit))

    def agents(self) -> Sequence[tuple[str, str, int]]:
        """How many tasks each agent has in each status: (agent, status, number)."""
        return self._ask(lambda index: index.agents())

    def last_finished(self) -> Mapping[str, datetime]:
        """When each agent finished something last."""
        return self._ask(lambda index: index.last_finished())

    def recent(self, limit: int) -> Sequence[TaskState]:
        """The tasks that something happened to last, the newest first."""
        return self._ask(lambda index: index.recent(limit))
