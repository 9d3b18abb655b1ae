"""Corrections of what limits on money count as spent: an event of no task, its commit, and then the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.core import budgets
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.budget_amounts import LARGEST
from orchestrator.core.budget_facts import Adjustment, told_of
from orchestrator.core.budget_words import money
from orchestrator.core.budgets import SCOPES, Window
from orchestrator.core.caps import in_usd
from orchestrator.core.events import Event, EventKind
from orchestrator.core.settings import Limit, Period, Policy, Settings
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import MicroUsd, TaskId
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.taskfile.rules import id_fault, parse_usd
from orchestrator.world import World

Arguments = Mapping[str, Any]


def file_of(at: datetime) -> TaskId:
    """What names the event file of that year's corrections. No task can have that id: they begin otherwise."""
    return TaskId(f"_budget-{at:%Y}")


def recent_files(at: datetime) -> tuple[TaskId, TaskId]:
    """Those that a crash may have left half-way: a start looks at them, and at no others."""
    return TaskId(f"_budget-{at.year - 1:04}"), file_of(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person asks for, with the limits that it changes."""

    adjustment: Adjustment
    counted_by: tuple[str, ...]  # "default: hard limit a day", for each limit that counts it


async def adjust(world: World, arguments: Arguments) -> dict[str, object]:
    """Corrects it: {amount, reason, agent, tool, model, provider, run, task, period, policy}.

    Raises:
        UsageError, NotFoundError: the words are off; nothing was changed.
    """
    correction = correction_of(arguments, world.settings(), key=world.events.new_id(), now=world.clock.now())
    made = correction.adjustment
    file = file_of(made.at)
    event = Event(
        event_id=made.key,
        ts=made.at,
        event=EventKind.BUDGET_ADJUSTED,
        task_id=file,
        why=made.reason,
        details=told_of(made),
    )
    known = await world.disk(world.events.path_of, file)
    intent = await world.disk(world.trail.intend, [known] if known else [])
    try:
        appended = await world.disk(world.events.append, file, [event])
    except BaseException:
        world.trail.forgo(intent)
        raise
    world.trail.record(intent, _commit(made, Change(path=appended.path, content=appended.content)))
    world.reached("adjust.told")
    await world.disk(world.ledger.adjust, made)
    return {
        "event_id": made.key,
        "amount_microusd": int(made.amount),
        "reason": made.reason,
        "scope": dict(made.scope),
        "task": str(made.task_id),
        "counted_by": list(correction.counted_by),
        "path": appended.path,
        "message": f"adjusted what is counted as spent by {money(made.amount)}",
    }


def _commit(made: Adjustment, change: Change) -> Transition:
    scope = ", ".join(f"{name} {value}" for name, value in made.scope.items())
    sign = "-" if made.amount < 0 else ""
    return Transition(
        subject=f"budget: adjusted by {money(made.amount)}",
        body=made.reason,
        at=made.at,
        changes=(change,),
        trailers={
            "Budget-Adjusted-USD": f"{sign}{in_usd(MicroUsd(abs(made.amount)))}",
            "Budget-Scope": scope or "everything",
            "Budget-Task": made.task_id,
            "Event-Id": made.key,
        },
    )


def correction_of(arguments: Arguments, settings: Settings, *, key: str, now: datetime) -> Correction:
    """What is asked for. Raises UsageError, NotFoundError."""
    reason = " ".join(str(arguments.get("reason") or "").split())
    if not reason:
        raise UsageError("an adjustment wants a reason that is recorded: --reason TEXT")
    task = TaskId(str(arguments.get("task") or ""))
    if task and id_fault(task):
        raise UsageError(f"--task: {task!r} is no id of a task: {id_fault(task)}")
    scope = _scope(arguments, settings)
    policies = _policies(arguments, settings)
    window = _window(str(arguments.get("period") or ""), policies, scope, task, now)
    adjustment = Adjustment(
        key=key,
        amount=_amount(str(arguments.get("amount") or "")),
        reason=reason,
        at=now,
        scope=scope,
        task_id=task,
        start=window.start if window is not None else None,
        end=window.end if window is not None else None,
    )
    counted = [
        f"{policy.name}: {what(limit)}"
        for policy in settings.policies.values()
        for limit in policy.limits
        if _counts(limit, policy, adjustment, now)
    ]
    return Correction(adjustment=adjustment, counted_by=tuple(counted))


def what(limit: Limit) -> str:
    """The limit in a few words: day, 10 USD, of agent dev."""
    scope = " and ".join(f"{name} {value}" for name, value in sorted(limit.scope.items()))
    return f"{limit.period.value}, {money(limit.max_usd)}" + (f", of {scope}" if scope else "")


def _amount(text: str) -> MicroUsd:
    """Signed: below zero there is more to spend again."""
    sign = -1 if text.startswith("-") else 1
    try:
        amount = parse_usd(text.lstrip("+-") if text[1:2].isdigit() else text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no amount: {error}; use e.g. 2.50, or -2.50 to have that much more") from error
    if not 0 < amount <= LARGEST:
        raise UsageError(f"{text}: an adjustment of nothing changes nothing; use e.g. 2.50 or -2.50")
    return MicroUsd(sign * amount)


def _scope(arguments: Arguments, settings: Settings) -> dict[str, str]:
    scope = {name: str(arguments[name]) for name in SCOPES if arguments.get(name)}
    if "agent" in scope:
        agent = resolve(scope["agent"], settings.agents)
        if isinstance(agent, Unknown):
            raise NotFoundError(f"--agent: {agent.why}")
        scope["agent"] = agent
    for known in settings.models.values():
        if scope.get("model") in known.aliases:
            scope["model"] = known.name
    names = {"tool": settings.tools, "model": settings.models, "provider": _providers(settings)}
    for name, there in names.items():
        if name in scope and scope[name] not in there:
            raise NotFoundError(f"--{name}: no {name} {scope[name]!r} here; there are {', '.join(there) or 'none'}")
    return scope


def _providers(settings: Settings) -> dict[str, None]:
    named = (model.provider for model in settings.models.values() if model.provider)
    return dict.fromkeys((*settings.providers, *named))


def _policies(arguments: Arguments, settings: Settings) -> list[Policy]:
    name = str(arguments.get("policy") or "")
    if name and name not in settings.policies:
        raise NotFoundError(f"--policy: no policy {name!r}; there are {', '.join(settings.policies) or 'none'}")
    return [settings.policies[name]] if name else list(settings.policies.values())


def _window(
    period: str, policies: list[Policy], scope: Mapping[str, str], task: TaskId, now: datetime
) -> Window | None:
    """The one window that is meant; None: every one in which the moment lies."""
    if not period:
        return None
    wanted = Period(period) if period in set(Period) else None
    if wanted is None:
        raise UsageError(f"--period: {period!r} is none of {', '.join(Period)}")
    if (wanted is Period.TASK) != bool(task):
        raise UsageError("--period task wants the id of the task, and no other period has one: --task ID")
    zones = {
        policy.timezone
        for policy in policies
        for limit in policy.limits
        if limit.period is wanted and dict(limit.scope) == dict(scope)
    }
    windows = {budgets.window(wanted, zone, now) for zone in zones}
    if not windows:
        raise UsageError(
            f"no limit of the period {period} counts exactly that scope; see: orchestrator budget show, or "
            "leave out --period"
        )
    if len(windows) > 1:
        raise UsageError(f"the policies that limit that begin a {period} at other times: name one with --policy NAME")
    return windows.pop()


def _counts(limit: Limit, policy: Policy, made: Adjustment, now: datetime) -> bool:
    if limit.period is Period.TASK and not made.task_id:
        return False
    if made.start is None:
        return all(made.scope.get(name) == value for name, value in limit.scope.items())
    window = budgets.window(limit.period, policy.timezone, now)
    same_task = (limit.period is Period.TASK) == bool(made.task_id)
    return same_task and dict(limit.scope) == dict(made.scope) and (window.start, window.end) == (made.start, made.end)


def take_up(world: World) -> None:
    """Enters corrections that were told and that the ledger may have missed: a crash may come between. Blocking."""
    for file in recent_files(world.clock.now()):
        if world.events.path_of(file):
            world.ledger.take_in(world.events.read(file))
