"""One run of a tool: announced before it starts, its end on disk before anything else happens."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from orchestrator import affording, furnishing, launch, taskfile, withholding
from orchestrator.core import accounts, caps, layout, resume, routing
from orchestrator.core.budget_facts import told_for_silent
from orchestrator.core.budgets import Held as Hold
from orchestrator.core.events import Event, EventKind
from orchestrator.core.invocation import Invocation
from orchestrator.core.settings import Agent, Tool
from orchestrator.core.task import Task
from orchestrator.core.types import CostSource, ErrorKind, InvocationId, MicroUsd, Status, TaskId
from orchestrator.core.verdict import Ending, Ran
from orchestrator.core.workspace import Workspace
from orchestrator.registrar import Advance, Held
from orchestrator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a tool for a task, as it was announced."""

    invocation_id: InvocationId
    tool: str
    model: str
    reason: str
    why: str
    attempt: int
    log: str  # the work log's path
    started_at: datetime

    @property
    def trailers(self) -> dict[str, str]:
        """What a commit says of it."""
        return {
            "Tool": self.tool,
            "Model": self.model,
            "Route-Reason": self.reason,
            "Invocation-Id": self.invocation_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that is over, its output read."""

    held: Held
    run: Run
    ran: Ran
    workspace: Workspace | None  # None: nothing of it is left on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a run is to be made: who makes it, under which name, and what is held for it."""

    candidate: routing.Candidate
    invocation_id: InvocationId
    hold: Hold | None = None


async def start(
    world: World, held: Held, way: Way, at: resume.Resumption, workspace: Workspace
) -> tuple[Held, Run, Invocation]:
    """Announces the run and marks the task in progress; what is still to be done is to run the invocation."""
    run, invocation = await world.disk(_prepare, world, held, way, at, workspace)
    about = {"tool": run.tool, "model": run.model, "invocation_id": run.invocation_id, "attempt": run.attempt}
    where = {name: value for name in ("base", "branch") if (value := getattr(workspace, name))}
    events = [
        world.registrar.event(EventKind.ROUTE_PLANNED, held, reason=run.reason, why=run.why, **about),
        world.registrar.event(
            EventKind.EXECUTION_STARTED,
            held,
            status=Status.IN_PROGRESS,
            path=held.path,
            reason=run.reason,
            why=run.why,
            details={"log_paths": [run.log], **where, **affording.told(way.hold)},
            **about,
        ),
    ]
    # One time for one run: a hand-off takes its id from it, and start-up knows it from the event alone.
    run = replace(run, started_at=events[-1].ts)
    change = Advance(
        step="start",
        events=events,
        fields={"status": Status.IN_PROGRESS, "started_at": run.started_at},
        body=run.why,
        trailers=run.trailers,
    )
    return await world.registrar.advance(held, change), run, invocation


def lost(
    world: World, held: Held, started: Event, hold: Hold | None, why: str = "the daemon died while it ran"
) -> Event:
    """The end of a run of which there was no word: it is charged what was held for it."""
    return world.registrar.event(
        EventKind.EXECUTION_FINISHED,
        held,
        reason="lost",
        why=why,
        error_kind=ErrorKind.LOST,
        invocation_id=started.invocation_id,
        tool=started.tool,
        model=started.model,
        attempt=started.attempt,
        details=told_for_silent(hold) if hold is not None else {},
    )


def _log_path(world: World, held: Held) -> str:
    """The work log has one place for all the runs of a task."""
    for event in world.events.read(held.id):
        if event.event == EventKind.EXECUTION_STARTED and (paths := event.details.get("log_paths")):
            return str(paths[0]) if isinstance(paths, list) else str(paths)
    day = world.clock.now().strftime("%Y-%m-%d")
    return world.mailbox.place(f"{layout.LOGS}/{held.agent}", f"{held.id}.md", day)


def _prepare(world: World, held: Held, way: Way, at: resume.Resumption, workspace: Workspace) -> tuple[Run, Invocation]:
    candidate = way.candidate
    run = Run(
        invocation_id=way.invocation_id,
        tool=candidate.tool.name,
        model=candidate.model,
        reason=candidate.reason,
        why=candidate.why,
        attempt=at.attempt + 1,
        log=_log_path(world, held),
        started_at=world.clock.now(),
    )
    brief = _brief(world, held, way)
    invocation, files = launch.invocation_of(world.host, held, candidate, run.invocation_id, brief, workspace.path)
    Path(invocation.stdout_path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
    furnishing.note(world, held, run.invocation_id, workspace)
    return run, invocation


def _brief(world: World, held: Held, way: Way) -> launch.Brief:
    task, agent, candidate = held.file.task, world.agent(held.agent), way.candidate
    events = world.events.read(held.id)
    profile = _profile(world, agent)
    apart = launch.takes_system_prompt(candidate.tool)
    prompt = task.prompt or world.renderer.render(
        "prompts/task.md.j2", task=task, dependencies=_dependencies(world, task)
    )
    earlier = accounts.failed_before(events)
    for attempt in earlier:
        attempt["why"] = withholding.kept_reason(world, held, attempt["invocation"]) or attempt["why"]
    if earlier:
        prompt = f"{prompt.rstrip()}\n\n{world.renderer.render('prompts/earlier.md.j2', earlier=earlier)}"
    if profile and not apart:
        prompt = f"{profile}\n\n{prompt}"
    session = accounts.last_session(events, candidate.tool.name)
    return launch.Brief(
        prompt=prompt,
        system_prompt=profile if apart else "",
        budget=_cap(world, held, way),
        session_id=session.session_id if session is not None else "",
    )


def _cap(world: World, held: Held, way: Way) -> MicroUsd | None:
    """What the tool is told that it may cost. A hard limit binds only where no run costs more than is held for it."""
    agent = world.agent(held.agent)
    policy = world.settings().policy(agent.policy)
    cap = caps.cap(held.file.task, agent, policy, tool=way.candidate.tool.name, model=way.candidate.model)
    if way.hold is None or not way.hold.amount or not affording.binds(world, held):
        return cap
    return min(cap, way.hold.amount) if cap is not None else way.hold.amount


def _profile(world: World, agent: Agent) -> str:
    """The body of the agent's profile as it is now. One that cannot be read was refused with the configuration."""
    if not agent.profile:
        return ""
    try:
        text = (world.host.root / agent.profile).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return ""
    return taskfile.front_matter_body(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What a task builds on, as its prompt tells it."""

    id: str
    status: str
    summary: str
    artefacts: tuple[str, ...]


def _dependencies(world: World, task: Task) -> list[Dependency]:
    told = []
    known = world.index.known([*task.depends_on, *map(TaskId, task.dependencies)])
    for task_id, row in known.items():
        try:
            raw = world.mailbox.read(row.path)
            done = taskfile.parse(raw, name=row.path.rpartition("/")[2], path=row.path).task
        except (OSError, taskfile.TaskFileRefused):  # a person moved or changed it since: its status is what is known
            told.append(Dependency(id=task_id, status=row.status, summary="", artefacts=()))
            continue
        summary = str((done.result or {}).get("summary") or "")
        told.append(Dependency(id=task_id, status=done.status, summary=summary, artefacts=done.artefacts))
    return told


def tell_end(world: World, held: Held, run: Run, ran: Ran, told: list[Event]) -> Ran:
    """The end is on disk before anything else happens: from here on the run is never repeated. Then it is settled.

    Blocking, and repeatable with the same `told`: an empty list, which then holds the event.

    Returns:
        The run with what it was charged.
    """
    hold, settings = affording.hold_of(world, held, run.invocation_id), world.settings()
    settlement = affording.charged(hold, ran)
    if not told:
        event = world.registrar.event(
            EventKind.EXECUTION_FINISHED,
            held,
            tool=run.tool,
            model=run.model,
            invocation_id=run.invocation_id,
            attempt=run.attempt,
            reason=ran.ending,
            exit_code=ran.exit_code,
            duration_ms=ran.duration_ms,
            error_kind=ran.failure or "",
            details={
                "log_paths": [run.log],
                **accounts.told(ran),
                **affording.settled_fields(settlement, settings.tools.get(run.tool), settings.model(run.model)),
            },
        )
        told.append(event)
    world.events.append(held.id, told)
    world.reached("run.told")
    affording.settle(world, hold, settlement)
    if settlement is None:
        return ran
    return replace(ran, cost=settlement.amount, cost_source=settlement.source)


def run_of(started: Event) -> Run:
    """The run that an execution_started announced."""
    paths = started.details.get("log_paths")
    return Run(
        invocation_id=InvocationId(started.invocation_id),
        tool=started.tool,
        model=started.model,
        reason=started.reason,
        why=started.why,
        attempt=started.attempt,
        log=str(paths[0]) if isinstance(paths, list) and paths else "",
        started_at=started.ts,
    )


def read(world: World, held: Held, run: Run, ran: Ran) -> Ran:
    """With what the tool printed, as its reader understands it. Blocking."""
    tool = world.settings().tools.get(run.tool) or Tool(name=run.tool, binary="", command=())
    previous = accounts.last_session(world.events.read(held.id), run.tool, before=run.invocation_id)
    read = world.read_output(tool, ran, launch.printed(world.host, held, run.invocation_id), previous)
    read = world.redact(read, withholding.level(world, held.agent))
    return affording.with_cost(read, tool, world.settings().model(run.model))


def recall(world: World, held: Held, run: Run, finished: Event) -> Ran:
    """A run that ended before the daemon did, from its event and from its output on disk."""
    try:
        ending = Ending(finished.reason)
    except ValueError:
        ending = Ending.EXITED
    failure = ErrorKind(finished.error_kind) if finished.error_kind in set(ErrorKind) else None
    ran = Ran(ending=ending, exit_code=finished.exit_code, duration_ms=finished.duration_ms, failure=failure)
    return _as_charged(read(world, held, run, ran), finished)


def _as_charged(ran: Ran, finished: Event) -> Ran:
    """Prices change, what was charged does not."""
    cost, source = finished.details.get("cost_microusd"), finished.details.get("cost_source")
    if not isinstance(cost, int) or not isinstance(source, str) or source not in set(CostSource):
        return ran
    return replace(ran, cost=MicroUsd(cost), cost_source=CostSource(source))
