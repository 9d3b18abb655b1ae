"""The end of the straight path: judge → record → hand off → move → commit.

The hand-off stands before the move, because after it nothing brings start-up back to the task: a daemon that dies
between the two would lose the follow-up. It is told by the same event as the end, and can be repeated.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from orchestrator import checking, executing, furnishing, running, taskfile, withholding
from orchestrator.core import accounts, layout, resume
from orchestrator.core import judge as judging
from orchestrator.core.claims import Claims, FollowUp, follow_up
from orchestrator.core.events import Event, EventKind
from orchestrator.core.settings import WorkspaceKind
from orchestrator.core.transition import Change
from orchestrator.core.types import ErrorKind, Status
from orchestrator.core.verdict import CheckResult, Done, Ending, Failed, Ran, Verdict
from orchestrator.core.workspace import Evidence, Workspace
from orchestrator.ports import NameTakenError
from orchestrator.registrar import Advance, Held
from orchestrator.reins import Reins
from orchestrator.running import Ended, Run
from orchestrator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of a run."""

    verdict: Verdict
    claims: Claims
    evidence: Evidence | None
    checks: tuple[CheckResult, ...] = ()
    reason: str = ""  # the verdict's, in all its words: for this machine and the next attempt alone

    @property
    def branch(self) -> str:
        """The branch with its work; empty where it left none."""
        return self.evidence.branch if self.evidence is not None and self.evidence.commits else ""


async def judge(world: World, ended: Ended, reins: Reins) -> Judged | None:
    """What came of the run, its checks included; None where the daemon is stopping before that is known."""
    judged = await world.disk(_look, world, ended)
    workspace = ended.workspace
    if ended.held.file.task.verify and isinstance(judged.verdict, Done) and workspace is not None:
        if judged.evidence is not None:
            await world.disk(furnishing.note_evidence, world, ended.held, ended.run.invocation_id, judged.evidence)
        checked = await checking.run(world, ended.held, ended.run, workspace.path, reins)
        await world.disk(_restore, world, workspace, judged.evidence)
        match checked.stopped:
            case None:
                judged = _judged(world, ended, judged.evidence, checked.results)
            case Ending.CANCELLED:
                why = "it was cancelled while its checks ran"
                judged = replace(judged, verdict=Failed(kind=ErrorKind.CANCELLED, why=why), checks=checked.results)
            case _:
                return None
    verdict = judged.verdict
    if reins.why and isinstance(verdict, Failed) and verdict.kind is ErrorKind.CANCELLED:
        judged = replace(judged, verdict=replace(verdict, why=reins.why))
    return judged


def _look(world: World, ended: Ended) -> Judged:
    """What git shows, and what that makes of the run before any check has run. Blocking."""
    workspace, evidence = ended.workspace, None
    if workspace is not None:
        evidence = furnishing.noted_evidence(world, ended.held, ended.run.invocation_id)
        if evidence is None:
            evidence = furnishing.conclude(world, ended.held, workspace, ended.run.trailers)
            world.reached("work.committed")
        else:
            _restore(world, workspace, evidence)  # its checks were cut short: what they left is nobody's work
    return _judged(world, ended, evidence, None)


def _restore(world: World, workspace: Workspace, evidence: Evidence | None) -> None:
    world.workspaces.restore(workspace, all_was_committed=evidence is not None and not evidence.kept)


def _judged(world: World, ended: Ended, evidence: Evidence | None, checks: tuple[CheckResult, ...] | None) -> Judged:
    tool = world.settings().tools.get(ended.run.tool)
    task = ended.held.file.task
    edits = tool is not None and "edits_files" in tool.capabilities and tool.workspace is not WorkspaceKind.NONE

    def verdict_on(ran: Ran, checks: tuple[CheckResult, ...] | None) -> Verdict:
        return judging.judge(
            ran,
            evidence=evidence,
            expects_answer=tool is None or "silent" not in tool.capabilities,
            expects_change=edits and evidence is not None,
            verify=task.verify,
            checks=checks,
            artefacts=task.artefacts,
        )

    agent = ended.held.agent
    shown = None if checks is None else tuple(withholding.check(world, agent, check) for check in checks)
    return Judged(
        verdict=verdict_on(withholding.ran(world, agent, ended.ran), shown),
        claims=world.read_claims(ended.ran.text),
        evidence=evidence,
        checks=shown or (),
        reason=verdict_on(ended.ran, checks).why,
    )


async def close(world: World, ended: Ended, judged: Judged) -> Held:
    """Writes the log, and puts the task where its verdict belongs."""
    change = await world.disk(_conclude, world, ended, judged)
    return await world.registrar.advance(ended.held, change)


def _conclude(world: World, ended: Ended, judged: Judged) -> Advance:
    """All that comes before the task itself changes, in one turn beside the loop: each costs switches of threads."""
    held, run, ran = ended.held, ended.run, ended.ran
    match judged.verdict:
        case Done() as verdict:
            events, change = _done(world, held, run, ran, verdict, judged)
        case Failed() as verdict:
            events, change = _failed(world, held, run, ran, verdict, judged)
        case _:
            assert_never(judged.verdict)
    log = _write_log(world, ended, judged, events[0])
    world.reached("log.written")
    return replace(change, events=events, extra=(log,))


