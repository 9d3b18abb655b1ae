"""How often something may be started."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.rates import HOUR, LOOK_AGAIN, MINUTE, hindrance
from orchestrator.core.settings import RateLimit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=one) for one in seconds]


def test_what_has_no_limit_may_always_start() -> None:
    assert hindrance("tool x", RateLimit(), ago(*range(1000)), running=1000, now=NOW) is None


@pytest.mark.parametrize(
    ("starts", "until"),
    [
        ((), None),
        ((59, 1), None),  # two of three
        ((60, 30, 1), None),  # the first has just left the window
        ((59, 30, 1), 1),
        ((1, 59, 30), 1),  # in any order
        ((59, 58, 30, 1), 2),  # one more than allowed: two have to leave
    ],
)
def test_a_minute_rolls(starts: tuple[float, ...], until: float | None) -> None:
    found = hindrance("tool x", RateLimit(per_minute=3), ago(*starts), running=0, now=NOW)
    assert (found.until if found else None) == (None if until is None else NOW + timedelta(seconds=until))


def test_of_a_minute_and_an_hour_the_longer_wait_counts_and_both_are_told() -> None:
    limit = RateLimit(per_minute=1, per_hour=2)
    found = hindrance("tool x", limit, ago(3000, 10), running=0, now=NOW)
    assert found is not None
    assert found.until == NOW + timedelta(seconds=600)
    assert "1 times within a minute, and may 1" in found.why
    assert "2 times within an hour, and may 2" in found.why


def test_too_many_at_once_wait_for_a_moment_and_are_looked_at_again() -> None:
    assert hindrance("tool x", RateLimit(max_parallel=2), [], running=1, now=NOW) is None
    found = hindrance("tool x", RateLimit(max_parallel=2), [], running=2, now=NOW)
    assert found is not None
    assert found.until == NOW + LOOK_AGAIN
    assert found.why == "tool x runs 2 times, and may 2 times at once"


@pytest.mark.parametrize("limit", [RateLimit(max_parallel=0), RateLimit(per_minute=0), RateLimit(per_hour=-1)])
def test_a_limit_of_nothing_is_no_matter_of_waiting(limit: RateLimit) -> None:
    found = hindrance("tool x", limit, [], running=0, now=NOW)
    assert found is not None
    assert found.until is None


def test_starts_that_lie_ahead_as_the_clock_was_set_back_count_as_of_now() -> None:
    found = hindrance("tool x", RateLimit(per_minute=1), [NOW + timedelta(days=1)], running=0, now=NOW)
    assert found is not None
    assert found.until == NOW + MINUTE


@settings(max_examples=150)
@given(
    st.lists(st.integers(min_value=0, max_value=4000), max_size=40),
    st.integers(min_value=1, max_value=10),
    st.integers(min_value=1, max_value=10),
)
def test_whoever_waits_as_told_is_let_in_and_nobody_is_let_in_before(
    seconds: list[int], per_minute: int, per_hour: int
) -> None:
    limit = RateLimit(per_minute=per_minute, per_hour=per_hour)
    starts = ago(*seconds)
    found = hindrance("tool x", limit, starts, running=0, now=NOW)
    within = [sum(start > NOW - window for start in starts) for window in (MINUTE, HOUR)]
    assert (found is None) == (within[0] < per_minute and within[1] < per_hour)
    if found is not None:
        assert found.until is not None
        assert NOW < found.until <= NOW + HOUR
        assert hindrance("tool x", limit, starts, running=0, now=found.until) is None
        assert hindrance("tool x", limit, starts, running=0, now=found.until - timedelta(microseconds=1)) is not None
