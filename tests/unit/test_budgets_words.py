"""What people read about limits on money."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.budget_words import explained, money, refusal, warning, ways_out
from orchestrator.core.budgets import Applied, Over, Standing, window
from orchestrator.core.settings import Limit, Period
from orchestrator.core.types import MicroUsd

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def standing(
    spent: int, *, held: int = 0, period: Period = Period.DAY, zone: str = "UTC", hard: bool = True, **scope: str
) -> Standing:
    limit = Limit(period=period, max_usd=MicroUsd(10_000_000), hard=hard, scope=scope)
    applied = Applied(limit=limit, window=window(period, zone, NOON), zone=zone)
    return Standing(applied=applied, spent=MicroUsd(spent), held=MicroUsd(held))


def over(*standings: Standing, amount: int = 500_000) -> Over:
    return Over(amount=MicroUsd(amount), standings=standings)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "$0.00"),
        (420_000, "$0.42"),
        (10_000_000, "$10.00"),
        (4_999, "$0.004999"),
        (42, "$0.000042"),
        (1_234_567_890_000, "$1,234,567.89"),
        (-2_500_000, "-$2.50"),
    ],
)
def test_money_is_shown_in_dollars_and_cents_and_dust_exactly(amount: int, shown: str) -> None:
    assert money(amount) == shown


def test_the_warning_shows_percent_spent_limit_and_estimate() -> None:
    text = warning(standing(8_100_000), 500_000)
    assert text.startswith("Budget 81 % used ($8.10 / $10.00): hard limit a day. ")
    assert text.endswith("This run is estimated at $0.50, with it 86 % ($8.60 / $10.00).")


def test_the_warning_tells_what_is_held_for_others_and_for_whom_the_limit_is() -> None:
    text = warning(standing(7_000_000, held=1_100_000, hard=False, agent="writer", model="opus"), 500_000)
    assert "Budget 81 % used ($8.10 / $10.00), $1.10 of it held for runs under way" in text
    assert "soft limit a day for agent writer and model opus" in text


def test_the_refusal_shows_what_it_would_have_come_to() -> None:
    text = refusal(over(standing(9_800_000)))
    assert text == "Over budget: hard limit a day ($10.30 / $10.00): $9.80 spent, $0.50 estimated for this run."


def test_the_refusal_counts_the_limits_that_it_does_not_name() -> None:
    text = refusal(over(standing(9_000_000, held=800_000), standing(9_900_000), standing(10_000_000)))
    assert "$0.80 held for runs under way" in text
    assert text.endswith(", and 2 more limits.")


def test_there_are_three_ways_out() -> None:
    cheaper, wait, force = ways_out(over(standing(9_800_000, zone="Europe/Berlin")))
    assert "cheaper model" in cheaper
    assert "$0.20 left" in cheaper
    assert "wait until 2026-11-22 00:00 Europe/Berlin" in wait
    assert '--force --justification "..."' in force


def test_nobody_is_told_to_wait_for_the_end_of_a_total() -> None:
    _, wait, _ = ways_out(over(standing(9_800_000, period=Period.TOTAL)))
    assert "wait" not in wait
    assert "raise the limit" in wait


def test_a_clock_that_is_behind_is_said() -> None:
    late = Over(amount=MicroUsd(1), standings=(standing(10_000_000),), clock_behind=timedelta(days=1))
    assert "The clock is 1 day, 0:00:00 behind the newest run" in explained(late)
    assert explained(over(standing(9_800_000))).count("\n") == 3
