"""One task, the straight path: claim → read → plan → run → judge → record → move → commit → hand off.

Every effect goes through the registrar in the order that survives a crash; what start-up finds half-way is taken up
again at the stage that `core.resume` names. `reserve`, `check` and `settle` join here with budgets and checks.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator import (
    affording,
    checking,
    choosing,
    closing,
    executing,
    furnishing,
    launch,
    metering,
    running,
    taskfile,
    trying,
    withholding,
)
from orchestrator.core import layout, resume, routing
from orchestrator.core.events import Event, EventKind, format_ts
from orchestrator.core.invocation import Invocation
from orchestrator.core.settings import Privacy, Tool, WorkspaceKind
from orchestrator.core.types import ErrorKind, InvocationId, Status
from orchestrator.core.verdict import Ending, Failed, Printed, Ran
from orchestrator.core.workspace import Unworkable, Workspace
from orchestrator.errors import OrchestratorError
from orchestrator.registrar import Advance, Held
from orchestrator.reins import Reins
from orchestrator.world import World

_SET_UP = Tool(name="set-up", binary="", command=())  # what it prints is plain text


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
        body=executing.body_of(task),
        trailers=executing.trailers_of(task),
    )
    return await world.registrar.advance(held, change)


_LONGEST_REST = 60.0  # seconds that a task waits in its slot for its next run; longer ones are blocked with a time


async def work(world: World, held: Held, at: resume.Resumption, reins: Reins) -> Held:
    """The rest of the straight path, from where the task stands; the task as it then is."""
    if at.stage is resume.Stage.CLOSE and at.closed is not None:
        after = await closing.follow(world, held, at)
        if at.started is not None and (
            left := await world.disk(furnishing.noted, world, held, InvocationId(at.started.invocation_id))
        ):
            await world.disk(world.workspaces.release, left)
        return after
    while True:
        if at.again is not None and (until := trying.waits_until(at.again)) is not None:
            rest = (until - world.clock.now()).total_seconds()
            if rest > _LONGEST_REST:
                return await block(world, held, at.again.why, until=until)
            await reins.rest(rest)
            if reins.ending is Ending.INTERRUPTED:
                return held
        came = await _attempt(world, held, at, reins)
        if isinstance(came, Held):
            return came
        held, at = came.held, resume.Resumption(stage=resume.Stage.RUN, attempt=came.attempt, again=came.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """The task is to run once more."""

    held: Held
    attempt: int
    told: Event


async def _attempt(world: World, held: Held, at: resume.Resumption, reins: Reins) -> Held | _Again:
    """One run of a tool, and what came of it."""
    async with AsyncExitStack() as floor:  # holds the checkout, where the tool works in it, until all is judged
        ended = await _end_of_run(world, held, at, reins, floor)
        if isinstance(ended, Held):
            return ended
        if ended.ran.ending is Ending.INTERRUPTED and ended.ran.failure is not ErrorKind.LOST:
            return await _give_back(world, ended.held)
        judged = await closing.judge(world, ended, reins)
        if judged is None:
            return await _give_back(world, ended.held)
        if isinstance(judged.verdict, Failed):
            again = await world.disk(_what_follows, world, ended, judged.verdict)
            if isinstance(again, trying.Again):
                await world.disk(withholding.keep_reason, world, ended.held, ended.run.invocation_id, judged.reason)
                after, told = await trying.announce(world, ended, judged.verdict, again)
                return _Again(held=after, attempt=ended.run.attempt, told=told)
        after = await closing.close(world, ended, judged)
        world.reached("workspace.due")
        if ended.workspace is not None:
            await world.disk(world.workspaces.release, ended.workspace)
        return after


def _what_follows(world: World, ended: running.Ended, failed: Failed) -> trying.Again | None:
    """Whether the task runs once more after that failure; None: it is over. Blocking."""
    if failed.kind is ErrorKind.CANCELLED:
        return None
    follows = trying.decide(world, ended, failed, _plan(world, ended.held))
    return follows if isinstance(follows, trying.Again) else None


async def _end_of_run(
    world: World, held: Held, at: resume.Resumption, reins: Reins, floor: AsyncExitStack
) -> running.Ended | Held:
    """The run's end: known, waited for, or of a run that begins now; the task itself where nothing can run."""
    if at.started is not None and at.stage in {resume.Stage.JUDGE, resume.Stage.RERUN, resume.Stage.GIVE_UP}:
        run = running.run_of(at.started)
        workspace = await world.disk(furnishing.noted, world, held, run.invocation_id)
        if at.stage is resume.Stage.JUDGE and at.finished is not None:
            ran = await world.disk(running.recall, world, held, run, at.finished)
            return running.Ended(held=held, run=run, ran=ran, workspace=workspace)
        ended = None if at.finished is not None else await _adopt(world, held, run, workspace, reins, floor)
        if ended is not None:
            return ended
        if at.finished is None:  # told before anything is planned: what it is charged may leave nothing for another
            at = replace(at, finished=await _tell_lost(world, held, at.started))
        if at.stage is resume.Stage.GIVE_UP:
            ran = Ran(
                ending=Ending.INTERRUPTED, failure=ErrorKind.LOST, errors="the daemon died during each of its runs"
            )
            return running.Ended(held=held, run=run, ran=ran, workspace=workspace)
    return await _run(world, held, at, reins, floor)


