"""Money on the straight path: held before a run, settled after it, and never more than a hard limit."""

import asyncio
import errno
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paid import CAPPED, DOLLAR, cost, limit, paid
from world import FINISHED, STARTED, Died, Fake, run, said, until

from orchestrator.commands import Commands, EmptyFloor
from orchestrator.core import layout
from orchestrator.core.budget_facts import Adjustment
from orchestrator.core.budgets import LedgerUnusable
from orchestrator.core.events import Event, EventKind
from orchestrator.core.settings import Limit, OnExceeded, Period
from orchestrator.core.types import CostSource, ErrorKind, InvocationId, MicroUsd, Status, TaskId, Tokens
from orchestrator.core.verdict import Ending, Ran
from orchestrator.core.workspace import Unworkable, Wanted, Workspace
from orchestrator.daemon import Daemon
from orchestrator.errors import BusyError, OrchestratorError

DAY = limit(Period.DAY, 10)
TASK = limit(Period.TASK, 2)


def world(folder: Path, *limits: Limit, **more: object) -> Fake:
    """One with these limits."""
    return Fake(folder, paid(*limits, **more))  # type: ignore[arg-type]  # the names are those of `paid`


def told(fake: Fake, kind: EventKind, task_id: str = "x") -> Event:
    """The last event of that kind."""
    return [event for event in fake.events.told[TaskId(task_id)] if event.event == kind][-1]


def spend(fake: Fake, dollars: float) -> None:
    """So much is gone of every limit."""
    fake.ledger.adjustments.append(
        Adjustment(key="a", amount=MicroUsd(round(dollars * DOLLAR)), reason="before", at=fake.clock.at, scope={})
    )


def charged(fake: Fake) -> list[tuple[int, str]]:
    """What the runs were charged, in the order of their settlement."""
    return [(int(one.amount), str(one.source)) for one in fake.ledger.settled.values()]


# --- held, and settled -------------------------------------------------------------------------------------------


def test_money_is_held_before_the_run_is_announced_and_settled_after_its_end_was(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, TASK)
    fake.engine.script["x"] = [cost(0.42)]
    fake.drop("x")
    fake.run()
    about = [what for what in fake.effects.done if what.split()[0] in {"hold", "run", "settle"} or "execution" in what]
    assert about == [
        "hold x",
        "announce route_planned execution_started x",
        "run x",
        "announce execution_finished x",
        "settle x",
    ]
    assert charged(fake) == [(420_000, "reported")]
    assert fake.ledger.amounts() == fake.money_told()


def test_the_announcement_says_what_is_held_and_for_what(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, TASK)
    fake.drop("x", "task_type: coding")
    fake.run()
    details = told(fake, STARTED).details
    assert details["reserved_microusd"] == 2 * DOLLAR
    assert details["reserved_at"] == "2026-02-12T11:01:00.000000Z"
    assert (details["provider"], details["task_type"]) == ("here", "coding")
    [hold] = fake.ledger.holds.values()
    assert (hold.about.agent, hold.about.tool, hold.about.model) == ("dev", "paid", "large")


@pytest.mark.parametrize(
    ("limits", "lines", "cap"),
    [
        ((DAY, TASK), (), "2"),
        ((DAY,), (), "0.5"),  # what a run is taken to cost, while nothing is known of its like
        ((DAY, TASK), ("budget_usd: 1.25",), "1.25"),
        ((limit(Period.DAY, 10, hard=False),), (), None),  # nothing binds
    ],
)
def test_where_a_hard_limit_binds_the_tool_is_told_what_is_held(
    tmp_path: Path, limits: tuple[Limit, ...], lines: tuple[str, ...], cap: str | None
) -> None:
    fake = world(tmp_path, *limits)
    fake.drop("x", *lines)
    fake.run()
    [ran] = fake.engine.runs
    assert ran.argv == (("brief", "large", "--cap", cap) if cap else ("brief", "large"))
    if cap:
        [hold] = fake.ledger.holds.values()
        assert hold.amount == round(float(cap) * DOLLAR)


