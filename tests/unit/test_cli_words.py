"""Times and amounts as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.words import ago, clock, count, moment, money, span

NOW = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
        (3.21, "3.2 s"),
        (9.99, "10 s"),
        (59.4, "59 s"),
        (59.9, "1 min"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (48 * 3600, "2 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_how_long_ago() -> None:
    assert ago(NOW - timedelta(minutes=3), NOW) == "3 min ago"
    assert ago(None, NOW) == ""


def test_moments_have_a_zone_and_nonsense_has_none() -> None:
    assert moment("2026-02-12T11:01:00") == NOW
    assert moment("2026-02-12T12:01:00+01:00") == NOW
    assert moment("yesterday") is None
    assert clock(None) == ""
    assert clock(NOW).startswith("2026-02-1")


def test_counts_and_money() -> None:
    assert (count(1, "task"), count(2, "task")) == ("1 task", "2 tasks")
    assert (money(420_000), money(0), money(1_500)) == ("$0.42", "$0.00", "$0.0015")