async def _tell_lost(world: World, held: Held, started: Event) -> Event:
    invocation_id = InvocationId(started.invocation_id)
    hold = await world.disk(affording.hold_of, world, held, invocation_id)
    lost = running.lost(world, held, started, hold)
    await world.disk(world.events.append, held.id, [lost])
    await world.disk(affording.settle_silent, world, held, invocation_id)
    return lost


async def _adopt(
    world: World,
    held: Held,
    run: running.Run,
    workspace: Workspace | None,
    reins: Reins,
    floor: AsyncExitStack,
) -> running.Ended | None:
    """The end of a run that outlived its daemon; None where it did not, and is to be run again."""
    async with AsyncExitStack() as mine:
        if workspace is not None and workspace.kind is WorkspaceKind.CHECKOUT:
            await mine.enter_async_context(world.checkout)
        await reins.hand_over(run.invocation_id)
        await world.disk(choosing.keep_place, world, run.invocation_id)
        ran = await world.engine.adopt(run.invocation_id, launch.printed(world.host, held, run.invocation_id))
        if ran is None or ran.ending is Ending.ORPHANED or ran.failure is ErrorKind.LOST:
            return None
        await floor.enter_async_context(mine.pop_all())
    read = await world.disk(running.read, world, held, run, ran)
    return await _announced(world, held, run, read, workspace)


async def _run(
    world: World, held: Held, at: resume.Resumption, reins: Reins, floor: AsyncExitStack
) -> running.Ended | Held:
    if reins.ending is Ending.CANCELLED and (at.started is None or at.finished is not None):
        return await _cancelled(world, held, reins.why)  # before anything was announced: there is no run to end
    if held.file.task.verify and (why := await world.disk(checking.missing, world, held.file.task)):
        return await block(world, held, why)
    way = await world.disk(_way, world, held)
    if isinstance(way, routing.Refusal):
        return await block(world, held, way.why, until=way.until)
    tool = way.candidate.tool
    if tool.workspace is WorkspaceKind.CHECKOUT:
        await floor.enter_async_context(world.checkout)
    try:
        workspace = await world.disk(furnishing.prepare, world, held, tool)
        if isinstance(workspace, Unworkable):
            await world.disk(choosing.give_back, world, held, way, "its workspace cannot be made")
            return await block(world, held, workspace.why)
        held, run, invocation = await running.start(world, held, way, at, workspace)
    except Exception:
        await world.disk(choosing.give_back, world, held, way, "it could not be started")
        raise
    if (unready := await _set_up(world, held, invocation, workspace, reins)) is not None:
        return await _announced(world, held, run, unready, workspace)
    await reins.hand_over(invocation.id)
    async with metering.metered(world, held, way, run) as meter:
        ran = meter.explain(await world.engine.run(invocation))
    world.reached("run.ended")
    read = await world.disk(running.read, world, held, run, ran)
    return await _announced(world, held, run, read, workspace)


async def _announced(
    world: World, held: Held, run: running.Run, ran: Ran, workspace: Workspace | None
) -> running.Ended:
    """Its end is told before anything else happens: from here on the run is never repeated."""
    ran = await world.disk(_tell_end, world, held, run, ran, [])
    world.reached("run.announced")
    return running.Ended(held=held, run=run, ran=ran, workspace=workspace)


def _tell_end(world: World, held: Held, run: running.Run, ran: Ran, told: list[Event]) -> Ran:
    """In one turn beside the loop: each costs switches of threads."""
    ran = running.tell_end(world, held, run, ran, told)
    choosing.note_end(world, run, ran)
    return ran


