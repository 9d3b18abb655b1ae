"""Where the ledger cannot be read or written no money is held; from the events it is made anew."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_world import NOON, Desk, about, adjusted, finished, fresh, limit, policy, started

from orchestrator.adapters import ledger as module
from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_rebuild import rebuild
from orchestrator.core.budget_facts import ADJUSTED, Adjustment, Held, fact_of
from orchestrator.core.budgets import LedgerUnusable
from orchestrator.core.events import Event, EventKind
from orchestrator.core.settings import Period
from orchestrator.core.types import CostSource, MicroUsd, TaskId
from orchestrator.errors import BusyError

LIMITS = policy(limit(Period.DAY, 100))


def garbage(file: Path) -> None:
    file.write_bytes(b"not a database at all" * 500)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def somebody_else_s(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE entries (x)")
    connection.close()


def of_a_later_version(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:6_000])


DAMAGES = [garbage, emptied, Path.unlink, somebody_else_s, of_a_later_version]


@pytest.mark.parametrize("damage", [*DAMAGES, a_folder])
def test_a_ledger_that_is_none_is_refused_and_said(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    fresh(tmp_path).close()
    damage(tmp_path / "ledger.db")
    with pytest.raises(LedgerUnusable, match=r"ledger of money cannot be used: ledger.db .*rebuilt from the events"):
        Ledger.open(tmp_path)


@pytest.mark.parametrize("damage", [*DAMAGES, cut_off])
def test_a_damaged_ledger_is_rebuilt_from_its_events(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    done, open_ = desk.held(40), desk.held(30)
    desk.ledger.settle(done, MicroUsd(25), CostSource.REPORTED)
    desk.ledger.close()
    damage(tmp_path / "ledger.db")
    desk.ledger = fresh(tmp_path, [started(done), started(open_), finished(done, 25)])
    assert desk.sums() == [(25, 30)]
    assert desk.ledger.open_holds() == [open_]
    assert desk.ledger.faults() == []


@pytest.mark.parametrize("damage", [garbage, cut_off])
def test_damage_below_an_open_ledger_holds_no_money(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    for _ in range(5):
        desk.spend(1)
    desk.ledger.close()
    damage(tmp_path / "ledger.db")
    with pytest.raises(LedgerUnusable):
        Desk(Ledger.open(tmp_path), LIMITS).hold(1)


def test_a_ledger_that_was_taken_away_takes_no_more_holds(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    held = desk.held(40)
    (tmp_path / "ledger.db").unlink()
    with pytest.raises(LedgerUnusable, match="was taken away"):
        desk.hold(1)
    with pytest.raises(LedgerUnusable, match="was taken away"):
        desk.ledger.settle(held, MicroUsd(1), CostSource.REPORTED)
    desk.ledger.close()
    desk.ledger = fresh(tmp_path, [started(held)])
    desk.ledger.settle(held, MicroUsd(1), CostSource.REPORTED)
    assert desk.sums() == [(1, 0)]


def test_another_file_in_its_place_takes_no_holds_of_a_ledger_that_was_open_before(tmp_path: Path) -> None:
    fresh(tmp_path / "other").close()
    desk = Desk(fresh(tmp_path), LIMITS)
    (tmp_path / "other" / "ledger.db").replace(tmp_path / "ledger.db")
    with pytest.raises(LedgerUnusable, match="was taken away"):
        desk.hold(1)


def test_a_full_disk_holds_no_money_and_leaves_the_sums(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    connection = desk.ledger._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    granted: list[Held] = []

    def fill() -> None:
        granted.extend(desk.held(0, about("x" * 3_000 + str(number))) for number in range(1_000))

    with pytest.raises(OSError, match=r"No space left on device \(ledger.db\)"):
        fill()
    connection.execute("PRAGMA max_page_count = 100000")
    assert len(desk.ledger.open_holds()) == len(granted)
    assert desk.ledger.faults() == []
    desk.held(1)


def test_a_disk_that_cannot_be_written_holds_no_money(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    desk.ledger._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(OSError, match="readonly"):
        desk.hold(1)
    desk.ledger._connection.execute("PRAGMA query_only = 0")
    assert desk.sums() == [(0, 0)]


def test_a_ledger_that_another_process_keeps_locked_is_busy_and_holds_no_money(tmp_path: Path) -> None:
    desk, other = Desk(fresh(tmp_path), LIMITS), Ledger.open(tmp_path)
    other._connection.execute("BEGIN IMMEDIATE")
    desk.ledger._connection.execute("PRAGMA busy_timeout = 20")
    with pytest.raises(BusyError, match="locked by another process"):
        desk.hold(1)
    other._connection.execute("ROLLBACK")
    assert desk.held(1).amount == 1


def test_a_closed_ledger_holds_no_money(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    desk.ledger.close()
    with pytest.raises(LedgerUnusable, match="was closed"):
        desk.hold(1)


def test_entries_are_neither_changed_nor_removed(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    desk.spend(5)
    for statement in ("UPDATE entries SET spent = 0", "DELETE FROM entries"):
        with pytest.raises(sqlite3.IntegrityError, match="entries are never"):
            desk.ledger._connection.execute(statement)


def test_a_sum_that_is_not_that_of_its_entries_is_found(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    desk.spend(5)
    desk.ledger._connection.execute("UPDATE sums SET spent = 4")
    assert len(desk.ledger.faults()) == 1
    assert "and its entries say" in desk.ledger.faults()[0]


# --- rebuilding -----------------------------------------------------------------------------------------------------


def test_nothing_is_rebuilt_while_somebody_has_the_ledger_open(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    desk.held(5)
    with pytest.raises(BusyError, match="is in use"):
        module.lock_file(tmp_path, 2, seconds=0)  # LOCK_EX, as a rebuild takes it
    assert desk.sums() == [(0, 5)]


def test_a_hold_that_no_event_announced_yet_outlives_a_rebuild(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    announced, about_to_begin = desk.held(20), desk.held(30)
    desk.ledger.close()
    done = rebuild(tmp_path, [started(announced), finished(announced, 7)])
    assert (done.entries, done.carried) == (2, 1)
    desk.ledger = Ledger.open(tmp_path)
    assert desk.sums() == [(7, 30)]
    assert desk.ledger.open_holds() == [about_to_begin]


def test_the_log_of_an_old_ledger_does_not_get_into_the_new_one(tmp_path: Path) -> None:
    old = Desk(fresh(tmp_path), LIMITS)
    old.spend(50)
    log = (tmp_path / "ledger.db-wal").read_bytes()
    assert log
    old.ledger.close()
    (tmp_path / "ledger.db").unlink()
    (tmp_path / "ledger.db-wal").write_bytes(log)
    desk = Desk(fresh(tmp_path), LIMITS)
    assert desk.sums() == [(0, 0)]
    assert desk.ledger.faults() == []


def test_a_rebuild_that_died_half_way_leaves_the_old_ledger_and_the_next_one_works(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS)
    held = desk.spend(5)
    desk.ledger.close()

    def dies() -> Iterator[Event]:
        yield started(held)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        rebuild(tmp_path, dies())
    desk.ledger = Ledger.open(tmp_path)
    assert desk.sums() == [(5, 0)]
    desk.ledger.close()
    desk.ledger = fresh(tmp_path, [started(held), finished(held, 5)])
    assert desk.sums() == [(5, 0)]


# --- events as people and other versions leave them -------------------------------------------------------------------


def event(kind: str, **more: object) -> Event:
    known = {"invocation_id": "I", "task_id": "t", "agent": "writer", "model": "opus"}
    known |= {name: more.pop(name) for name in ("duration_ms", "invocation_id") if name in more}
    return Event(event_id="E", ts=NOON, event=kind, details=more, **known)


@pytest.mark.parametrize("raw", ["12", None, 1.5, True, 10**400, [1], float("nan")])
def test_an_amount_that_is_none_reserves_nothing_and_breaks_nothing(tmp_path: Path, raw: object) -> None:
    desk = Desk(fresh(tmp_path, [event(EventKind.EXECUTION_STARTED, reserved_microusd=raw)]), LIMITS)
    assert desk.sums() == [(0, 0)]


@pytest.mark.parametrize("raw", ["12", None, -3, 1.5, True, 10**400, float("nan"), float("inf")])
def test_a_cost_that_is_none_charges_what_was_reserved(tmp_path: Path, raw: object) -> None:
    events = [
        event(EventKind.EXECUTION_STARTED, reserved_microusd=40),
        event(EventKind.EXECUTION_FINISHED, cost_microusd=raw),
    ]
    desk = Desk(fresh(tmp_path, events), LIMITS)
    assert desk.sums() == [(40, 0)]


def test_a_run_of_before_there_were_budgets_counts_what_it_cost_when_it_began(tmp_path: Path) -> None:
    a_day = int(timedelta(days=1) / timedelta(milliseconds=1))
    events = [
        event(EventKind.EXECUTION_STARTED),
        event(EventKind.EXECUTION_FINISHED, cost_microusd=30, cost_source="reported", duration_ms=a_day),
        event(EventKind.EXECUTION_FINISHED, invocation_id="J", cost_microusd=4),
    ]
    desk = Desk(fresh(tmp_path, events), policy(limit(Period.DAY, 100), limit(Period.MONTH, 100)))
    assert desk.sums() == [(4, 0), (34, 0)]
    assert desk.ledger.open_holds() == []


def test_a_run_is_rebuilt_into_the_window_of_its_hold_though_its_event_was_told_after_midnight(tmp_path: Path) -> None:
    desk = Desk(fresh(tmp_path), LIMITS, at=NOON.replace(hour=23, minute=59))
    held = desk.held(8)
    desk.ledger.close()
    late = replace(started(held), ts=NOON + timedelta(days=1))
    desk.ledger = fresh(tmp_path / "new", [late])
    assert desk.sums() == [(0, 8)]
    assert desk.ledger.open_holds() == [held]


def test_an_event_without_a_provider_asks_what_the_model_s_is() -> None:
    fact = fact_of(event(EventKind.EXECUTION_STARTED, reserved_microusd=1), {"opus": "acme"}.__getitem__)
    assert isinstance(fact, Held)
    assert fact.about.provider == "acme"


@pytest.mark.parametrize(
    "details",
    [{}, {"amount_microusd": "x"}, {"amount_microusd": 3, "scope": [1], "window": ["a", "b"], "adjusted_at": 7}],
)
def test_an_adjustment_that_somebody_wrote_by_hand_breaks_nothing(tmp_path: Path, details: dict[str, object]) -> None:
    desk = Desk(fresh(tmp_path, [event(ADJUSTED, **details)]), LIMITS)
    assert desk.sums() == [(3 if details.get("scope") else 0, 0)]


def test_events_that_are_not_about_money_are_no_entries(tmp_path: Path) -> None:
    done = rebuild(tmp_path, [event(EventKind.TASK_CLAIMED), event("something_new", cost_microusd=5)])
    assert done.entries == 0


@pytest.mark.parametrize("of_task", ["", "t"], ids=["one window", "one task"])
def test_an_adjustment_is_the_same_in_the_ledger_that_lived_and_in_the_rebuilt_one(
    tmp_path: Path, of_task: str
) -> None:
    desk = Desk(fresh(tmp_path), policy(limit(Period.DAY, 100), limit(Period.MONTH, 100), limit(Period.TASK, 100)))
    held = desk.spend(50)
    day = desk.limits(about())[0].window
    one = Adjustment(key="A", amount=MicroUsd(-20), reason="a gift", at=NOON, scope={}, task_id=TaskId(of_task))
    if not of_task:
        one = replace(one, start=day.start, end=day.end)
    desk.ledger.adjust(one)
    lived, balances = desk.sums(), desk.ledger.balances()
    assert lived == [(30, 0), (30 if of_task else 50, 0), (30 if of_task else 50, 0)]
    desk.ledger.close()
    desk.ledger = fresh(tmp_path / "new", [started(held), finished(held, 50), adjusted(one)])
    assert desk.sums() == lived
    assert desk.ledger.balances() == balances
