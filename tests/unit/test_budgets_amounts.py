"""What is held before a run, and what it is settled at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.budget_amounts import ABSURD, ENOUGH, Basis, estimate, hold_for, settle_at
from orchestrator.core.budgets import Subject
from orchestrator.core.settings import Limit, Period, Policy
from orchestrator.core.types import CostSource, MicroUsd

ABOUT = Subject(agent="a")
POLICY = Policy(name="p", estimate=MicroUsd(700_000))
HARD = Policy(name="p", limits=(Limit(period=Period.DAY, max_usd=MicroUsd(10_000_000)),))
HUNDRED = list(range(10_000, 1_010_000, 10_000))  # p90 is 0.90, p95 is 0.95


def test_the_task_s_own_cap_is_held() -> None:
    held = hold_for(ABOUT, POLICY, cap=MicroUsd(300), task_left=MicroUsd(900), history=HUNDRED)
    assert (held.amount, held.basis) == (300, Basis.CAP)


def test_no_more_is_held_than_is_left_of_the_limit_for_the_task() -> None:
    held = hold_for(ABOUT, POLICY, cap=MicroUsd(300), task_left=MicroUsd(200))
    assert (held.amount, held.basis) == (200, Basis.TASK_LIMIT)


def test_with_nothing_left_of_the_task_s_limit_the_hold_is_not_nothing() -> None:
    assert hold_for(ABOUT, POLICY, task_left=MicroUsd(0)).amount == 700_000
    assert hold_for(ABOUT, POLICY, task_left=MicroUsd(-5), cap=MicroUsd(0)).amount == 700_000


@pytest.mark.parametrize("billing", ["free", "subscription"])
def test_what_costs_no_money_holds_none(billing: str) -> None:
    held = hold_for(Subject(billing=billing), HARD, cap=MicroUsd(300), history=HUNDRED)
    assert (held.amount, held.basis) == (0, Basis.NO_MONEY)


def test_few_runs_are_no_history() -> None:
    assert estimate([1_000_000] * (ENOUGH - 1), POLICY).amount == 700_000
    assert estimate([1_000_000] * ENOUGH, POLICY).amount == 1_000_000


def test_a_hard_limit_takes_the_ninety_fifth_percentile_and_a_soft_one_the_ninetieth() -> None:
    assert estimate(HUNDRED, HARD).amount == 950_000
    assert estimate(HUNDRED[::-1], POLICY).amount == 900_000


def test_costs_that_cannot_be_are_no_history() -> None:
    assert estimate([-1, ABSURD] * 50, POLICY).basis is Basis.ESTIMATE


def test_a_history_of_nothing_still_holds_something() -> None:
    assert estimate([0] * ENOUGH, POLICY).amount == 1


@given(history=st.lists(st.integers(0, ABSURD - 1), min_size=ENOUGH))
def test_the_estimate_is_a_cost_that_occurred_and_few_were_above_it(history: list[int]) -> None:
    found = estimate(history, HARD)
    assert found.amount in history or found.amount == 1
    assert sum(cost > found.amount for cost in history) <= len(history) * 5 // 100


# --- settling ----------------------------------------------------------------------------------------------------


def test_a_run_is_charged_what_it_cost() -> None:
    settled = settle_at(MicroUsd(500), 120, "reported")
    assert (settled.amount, settled.source, settled.why) == (120, CostSource.REPORTED, "")


def test_more_than_was_held_is_charged_and_told() -> None:
    settled = settle_at(MicroUsd(500), 620, CostSource.COMPUTED)
    assert (settled.amount, settled.source) == (620, CostSource.COMPUTED)
    assert "more than was held" in settled.why


@pytest.mark.parametrize("cost", [None, -1, ABSURD, 10**400, True, 0.5, "12", float("nan"), float("inf")])
def test_a_cost_that_cannot_be_believed_charges_the_hold(cost: object) -> None:
    settled = settle_at(MicroUsd(500), cost, "reported")
    assert (settled.amount, settled.source) == (500, CostSource.ESTIMATED)
    assert "the hold is charged" in settled.why


def test_a_subscription_costs_no_money_whatever_the_tool_says() -> None:
    assert settle_at(MicroUsd(0), 3_000_000, "reported", billing="subscription").amount == 0


def test_a_source_of_a_later_version_is_an_estimate() -> None:
    assert settle_at(MicroUsd(5), 3, "guessed").source is CostSource.ESTIMATED
