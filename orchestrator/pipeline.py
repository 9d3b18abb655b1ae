"""One task, the straight path: claim → read → plan → run → judge → record → move → commit → hand off.

Every effect goes through the registrar in the order that survives a crash; what start-up finds half-way is taken up
again at the stage that `core.resume` names. `reserve`, `check` and `settle` join here with budgets and checks.
"""

from dataclasses import replace

from orchestrator import closing, running, taskfile
from orchestrator.core import layout, resume, routing
from orchestrator.core.events import EventKind
from orchestrator.core.invocation import Invocation
from orchestrator.core.settings import Tool
from orchestrator.core.types import ErrorKind, InvocationId, Status
from orchestrator.core.verdict import Ending, Ran
from orchestrator.ports import Engine
from orchestrator.registrar import Advance, Held
from orchestrator.world import World


async def claim(world: World, held: Held, *, why: str = "") -> Held:
    """The task is ours: in its agent's folder, assigned, announced and committed.

    Also takes up a task that a person put into assigned/: then it stays where it is.

    Raises:
        NameTakenError: its place is taken; FileNotFoundError: somebody took it away; TaskFileRefused: it changed
        under our hands and is no task any more.
    """
    name = held.path.rpartition("/")[2]
    in_inbox = held.path.startswith(f"{layout.INBOX}/")
    to = await world.disk(world.mailbox.place, f"{layout.ASSIGNED}/{held.agent}", name) if in_inbox else held.path
    task = held.file.task
    now = world.clock.now()
    announced = world.registrar.event(
        EventKind.TASK_CLAIMED,
        held,
        status=Status.ASSIGNED,
        path=to,
        why=why,
        run_id=task.run,
        details={"title": task.name, "priority": task.priority, "from": held.path},
    )
    change = Advance(
        step="claim",
        events=[announced],
        fields={"status": Status.ASSIGNED, "assigned_at": now},
        to=to,
        first_move=True,
        was=Status.NEW,
        body=task.name,
    )
    return await world.registrar.advance(held, change)


class Reins:
    """By which a task at work can be stopped: wherever it is, its run ends so, or does not begin."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._invocation: InvocationId | None = None
        self._ending: Ending | None = None
        self.why = ""  # what is told of a cancelled run

    async def pull(self, ending: Ending, why: str = "") -> None:
        """Stops it; a second time without graces."""
        self._ending, self.why = ending, why or self.why
        if self._invocation is not None:
            await self._engine.stop(self._invocation, ending)

    async def hand_over(self, invocation: Invocation) -> None:
        """The invocation is about to run."""
        self._invocation = invocation.id
        if self._ending is not None:
            await self._engine.stop(invocation.id, self._ending)


async def work(world: World, held: Held, at: resume.Resumption, reins: Reins) -> Held:
    """The rest of the straight path, from where the task stands; the task as it then is."""
    match at.stage:
        case resume.Stage.CLOSE if at.closed is not None:
            return await closing.follow(world, held, at)
        case resume.Stage.JUDGE if at.started is not None and at.finished is not None:
            run = running.run_of(at.started)
            ran = await world.disk(running.recall, world, held, run, at.finished)
        case resume.Stage.GIVE_UP if at.started is not None:
            run = running.run_of(at.started)
            ran = Ran(
                ending=Ending.INTERRUPTED, failure=ErrorKind.LOST, errors="the daemon died during each of its runs"
            )
            if at.finished is None:
                await world.disk(world.events.append, held.id, [running.lost(world, held, at.started)])
        case _:
            planned = await world.disk(_plan, world, held)
            if isinstance(planned, routing.Refusal):
                return await block(world, held, planned.why)
            held, run, invocation = await running.start(world, held, planned.first, at)
            await reins.hand_over(invocation)
            ran = await world.engine.run(invocation)
            world.reached("run.ended")
            await running.announce_end(world, held, run, ran)
            world.reached("run.announced")
    if ran.ending is Ending.INTERRUPTED and ran.failure is not ErrorKind.LOST:
        return await _give_back(world, held)
    return await closing.close(world, held, run, ran, cancelled_because=reins.why)


def _plan(world: World, held: Held) -> routing.Route | routing.Refusal:
    def unavailable(tool: Tool) -> str:
        return world.engine.unavailable(tool.binary)

    return routing.plan(held.file.task, world.agent(held.agent), world.settings(), unavailable)


def refusal_of(world: World, held: Held) -> str:
    """Why no tool can do it now; empty: one can. Blocking."""
    planned = _plan(world, held)
    return planned.why if isinstance(planned, routing.Refusal) else ""


async def break_off(world: World, held: Held, why: str) -> Held:
    """A mistake of ours while the task was in hand: it is an error of kind internal, wherever its file is now."""
    return await closing.break_off(world, await world.disk(_as_it_is, world, held), why)


def _as_it_is(world: World, held: Held) -> Held:
    path = world.mailbox.search(held.id) or held.path
    return replace(
        held, path=path, file=taskfile.parse(world.mailbox.read(path), name=path.rpartition("/")[2], path=path)
    )


async def block(world: World, held: Held, why: str) -> Held:
    """Nothing can be done with it now; it waits in its agent's folder and says why."""
    event = world.registrar.event(EventKind.TASK_BLOCKED, held, status=Status.BLOCKED, why=why, path=held.path)
    change = Advance(step="close", events=[event], fields={"status": Status.BLOCKED}, body=why)
    return await world.registrar.advance(held, change)


async def _give_back(world: World, held: Held) -> Held:
    """The daemon is stopping: the task waits for the next one."""
    change = Advance(step="close", events=[], fields={"status": Status.ASSIGNED}, subject="interrupted")
    return await world.registrar.advance(held, change)
