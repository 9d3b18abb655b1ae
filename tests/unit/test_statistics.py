"""Sums, rates, percentiles and savings; and the times that people write."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.prices import FREE, Price, Rates, cost
from orchestrator.core.settings import Period
from orchestrator.core.statistics import By, Group, Wanted, percentile, report, series
from orchestrator.core.statistics_span import current, moment
from orchestrator.core.types import MicroUsd, Tokens

DEAR = Price(rates=Rates(input=Decimal(3), output=Decimal(15)))
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)  # the day on which Berlin's clocks go forward


def preferred(agent: str) -> tuple[str, Price | None]:
    return {"dev": ("strong", DEAR), "ops": ("unpriced", None), "free": ("local", FREE)}.get(agent, ("", None))


def group(**fields: object) -> Group:
    base: dict[str, object] = {"keys": ("dev",), "agent": "dev", "model": "cheap", "succeeded": True, "is_known": True}
    return Group(**(base | {"invocations": 1, "ended": 1} | fields))  # type: ignore[arg-type]  # a table


def test_what_another_model_would_have_cost_less_what_it_did_cost_is_saved() -> None:
    found = report(
        Wanted(),
        [By.AGENT],
        [group(tokens=Tokens(input=1_000, output=100), cost=MicroUsd(500), invocations=2, ended=2)],
        preferred,
        longest=9,
        notes=(),
    ).total
    assert (found.saved, found.compared) == (3_000 + 1_500 - 500, 2)


@pytest.mark.parametrize(
    ("fields", "saved", "compared"),
    [
        ({"succeeded": False}, -500, 1),
        ({"model": "strong"}, 0, 0),
        ({"is_known": False}, 0, 0),
        ({"agent": "ops"}, 0, 0),
        ({"agent": "stranger"}, 0, 0),
        ({"agent": "free"}, -500, 1),
    ],
    ids=["a failed run is a loss", "the preferred model", "no cost or no tokens", "no price", "no agent", "free"],
)
def test_savings_are_told_only_where_both_prices_are_known(
    fields: dict[str, object], saved: int, compared: int
) -> None:
    figures = report(
        Wanted(),
        [],
        [group(tokens=Tokens(input=1_000), cost=MicroUsd(500), **fields)],
        preferred,
        longest=9,
        notes=(),
    ).total
    assert (figures.saved, figures.compared) == (saved, compared)


COUNTS = st.integers(0, 10**7)
TOKENS = st.builds(Tokens, input=COUNTS, cache_read=COUNTS, cache_write=COUNTS, output=COUNTS)


@settings(max_examples=50)
@given(st.lists(TOKENS, min_size=1, max_size=5))
def test_a_sum_of_runs_is_worth_what_they_are_worth_one_by_one(every: list[Tokens]) -> None:
    figures = report(Wanted(), [], [group(tokens=tokens) for tokens in every], preferred, longest=9, notes=()).total
    assert figures.saved == sum(cost(tokens, DEAR) for tokens in every)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=150), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile(sorted(values), percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_percentiles_of_several_groups_are_those_of_all_their_runs() -> None:
    odd, even = group(durations=tuple(range(1, 101, 2))), group(durations=tuple(range(2, 101, 2)))
    figures = report(Wanted(), [], [odd, even], preferred, longest=9, notes=()).total
    assert (figures.latency_ms, figures.measured) == ((50, 90, 99), 100)


def test_tables_have_the_dearest_first_and_say_how_many_lines_are_left_out() -> None:
    groups = [group(keys=(name,), cost=MicroUsd(price)) for name, price in (("a", 1), ("b", 3), ("c", 2))]
    table = report(Wanted(), [By.RUN], groups, preferred, longest=2, notes=()).tables[0]
    assert ([line.name for line in table.lines], table.left_out) == (["b", "c"], 1)
    assert table.lines[0].figures.cost_percent == 50


def test_days_stand_in_their_order_and_the_newest_are_shown() -> None:
    groups = [group(keys=(f"2026-01-0{day}",), cost=MicroUsd(day % 3)) for day in (3, 1, 2)]
    table = report(Wanted(), [By.DAY], groups, preferred, longest=2, notes=()).tables[0]
    assert [line.name for line in table.lines] == ["2026-01-02", "2026-01-03"]


def test_series_are_told_apart_by_all_their_keys() -> None:
    groups = [group(keys=("a", "x")), group(keys=("a", "y")), group(keys=("a", "x"))]
    assert [(one.keys, one.figures.invocations) for one in series(groups, preferred)] == [
        (("a", "x"), 2),
        (("a", "y"), 1),
    ]


def test_of_nothing_there_are_no_rates() -> None:
    figures = report(Wanted(), [By.AGENT], [], preferred, longest=9, notes=()).total
    assert (figures.success_rate, figures.fallback_rate, figures.average, figures.latency_ms) == (None, None, 0, ())


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        (Period.DAY, "2026-03-28T23:00", "2026-03-29T22:00"),
        (Period.WEEK, "2026-03-22T23:00", "2026-03-29T22:00"),
        (Period.MONTH, "2026-02-28T23:00", "2026-03-31T22:00"),
    ],
)
def test_days_weeks_and_months_are_of_the_calendar_over_a_change_of_clocks(
    period: Period, since: str, until: str
) -> None:
    assert current(period, NOW, BERLIN) == (
        datetime.fromisoformat(since + "Z"),
        datetime.fromisoformat(until + "Z"),
    )


@pytest.mark.parametrize(
    ("text", "is_end", "expected"),
    [
        ("2026-02-12", False, datetime(2026, 2, 11, 23, tzinfo=UTC)),
        ("2026-02-12", True, datetime(2026, 2, 12, 23, tzinfo=UTC)),
        ("2026-03-29", True, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-02-12T11:00", True, datetime(2026, 2, 12, 10, tzinfo=UTC)),
        ("2026-02-12T11:00Z", False, datetime(2026, 2, 12, 11, tzinfo=UTC)),
        ("7d", False, NOW - timedelta(days=7)),
    ],
)
def test_times_are_understood_as_people_write_them(text: str, is_end: bool, expected: datetime) -> None:
    assert moment(text, NOW, BERLIN, is_end=is_end) == expected


@pytest.mark.parametrize("text", ["soon", "0001-01-01", "9999-12-31", "-3d", "2026-13-45"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|outside of the calendar"):
        moment(text, NOW, BERLIN, is_end=True)
