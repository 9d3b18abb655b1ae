"""Chains of models replayed: cost, quality, verifiers that err, and intervals."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.simulation import (
    Interval,
    NothingToSimulateError,
    Outcome,
    Simulated,
    Verifier,
    simulate,
)
from orchestrator.core.types import MicroUsd


def outcome(task: object, model: str, cost: int, *, solved: bool) -> Outcome:
    return Outcome(task=str(task), model=model, solved=solved, cost=MicroUsd(cost))


def recording(tasks: int = 500, *, seed: int = 3) -> list[Outcome]:
    """Tasks of one hidden hardness each, as on SWE-bench Verified: mini 60 % at $0.035, opus 74 % at $0.72."""
    dice = random.Random(seed)
    told = []
    for task in range(tasks):
        hardness = dice.random()
        for model, able, cost in (("mini", 0.60, 35_000), ("mid", 0.62, 30_000), ("opus", 0.744, 721_000)):
            solved = hardness * 0.8 + dice.random() * 0.2 < able
            told.append(outcome(task, model, round(cost * dice.uniform(0.3, 1.7)), solved=solved))
    return told


def test_a_cheap_model_with_a_perfect_verifier_saves_much_and_loses_nothing() -> None:
    found = simulate(recording(), ["mini", "opus"])
    assert found.tasks == 500
    assert 35 < found.saving.value < 65
    assert found.quality is not None
    assert found.quality.value >= 100
    assert found.saving.low < found.saving.value < found.saving.high


def test_a_verifier_that_lets_wrong_work_through_saves_more_and_costs_quality() -> None:
    found = [
        simulate(recording(), ["mini", "opus"], verifier=Verifier(false_accept=false, false_reject=0.1))
        for false in (0.0, 0.1, 0.2, 0.3)
    ]
    savings = [one.saving.value for one in found]
    qualities = [one.quality.value for one in found if one.quality]
    assert savings == sorted(savings)
    assert qualities == sorted(qualities, reverse=True)


def test_a_chain_whose_first_model_costs_nearly_as_much_is_dearer() -> None:
    told = [
        outcome(task, model, cost, solved=task % 2 == 0)
        for task in range(100)
        for model, cost in (("nearly", 800), ("strong", 1_000))
    ]
    found = simulate(told, ["nearly", "strong"])
    assert found.saving.value == pytest.approx(-30)
    assert found.saving.high < 0


def test_a_verifier_that_passes_everything_is_just_the_cheap_model() -> None:
    found = simulate(recording(), ["mini", "opus"], verifier=Verifier(false_accept=1.0))
    mini = found.models[0]
    assert (found.cost, found.solved) == (pytest.approx(mini.cost), pytest.approx(mini.solved))
    assert [one.used for one in found.models] == [1.0, 0.0]


def test_chances_of_a_verifier_that_errs_are_those_of_the_book() -> None:
    told = [
        outcome(1, "a", 10, solved=True),
        outcome(1, "b", 100, solved=True),
        outcome(2, "a", 10, solved=False),
        outcome(2, "b", 100, solved=True),
    ]
    found = simulate(told, ["a", "b"], verifier=Verifier(false_accept=0.2, false_reject=0.1))
    # Of the first one tenth goes on, of the second four fifths; a fifth of the second stays, and is wrong.
    assert found.cost == pytest.approx(10 + (0.1 + 0.8) * 100 / 2)
    assert found.solved == pytest.approx((1 + 0.8) / 2)


def test_tasks_that_a_model_of_the_chain_was_not_tried_on_are_left_out() -> None:
    told = [*recording(20), outcome("only", "mini", 1, solved=True), outcome("other", "unasked", 1, solved=True)]
    found = simulate(told, ["mini", "opus"])
    assert (found.tasks, found.left_out, found.filled) == (20, 1, 0)


def test_or_taken_at_the_models_average_where_that_is_asked_for() -> None:
    told = [
        outcome(1, "a", 10, solved=True),
        outcome(2, "a", 10, solved=False),
        outcome(2, "b", 100, solved=True),
    ]
    found = simulate(told, ["a", "b"], fill=True)
    assert (found.tasks, found.left_out, found.filled) == (2, 0, 1)
    assert (found.cost, found.against_cost, found.against_solved) == (60, 100, 1)


def test_several_runs_of_a_model_on_a_task_count_by_their_average() -> None:
    told = [
        outcome(1, "a", 10, solved=True),
        outcome(1, "a", 30, solved=False),
        outcome(1, "b", 100, solved=True),
    ]
    found = simulate(told, ["a", "b"])
    assert (found.cost, found.solved) == (20 + 50, 1)


def test_without_a_task_of_all_models_it_says_what_there_is() -> None:
    told = [outcome(1, "a", 1, solved=True), outcome(2, "b", 1, solved=True), outcome(3, "b", 1, solved=True)]
    with pytest.raises(NothingToSimulateError, match="a on 1, b on 2"):
        simulate(told, ["a", "b"])
    with pytest.raises(NothingToSimulateError, match="c on 0"):
        simulate(told, ["a", "c"], fill=True)


def test_where_the_strongest_solves_nothing_quality_has_no_share() -> None:
    told = [outcome(1, "a", 1, solved=True), outcome(1, "b", 1, solved=False)]
    assert simulate(told, ["a", "b"]).quality is None


def test_against_another_model_than_the_last() -> None:
    found = simulate(recording(50), ["mini", "mid"], against="opus")
    assert [one.model for one in found.models] == ["mini", "mid", "opus"]
    assert found.models[2].used == 0
    assert found.against_solved == pytest.approx(found.models[2].solved)


def test_the_same_seed_gives_the_same_intervals_in_whatever_order_the_runs_stand() -> None:
    told = recording(60)
    mixed = random.Random(9).sample(told, k=len(told))
    assert simulate(told, ["mini", "opus"], seed=5) == simulate(mixed, ["mini", "opus"], seed=5)
    assert _intervals(simulate(told, ["mini", "opus"], seed=6)) != _intervals(simulate(told, ["mini", "opus"], seed=5))


def test_many_tasks_are_resampled_in_blocks_and_give_narrower_intervals() -> None:
    few, many = (simulate(recording(tasks), ["mini", "opus"]).saving for tasks in (300, 4_500))
    assert many.low < many.value < many.high
    assert (many.high - many.low) < (few.high - few.low)


def _intervals(found: Simulated) -> tuple[Interval, Interval | None]:
    return found.saving, found.quality


RATES = st.floats(0, 1)
TRIED = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 100), st.integers(1, 100)), min_size=1, max_size=8
)


@settings(max_examples=25, deadline=None)
@given(TRIED, RATES, RATES)
def test_a_chain_never_costs_more_than_all_its_models_nor_solves_more_than_any_could(
    tried: list[tuple[bool, bool, int, int]], accept: float, reject: float
) -> None:
    told = [
        one
        for task, (first, second, cheap, dear) in enumerate(tried)
        for one in (outcome(task, "a", cheap, solved=first), outcome(task, "b", dear, solved=second))
    ]
    found = simulate(told, ["a", "b"], verifier=Verifier(false_accept=accept, false_reject=reject))
    every = sum(cheap + dear for *_, cheap, dear in tried) / len(tried)
    able = sum(first or second for first, second, *_ in tried) / len(tried)
    assert sum(cheap for _, _, cheap, _ in tried) / len(tried) <= found.cost + 1e-9
    assert found.cost <= every + 1e-9
    assert 0 <= found.solved <= able + 1e-9