async def _set_up(world: World, held: Held, invocation: Invocation, workspace: Workspace, reins: Reins) -> Ran | None:
    """Runs the set-up command in a new worktree; None where all is well, else how it failed."""
    if workspace.kind is not WorkspaceKind.WORKTREE:
        return None
    if not await world.disk(furnishing.needs_set_up, world, held, workspace):
        return None
    before = launch.set_up_of(invocation, world.settings().workspaces)
    await reins.hand_over(before.id)
    ran = await world.engine.run(before)
    if ran.ending is Ending.EXITED and ran.exit_code == 0:
        await world.disk(furnishing.note_set_up, world, held)
        return None
    if ran.ending in {Ending.CANCELLED, Ending.INTERRUPTED}:
        return ran
    where = Printed(stdout=before.stdout_path, stderr=before.stderr_path)
    read = await world.disk(world.read_output, _SET_UP, ran, where, None)
    read = await world.disk(world.redact, read, withholding.level(world, held.agent))
    how = f"exit code {ran.exit_code}" if ran.ending is Ending.EXITED else str(ran.ending).replace("_", " ")
    last = (read.errors.strip().splitlines() or read.text.strip().splitlines() or ["it said nothing"])[-1]
    why = f"the set-up command of the worktree ({' '.join(before.argv)}) failed ({how})"
    if withholding.level(world, held.agent) is not Privacy.METADATA:
        why = f"{why}: {last[:300]}"
    failure = ran.failure or ErrorKind.CRASHED
    return replace(read, ending=Ending.NOT_STARTED, exit_code=None, failure=failure, errors=why, problem="")


def _plan(world: World, held: Held) -> routing.Route | routing.Refusal:
    requested = executing.requested_of(world.host.state, held.file.task)
    try:
        return choosing.plan(world, held.file.task, held.agent, requested)
    except (OrchestratorError, OSError) as error:
        return choosing.cannot_be_planned(error)


def _way(world: World, held: Held) -> running.Way | routing.Refusal:
    requested = executing.requested_of(world.host.state, held.file.task)
    try:
        return choosing.way(world, held, _plan(world, held), requested)
    except (OrchestratorError, OSError) as error:
        return choosing.cannot_be_planned(error)


def refusal_of(world: World, held: Held) -> str:
    """Why no tool can do it now; empty: one can. Blocking."""
    if why := checking.missing(world, held.file.task):
        return why
    planned = _plan(world, held)
    return planned.why if isinstance(planned, routing.Refusal) else ""


async def break_off(world: World, held: Held, why: str) -> Held:
    """A mistake of ours while the task was in hand: it is an error of kind internal, wherever its file is now."""
    now = await world.disk(_as_it_is, world, held)
    await world.disk(_end_what_began, world, now)
    return await closing.break_off(world, now, why)


def _end_what_began(world: World, held: Held) -> None:
    """Nobody comes back to a run whose task is over: its end is told now, and it is charged its hold."""
    at = resume.resume(world.events.read(held.id), held.status, manual=False)
    if at.started is not None and at.finished is None:
        invocation_id = InvocationId(at.started.invocation_id)
        hold = affording.hold_of(world, held, invocation_id)
        lost = running.lost(world, held, at.started, hold, "a mistake of ours ended it")
        world.events.append(held.id, [lost])
        affording.settle_silent(world, held, invocation_id)


def _as_it_is(world: World, held: Held) -> Held:
    path = world.mailbox.search(held.id) or held.path
    return replace(
        held, path=path, file=taskfile.parse(world.mailbox.read(path), name=path.rpartition("/")[2], path=path)
    )


async def block(world: World, held: Held, why: str, *, until: datetime | None = None) -> Held:
    """Nothing can be done with it now; it waits in its agent's folder and says why, and until when if that is known."""
    details = {"until": format_ts(until)} if until is not None else {}
    event = world.registrar.event(
        EventKind.TASK_BLOCKED, held, status=Status.BLOCKED, why=why, path=held.path, details=details
    )
    change = Advance(step="close", events=[event], fields={"status": Status.BLOCKED}, body=why)
    return await world.registrar.advance(held, change)


async def _cancelled(world: World, held: Held, why: str) -> Held:
    event = world.registrar.event(
        EventKind.TASK_CANCELLED,
        held,
        status=Status.CANCELLED,
        path=held.path,
        why=why or "it was cancelled before it ran",
        error_kind=ErrorKind.CANCELLED,
    )
    error = {"kind": "cancelled", "message": event.why, "timestamp": event.ts, "retry_count": 0}
    fields = {"status": Status.CANCELLED, "error": error}
    return await world.registrar.advance(held, Advance(step="close", events=[event], fields=fields, body=event.why))


async def _give_back(world: World, held: Held) -> Held:
    """The daemon is stopping: the task waits for the next one."""
    change = Advance(step="close", events=[], fields={"status": Status.ASSIGNED}, subject="interrupted")
    return await world.registrar.advance(held, change)
