"""The three pages for people in the collaboration folder: who does what, what was handed off, what happened lately."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from orchestrator.adapters.index_mending import MendingIndex
from orchestrator.core import layout
from orchestrator.core.events import Event, EventKind
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import AgentKey, Status
from orchestrator.errors import OrchestratorError
from orchestrator.slots import AtWork
from orchestrator.world import World

ROWS = 200


class Chronicle:
    """The last events, as they were heard; at the start, as the event files of the last tasks tell them."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=ROWS)
        self._handoffs: deque[Event] = deque(maxlen=ROWS)
        self._lock = Lock()

    def hear(self, event: Event) -> None:
        """One more."""
        with self._lock:
            self._events.append(event)
            if event.event == EventKind.HANDOFF_CREATED:
                self._handoffs.append(event)

    def remember(self, index: MendingIndex, read: Callable[..., Sequence[Event]]) -> None:
        """What happened before this daemon began."""
        told = [event for task in index.recent(ROWS) for event in read(task.id)]
        for event in sorted(told, key=lambda event: event.event_id):
            self.hear(event)

    def events(self) -> list[Event]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._events))

    def handoffs(self) -> list[Event]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._handoffs))


class Boards:
    """Writes the pages when what they say has changed, and hands them to the trail."""

    def __init__(self, world: World, index: MendingIndex, chronicle: Chronicle) -> None:
        self._world = world
        self._index = index
        self._chronicle = chronicle
        self._written: dict[str, str] = {}

    def write(self, working: Sequence[AtWork]) -> None:
        """Brings the pages up to date. Blocking."""
        now = self._world.clock.now()
        pages = {
            layout.AGENT_STATUS: ("AGENT_STATUS", {"agents": self._agents(working)}),
            layout.HANDOFFS: ("HANDOFFS", {"handoffs": self._handoff_rows()}),
            layout.WORKFLOW_LOG: ("WORKFLOW_LOG", {"entries": self._entries()}),
        }
        due = {path: page for path, page in pages.items() if self._written.get(path) != repr(page[1])}
        if not due:
            return
        intent = self._world.trail.intend(sorted(due))
        changes = []
        try:
            for path, (name, values) in due.items():
                text = self._world.renderer.render(f"boards/{name}.md.j2", updated_at=now, **values).encode()
                self._world.mailbox.write(path, text)
                changes.append(Change(path=path, content=text))
        except (OSError, OrchestratorError):
            self._world.trail.forgo(intent)
            raise
        self._written.update({path: repr(values) for path, (_, values) in due.items()})
        self._world.trail.record(intent, Transition(subject="boards: update", at=now, changes=tuple(changes)))

    def _agents(self, working: Sequence[AtWork]) -> list[Mapping[str, object]]:
        counts: dict[str, dict[str, int]] = {}
        for name, status, number in self._index.agents():
            of_agent = counts.setdefault(name, {})
            of_agent[status] = of_agent.get(status, 0) + number
        known = self._world.settings().agents
        finished = self._index.last_finished()
        rows: list[Mapping[str, object]] = []
        for key in sorted({*known, *counts} - {""}):
            of = counts.get(key, {})
            running = [one for one in working if one.agent == key]
            agent = known.get(AgentKey(key))
            rows.append(
                {
                    "agent": key,
                    "manual": agent is not None and agent.manual,
                    "running": [{"task_id": one.task_id, "tool": one.tool, "since": one.since} for one in running],
                    "assigned": of.get(Status.ASSIGNED, 0),
                    "blocked": of.get(Status.BLOCKED, 0),
                    "error": of.get(Status.ERROR, 0),
                    "done": of.get(Status.DONE, 0),
                    "last_finished": finished.get(key),
                }
            )
        return rows

    def _handoff_rows(self) -> list[Mapping[str, object]]:
        rows: list[Mapping[str, object]] = []
        for event in self._chronicle.handoffs():
            to_agent, _, title = event.why.removeprefix("handed off to ").partition(": ")
            rows.append(
                {
                    "at": event.ts,
                    "from_task": event.task_id,
                    "from_agent": event.agent,
                    "to_task": str(event.details.get("next_task", "")),
                    "to_agent": to_agent,
                    "title": title,
                }
            )
        return rows

    def _entries(self) -> list[Mapping[str, object]]:
        return [
            {"at": event.ts, "task_id": event.task_id, "agent": event.agent, "event": event.event, "why": event.why}
            for event in self._chronicle.events()
        ]