def _done(world: World, held: Held, run: Run, ran: Ran, verdict: Done, judged: Judged) -> tuple[list[Event], Advance]:
    claims = judged.claims
    now = world.clock.now()
    day = now.strftime("%Y-%m-%d")
    to = world.mailbox.place(f"{layout.DONE}/{held.agent}", _name(held), day)
    spent = accounts.total(world.events.read(held.id), ran, run.invocation_id)
    result = _result(held, verdict, judged, now) | {"metrics": _metrics(run, ran, spent)}
    told = _told(run, ran)
    completed = world.registrar.event(
        EventKind.TASK_COMPLETED,
        held,
        status=Status.DONE,
        path=to,
        why=verdict.why,
        details={
            "verdict": verdict.outcome,
            "result": result,
            "log_paths": [run.log],
            "answer_sha256": executing.answer_digest(ran.text),
        },
        **told,
    )
    events = [completed]
    follower = follow_up(held.id, claims, run.started_at)
    if follower is not None:
        events.append(
            world.registrar.event(
                EventKind.HANDOFF_CREATED,
                held,
                why=f"handed off to {claims.next_agent}: {claims.next_task_title}",
                path=f"{layout.INBOX}/{follower.task_id}.yaml",
                details={"next_task": follower.task_id},
            )
        )
        _hand_off(world, follower)
        world.reached("hand_off.done")
    return events, _done_change(to, completed, result, run)


def _done_change(to: str, completed: Event, result: Mapping[str, object], run: Run) -> Advance:
    return Advance(
        step="close",
        events=(),
        fields={"status": Status.DONE, "completed_at": completed.ts, "result": result, "error": None},
        to=to,
        was=Status.IN_PROGRESS,
        body=completed.why,
        trailers=run.trailers | {"Verdict": str(result["verdict"])} | _trailers_of(result),
    )


def _trailers_of(result: Mapping[str, object]) -> dict[str, str]:
    """What a commit says of tokens, money and work, from the result as it is told: the same after a crash."""
    metrics = result.get("metrics")
    trailers = {"Result-Branch": str(result.get("branch") or "")}
    if isinstance(metrics, Mapping):
        tokens = metrics.get("tokens")
        if isinstance(tokens, Mapping):
            spent = {name: count for name, count in tokens.items() if isinstance(count, int)}
            trailers["Tokens-In"] = str(sum(count for name, count in spent.items() if name != "output"))
            trailers["Tokens-Out"] = str(spent.get("output", 0))
        if metrics.get("cost_usd") is not None:
            trailers["Cost-USD"] = str(metrics["cost_usd"])
            trailers["Cost-Source"] = str(metrics.get("cost_source") or "")
    return {name: value for name, value in trailers.items() if value}


def _failed(
    world: World, held: Held, run: Run, ran: Ran, verdict: Failed, judged: Judged
) -> tuple[list[Event], Advance]:
    cancelled = verdict.kind is ErrorKind.CANCELLED
    status = Status.CANCELLED if cancelled else Status.ERROR
    event = world.registrar.event(
        EventKind.TASK_CANCELLED if cancelled else EventKind.TASK_ERROR,
        held,
        status=status,
        path=held.path,
        why=verdict.why,
        error_kind=verdict.kind,
        details={
            "log_paths": [run.log],
            **({"branch": judged.branch} if judged.branch else {}),
            **_cost(accounts.total(world.events.read(held.id), ran, run.invocation_id)),
        },
        **_told(run, ran),
    )
    return [event], _failed_change(event, run)


def _failed_change(event: Event, run: Run) -> Advance:
    error = {
        "kind": event.error_kind,
        "message": event.why,
        "timestamp": event.ts,
        "retry_count": max(event.attempt - 1, 0),
        "log": run.log,
    }
    if branch := str(event.details.get("branch") or ""):
        error["branch"] = branch  # what it left all the same: the next attempt goes on from there
    trailers = {
        "Error-Kind": event.error_kind,
        "Result-Branch": branch,
        "Cost-USD": str(event.details.get("cost_usd") or ""),
        "Cost-Source": str(event.details.get("cost_source") or ""),
    }
    return Advance(
        step="close",
        events=(),
        fields={"status": event.status, "error": error},
        was=Status.IN_PROGRESS,
        body=event.why,
        trailers=run.trailers | {name: value for name, value in trailers.items() if value},
    )


async def break_off(world: World, held: Held, why: str) -> Held:
    """An error of kind internal: a mistake of ours stopped the task."""
    event = world.registrar.event(
        EventKind.TASK_ERROR, held, status=Status.ERROR, path=held.path, why=why, error_kind=ErrorKind.INTERNAL
    )
    error = {"kind": "internal", "message": why, "timestamp": event.ts, "retry_count": 0}
    change = Advance(
        step="close",
        events=[event],
        fields={"status": Status.ERROR, "error": error},
        body=why,
        trailers={"Error-Kind": "internal"},
    )
    return await world.registrar.advance(held, change)


