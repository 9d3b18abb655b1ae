"""One run of a tool: announced before it starts, its end on disk before anything else happens."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from orchestrator import launch, taskfile
from orchestrator.core import layout, resume, routing
from orchestrator.core.events import Event, EventKind
from orchestrator.core.invocation import Invocation
from orchestrator.core.task import Task
from orchestrator.core.types import ErrorKind, InvocationId, Status, TaskId
from orchestrator.core.verdict import Ending, Ran
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


async def start(
    world: World, held: Held, candidate: routing.Candidate, at: resume.Resumption
) -> tuple[Held, Run, Invocation]:
    """Announces the run and marks the task in progress; what is still to be done is to run the invocation."""
    run, invocation = await world.disk(_prepare, world, held, candidate, at)
    about = {"tool": run.tool, "model": run.model, "invocation_id": run.invocation_id, "attempt": run.attempt}
    events = [
        world.registrar.event(EventKind.ROUTE_PLANNED, held, reason=run.reason, why=run.why, **about),
        world.registrar.event(
            EventKind.EXECUTION_STARTED,
            held,
            status=Status.IN_PROGRESS,
            path=held.path,
            reason=run.reason,
            why=run.why,
            details={"log_paths": [run.log]},
            **about,
        ),
    ]
    if at.started is not None and at.finished is None:
        events.insert(0, lost(world, held, at.started))
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


def lost(world: World, held: Held, started: Event) -> Event:
    """The end of a run that died with its daemon."""
    return world.registrar.event(
        EventKind.EXECUTION_FINISHED,
        held,
        reason="lost",
        why="the daemon died while it ran",
        error_kind=ErrorKind.LOST,
        invocation_id=started.invocation_id,
        tool=started.tool,
        model=started.model,
        attempt=started.attempt,
    )


def _log_path(world: World, held: Held, at: resume.Resumption) -> str:
    """The work log has one place for all the runs of a task."""
    if at.started is not None and (paths := at.started.details.get("log_paths")):
        return str(paths[0]) if isinstance(paths, list) else str(paths)
    day = world.clock.now().strftime("%Y-%m-%d")
    return world.mailbox.place(f"{layout.LOGS}/{held.agent}", f"{held.id}.md", day)


def _prepare(world: World, held: Held, candidate: routing.Candidate, at: resume.Resumption) -> tuple[Run, Invocation]:
    task = held.file.task
    run = Run(
        invocation_id=InvocationId(world.events.new_id()),
        tool=candidate.tool.name,
        model=candidate.model,
        reason=candidate.reason,
        why=candidate.why,
        attempt=at.attempt + 1,
        log=_log_path(world, held, at),
        started_at=world.clock.now(),
    )
    prompt = task.prompt or world.renderer.render(
        "prompts/task.md.j2", task=task, dependencies=_dependencies(world, task)
    )
    invocation, files = launch.invocation_of(world.host, held, candidate, run.invocation_id, prompt)
    Path(invocation.stdout_path).parent.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
    return run, invocation


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


async def announce_end(world: World, held: Held, run: Run, ran: Ran) -> None:
    """The end is on disk before anything else happens: from here on the run is never repeated."""
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
        details={"log_paths": [run.log]},
    )
    await world.disk(world.events.append, held.id, [event])


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


def recall(world: World, held: Held, run: Run, finished: Event) -> Ran:
    """A run that ended before the daemon did, from its event and from its output on disk."""
    output = launch.output_folder(world.host, held) / run.invocation_id
    try:
        ending = Ending(finished.reason)
    except ValueError:
        ending = Ending.EXITED
    failure = ErrorKind(finished.error_kind) if finished.error_kind in set(ErrorKind) else None
    return world.engine.recall(
        Ran(ending=ending, exit_code=finished.exit_code, duration_ms=finished.duration_ms, failure=failure),
        stdout_path=f"{output}.out",
        stderr_path=f"{output}.err",
    )
