"""Money is held before it is spent, in one place for all limits, tasks and processes."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ledger_world import NOON, Desk, about, fresh, limit, policy

from orchestrator.adapters.ledger import Ledger
from orchestrator.core.budget_facts import Adjustment
from orchestrator.core.budgets import Held, Over, window
from orchestrator.core.settings import Period
from orchestrator.core.types import CostSource, InvocationId, MicroUsd
from orchestrator.errors import OrchestratorError

DAY, MONTH, TASK, TOTAL = Period.DAY, Period.MONTH, Period.TASK, Period.TOTAL


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return fresh(tmp_path)


def test_a_hold_counts_until_the_run_is_settled_and_then_its_cost_does(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100)))
    held = desk.held(60)
    assert desk.sums() == [(0, 60)]
    assert ledger.settle(held, MicroUsd(25), CostSource.REPORTED).amount == 25
    assert desk.sums() == [(25, 0)]


def test_a_limit_grants_to_the_last_unit_and_no_more(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    assert [isinstance(desk.hold(1), Held) for _ in range(12)] == [True] * 10 + [False] * 2
    assert desk.sums() == [(0, 10)]


def test_a_hold_that_one_limit_of_the_chain_refuses_is_on_none_of_them(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(MONTH, 100), limit(DAY, 10, agent="writer"), limit(DAY, 50, hard=False)))
    over = desk.hold(11)
    assert isinstance(over, Over)
    assert [one.applied.limit.max_usd for one in over.standings] == [10]
    assert desk.sums() == [(0, 0), (0, 0), (0, 0)]
    assert ledger.open_holds() == []


def test_a_limit_counts_what_others_spent_within_its_scope_and_nothing_else(ledger: Ledger) -> None:
    limits = policy(limit(DAY, 1000), limit(DAY, 1000, agent="writer"), limit(DAY, 1000, model="opus", tool="claude"))
    desk = Desk(ledger, limits)
    desk.spend(1, about(agent="reader", model="haiku"))
    desk.spend(10, about(agent="writer", model="haiku"))
    desk.spend(100, about(agent="reader"))
    Desk(ledger, policy(), asked=50).spend(200, about())  # a policy without limits spends out of the same purse
    assert desk.sums() == [(311, 0), (210, 0), (300, 0)]


@pytest.mark.parametrize("scope", ["agent", "tool", "model", "provider", "run"])
def test_each_scope_counts_its_own(ledger: Ledger, scope: str) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10, **{scope: "mine"})))
    desk.spend(1_000, about(**{scope: "theirs"}))
    desk.spend(5, about(**{scope: "mine"}))
    desk.spend(1_000, about(**{scope: "theirs"}))
    desk.spend(2, about(**{scope: "mine"}))
    assert desk.sums(about(**{scope: "mine"})) == [(7, 0)]
    assert isinstance(desk.hold(4, about(**{scope: "mine"})), Over)


def test_a_task_s_limit_counts_all_its_runs_for_ever_and_no_other_task_s(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(TASK, 10)))
    desk.spend(6, about("one"))
    desk.at += timedelta(days=400)
    desk.spend(9, about("two", agent="other", model="haiku"))
    assert isinstance(desk.hold(5, about("one", model="haiku")), Over)
    assert isinstance(desk.hold(4, about("one", model="haiku")), Held)


def test_a_new_day_has_its_own_money_and_the_total_goes_on(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10), limit(TOTAL, 15)))
    desk.spend(10)
    desk.at += timedelta(days=1)
    over = desk.hold(6)
    assert isinstance(over, Over)
    assert over.until is None
    desk.spend(5)
    assert desk.sums() == [(5, 0), (15, 0)]


def test_a_run_counts_in_the_window_in_which_it_began_however_late_it_ends(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10), zone="Europe/Berlin"), at=datetime(2026, 11, 21, 22, 59, tzinfo=UTC))
    late = desk.held(8)
    desk.at += timedelta(minutes=2)  # 00:01 in Berlin
    other = desk.held(10)
    ledger.settle(late, MicroUsd(9), CostSource.REPORTED)
    assert desk.sums() == [(0, 10)]
    ledger.settle(other, MicroUsd(3), CostSource.REPORTED)
    assert desk.sums() == [(3, 0)]
    assert ledger.faults() == []


def test_the_first_moment_of_a_day_is_that_day_s_and_the_last_is_not_the_next_one_s(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100)), at=datetime(2026, 11, 21, tzinfo=UTC))
    desk.spend(1)
    desk.spend(2)
    desk.at += timedelta(days=1) - timedelta(microseconds=1)
    desk.spend(4)
    assert desk.sums() == [(7, 0)]
    yesterday, desk.at = desk.limits(about()), desk.at + timedelta(microseconds=1)
    desk.spend(8)
    assert desk.sums() == [(8, 0)]
    assert yesterday[0].window.end == desk.at
    assert ledger.faults() == []


def test_a_clock_that_is_set_back_opens_no_window_again(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    desk.at = NOON - timedelta(days=1)
    desk.spend(2)
    desk.at = NOON
    desk.spend(10)
    desk.at = NOON - timedelta(days=1)
    over = desk.hold(1)
    assert isinstance(over, Over)
    assert over.clock_behind == timedelta(days=1)
    assert over.first.applied.window == window(DAY, "UTC", NOON)
    assert desk.sums() == [(10, 0)]
    assert desk.held(0).at == NOON


def test_a_run_that_never_began_says_nothing_about_the_clock(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    assert ledger.release(desk.held(4), "it could not start")
    desk.at = NOON - timedelta(days=1)
    assert desk.held(3).at == desk.at


def test_clocks_a_moment_apart_are_no_reason_to_speak_of_them(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    desk.spend(10)
    desk.at -= timedelta(seconds=3)
    over = desk.hold(1)
    assert isinstance(over, Over)
    assert not over.clock_behind


def test_a_limit_that_is_new_in_the_middle_of_a_day_knows_what_was_spent_before(ledger: Ledger) -> None:
    desk = Desk(ledger, policy())
    desk.spend(30, about(agent="reader"))
    desk.held(12)
    desk.policy = policy(limit(DAY, 50), limit(DAY, 50, agent="writer"), limit(TASK, 50))
    assert desk.sums() == [(30, 12), (0, 12), (30, 12)]
    assert isinstance(desk.hold(9), Over)


def test_raising_a_limit_forgets_nothing(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    desk.spend(10)
    desk.policy = policy(limit(DAY, 14))
    assert isinstance(desk.hold(5), Over)
    assert isinstance(desk.hold(4), Held)


def test_a_free_model_runs_where_less_than_nothing_is_left(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    held = desk.held(10)
    ledger.settle(held, MicroUsd(13), CostSource.REPORTED)
    free = desk.held(0, about(model="llama", billing="free"))
    assert ledger.settle(free, MicroUsd(9_000), CostSource.REPORTED).amount == 0
    assert desk.sums() == [(13, 0)]


def test_a_run_that_cost_more_than_its_hold_is_charged_all_of_it(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    settled = ledger.settle(desk.held(10), MicroUsd(12), CostSource.COMPUTED)
    assert "more than was held" in settled.why
    assert desk.sums() == [(12, 0)]


@pytest.mark.parametrize("cost", [None, -5, 10**30])
def test_a_cost_that_cannot_be_charges_the_hold(ledger: Ledger, cost: int | None) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100)))
    settled = ledger.settle(desk.held(40), None if cost is None else MicroUsd(cost), CostSource.REPORTED)
    assert (settled.amount, settled.source) == (40, CostSource.ESTIMATED)
    assert desk.sums() == [(40, 0)]


@pytest.mark.parametrize("amount", [-1, 10**15 + 1, 10**40])
def test_no_amount_that_cannot_be_meant_is_held(ledger: Ledger, amount: int) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10**15)))
    with pytest.raises(OrchestratorError, match="cannot be held"):
        desk.hold(amount)
    assert desk.sums() == [(0, 0)]


# --- once -----------------------------------------------------------------------------------------------------------


def test_a_hold_that_is_asked_for_twice_is_held_once(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    first, again = desk.held(8, name="I"), desk.held(8, name="I")
    assert (again.amount, again.at) == (first.amount, first.at)
    assert desk.sums() == [(0, 8)]


def test_a_run_is_charged_once_and_the_second_call_says_what_the_first_did(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    held = desk.held(8)
    first = ledger.settle(held, MicroUsd(3), CostSource.REPORTED)
    assert ledger.settle(held, MicroUsd(7), CostSource.COMPUTED) == first
    assert desk.sums() == [(3, 0)]


def test_an_invocation_that_was_charged_holds_no_more_money(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    desk.spend(3)
    with pytest.raises(OrchestratorError, match="a new run needs a new invocation"):
        desk.hold(1, name="I1")


def test_a_hold_is_released_once_and_never_after_the_run_was_charged(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    never, ran = desk.held(4), desk.held(5)
    assert ledger.release(never, "it never began")
    assert not ledger.release(never, "it never began")
    ledger.settle(ran, MicroUsd(5), CostSource.REPORTED)
    assert not ledger.release(ran, "a mistake")
    assert desk.sums() == [(5, 0)]


def test_a_run_that_ended_after_its_hold_was_released_is_charged(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    held = desk.held(4)
    ledger.release(held, "taken for one that never began")
    ledger.settle(held, MicroUsd(3), CostSource.REPORTED)
    assert desk.sums() == [(3, 0)]
    assert ledger.faults() == []


def test_a_settlement_whose_hold_the_ledger_lost_enters_both(ledger: Ledger, tmp_path: Path) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    held = desk.held(8)
    other = Desk(fresh(tmp_path / "other"), desk.policy)
    other.ledger.settle(held, MicroUsd(3), CostSource.REPORTED)
    assert other.sums() == [(3, 0)]
    assert other.ledger.open_holds() == []


# --- warnings and force ---------------------------------------------------------------------------------------------


def test_a_person_is_warned_once_a_window(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100, hard=False, percent=80), limit(MONTH, 1_000)))
    assert desk.held(79).warned == ()
    assert [one.applied.limit.period for one in desk.held(1).warned] == [DAY]
    later = desk.held(1)
    assert later.warned == ()
    assert len(later.crossings) == 1
    desk.at += timedelta(days=1)
    assert len(desk.held(90).warned) == 1


def test_a_limit_can_be_gone_over_with_a_reason_and_it_counts(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    desk.spend(10)
    subject = about()
    held = ledger.hold_anyway(
        desk.limits(subject), InvocationId("F"), subject, MicroUsd(5), NOON, reason="the release is today"
    )
    assert desk.sums() == [(10, 5)]
    assert len(held.warned) == 0  # it was at the first hold
    assert len(held.crossings) == 1


def test_going_over_takes_a_reason(ledger: Ledger) -> None:
    with pytest.raises(OrchestratorError, match="--justification"):
        ledger.hold_anyway((), InvocationId("F"), about(), MicroUsd(5), NOON, reason=" ")


# --- adjusting ------------------------------------------------------------------------------------------------------


def adjustment(amount: int, key: str = "A", **scope: str) -> Adjustment:
    return Adjustment(key=key, amount=MicroUsd(amount), reason="a wrong price", at=NOON, scope=scope)


def test_an_adjustment_counts_for_every_limit_that_its_scope_satisfies(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100), limit(MONTH, 100, agent="writer"), limit(DAY, 100, model="opus")))
    desk.spend(50)
    ledger.adjust(adjustment(-20, agent="writer"))
    assert desk.sums() == [(30, 0), (30, 0), (50, 0)]
    assert ledger.faults() == []


def test_an_adjustment_of_one_window_leaves_the_others_alone(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100), limit(MONTH, 100)))
    desk.spend(50)
    day = window(DAY, "UTC", NOON)
    one = Adjustment(
        key="A", amount=MicroUsd(-20), reason="a gift", at=NOON, scope={}, start=day.start, end=day.end
    )  # fmt: skip
    assert ledger.adjust(one)
    assert desk.sums() == [(30, 0), (50, 0)]
    assert ledger.faults() == []


def test_an_adjustment_is_made_once(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100)))
    assert ledger.adjust(adjustment(7))
    assert not ledger.adjust(adjustment(7))
    assert desk.sums() == [(7, 0)]


@pytest.mark.parametrize(("amount", "reason"), [(0, "why"), (10**16, "why"), (5, ""), (5, "  ")])
def test_an_adjustment_needs_an_amount_and_a_reason(ledger: Ledger, amount: int, reason: str) -> None:
    with pytest.raises(OrchestratorError, match=r"needs a reason|cannot be adjusted"):
        ledger.adjust(Adjustment(key="A", amount=MicroUsd(amount), reason=reason, at=NOON, scope={}))


# --- asking ---------------------------------------------------------------------------------------------------------


def test_looking_at_a_limit_changes_nothing(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100)))
    desk.spend(5)
    before = ledger.balances()
    desk.policy = policy(limit(MONTH, 100))
    assert desk.sums() == desk.sums() == [(5, 0)]
    assert ledger.balances() == before


def test_open_holds_tell_all_that_their_settlement_needs(ledger: Ledger) -> None:
    desk = Desk(ledger, policy())
    first, second = desk.held(4, about("a", run="R", task_type="docs")), desk.held(5, about("b"))
    desk.spend(1)
    assert ledger.open_holds() == [first, second]
    assert ledger.hold_of(first.about.task_id, first.invocation_id) == first


def test_costs_of_a_kind_are_the_latest_that_were_known(ledger: Ledger) -> None:
    desk = Desk(ledger, policy())
    for cost in (3, 1, 2):
        desk.spend(cost, about(task_type="docs"))
    desk.spend(9, about(task_type="code"))
    ledger.settle(desk.held(100, about(task_type="docs")), None, None)  # the hold was charged: nothing is known of it
    assert ledger.costs("writer", "opus", "docs") == [2, 1, 3]
    assert ledger.costs("writer", "opus", "docs", limit=1) == [2]


# --- at once --------------------------------------------------------------------------------------------------------


def test_threads_that_draw_on_one_limit_are_granted_exactly_that(ledger: Ledger) -> None:
    desk = Desk(ledger, policy(limit(DAY, 100)))
    limits, granted = desk.limits(about()), []

    def draw(me: int) -> None:
        for number in range(50):
            asked = ledger.hold(limits, InvocationId(f"{me}-{number}"), about(f"t{me}"), MicroUsd(1), NOON)
            granted.append(isinstance(asked, Held))

    threads = [threading.Thread(target=draw, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(granted), sum(granted)) == (200, 100)
    assert desk.sums() == [(0, 100)]


DRAW = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from orchestrator.adapters.ledger import Ledger
from orchestrator.core.budgets import Held
from ledger_world import Desk, about, limit, policy
from orchestrator.core.settings import Period
desk = Desk(Ledger.open(Path(sys.argv[1])), policy(limit(Period.DAY, 300)))
print("ready", flush=True)
sys.stdin.readline()
got = sum(isinstance(desk.hold(1, about("t" + sys.argv[2])), Held) for _ in range(200))
print(got, flush=True)
"""


def test_processes_that_draw_on_one_limit_are_granted_exactly_that(ledger: Ledger, tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", DRAW, str(tmp_path), str(me), here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in range(3)
    ]
    for one in crew:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    granted = [int(one.communicate("go\n", timeout=60)[0]) for one in _told_at_once(crew)]
    assert sum(granted) == 300
    assert Desk(ledger, policy(limit(DAY, 300))).sums() == [(0, 300)]
    assert ledger.faults() == []


def _told_at_once(crew: "list[subprocess.Popen[str]]") -> "list[subprocess.Popen[str]]":
    for one in crew:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return crew


def test_two_workspaces_share_nothing(ledger: Ledger, tmp_path: Path) -> None:
    desk = Desk(ledger, policy(limit(DAY, 10)))
    desk.spend(10)
    other = Desk(fresh(tmp_path / "other"), desk.policy)
    assert isinstance(other.hold(10), Held)
