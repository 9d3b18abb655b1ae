"""A Task: what somebody wants done. One file, one id (FORMATS section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.core.types import MicroUsd, Priority, Status, TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as its file says it, with every tolerated spelling already turned into today's."""

    id: TaskId
    agent: str = ""  # as written: resolved to one known agent by core.agents
    status: Status = Status.NEW
    title: str = ""
    description: str = ""
    body: str = ""  # the Markdown body of a front-matter file
    prompt: str = ""  # used as it is; empty: rendered from the fields
    priority: Priority = Priority.NORMAL
    mode: str = ""
    task_type: str = ""
    artefacts: tuple[str, ...] = ()
    context: Mapping[str, object] = field(default_factory=dict)  # a string context is {"notes": text}
    context_files: tuple[str, ...] = ()
    depends_on: tuple[TaskId, ...] = ()
    dependencies: tuple[str, ...] = ()  # entries that look like ids; binding only where such a task is known
    notes: tuple[str, ...] = ()  # free-text dependencies
    verify: tuple[str, ...] = ()
    budget: MicroUsd | None = None
    timeout: timedelta | None = None
    tool: str = ""
    model: str = ""
    run: str = ""
    specification: str = ""
    feature: str = ""
    created_at: datetime | None = None
    created_by: str = ""
    assigned_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    last_modified: datetime | None = None
    pinned: bool = False
    result: Mapping[str, object] | None = None  # as found in the file: written by the daemon, read for hand-overs
    error: Mapping[str, object] | None = None
    extras: Mapping[str, object] = field(default_factory=dict)  # unknown fields: kept, and given to the tool as context

    @property
    def name(self) -> str:
        """What to call it in a line: the title, else the first line of what it asks, else the id."""
        for text in (self.title, self.description, self.prompt, self.body):
            for line in text.splitlines():
                if words := line.strip(" #\t"):
                    return words[:120]
        return self.id
