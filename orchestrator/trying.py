"""What follows a run that failed, when it is not the task's end: the same again, another candidate, a stronger one.

Told as `attempt_failed` before anything else happens. All that a decision needs stands in the task's events, so that a
daemon that dies in between can come to it again; only the jitter of a wait is drawn anew.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core import cooldowns, retrying
from orchestrator.core.events import Event, EventKind, format_ts
from orchestrator.core.retrying import Attempt, GiveUp
from orchestrator.core.routing import Candidate, Refusal, Route, RouteReason
from orchestrator.core.settings import Retries
from orchestrator.core.types import ErrorKind, Status
from orchestrator.core.verdict import Failed
from orchestrator.registrar import Advance, Held
from orchestrator.running import Ended
from orchestrator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The task is not over."""

    why: str
    at: datetime | None  # not before; None: at once
    tool: str = ""  # empty: as it is planned then
    model: str = ""
    is_retry: bool = False  # of the same; else one that waits is planned anew


def history_of(events: Sequence[Event]) -> list[Attempt]:
    """The runs of the task's present turn that failed and were not its end."""
    found: list[Attempt] = []
    for event in events:
        if event.event in {EventKind.TASK_CLAIMED, EventKind.TASK_RETRIED}:
            found.clear()
        elif event.event == EventKind.ATTEMPT_FAILED and event.error_kind in set(ErrorKind):
            found.append(Attempt(tool=event.tool, model=event.model, kind=ErrorKind(event.error_kind)))
    return found


def decide(world: World, ended: Ended, failed: Failed, route: Route | Refusal) -> Again | GiveUp:
    """What follows. `route`: as it is planned now. Blocking."""
    run, task = ended.run, ended.held.file.task
    settings = world.settings()
    tool = settings.tools.get(run.tool)
    if tool is None:
        return GiveUp(why=f"the tool {run.tool} has left the configuration")
    retries = settings.policy(world.agent(ended.held.agent).policy).retries
    history = [*history_of(world.events.read(task.id)), Attempt(tool=run.tool, model=run.model, kind=failed.kind)]
    now = world.clock.now()
    reason = RouteReason(run.reason) if run.reason in set(RouteReason) else RouteReason.PREFERRED
    follows = retrying.decide(
        Candidate(tool=tool, model=run.model, reason=reason, why=run.why),
        history,
        route,
        retries,
        now=now,
        chance=random.random(),  # noqa: S311 - jitter, no secret
        come_back=cooldowns.come_back(now, retry_after=ended.ran.retry_after),
    )
    match follows:
        case GiveUp():
            return follows
        case retrying.Retry() | retrying.Wait():
            return Again(why=follows.why, at=follows.at, is_retry=isinstance(follows, retrying.Retry))
        case _:
            chosen = follows.candidate
            return Again(why=follows.why, at=None, tool=chosen.tool.name, model=chosen.model)


def in_turn(events: Sequence[Event], candidates: tuple[Candidate, ...], retries: Retries) -> tuple[Candidate, ...]:
    """The candidates of a task with these events, the one to run first; without those that failed and had their due."""
    history = history_of(events)
    if not history:
        return candidates
    left = retrying.left(history, candidates, retries)
    last = next(event for event in reversed(events) if event.event == EventKind.ATTEMPT_FAILED)
    if last.reason == "retry":
        wanted = last.tool, last.model
    else:
        wanted = str(last.details.get("next_tool") or ""), str(last.details.get("next_model") or "")
    chosen = [one for one in candidates if one.key == wanted]
    return tuple({one.key: one for one in [*chosen, *left]}.values())


async def announce(world: World, ended: Ended, failed: Failed, again: Again) -> tuple[Held, Event]:
    """Tells it, and has the task wait for its next run."""
    run = ended.run
    wait = {"until": format_ts(again.at)} if again.at is not None else {}
    onward = {"next_tool": again.tool, "next_model": again.model} if again.tool else {}
    event = world.registrar.event(
        EventKind.ATTEMPT_FAILED,
        ended.held,
        status=Status.ASSIGNED,
        path=ended.held.path,
        tool=run.tool,
        model=run.model,
        invocation_id=run.invocation_id,
        attempt=run.attempt,
        error_kind=failed.kind,
        reason="retry" if again.is_retry else "next",
        why=again.why,
        details={"failed": failed.why, **wait, **onward},
    )
    change = Advance(
        step="again",
        events=[event],
        fields={"status": Status.ASSIGNED},
        was=Status.IN_PROGRESS,
        body=f"{failed.why}\n\n{again.why}",
        subject="again",
        trailers=run.trailers | {"Error-Kind": failed.kind},
    )
    return await world.registrar.advance(ended.held, change), event


def waits_until(event: Event | None) -> datetime | None:
    """Until when the task waits, as its last `attempt_failed` or `task_blocked` says."""
    if event is None:
        return None
    try:
        at = datetime.fromisoformat(str(event.details.get("until") or ""))
    except ValueError:
        return None
    return at if at.tzinfo is not None and at.utcoffset() is not None else None