async def follow(world: World, held: Held, at: resume.Resumption) -> Held:
    """What came of the task is told already, and its file has not followed: the daemon died in between."""
    closed = at.closed
    assert closed is not None
    run = running.run_of(at.started) if at.started is not None else None
    log = await world.disk(_log_as_it_is, world, run)
    match closed.event:
        case EventKind.TASK_COMPLETED:
            result = closed.details.get("result")
            fields = dict(result) if isinstance(result, dict) else {"summary": closed.why}
            if run is None:  # a person's own work, completed by command
                change = Advance(
                    step="close",
                    events=(),
                    fields={"status": Status.DONE, "completed_at": closed.ts, "result": fields},
                    to=closed.path,
                    body=closed.why,
                )
            else:
                await _hand_off_again(world, held, run)
                change = _done_change(closed.path, closed, {"verdict": "done", **fields}, run)
        case EventKind.TASK_ERROR | EventKind.TASK_CANCELLED if run is not None:
            change = _failed_change(closed, run)
        case _:
            change = Advance(step="close", events=(), fields={"status": closed.status}, body=closed.why)
    return await world.registrar.advance(held, replace(change, extra=() if log is None else (log,)))


async def _hand_off_again(world: World, held: Held, run: Run) -> None:
    finished = resume.finish_of(await world.disk(world.events.read, held.id), run.invocation_id)
    if finished is None:
        return
    ran = await world.disk(running.recall, world, held, run, finished)
    claims = world.read_claims(ran.text)
    if (follower := follow_up(held.id, claims, run.started_at)) is not None:
        await world.disk(_hand_off, world, follower)


def _hand_off(world: World, follower: FollowUp) -> None:
    """Drops the next task into the inbox, once: one that is known already, or lies there, is left alone."""
    path = f"{layout.INBOX}/{follower.task_id}.yaml"
    # In this order: a claim is known before its file leaves the inbox, so that one under way now cannot be missed.
    if world.mailbox.exists(path) or world.index.known([follower.task_id]):
        return
    try:
        world.mailbox.create(path, taskfile.compose(follower.fields))
    except NameTakenError:
        return


def _told(run: Run, ran: Ran) -> dict[str, object]:
    return {
        "tool": run.tool,
        "model": run.model,
        "invocation_id": run.invocation_id,
        "attempt": run.attempt,
        "duration_ms": ran.duration_ms,
        "exit_code": ran.exit_code,
        "reason": run.reason,
    }


def _result(held: Held, verdict: Done, judged: Judged, at: datetime) -> dict[str, object]:
    claims, evidence = judged.claims, judged.evidence
    result: dict[str, object] = {
        "summary": claims.summary or verdict.why,
        "verdict": str(verdict.outcome),
        "completed_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if evidence is not None:
        if there := [path for path in held.file.task.artefacts if path not in evidence.missing]:
            result["artefacts"] = there
        if judged.branch:
            result |= {"branch": judged.branch, "commit": evidence.head}
    for name in ("next_agent", "next_task_title", "next_task_notes"):
        if value := getattr(claims, name):
            result[name] = value
    for name in ("next_artefacts", "artefacts_not_created"):
        if items := getattr(claims, name):
            result[name] = list(items)
    return result


def _metrics(run: Run, ran: Ran, spent: accounts.Total) -> dict[str, object]:
    """Tokens and money are those of all runs of its turn, failed ones included; the rest is of the last one."""
    metrics: dict[str, object] = {
        "duration_seconds": round(ran.duration_ms / 1000, 3),
        "invocations": run.attempt,
        "tool": run.tool,
    }
    if model := run.model or ran.model:
        metrics["model"] = model
    if spent.tokens is not None:
        metrics["tokens"] = asdict(spent.tokens)
    return metrics | _cost(spent)


def _cost(spent: accounts.Total) -> dict[str, str]:
    if spent.cost is None:
        return {}
    return {"cost_usd": f"{Decimal(spent.cost) / 1_000_000:.6f}", "cost_source": str(spent.source)}


def _write_log(world: World, ended: Ended, judged: Judged, told: Event) -> Change:
    run = ended.run
    context = {
        "task": ended.held.file.task,
        "agent": ended.held.agent,
        "run": run,
        "ran": ended.ran,
        "verdict": judged.verdict,
        "evidence": judged.evidence,
        "checks": judged.checks,
        "problems": judged.claims.problems,
        "status": told.status,
        "finished_at": told.ts,
    }
    shown = withholding.work_log(world, ended.held.agent, context)
    text = world.renderer.render("logs/work-log.md.j2", **shown).encode()
    world.mailbox.write(run.log, text)
    return Change(path=run.log, content=text)


def _log_as_it_is(world: World, run: Run | None) -> Change | None:
    if run is None or not run.log:
        return None
    try:
        return Change(path=run.log, content=world.mailbox.read(run.log, 64 << 20))
    except OSError:
        return None


def _name(held: Held) -> str:
    return held.path.rpartition("/")[2]