def test_with_enough_runs_of_its_like_the_hold_is_what_nearly_all_of_them_cost(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.ledger.history = [100_000 * number for number in range(1, 21)]
    fake.drop("x")
    fake.run()
    assert told(fake, STARTED).details["reserved_microusd"] == 1_900_000


def test_a_cost_that_nobody_reported_is_computed_from_tokens_and_price(tmp_path: Path) -> None:
    fake = world(tmp_path, TASK)
    fake.engine.script["x"] = [said("an answer", tokens=Tokens(input=1000, output=200))]
    fake.drop("x")
    fake.run()
    assert charged(fake) == [(1000 * 2 + 200 * 10, "computed")]
    metrics = fake.task("x").result["metrics"]
    assert (metrics["cost_usd"], metrics["cost_source"]) == ("0.004000", "computed")
    assert fake.trail.commits[-1].trailers["Cost-Source"] == "computed"
    assert told(fake, FINISHED).details["price_source"] == "test"


def test_a_run_that_tells_neither_cost_nor_tokens_is_charged_what_was_held(tmp_path: Path) -> None:
    fake = world(tmp_path, TASK)
    fake.drop("x")
    fake.run()
    assert charged(fake) == [(2 * DOLLAR, "estimated")]
    details = told(fake, FINISHED).details
    assert (details["cost_microusd"], details["cost_source"]) == (2 * DOLLAR, "estimated")
    assert "told no cost" in str(details["cost_note"])


@pytest.mark.parametrize("reported", [-5, 10**15])
def test_a_cost_that_cannot_be_is_not_believed(tmp_path: Path, reported: int) -> None:
    fake = world(tmp_path, TASK)
    fake.engine.script["x"] = [said("an answer", cost=MicroUsd(reported), cost_source=CostSource.REPORTED)]
    fake.drop("x")
    fake.run()
    assert charged(fake) == [(2 * DOLLAR, "estimated")]
    assert fake.status("x") is Status.DONE


def test_a_run_that_cost_more_than_was_held_is_charged_all_of_it(tmp_path: Path) -> None:
    fake = world(tmp_path, TASK)
    fake.engine.script["x"] = [cost(2.5)]
    fake.drop("x")
    fake.run()
    assert charged(fake) == [(2_500_000, "reported")]
    assert "more than was held" in str(told(fake, FINISHED).details["cost_note"])


def test_a_failed_run_costs_as_well(tmp_path: Path) -> None:
    fake = world(tmp_path, TASK)
    fake.engine.script["x"] = [cost(0.3, exit_code=3)]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.ERROR
    assert charged(fake) == [(300_000, "reported")]


def test_a_warning_at_the_threshold_is_recorded_where_the_run_is_announced(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    spend(fake, 8.1)
    fake.drop("x")
    fake.run()
    [warning] = told(fake, STARTED).details["budget_warnings"]  # type: ignore[misc]  # a list, by the assertion
    assert "81 % used ($8.10 / $10.00)" in warning
    assert fake.status("x") is Status.DONE


# --- what costs nothing ------------------------------------------------------------------------------------------


def test_a_free_model_runs_with_nothing_left(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, model="free")
    spend(fake, 10)
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert fake.ledger.holds == {}
    assert "reserved_microusd" not in told(fake, STARTED).details


def test_a_subscription_costs_no_money_whatever_the_tool_says_that_it_would_have(tmp_path: Path) -> None:
    from dataclasses import replace

    fake = world(tmp_path, DAY)
    spend(fake, 10)
    fake.settings = replace(fake.settings, tools={"paid": replace(CAPPED, billing="subscription")})
    fake.engine.script["x"] = [cost(3.5)]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert fake.ledger.holds == {}
    assert told(fake, FINISHED).details["billing"] == "subscription"
    assert fake.money_told() == {}


def test_what_has_no_price_is_refused_where_there_is_a_limit(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, model="unknown")
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert "what unknown costs is not known" in told(fake, EventKind.TASK_BLOCKED).why
    assert fake.engine.runs == []


def test_what_has_no_price_runs_where_nothing_has_to_be_kept(tmp_path: Path) -> None:
    fake = world(tmp_path, model="unknown")
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE


# --- over a limit ------------------------------------------------------------------------------------------------


def test_over_a_hard_limit_it_is_blocked_with_the_words_and_nothing_runs(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    spend(fake, 9.8)
    fake.drop("x")
    fake.run()
    why = told(fake, EventKind.TASK_BLOCKED).why
    assert "Over budget: hard limit a day ($10.30 / $10.00): $9.80 spent, $0.50 estimated for this run." in why
    assert "until" not in told(fake, EventKind.TASK_BLOCKED).details
    assert fake.engine.runs == []
    assert fake.ledger.holds == {}


def test_a_soft_limit_lets_it_run(tmp_path: Path) -> None:
    fake = world(tmp_path, limit(Period.DAY, 10, hard=False))
    spend(fake, 12)
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE


def test_where_the_policy_waits_it_goes_on_by_itself_in_the_next_window(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, on_exceeded=OnExceeded.WAIT)
    spend(fake, 10)
    fake.drop("x")

    async def story(_: Daemon) -> None:
        await until(lambda: EventKind.TASK_BLOCKED in fake.events.kinds("x"))
        assert told(fake, EventKind.TASK_BLOCKED).details["until"] == "2026-02-13T00:00:00.000000Z"
        fake.clock.at = datetime(2026, 2, 12, 23, 59, 59, tzinfo=UTC)
        fake.drop("y", agent="writer")
        fake.around.changed.set()
        await until(lambda: fake.where("y") and "done" in fake.where("y")[0])
        assert fake.status("x") is Status.BLOCKED
        fake.clock.go_on(seconds=1)
        await until(lambda: "task_completed" in fake.events.kinds("x"))

    fake.run_and(story)
    assert fake.status("x") is Status.DONE
    [hold] = fake.ledger.holds.values()
    assert hold.at == datetime(2026, 2, 13, tzinfo=UTC)


def test_where_the_policy_downgrades_the_cheapest_that_fits_runs(tmp_path: Path) -> None:
    limits = (DAY, limit(Period.DAY, 1, model="large"))
    fake = world(tmp_path, *limits, chain=("paid:small",), on_exceeded=OnExceeded.DOWNGRADE)
    fake.engine.script = {"a": [cost(0.8)], "b": [cost(0.1)]}
    fake.drop("a")
    fake.run()
    fake.drop("b")
    fake.run()
    assert [one.model for one in fake.engine.runs] == ["large", "small"]
    assert "hard limit a day for model large" in told(fake, STARTED, "b").why


def test_two_tasks_at_once_never_pass_a_limit_that_has_room_for_one(tmp_path: Path) -> None:
    fake = world(tmp_path, limit(Period.DAY, 0.8))
    fake.engine.script = {name: [cost(0.4)] for name in ("a", "b")}
    fake.engine.held |= {"a", "b"}
    fake.drop("a")
    fake.drop("b")

    async def story(_: Daemon) -> None:
        await until(lambda: fake.engine.runs and "task_blocked" in fake.events.kinds("a") + fake.events.kinds("b"))
        assert sum(hold.amount for hold in fake.ledger.open_holds()) == DOLLAR // 2
        fake.engine.let_go()

    fake.run_and(story)
    assert len(fake.engine.runs) == 1
    assert sorted([fake.status("a"), fake.status("b")]) == [Status.BLOCKED, Status.DONE]


def test_money_that_went_between_the_plan_and_the_hold_refuses_it_all_the_same(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.drop("x")
    hold = fake.ledger.hold

    def late(*about: object) -> object:
        spend(fake, 10)
        return hold(*about)  # type: ignore[arg-type]  # what it was called with

    fake.ledger.hold = late  # type: ignore[method-assign, assignment]  # another process was quicker
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert "Over budget: hard limit a day ($10.50 / $10.00)" in told(fake, EventKind.TASK_BLOCKED).why
    assert fake.engine.runs == []


# --- forced ------------------------------------------------------------------------------------------------------


def forced(fake: Fake) -> str:
    """A person asks for a run over the limit; the id of its task."""
    commands = Commands(world=fake.world, floor=EmptyFloor())
    arguments = {"agent": "dev", "prompt": "Do it", "forced": True, "justification": "the release is today"}
    reply = run(commands.carry_out("exec", arguments))
    return str(reply["id"])


def test_a_person_goes_over_the_limit_with_a_reason_which_is_recorded(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    spend(fake, 10)
    task_id = forced(fake)
    fake.run()
    assert fake.status(task_id) is Status.DONE
    assert list(fake.ledger.forced.values()) == ["the release is today"]
    submitted = told(fake, EventKind.TASK_SUBMITTED, task_id).details
    assert (submitted["forced"], submitted["justification"]) == (True, "the release is today")
    assert any("Forced: the release is today" in commit.body for commit in fake.trail.commits)
    assert told(fake, STARTED, task_id).details["reserved_microusd"] == DOLLAR // 2


@pytest.mark.parametrize("origin", ["", "created_by: exec"])
def test_a_task_file_that_says_that_it_is_forced_is_not(tmp_path: Path, origin: str) -> None:
    fake = world(tmp_path, DAY)
    spend(fake, 10)
    fake.drop("x", "forced: true", "justification: because I say so", *filter(None, [origin]))
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert fake.ledger.forced == {}


def test_a_reason_that_is_not_forced_goes_over_nothing(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    commands = Commands(world=fake.world, floor=EmptyFloor())
    run(commands.carry_out("exec", {"agent": "dev", "prompt": "Do it", "justification": "it is needed"}))
    spend(fake, 10)
    fake.run()
    assert fake.engine.runs == []
    notes = list((fake.folder / "state").rglob("requested.json"))
    assert all(not json.loads(note.read_text())["justification"] for note in notes)


# --- runs that do not come to their end --------------------------------------------------------------------------


def test_a_run_that_is_lost_is_charged_its_hold_and_the_next_one_its_own(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.drop("x")
    fake.engine.script["x"] = [Died()]
    with pytest.raises(BaseExceptionGroup):
        fake.run()
    fake.come_back()
    fake.engine.script["x"] = [cost(0.2)]
    fake.run()
    assert charged(fake) == [(DOLLAR // 2, "estimated"), (200_000, "reported")]
    lost = [event for event in fake.events.told[TaskId("x")] if event.reason == "lost"]
    assert [event.details["cost_microusd"] for event in lost] == [DOLLAR // 2]
    assert fake.ledger.amounts() == fake.money_told()


def test_runs_that_are_given_up_as_lost_are_each_charged_their_hold(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.drop("x")
    for _ in range(3):
        fake.engine.script["x"] = [Died()]
        with pytest.raises(BaseExceptionGroup):
            fake.run()
        fake.come_back()
    fake.run()
    assert fake.task("x").error["kind"] == "lost"
    assert charged(fake) == [(DOLLAR // 2, "estimated")] * 3
    assert fake.ledger.open_holds() == []


def test_where_a_lost_run_took_all_that_its_task_may_cost_it_waits_for_a_person_and_says_so(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, TASK)
    fake.drop("x")
    fake.engine.script["x"] = [Died()]
    with pytest.raises(BaseExceptionGroup):
        fake.run()
    fake.come_back()
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    why = told(fake, EventKind.TASK_BLOCKED).why
    assert "Over budget: hard limit of this task ($2.50 / $2.00): $2.00" in why
    assert "until" not in told(fake, EventKind.TASK_BLOCKED).details
    assert len(fake.engine.runs) == 1


def test_an_adopted_run_is_settled_at_what_it_cost(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.drop("x")
    fake.engine.script["x"] = [Died()]
    with pytest.raises(BaseExceptionGroup):
        fake.run()
    fake.come_back()
    [hold] = fake.ledger.open_holds()
    fake.engine.outlived[hold.invocation_id] = cost(0.3)
    fake.rates.trouble = OrchestratorError("rates.db cannot be written")  # which concerns no run that goes on
    fake.run()
    assert fake.status("x") is Status.DONE
    assert charged(fake) == [(300_000, "reported")]


def test_a_run_that_could_not_be_started_is_charged_nothing(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.engine.script["x"] = [Ran(ending=Ending.NOT_STARTED, failure=ErrorKind.NO_TOOL, errors="no such file")]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.ERROR
    assert charged(fake) == [(0, "computed")]


def test_a_workspace_that_cannot_be_made_gives_the_money_back(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.workspaces.unworkable["x"] = "the branch is taken"
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert fake.ledger.holds == {}
    assert list(fake.ledger.released.values()) == ["its workspace cannot be made"]


def test_a_task_that_is_cancelled_before_its_run_begins_costs_nothing(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    prepare = fake.workspaces.prepare
    stops: list[asyncio.Task[object]] = []

    async def story(daemon: Daemon) -> None:
        def late(wanted: Wanted) -> Workspace | Unworkable:
            assert len(fake.ledger.open_holds()) == 1
            stop = daemon.stop(TaskId("x"), Ending.CANCELLED, "not wanted")
            stops.append(asyncio.get_running_loop().create_task(stop))
            return prepare(wanted)

        fake.workspaces.prepare = late  # type: ignore[method-assign]  # a person is quick
        fake.drop("x")
        fake.around.changed.set()
        await until(lambda: stops)
        await stops[0]

    fake.run_and(story)
    assert fake.engine.runs == []
    assert fake.status("x") is Status.CANCELLED
    assert charged(fake) == [(0, "computed")]


def test_a_task_that_is_taken_away_before_its_run_is_announced_gives_the_money_back(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    path = fake.drop("x", folder=f"{layout.ASSIGNED}/dev")
    hold = fake.ledger.hold

    def taken(*about: object) -> object:
        fake.mailbox.files.pop(path, None)
        return hold(*about)  # type: ignore[arg-type]  # what it was called with

    fake.ledger.hold = taken  # type: ignore[method-assign, assignment]  # a person was quicker
    fake.run()
    assert fake.engine.runs == []
    assert fake.ledger.holds == {}
    assert fake.around.crashes == []


def test_a_mistake_of_ours_in_a_run_leaves_no_money_held(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.engine.script["x"] = [RuntimeError("a mistake")]
    fake.drop("x")
    fake.run()
    assert fake.task("x").error["kind"] == "internal"
    assert fake.ledger.open_holds() == []
    assert charged(fake) == [(DOLLAR // 2, "estimated")]
    assert fake.ledger.amounts() == fake.money_told()


# --- a ledger that cannot be used --------------------------------------------------------------------------------

TROUBLES = [LedgerUnusable("it is damaged"), BusyError("it is locked"), OSError(errno.EIO, "Input/output error")]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: type(trouble).__name__)
def test_while_the_ledger_cannot_be_used_nothing_runs_and_then_it_goes_on(tmp_path: Path, trouble: Exception) -> None:
    fake = world(tmp_path, DAY)
    fake.ledger.trouble = trouble
    fake.drop("x")
    fake.run()
    assert fake.engine.runs == []
    assert fake.status("x") is Status.BLOCKED
    assert str(trouble) in told(fake, EventKind.TASK_BLOCKED).why
    assert fake.around.crashes == []
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert fake.around.crashes == []
    fake.ledger.trouble = None
    fake.run()
    assert fake.status("x") is Status.DONE


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: type(trouble).__name__)
def test_what_a_ledger_cannot_take_after_the_run_it_takes_at_the_next_start(tmp_path: Path, trouble: Exception) -> None:
    fake = world(tmp_path, DAY)
    fake.engine.script["x"] = [cost(0.42)]
    fake.engine.held.add("x")
    fake.drop("x")

    async def story(_: Daemon) -> None:
        await until(lambda: fake.engine.runs)
        fake.ledger.trouble = trouble
        fake.engine.let_go()
        await until(lambda: "task_completed" in fake.events.kinds("x"))

    fake.run_and(story)
    assert fake.status("x") is Status.DONE
    assert fake.around.crashes == []
    assert len(fake.ledger.open_holds()) == 1
    fake.ledger.trouble = None
    fake.come_back()
    assert fake.ledger.open_holds() == []
    assert fake.ledger.amounts() == fake.money_told()


def test_a_free_run_asks_no_ledger(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY, model="free")
    fake.ledger.trouble = LedgerUnusable("it is damaged")
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE


def test_the_names_of_the_ledger_are_those_of_the_runs(tmp_path: Path) -> None:
    fake = world(tmp_path, DAY)
    fake.drop("x")
    fake.run()
    assert list(fake.ledger.holds) == [InvocationId(fake.engine.runs[0].id)]
