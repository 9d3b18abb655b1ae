"""How much is held before a run, and what it is settled at."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.budgets import Subject
from orchestrator.core.settings import Policy
from orchestrator.core.types import CostSource, MicroUsd

# So many runs of its like make a history: of fewer, a percentile is no more than the dearest of them.
ENOUGH = 20
# A million dollars for one run is no cost but a slip: another unit, or a counter that ran over.
ABSURD = 1_000_000_000_000
LARGEST = 1_000_000_000_000_000  # a billion dollars, as in the configuration: more is neither held nor adjusted


class Basis(StrEnum):
    """Where the amount of a hold comes from."""

    CAP = "cap"  # the task's own, which the tool is given too
    TASK_LIMIT = "task_limit"  # what is left of the policy's limit for a task
    HISTORY = "history"
    ESTIMATE = "estimate"  # the policy's, while too little is known
    NO_MONEY = "no_money"  # the model is free, or the tool is paid by subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run is taken to cost."""

    amount: MicroUsd
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a run is charged, and a sentence where that is not simply what was reported."""

    amount: MicroUsd
    source: CostSource
    why: str = ""


def hold_for(
    about: Subject,
    policy: Policy,
    *,
    cap: MicroUsd | None = None,
    task_left: MicroUsd | None = None,
    history: Sequence[int] = (),
) -> Estimate:
    """What to hold for a run.

    Args:
        cap: the task's own.
        task_left: what is left of the policy's hard limit for a task; None where there is none.
        history: what ended runs of the same agent, model and task type cost, in any order.
    """
    if about.billing != "api":
        return Estimate(amount=MicroUsd(0), basis=Basis.NO_MONEY)
    bounds = [(cap, Basis.CAP)] if cap is not None and cap > 0 else []
    if task_left is not None and task_left > 0:
        bounds.append((task_left, Basis.TASK_LIMIT))
    if bounds:
        amount, basis = min(bounds, key=lambda bound: bound[0])
        return Estimate(amount=amount, basis=basis)
    # With nothing left of the task's limit this is what it would take, and the limit refuses it.
    return estimate(history, policy)


def estimate(history: Sequence[int], policy: Policy) -> Estimate:
    """What a run of its like is taken to cost: p95 of them where a hard limit is to be kept, p90 where none is.

    Cost cannot be told from the prompt; that of others can be known. Never zero: what costs is held, however little.
    """
    known = sorted(cost for cost in history if 0 <= cost < ABSURD)
    if len(known) < ENOUGH:
        return Estimate(amount=policy.estimate, basis=Basis.ESTIMATE)
    percent = 95 if any(limit.hard for limit in policy.limits) else 90
    amount = known[-(-len(known) * percent // 100) - 1]  # nearest rank
    return Estimate(amount=MicroUsd(max(1, amount)), basis=Basis.HISTORY)


def settle_at(hold: MicroUsd, cost: object, source: CostSource | str | None = None, billing: str = "api") -> Settlement:
    """What a run is charged: its cost, also where that is more than was held; the hold where no cost can be believed.

    Args:
        cost: micro-dollars as they were reported or computed; None: nothing was.
        billing: of the tool; a subscription costs no money, whatever the tool says that it would have cost.
    """
    if billing != "api":
        return Settlement(amount=MicroUsd(0), source=CostSource.COMPUTED, why=f"billing is {billing}: no money")
    if not isinstance(cost, int) or isinstance(cost, bool):
        return Settlement(amount=hold, source=CostSource.ESTIMATED, why="it told no cost, so the hold is charged")
    if not 0 <= cost < ABSURD:
        why = f"a cost of {cost} micro-dollars cannot be, so the hold is charged"
        return Settlement(amount=hold, source=CostSource.ESTIMATED, why=why)
    known = CostSource(source) if source in set(CostSource) else CostSource.ESTIMATED
    why = "it cost more than was held" if cost > hold else ""
    return Settlement(amount=MicroUsd(cost), source=known, why=why)
