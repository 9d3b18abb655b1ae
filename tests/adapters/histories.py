"""Histories for tests of the index: events in words, event files, and what an index holds, to be compared."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.adapters.event_reading import SUFFIX
from orchestrator.adapters.events import EventFiles
from orchestrator.adapters.index import Index
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.core.events import Event, EventKind, encode
from orchestrator.core.types import TaskId

START = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)
DAY = "2026-02-12"
TABLES = ("tasks", "invocations", "taken_in", "event_files", "counts")


@dataclass
class Workspace:
    """A work folder, a state folder and an open index; events are written as the daemon writes them."""

    root: Path
    _number: int = 0
    _index: Index | None = field(default=None)

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def index(self) -> Index:
        if self._index is None:
            self._index = Index.open(self.state, self.work)
        return self._index

    def rebuilt(self) -> "Workspace":
        self.close()
        rebuild(self.state, self.work)
        return self

    def event(self, task_id: str, kind: str, **fields: Any) -> Event:
        self._number += 1
        ts = START + timedelta(seconds=self._number)
        return Event(event_id=f"{self._number:026d}", ts=ts, event=kind, task_id=task_id, **fields)

    def append(self, task_id: str, *events: Event, day: str = DAY) -> Path:
        """Writes the events, and tells the index where it is open."""
        files = EventFiles(self.work, locate=self._index.locate if self._index else lambda _: None)
        appended = files.append(TaskId(task_id), events, day=day)
        if self._index is not None:
            self._index.apply(appended.path, len(appended.content), TaskId(task_id), events)
        return self.work / appended.path

    def tell(self, task_id: str, *kinds: str, **fields: Any) -> Path:
        return self.append(task_id, *(self.event(task_id, kind, **fields) for kind in kinds))

    def done(self, task_id: str, agent: str = "dev", **fields: Any) -> Path:
        """A task from its submission to its end."""
        run: dict[str, Any] = {"agent": agent, "tool": "claude", "model": "sonnet", "invocation_id": f"{task_id}-1"}
        return self.append(
            task_id,
            self.event(task_id, EventKind.TASK_SUBMITTED, agent=agent),
            self.event(task_id, EventKind.TASK_CLAIMED, agent=agent, details={"title": f"Task {task_id}"}),
            self.event(task_id, EventKind.EXECUTION_STARTED, attempt=1, **run),
            self.event(
                task_id, EventKind.EXECUTION_FINISHED, exit_code=0, duration_ms=5, details={"cost_microusd": 7}, **run
            ),
            self.event(
                task_id,
                EventKind.TASK_COMPLETED,
                path=f"collaboration/done/{agent}/{DAY}/{task_id}.yaml",
                details={"verdict": "done"},
                **fields,
            ),
        )

    def write(self, day: str, task_id: str, events: Sequence[Event]) -> Path:
        """Puts a file there by another hand."""
        path = self.work / "telemetry" / day / f"{task_id}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(encode(event) for event in events))
        return path

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None


def holds(state: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything derived that an index holds."""
    connection = sqlite3.connect(state / "index.db")
    try:
        found = {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES}
    finally:
        connection.close()
    found["counts"] = [row for row in found["counts"] if row[-1]]
    return found
