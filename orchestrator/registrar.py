"""Makes one transition of one task true, in the one order that survives a crash at any instruction:

intend (the trail's journal) → announce (events, synced) → write and move (the file) → record (a commit).

Everything that changes a task goes through here: the straight path, the commands of people, and recovery.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from orchestrator import taskfile
from orchestrator.core.events import Event, EventKind
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import AgentKey, Status, TaskId
from orchestrator.ports import Appended, Clock, Disk, EventLog, Mailbox, NameTakenError, StepReached, Trail

LARGEST_EVENT_FILE = 64 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A task in hand: its file as it is on disk, and where that is."""

    file: taskfile.TaskFile
    path: str
    agent: AgentKey

    @property
    def id(self) -> TaskId:
        """The task's id."""
        return self.file.task.id

    @property
    def status(self) -> Status:
        """The status in its file."""
        return self.file.task.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What is to become true of a task."""

    step: str  # the first half of the names of the steps passed: claim, start, close
    events: Sequence[Event]
    fields: Mapping[str, object | None]  # of the task file; None takes one away
    to: str = ""  # where the file goes; empty: it stays
    first_move: bool = False  # move, then write: whoever still holds the file open must not write into ours
    subject: str = ""  # of the commit, without the id
    body: str = ""
    was: str = ""  # for the Task-Transition trailer; empty: the status in the file, which is then to be it still
    becomes: str = ""
    trailers: Mapping[str, str] = field(default_factory=dict)
    extra: Sequence[Change] = ()  # further files of the same commit, already written
    gone: Sequence[str] = ()  # paths that the branch may still have, and disk has not


class OvertakenError(Exception):
    """Another hand moved the task on since it was read: nothing was announced or changed; look at it again."""


class Registrar:
    """The one hand that changes tasks."""

    def __init__(
        self, *, mailbox: Mailbox, events: EventLog, trail: Trail, clock: Clock, disk: Disk, reached: StepReached
    ) -> None:
        self._mailbox = mailbox
        self._events = events
        self._trail = trail
        self._clock = clock
        self._disk = disk
        self._reached = reached
        self._busy: WeakValueDictionary[TaskId, asyncio.Lock] = WeakValueDictionary()

    def event(self, kind: EventKind, held: Held, **fields: object) -> Event:
        """An event about that task, now."""
        return self.event_of(kind, held.id, held.agent, **fields)

    def event_of(self, kind: EventKind, task_id: TaskId, agent: str, **fields: object) -> Event:
        """An event about a task that is not in hand."""
        return Event(
            event_id=self._events.new_id(),
            ts=self._clock.now(),
            event=kind,
            task_id=task_id,
            agent=agent,
            **fields,  # type: ignore[arg-type]  # the names are Event's own; mypy cannot follow keyword dictionaries
        )

    async def advance(self, held: Held, change: Advance) -> Held:
        """The transition, wholly; the task as it is now.

        Raises:
            NameTakenError: the place that it was to move to is taken.
            FileNotFoundError: a person took the file away meanwhile; TaskFileRefused: they edited it, and it is no
                task any more; OvertakenError: its status is another one by now. Nothing was announced then, unless it
                was being claimed.
            OSError: the disk refuses (waited for where it is full).
        """
        # One transition of a task at a time: a person's command and the daemon may both have it in hand.
        lock = self._busy.setdefault(held.id, asyncio.Lock())
        async with lock:
            making = _Making(held, change, self._mailbox, self._events, self._trail, self._reached)
            try:
                after, changes = await self._disk(making.go)
            except BaseException:
                if making.intent:
                    self._trail.forgo(making.intent)
                raise
            self._trail.record(making.intent, self._transition(held, after, change, changes))
        self._reached(f"{change.step}.recorded")
        return after

    def _transition(self, before: Held, after: Held, change: Advance, changes: Sequence[Change]) -> Transition:
        was, becomes = change.was or before.status, change.becomes or after.status
        at = change.events[-1].ts if change.events else self._clock.now()
        trailers = {
            "Task-Id": str(after.id),
            "Task-Transition": f"{was} -> {becomes}",
            "Agent": after.agent,
            **change.trailers,
        }
        return Transition(
            subject=f"task: {change.subject or becomes} {after.id}",
            body=change.body,
            at=at,
            changes=tuple(changes),
            trailers=trailers,
        )


class _Making:
    """One advance on its way. `go` can be called again after the disk refused: what is done is not done twice."""

    def __init__(
        self, held: Held, change: Advance, mailbox: Mailbox, events: EventLog, trail: Trail, reached: StepReached
    ) -> None:
        self._held = held
        self._from = held.path
        self._was = held.status
        self._change = change
        self._mailbox = mailbox
        self._events = events
        self._trail = trail
        self._reached = reached
        self._appended: Appended | None = None
        self.intent = 0

    def go(self) -> tuple[Held, Sequence[Change]]:
        """The task as it is now, and the files of the commit."""
        change, step = self._change, self._change.step
        target = change.to or self._from
        gone = {*change.gone, *([self._from] if target != self._from else [])} - {target}
        if not self.intent:
            self._read_again()
            if not change.was and self._held.status is not self._was:
                raise OvertakenError(f"{self._from}: it is {self._held.status} by now, and was {self._was}")
            if target != self._from and self._mailbox.exists(target):  # before it is announced that it lies there
                raise NameTakenError(target)
            paths = {self._from, target, self._events.path_of(self._held.id), *gone}
            paths.update(item.path for item in change.extra)
            self.intent = self._trail.intend(sorted(paths - {""}))
            self._reached(f"{step}.intended")
        if change.events and self._appended is None:
            self._appended = self._events.append(self._held.id, change.events)
        self._reached(f"{step}.announced")
        if change.first_move:
            self._move(target)
        after = taskfile.changed(self._held.file, change.fields, path=target)
        if after is not self._held.file:
            self._mailbox.write(self._held.path, after.raw)
        self._reached(f"{step}.written")
        self._move(target)
        changes = [Change(path=target, content=after.raw), *change.extra]
        changes += [Change(path=path, content=None) for path in sorted(gone)]
        changes += self._told()
        return replace(self._held, file=after), changes

    def _told(self) -> list[Change]:
        """The event file as it now is: what was told before this transition, and not committed, goes with it."""
        if self._appended is not None:
            return [Change(path=self._appended.path, content=self._appended.content)]
        path = self._events.path_of(self._held.id)
        return [Change(path=path, content=self._mailbox.read(path, LARGEST_EVENT_FILE))] if path else []

    def _move(self, target: str) -> None:
        if self._held.path == target:
            return
        self._mailbox.move(self._held.path, target)
        self._held = replace(self._held, path=target)
        self._reached(f"{self._change.step}.moved")
        if self._change.first_move:
            self._read_again()

    def _read_again(self) -> None:
        """The file as it is now: a person may have edited it since it was read, and keeps what they wrote."""
        path = self._held.path
        raw = self._mailbox.read(path)
        if raw != self._held.file.raw:
            self._held = replace(self._held, file=taskfile.parse(raw, name=_name(path), path=path))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
