"""How long a tool is left alone after it said "not now"."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.cooldowns import (
    FIRST,
    LONGEST,
    LONGEST_TOLD,
    Cooldown,
    come_back,
    failed,
    hindrance,
    is_of_account,
    succeeded,
)
from orchestrator.core.types import ErrorKind

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_without_a_word_of_when_it_is_a_minute_that_doubles_up_to_a_quarter_of_an_hour() -> None:
    cooldown = None
    waits = []
    now = NOW
    for _ in range(8):
        cooldown = failed(cooldown, now=now)
        waits.append((cooldown.until - now) // SECOND)
        now = cooldown.until
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900]


def test_what_is_told_is_done_however_long() -> None:
    assert failed(None, now=NOW, told=NOW + timedelta(hours=5)).until == NOW + timedelta(hours=5)
    assert failed(None, now=NOW, told=NOW + 2 * SECOND).until == NOW + 2 * SECOND


def test_the_later_deadline_wins_and_keeps_its_reason() -> None:
    long = failed(None, now=NOW, told=NOW + timedelta(hours=5), why="the week's quota")
    again = failed(long, now=NOW + SECOND, told=NOW + 10 * SECOND, why="busy")
    assert again == Cooldown(until=long.until, since=NOW + SECOND, failures=2, why="the week's quota")


@pytest.mark.parametrize(
    ("retry_after", "resets_at", "expected"),
    [
        (None, None, None),
        (30, None, NOW + 30 * SECOND),
        (30, NOW + 60 * SECOND, NOW + 60 * SECOND),
        (90, NOW + 60 * SECOND, NOW + 90 * SECOND),
        (0, None, None),
        (-5, None, None),
        (float("nan"), None, None),
        (float("inf"), None, NOW + LONGEST_TOLD),
        (1e308, None, NOW + LONGEST_TOLD),
        (None, NOW - SECOND, None),
        (None, datetime.max.replace(tzinfo=UTC), NOW + LONGEST_TOLD),
    ],
)
def test_when_to_come_back_is_what_can_be_meant(
    retry_after: float | None, resets_at: datetime | None, expected: datetime | None
) -> None:
    assert come_back(NOW, retry_after=retry_after, resets_at=resets_at) == expected


def test_a_success_clears_but_not_one_that_began_before_the_failure() -> None:
    cooldown = failed(None, now=NOW)
    assert succeeded(cooldown, began=NOW - SECOND) == cooldown
    assert succeeded(cooldown, began=NOW) is None
    assert succeeded(None, began=NOW) is None


def test_who_is_left_alone_says_until_when_and_why() -> None:
    cooldown = failed(None, now=NOW, why="429")
    found = hindrance("tool x", cooldown, NOW)
    assert found is not None
    assert found.until == NOW + FIRST
    assert found.why == "tool x is left alone until 2026-11-21 12:01:00 UTC (429)"
    assert hindrance("tool x", cooldown, NOW + FIRST) is None
    assert hindrance("tool x", None, NOW) is None


def test_a_clock_set_back_a_day_does_not_make_the_wait_a_day_longer() -> None:
    cooldown = failed(None, now=NOW + timedelta(days=1))
    assert failed(cooldown, now=NOW).until <= NOW + LONGEST


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2000), st.none() | st.integers(1, 40_000)), min_size=1, max_size=12))
def test_no_failure_ever_makes_the_deadline_earlier(failures: list[tuple[int, int | None]]) -> None:
    cooldown = None
    now = NOW
    for after, told in failures:
        now += after * SECOND
        before = cooldown.until if cooldown else now
        cooldown = failed(cooldown, now=now, told=now + told * SECOND if told else None)
        assert cooldown.until >= before
        assert now < cooldown.until


@pytest.mark.parametrize(
    ("kind", "billing", "whole"),
    [
        (ErrorKind.RATE_LIMITED, "subscription", True),
        (ErrorKind.RATE_LIMITED, "api", False),
        (ErrorKind.OVERLOADED, "subscription", False),
    ],
)
def test_a_subscription_has_one_limit_for_all_its_models(kind: ErrorKind, billing: str, whole: bool) -> None:
    assert is_of_account(kind, billing) is whole
