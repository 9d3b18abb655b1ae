"""Money on the straight path: held before a run in one transaction over all its limits, settled after it.

The truth is in the events: what is held stands in `execution_started`, what it came to in `execution_finished`. The
ledger is the lock under which limits are checked, and is rebuilt from them.
"""

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orchestrator.core import budget_words, budgets, prices
from orchestrator.core.budget_amounts import Basis, Estimate, Settlement, hold_for, settle_at
from orchestrator.core.budget_facts import fact_of, told_at_start
from orchestrator.core.budgets import Granted, Over, Standing, Subject
from orchestrator.core.budgets import Held as Hold
from orchestrator.core.caps import cap
from orchestrator.core.hindrance import Hindrance
from orchestrator.core.settings import Model, OnExceeded, Period, Policy, Tool
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, CostSource, InvocationId, MicroUsd
from orchestrator.core.verdict import Ending, Ran
from orchestrator.errors import OrchestratorError
from orchestrator.registrar import Held
from orchestrator.world import World

_WAITED_FOR = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})  # by `Disk`, which then makes the call again


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """There is no money for a run."""

    over: Over
    waits: bool  # the policy has it wait for the next window, and there is one

    @property
    def hindrance(self) -> Hindrance:
        """For the plan."""
        return Hindrance(why=budget_words.refusal(self.over), until=self.over.until if self.waits else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What would be held for a run, and the limits that bind it, as things stand."""

    estimate: Estimate
    standings: tuple[Standing, ...]

    @property
    def decided(self) -> Granted | Over:
        """Whether it fits."""
        return budgets.decide(self.standings, self.estimate.amount)


def outlook(world: World, task: Task, agent: AgentKey, tool: Tool, model: Model) -> Outlook:
    """What a run of it would be held for. Nothing is held by asking. Blocking."""
    wanted = _Wanted(world, task, agent, tool, model)
    return Outlook(estimate=wanted.estimate, standings=tuple(wanted.standings))


def costs_money(tool: Tool, model: Model) -> bool:
    """Whether a run of it is paid by use. A price that nobody knows is money too."""
    return tool.billing == "api" and not (model.price is not None and model.price.is_free)


def hindrance(world: World, task: Task, agent: AgentKey, tool: Tool, model: Model) -> Hindrance | None:
    """Why there is no money for a run of it as things stand, or None. Nothing is held by asking. Blocking."""
    wanted = _Wanted(world, task, agent, tool, model)
    decided = budgets.decide(wanted.standings, wanted.estimate.amount)
    if isinstance(decided, Over):
        return Refused(over=decided, waits=wanted.waits(decided)).hindrance
    return _wants_a_reason(_policy(world, agent), task, wanted.estimate.amount)


def _wants_a_reason(policy: Policy, task: Task, amount: int) -> Hindrance | None:
    """A run that may cost much says why: in its task file, or at the command line; it is in the commit of its claim."""
    most, reason = policy.justification_over, task.extras.get("justification")
    if most is None or amount <= most or (isinstance(reason, str) and reason.strip()):
        return None
    cost, line = budget_words.money(amount), budget_words.money(most)
    why = f"it may cost {cost}, and above {line} policy {policy.name} wants a reason: `justification:` in the task"
    return Hindrance(why=f"{why}, or --justification")


def reserve(
    world: World, held: Held, tool: Tool, model: Model, invocation_id: InvocationId, forced: str = ""
) -> Hold | Refused | None:
    """Holds what the run may cost; None where it costs nothing. `forced`: a person's reason to go over. Blocking.

    Raises:
        LedgerUnusable, BusyError, OSError: nothing is held, and nothing that costs may run.
    """
    if not costs_money(tool, model):
        return None
    wanted = _Wanted(world, held.file.task, held.agent, tool, model)
    amount, now = wanted.estimate.amount, world.clock.now()
    if forced:
        return world.ledger.hold_anyway(wanted.limits, invocation_id, wanted.about, amount, now, reason=forced)
    found = world.ledger.hold(wanted.limits, invocation_id, wanted.about, amount, now)
    return Refused(over=found, waits=wanted.waits(found)) if isinstance(found, Over) else found


def binds(world: World, held: Held) -> bool:
    """Whether a hard limit has to be kept, so that no run may cost more than is held for it."""
    return any(limit.hard for limit in _policy(world, held.agent).limits)


def give_back(world: World, hold: Hold | None, why: str) -> None:
    """The run that it was held for is not going to begin. Blocking."""
    if hold is not None:
        with left_to_the_next_start():
            world.ledger.release(hold, why)


def told(hold: Hold | None) -> dict[str, object]:
    """The fields of an `execution_started`."""
    if hold is None:
        return {}
    fields = told_at_start(hold)
    if warned := [one for one in hold.warned if is_news(one)]:
        fields["budget_warnings"] = [budget_words.warning(one, hold.amount) for one in warned]
    return fields


def is_news(reached: Standing) -> bool:
    """What is left of a task's own limit is what its first run is held at: that reaches the threshold by itself."""
    return bool(reached.used) or reached.applied.limit.period is not Period.TASK


def with_cost(ran: Ran, tool: Tool, model: Model) -> Ran:
    """The run with its cost computed from tokens and price, where the tool did not report it and it is paid by use.

    Usage that cannot be true is dropped with the reason: no cost can be made of it, and the hold is charged. The
    bound of the context counts only where we compute: a tool that knows its cost may have had helpers ask, too, whose
    requests are not among its turns.
    """
    if ran.tokens is None:
        return ran
    requests = None if ran.cost is not None else ran.turns
    if fault := prices.usage_fault(ran.tokens, context_window=model.context_window, requests=requests):
        return replace(ran, tokens=None, usage_fault=fault)
    if ran.cost is not None or tool.billing != "api" or model.price is None:
        return ran
    return replace(ran, cost=prices.cost(ran.tokens, model.price), cost_source=CostSource.COMPUTED)


def hold_of(world: World, held: Held, invocation_id: InvocationId) -> Hold | None:
    """What was held for a run, as its events tell it. Blocking."""
    for event in world.events.read(held.id):
        if event.invocation_id == invocation_id and isinstance(fact := fact_of(event), Hold):
            return fact
    return None


def charged(hold: Hold | None, ran: Ran) -> Settlement | None:
    """What the run is charged: written in its event first, and then settled. None: nothing was held for it."""
    if hold is None:
        return None
    if ran.ending is Ending.NOT_STARTED:
        return Settlement(amount=MicroUsd(0), source=CostSource.COMPUTED, why="it never began")
    settlement = settle_at(hold.amount, ran.cost, ran.cost_source, hold.about.billing)
    return (
        replace(settlement, why=f"{settlement.why}: {ran.usage_fault}".lstrip(": ")) if ran.usage_fault else settlement
    )


def settle(world: World, hold: Hold | None, settlement: Settlement | None) -> None:
    """Enters what the event told. Where the ledger cannot take it now, it does at the next start. Blocking."""
    if hold is not None and settlement is not None:
        with left_to_the_next_start():
            world.ledger.settle(hold, settlement.amount, settlement.source)


def settle_silent(world: World, held: Held, invocation_id: InvocationId) -> None:
    """Enters that a run was told to be lost: it is charged its hold. Blocking."""
    if (hold := hold_of(world, held, invocation_id)) is not None:
        settle(world, hold, Settlement(amount=hold.amount, source=CostSource.ESTIMATED))


@contextmanager
def left_to_the_next_start() -> Iterator[None]:
    """What a ledger or the rates cannot take now costs no task its result: start-up mends both from the events."""
    try:
        yield
    except OrchestratorError:
        return
    except OSError as error:
        if is_waited_for(error):
            raise


def is_waited_for(error: OSError) -> bool:
    """Whether `Disk` waits until that is over, and makes the call again."""
    return error.errno in _WAITED_FOR


def settled_fields(settlement: Settlement | None, tool: Tool | None, model: Model) -> Mapping[str, object]:
    """The fields of an `execution_finished`. A cost that a tool tells is money only where it is paid by use."""
    if settlement is None:
        return {"billing": tool.billing if tool is not None and tool.billing != "api" else "free"}
    fields: dict[str, object] = {"cost_microusd": int(settlement.amount), "cost_source": settlement.source.value}
    if model.price is not None and model.price.source:
        fields["price_source"] = model.price.source  # the table with its version, or the file: prices change
    return fields | ({"cost_note": settlement.why} if settlement.why else {})


def _policy(world: World, agent: AgentKey) -> Policy:
    return world.settings().policy(world.agent(agent).policy)


class _Wanted:
    """What a run of a task with a tool and a model would be held for, and against which limits. Blocking."""

    def __init__(self, world: World, task: Task, agent: AgentKey, tool: Tool, model: Model) -> None:
        self._policy = _policy(world, agent)
        self.about = Subject(
            agent=agent,
            tool=tool.name,
            model=model.name,
            provider=model.provider,
            run=task.run,
            task_id=task.id,
            task_type=task.task_type,
            billing=tool.billing if costs_money(tool, model) else "free",
        )
        now = world.clock.now()
        self.limits = budgets.chain(self._policy, self.about, now)
        self.standings: Sequence[Standing] = world.ledger.standing(self.limits, now) if self.limits else ()
        history = world.ledger.costs(agent, model.name, task.task_type) if self._needs_history() else ()
        own = cap(task, world.agent(agent), replace(self._policy, limits=()), tool=tool.name, model=model.name)
        self.estimate: Estimate = hold_for(
            self.about, self._policy, cap=own, task_left=self._task_left(), history=history
        )
        if model.price is None and not self._policy.limits:  # nothing is known, and nothing has to be kept
            self.estimate = Estimate(amount=MicroUsd(0), basis=Basis.NO_MONEY)

    def waits(self, over: Over) -> bool:
        """Whether the task is to wait for the next window."""
        return self._policy.on_exceeded is OnExceeded.WAIT and over.until is not None

    def _needs_history(self) -> bool:
        return self.about.billing == "api" and self._task_left() is None

    def _task_left(self) -> MicroUsd | None:
        left = [
            one.left for one in self.standings if one.applied.limit.period is Period.TASK and one.applied.limit.hard
        ]
        return min(left) if left else None
