"""The declared checks of a task, run where its tool worked once all that it left is committed."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator import launch, withholding
from orchestrator.core.events import EventKind
from orchestrator.core.invocation import Bounds, Invocation
from orchestrator.core.settings import Check, Tool
from orchestrator.core.task import Task
from orchestrator.core.types import InvocationId
from orchestrator.core.verdict import CheckResult, Ending, Printed, Ran
from orchestrator.registrar import Held
from orchestrator.reins import Reins
from orchestrator.running import Run
from orchestrator.world import World

_PLAIN = Tool(name="check", binary="", command=())  # what a check prints is plain text
_SEEN = ("HOME",)  # beside what every tool sees: test runners keep their caches there
_LONGEST = 300  # characters of a check's own words in a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the checks said."""

    results: tuple[CheckResult, ...] = ()  # of those that ran to their end
    stopped: Ending | None = None  # they were cancelled or interrupted in between


def missing(world: World, task: Task) -> str:
    """Why the checks that a task asks for cannot run here; empty: they can. Blocking."""
    checks = world.settings().checks
    for name in task.verify:
        if name not in checks:
            known = f"; it has {', '.join(checks)}" if checks else ""
            return f"it asks for the check {name!r}, which config/policies.yaml does not declare{known}"
        binary = checks[name].command[0]
        if "/" not in binary and (why := world.engine.unavailable(binary)):  # a path is looked for in the workspace
            return f"its check {name}: {why.partition(';')[0]}; install it, or change checks.{name}.command"
    return ""


async def run(world: World, held: Held, run: Run, cwd: str, reins: Reins) -> Checked:
    """Runs them one after the other, all of them: a person who mends one wants to know of the others."""
    results: list[CheckResult] = []
    for number, name in enumerate(held.file.task.verify):
        check = world.settings().checks.get(name)
        if check is None:
            continue  # it left the configuration while the tool ran: the task stays unverified
        invocation = _invocation(world, held, run, check, number, cwd)
        await reins.hand_over(invocation.id)
        ran = await world.engine.run(invocation)
        if ran.ending in {Ending.CANCELLED, Ending.INTERRUPTED, Ending.ORPHANED}:
            return Checked(results=tuple(results), stopped=ran.ending)
        printed = Printed(stdout=invocation.stdout_path, stderr=invocation.stderr_path)
        read = await world.disk(world.read_output, _PLAIN, ran, printed, None)
        read = await world.disk(world.redact, read, withholding.level(world, held.agent))
        passed = read.ending is Ending.EXITED and read.exit_code == 0
        why = "" if passed else _why(check, read)
        result = CheckResult(name=name, passed=passed, why=why)
        if read.ending is not Ending.NOT_STARTED:
            results.append(result)
        await _tell(world, held, run, read, withholding.check(world, held.agent, result))
    return Checked(results=tuple(results))


def _invocation(world: World, held: Held, run: Run, check: Check, number: int, cwd: str) -> Invocation:
    invocation_id = InvocationId(f"{run.invocation_id}.check-{number}")
    printed = launch.printed(world.host, held, invocation_id)
    Path(printed.stdout).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Invocation(
        id=invocation_id,
        task_id=held.id,
        tool=f"check {check.name}",
        model="",
        argv=check.command,
        cwd=cwd,
        env=launch.environment(world.host, {}, (*_SEEN, *check.env_pass)),
        stdin=b"",
        timeout=check.timeout,
        stdout_path=printed.stdout,
        stderr_path=printed.stderr,
        bounds=Bounds(orphan_grace=timedelta(0)),  # nobody could go on from it: it is run again
    )


async def _tell(world: World, held: Held, run: Run, ran: Ran, result: CheckResult) -> None:
    event = world.registrar.event(
        EventKind.CHECK_FINISHED,
        held,
        invocation_id=run.invocation_id,
        attempt=run.attempt,
        reason=ran.ending,
        why=result.why or f"{result.name} passed",
        exit_code=ran.exit_code,
        duration_ms=ran.duration_ms,
        details={"check": result.name, "passed": result.passed},
    )
    await world.disk(world.events.append, held.id, [event])


def _why(check: Check, ran: Ran) -> str:
    lines = [line.strip() for line in f"{ran.text}\n{ran.errors}".splitlines() if line.strip()]
    last = f": {lines[-1][:_LONGEST]}" if lines else ""
    match ran.ending:
        case Ending.EXITED:
            return f"exit code {ran.exit_code}{last}"
        case Ending.TIMED_OUT:
            return f"it did not end within {check.timeout}{last}"
        case Ending.NOT_STARTED:
            return f"it could not be started: {ran.errors}"
        case _:
            return f"{str(ran.ending).replace('_', ' ')}{last}"
