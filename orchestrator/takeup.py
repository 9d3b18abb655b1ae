"""Takes tasks into hand: from the inbox, and from assigned/ where a person put them or a daemon died over them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator import pipeline, taskfile, trying
from orchestrator.arrivals import Found, NoTask, is_quiet, no_file, unreadable
from orchestrator.core import resume
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.types import Status, TaskId
from orchestrator.ports import Entry, NameTakenError
from orchestrator.registrar import Held, OvertakenError
from orchestrator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfWay:
    """A task to be taken up at that stage."""

    held: Held
    at: resume.Resumption


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A file in assigned/ that is no task."""

    file: NoTask


@dataclass(frozen=True, slots=True)
class AtRest:
    """Nothing is ours to do with it."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """It waits for something that may come by itself: a dependency, a tool, a time."""

    until: datetime | None = None  # when it is worth another look, though nothing has happened


@dataclass(frozen=True, slots=True)
class NotYet:
    """It is in hand already, or gone."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """It is being written: worth another look soon."""


async def claim(world: World, found: Found) -> Held | None:
    """Claims what the inbox offers; None where it is gone, or turned out to be no task after all."""
    from orchestrator import rejecting

    try:
        held = await world.disk(_read, world, found)
        return await pipeline.claim(world, held) if held is not None else None
    except FileNotFoundError:
        return None
    except NameTakenError as error:
        why = f"{found.entry.path}: {error} is there already; give it a new id and file name"
        await rejecting.reject(world, NoTask(entry=found.entry, why=why, task_id=found.id))
        return None
    except OvertakenError:
        return None
    except taskfile.TaskFileRefused as refusal:
        path = world.mailbox.search(found.id)
        if path in {"", found.entry.path}:
            return None  # not moved: it is being written again, and the next look gives it time to become quiet
        entry = Entry(path=path, name=found.entry.name, size=0, mtime_ns=0, inode=0, is_file=True)
        await rejecting.reject(world, NoTask(entry=entry, why=str(refusal), task_id=found.id))
        return None


def _read(world: World, found: Found) -> Held | None:
    """The task in hand; None where it changed since it was looked at: for another agent, or to wait for more."""
    raw = world.mailbox.read(found.entry.path)
    file = taskfile.parse(raw, name=found.entry.name, path=found.entry.path)
    if resolve(file.task.agent, world.settings().agents) != found.agent or not found.needs.issuperset(
        file.task.depends_on
    ):
        return None
    return Held(file=file, path=found.entry.path, agent=found.agent)


async def find_half_way(
    world: World, entry: Entry, in_hand: Callable[[TaskId], bool]
) -> HalfWay | Broken | AtRest | Blocked | NotYet | Unsettled:
    """What a file in assigned/ wants of us."""
    try:
        read = await world.disk(_read_assigned, world, entry)
    except FileNotFoundError:
        return NotYet()
    if not isinstance(read, Held):
        return read
    if in_hand(read.id):
        return NotYet()
    if why := await world.disk(_twin, world, read):
        return Broken(file=NoTask(entry=entry, why=why, task_id=read.id))
    events = await world.disk(world.events.read, read.id)
    manual = world.agent(read.agent).manual
    at = resume.resume(events, read.status, manual=manual)
    try:
        return await _take_up(world, read, at, manual=manual)
    except (FileNotFoundError, OvertakenError):
        return NotYet()


async def _take_up(world: World, held: Held, at: resume.Resumption, *, manual: bool) -> HalfWay | AtRest | Blocked:
    waits = resume.waits_for_its_turn(held.status, at)
    until = trying.waits_until(at.closed) if waits else None
    if until is not None and until > world.clock.now():
        return Blocked(until)
    if at.stage is resume.Stage.REST and not waits:
        return AtRest()
    if at.stage is resume.Stage.ASSIGN:
        held = await pipeline.claim(world, held, why="found in assigned/")
        if manual:
            return AtRest()
        at = resume.Resumption(stage=resume.Stage.RUN, attempt=at.attempt)
    if waits or at.stage is resume.Stage.RUN:
        why = await world.disk(_missing, world, held) or await world.disk(pipeline.refusal_of, world, held)
        if why and not waits:
            await pipeline.block(world, held, why)
        if why:
            return Blocked()
        at = resume.Resumption(stage=resume.Stage.RUN, attempt=at.attempt, again=None if waits else at.again)
    return HalfWay(held=held, at=at)


def _read_assigned(world: World, entry: Entry) -> Held | Broken | Unsettled:
    if not entry.is_file:
        return Broken(file=NoTask(entry=entry, why=no_file(entry)))
    if not world.mailbox.is_settled(entry):
        return Unsettled()
    try:
        file = taskfile.parse(world.mailbox.read(entry.path), name=entry.name, path=entry.path)
    except taskfile.TaskFileRefused as refusal:
        if not is_quiet(entry, world.clock.now()):
            return Unsettled()
        return Broken(file=NoTask(entry=entry, why=str(refusal)))
    except FileNotFoundError:
        raise
    except OSError as error:
        return Broken(file=NoTask(entry=entry, why=unreadable(entry, error)))
    named = file.task.agent or entry.path.split("/")[2]
    agent = resolve(named, world.settings().agents)
    if isinstance(agent, Unknown):
        return Broken(file=NoTask(entry=entry, why=f"{entry.path}: agent: {agent.why}", task_id=file.task.id))
    return Held(file=file, path=entry.path, agent=agent)


def _twin(world: World, held: Held) -> str:
    """Why it is a second file of a task that lies elsewhere; empty: it is the one."""
    known = world.index.known([held.id]).get(held.id)
    if known is None or not known.path or known.path == held.path or not world.mailbox.exists(known.path):
        return ""
    return f"{held.path}: id: {known.path} has it already ({known.status}); give it a new id and file name"


def _missing(world: World, held: Held) -> str:
    """Why a task in assigned/ cannot run yet: its dependencies are not done. Empty: it can."""
    wanted = [*held.file.task.depends_on]
    known = world.index.known([*wanted, *map(TaskId, held.file.task.dependencies)])
    binding = [*wanted, *(name for name in known if name not in wanted)]
    left = sorted(name for name in binding if name not in known or known[name].status != Status.DONE)
    return f"waits for {', '.join(left)}" if left else ""
