"""Windows by the calendar, the limits that bind a run, and whether an amount fits."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.budgets import (
    NEVER,
    Applied,
    Granted,
    Over,
    Standing,
    Subject,
    UnknownZoneError,
    at_time,
    chain,
    decide,
    window,
)
from orchestrator.core.settings import Limit, Period, Policy
from orchestrator.core.types import MicroUsd, TaskId

# Midnight left out (Sao Paulo), doubled (Havana), reached twice at 00:01 (St Johns), a date left out (Apia), half an
# hour (Lord Howe), quarter hours (Kathmandu).
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "Pacific/Apia"]
ZONES += ["Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Los_Angeles"]
CALENDAR = [Period.DAY, Period.WEEK, Period.MONTH]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def hours(period: Period, zone: str, at: datetime) -> float:
    found = window(period, zone, at)
    return (found.end - found.start) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 26), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Havana", date(2026, 11, 1), 25),
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_of_its_zone_make_it(zone: str, day: date, length: float) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    assert hours(Period.DAY, zone, noon) == length
    assert window(Period.DAY, zone, noon).key == day.isoformat()


def test_a_day_whose_midnight_is_left_out_begins_with_the_change() -> None:
    found = window(Period.DAY, "America/Sao_Paulo", datetime(2018, 11, 4, 12, tzinfo=UTC))
    assert found.start.astimezone(ZoneInfo("America/Sao_Paulo")).hour == 1
    assert found.start == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_date_that_a_zone_leaves_out_has_no_window() -> None:
    before = window(Period.DAY, "Pacific/Apia", datetime(2011, 12, 30, 9, 59, tzinfo=UTC))
    after = window(Period.DAY, "Pacific/Apia", datetime(2011, 12, 30, 10, 0, tzinfo=UTC))
    assert (before.key, after.key) == ("2011-12-29", "2011-12-31")
    assert before.end == after.start


@pytest.mark.parametrize(
    ("at", "days", "key"),
    [
        ("2026-02-28T23:59:59.999999+00:00", 28, "2026-02"),
        ("2028-02-29T00:00:00+00:00", 29, "2028-02"),
        ("2026-12-31T23:59:59+00:00", 31, "2026-12"),
        ("2026-04-30T12:00:00+00:00", 30, "2026-04"),
    ],
)
def test_a_month_ends_where_the_calendar_says(at: str, days: int, key: str) -> None:
    found = window(Period.MONTH, "UTC", datetime.fromisoformat(at))
    assert (found.end - found.start).days == days
    assert found.key == key


def test_a_week_begins_on_monday_and_is_named_by_its_iso_year() -> None:
    found = window(Period.WEEK, "UTC", datetime(2027, 1, 3, 23, 59, tzinfo=UTC))
    assert (found.start, found.end) == (datetime(2026, 12, 28, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC))
    assert found.key == "2026-W53"


def test_the_zone_and_not_utc_says_which_day_it_is() -> None:
    at = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert window(Period.DAY, "Europe/Berlin", at).key == "2026-11-22"
    assert window(Period.DAY, "America/Los_Angeles", at).key == "2026-11-21"


@pytest.mark.parametrize("period", [Period.TASK, Period.TOTAL])
def test_a_task_and_the_total_never_end(period: Period) -> None:
    assert window(period, "UTC", NOON) == window(period, "Asia/Kathmandu", NOON + timedelta(days=4_000))
    assert not window(period, "UTC", NOON).ends


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_is_an_error_with_its_place_and_what_to_write(zone: str) -> None:
    with pytest.raises(UnknownZoneError, match=r"policies.yaml: timezone: .*use e.g. Europe/Berlin or UTC"):
        window(Period.DAY, zone, NOON)


@settings(max_examples=300)
@given(
    zone=st.sampled_from(ZONES),
    period=st.sampled_from(CALENDAR),
    at=st.datetimes(min_value=datetime(1972, 1, 1), max_value=datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants naive bounds
)
def test_every_moment_lies_in_one_window_and_windows_follow_without_a_gap(
    zone: str, period: Period, at: datetime
) -> None:
    found = window(period, zone, at)
    assert found.start <= at < found.end
    assert window(period, zone, found.start) == found
    assert window(period, zone, found.end - timedelta(microseconds=1)) == found
    after = window(period, zone, found.end)
    assert after.start == found.end
    assert after.key > found.key


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Havana", "America/Sao_Paulo", "Africa/Cairo"])
def test_each_minute_about_a_change_at_midnight_has_its_window(zone: str) -> None:
    place, last, changed = ZoneInfo(zone), window(Period.DAY, zone, datetime(2010, 1, 1, tzinfo=UTC)), 0
    for hour in range(24 * 365):
        at = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        if at.astimezone(place).utcoffset() == (at + timedelta(hours=1)).astimezone(place).utcoffset():
            continue
        changed += 1
        for minute in range(-90, 150):
            moment = at + timedelta(minutes=minute)
            found = window(Period.DAY, zone, moment)
            assert found.holds(moment)
            assert found.start >= last.start  # no window is opened again
            last = found
    assert changed >= 1


# --- limits ------------------------------------------------------------------------------------------------------


ABOUT = Subject(agent="writer", tool="claude", model="opus", provider="acme", run="RUN-1", task_id=TaskId("t1"))


def limit(period: Period, usd: float, *, hard: bool = True, percent: int = 80, **scope: str) -> Limit:
    most = MicroUsd(int(usd * 1_000_000))
    return Limit(period=period, max_usd=most, hard=hard, threshold_percent=percent, scope=scope)


def standing(spent: int, most: int, *, held: int = 0, hard: bool = True, period: Period = Period.DAY) -> Standing:
    one = Limit(period=period, max_usd=MicroUsd(most), hard=hard)
    applied = Applied(limit=one, window=window(period, "UTC", NOON), zone="UTC")
    return Standing(applied=applied, spent=MicroUsd(spent), held=MicroUsd(held))


def test_only_limits_whose_whole_scope_is_the_run_s_bind_it() -> None:
    policy = Policy(
        name="p",
        limits=(
            limit(Period.DAY, 1),
            limit(Period.DAY, 2, agent="writer"),
            limit(Period.DAY, 3, agent="reader"),
            limit(Period.DAY, 4, agent="writer", model="opus"),
            limit(Period.DAY, 5, agent="writer", model="haiku"),
            limit(Period.DAY, 6, tool="claude", provider="acme", run="RUN-1"),
        ),
    )
    assert [one.limit.max_usd // 1_000_000 for one in chain(policy, ABOUT, NOON)] == [1, 2, 4, 6]


def test_a_limit_for_a_task_counts_that_task_alone() -> None:
    policy = Policy(name="p", limits=(limit(Period.TASK, 2), limit(Period.TOTAL, 100)))
    task, total = chain(policy, ABOUT, NOON)
    assert (task.task_id, total.task_id) == ("t1", "")


def test_limits_move_to_the_window_of_another_moment_and_keep_what_has_no_end() -> None:
    policy = Policy(name="p", timezone="Europe/Berlin", limits=(limit(Period.DAY, 1), limit(Period.TOTAL, 2)))
    day, total = at_time(chain(policy, ABOUT, NOON), NOON + timedelta(days=2))
    assert (day.window.key, total.window.key) == ("2026-11-23", "total")


def test_the_last_micro_dollar_fits_and_the_one_after_it_does_not() -> None:
    one = standing(9_800_000, 10_000_000)
    assert isinstance(decide([one], MicroUsd(200_000)), Granted)
    assert decide([one], MicroUsd(200_001)) == Over(amount=MicroUsd(200_001), standings=(one,))


def test_what_is_held_for_others_is_not_there_to_be_held_again() -> None:
    assert isinstance(decide([standing(0, 10, held=10)], MicroUsd(1)), Over)


def test_nothing_fits_even_where_more_than_everything_is_gone() -> None:
    assert decide([standing(15, 10)], MicroUsd(0)) == Granted(amount=MicroUsd(0))


def test_a_soft_limit_never_refuses_and_is_told_of() -> None:
    one = standing(15, 10, hard=False)
    assert decide([one], MicroUsd(5)) == Granted(amount=MicroUsd(5), crossings=(one,))


def test_every_full_limit_is_named_and_waiting_is_until_the_last_of_them_ends() -> None:
    day, month, soft = standing(10, 10), standing(10, 10, period=Period.MONTH), standing(10, 10, hard=False)
    over = decide([day, soft, month], MicroUsd(1))
    assert isinstance(over, Over)
    assert over.standings == (day, month)
    assert over.until == datetime(2026, 12, 1, tzinfo=UTC)


def test_waiting_does_not_help_where_a_limit_without_an_end_is_full() -> None:
    over = decide([standing(10, 10), standing(10, 10, period=Period.TASK)], MicroUsd(1))
    assert isinstance(over, Over)
    assert over.until is None
    assert over.standings[1].applied.window.end == NEVER


@pytest.mark.parametrize(
    ("spent", "amount", "crossed"),
    [(7_000_000, 999_999, False), (7_000_000, 1_000_000, True), (8_100_000, 1, True), (8_100_000, 0, False)],
    ids=["just below", "just there", "already over", "free"],
)
def test_the_threshold_counts_with_what_the_run_may_cost(spent: int, amount: int, *, crossed: bool) -> None:
    decided = decide([standing(spent, 10_000_000)], MicroUsd(amount))
    assert isinstance(decided, Granted)
    assert bool(decided.crossings) is crossed


@given(
    most=st.integers(1, 10**15),
    spent=st.integers(-(10**15), 10**15),
    held=st.integers(0, 10**15),
    amount=st.integers(0, 10**15),
)
def test_what_is_granted_never_makes_a_hard_limit_overflow(most: int, spent: int, held: int, amount: int) -> None:
    decided = decide([standing(spent, most, held=held)], MicroUsd(amount))
    fits = amount == 0 or spent + held + amount <= most
    assert isinstance(decided, Granted) is fits
