"""After a run that failed: the same again, the next candidate, a stronger one, a rest; and death at every point."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from paid import DOLLAR, MODELS, cost, limit
from world import AGENTS, START, STARTED, TOOL, Died, Fake, said, until

from orchestrator.core.budgets import Applied, LedgerUnusable, Over
from orchestrator.core.events import Event, EventKind
from orchestrator.core.retrying import MOST_RUNS
from orchestrator.core.settings import Agent, Check, Limit, Period, Policy, RateLimit, Retries, Settings, Tool
from orchestrator.core.types import AgentKey, ErrorKind, MicroUsd, Status, TaskId, Tokens
from orchestrator.core.verdict import Ending, Ran
from orchestrator.daemon import Daemon
from orchestrator.errors import OrchestratorError

NO_RETRY = Retries(max=0)
SHORT = timedelta(seconds=2)
CRASHED = said("", exit_code=3, errors="it broke")
LIMITED = said("", exit_code=1, failure=ErrorKind.RATE_LIMITED)
STRONGER = ("paid:small", "paid:large")
CHECKS = {"tests": Check(name="tests", command=("pytest",))}


def tool(name: str, **more: object) -> Tool:
    """A tool that is paid by use."""
    about: dict[str, object] = {"name": name, "binary": name, "billing": "api", "models": ("large", "small")} | more
    return replace(TOOL, **about)  # type: ignore[arg-type]  # the names are those of Tool


def settings(
    *limits: Limit,
    chain: tuple[str, ...] = ("second:large",),
    first: Tool | None = None,
    checks: dict[str, Check] | None = None,
    **policy: object,
) -> Settings:
    """An agent with a first and a second tool."""
    dev = Agent(key=AgentKey("dev"), preferred_tool="first", preferred_model="large", fallback_chain=chain)
    made: dict[str, object] = {"max_parallel": 2, "retries": NO_RETRY, "estimate": MicroUsd(DOLLAR // 2)} | policy
    return Settings(
        agents=AGENTS | {AgentKey("dev"): dev},
        tools={"first": first or tool("first"), "second": tool("second"), "paid": tool("paid"), "brief": TOOL},
        models=MODELS,
        checks=checks or {},
        policies={"default": Policy(name="default", limits=limits, **made)},  # type: ignore[arg-type]  # as above
    )


def world(folder: Path, *limits: Limit, **more: object) -> Fake:
    """One with these settings."""
    return Fake(folder, settings(*limits, **more))  # type: ignore[arg-type]  # the names are those of `settings`


def of_kind(fake: Fake, kind: EventKind, task_id: str = "x") -> list[Event]:
    """Its events of that kind."""
    return [event for event in fake.events.told[TaskId(task_id)] if event.event == kind]


def ways(fake: Fake, task_id: str = "x") -> list[tuple[str, str]]:
    """What ran for it, checks aside."""
    return [(run.tool, run.model) for run in fake.engine.runs if run.task_id == task_id and ".check-" not in run.id]


# --- another candidate -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ran",
    [CRASHED, said("", exit_code=1, failure=ErrorKind.AUTH), Ran(ending=Ending.TIMED_OUT), said("")],
    ids=["crashed", "auth", "timeout", "bad output"],
)
def test_where_one_tool_fails_the_next_does_it(tmp_path: Path, ran: Ran) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [ran, said("an answer")]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert ways(fake) == [("first", "large"), ("second", "large")]
    assert fake.events.kinds("x") == [
        "task_claimed",
        "route_planned",
        "execution_started",
        "execution_finished",
        "attempt_failed",
        "route_planned",
        "execution_started",
        "execution_finished",
        "task_completed",
    ]
    [failed] = of_kind(fake, EventKind.ATTEMPT_FAILED)
    assert (failed.tool, failed.details["next_tool"], failed.reason) == ("first", "second", "next")
    assert of_kind(fake, STARTED)[-1].reason == "fallback"
    assert fake.task("x").result["metrics"]["invocations"] == 2


def test_the_next_one_is_told_what_failed_before_it(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [CRASHED, said("an answer")]
    fake.drop("x")
    fake.run()
    first, second = (run.stdin.decode() for run in fake.engine.runs)
    assert "prompts/earlier.md.j2" not in first
    assert "prompts/earlier.md.j2" in second


def test_where_everyone_failed_the_task_is_an_error_of_the_last_one(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [said("", exit_code=1, failure=ErrorKind.AUTH), CRASHED]
    fake.drop("x")
    fake.run()
    assert fake.task("x").error["kind"] == "crashed"
    assert len(fake.engine.runs) == 2
    assert fake.trail.commits[-1].trailers["Error-Kind"] == "crashed"
    assert fake.task("x").error["retry_count"] == 1


def test_what_a_task_that_failed_cost_in_all_its_attempts_is_in_its_last_commit(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [cost(0.1, "", exit_code=3), cost(0.25, "", exit_code=3)]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.ERROR
    told = [commit.trailers.get("Cost-USD") for commit in fake.trail.commits]
    assert told == [None] * (len(told) - 1) + ["0.350000"]  # once, so that a report over the log adds up


@pytest.mark.parametrize("kind", [ErrorKind.DENIED, ErrorKind.BUDGET])
def test_what_another_tool_may_not_do_either_is_not_given_to_it(tmp_path: Path, kind: ErrorKind) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [said("", exit_code=1, failure=kind)]
    fake.drop("x")
    fake.run()
    assert len(fake.engine.runs) == 1
    assert fake.task("x").error["kind"] == kind


def test_each_attempt_is_a_commit_that_names_its_tool_and_how_it_failed(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [CRASHED, said("an answer")]
    fake.drop("x")
    fake.run()
    again = next(commit for commit in fake.trail.commits if commit.subject == "task: again x")
    assert (again.trailers["Tool"], again.trailers["Error-Kind"]) == ("first", "crashed")
    assert again.trailers["Task-Transition"] == "in_progress -> assigned"
    assert fake.trail.commits[-1].trailers["Tool"] == "second"


def test_a_person_who_retries_begins_with_the_first_tool_again(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.engine.script["x"] = [CRASHED]
    fake.drop("x")
    fake.run()
    path = fake.path("x")
    fake.mailbox.put(path, fake.mailbox.files[path].content.replace(b"status: error", b"status: assigned"))
    fake.engine.script["x"] = [said("an answer")]
    fake.run()
    assert ways(fake) == [("first", "large"), ("second", "large"), ("first", "large")]


# --- the same again ----------------------------------------------------------------------------------------------


def test_what_may_be_tried_again_is_tried_again_in_its_slot_after_a_pause(tmp_path: Path) -> None:
    fake = world(tmp_path, chain=(), retries=Retries(max=2, on=frozenset({ErrorKind.CRASHED}), backoff=SHORT))
    fake.engine.script["x"] = [CRASHED, CRASHED, said("an answer")]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert ways(fake) == [("first", "large")] * 3
    failed = of_kind(fake, EventKind.ATTEMPT_FAILED)
    assert [event.reason for event in failed] == ["retry", "retry"]
    waits = [datetime.fromisoformat(str(event.details["until"])) - START for event in failed]
    assert timedelta(0) <= waits[0] <= SHORT
    assert timedelta(0) <= waits[1] <= 2 * SHORT
    assert "task_blocked" not in fake.events.kinds("x")


def test_it_is_not_tried_again_for_ever(tmp_path: Path) -> None:
    fake = world(tmp_path, chain=(), retries=Retries(max=1000, on=frozenset({ErrorKind.CRASHED}), backoff=timedelta()))
    fake.engine.script["x"] = [CRASHED]
    fake.drop("x")
    fake.run()
    assert len(fake.engine.runs) == MOST_RUNS
    assert fake.task("x").error["kind"] == "crashed"


# --- "not now" ---------------------------------------------------------------------------------------------------


def test_a_tool_that_says_not_now_is_left_alone_by_all_and_the_next_does_it(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.engine.script = {"x": [replace(LIMITED, retry_after=600.0), said("an answer")], "y": [said("an answer")]}
    fake.drop("x")
    fake.run()
    assert ways(fake) == [("first", "large"), ("second", "large")]
    [cooldown] = fake.rates.cooldowns.values()
    assert cooldown.until == START + timedelta(seconds=600)
    fake.drop("y")
    fake.run()
    assert ways(fake, "y") == [("second", "large")]
    assert "left alone until" in of_kind(fake, STARTED, "y")[0].why
    fake.clock.go_on(seconds=601)
    fake.drop("z")
    fake.run()
    assert ways(fake, "z") == [("first", "large")]
    assert fake.rates.cooldowns == {}


def test_where_everyone_says_not_now_it_waits_in_assigned_until_the_first_is_there(tmp_path: Path) -> None:
    fake = world(tmp_path, retries=Retries(max=2, backoff=timedelta()))
    fake.engine.script["x"] = [replace(LIMITED, retry_after=900.0), replace(LIMITED, retry_after=600.0), said("done")]
    fake.drop("x")

    async def story(_: Daemon) -> None:
        await until(lambda: "task_blocked" in fake.events.kinds("x"))
        [blocked] = of_kind(fake, EventKind.TASK_BLOCKED)
        assert datetime.fromisoformat(str(blocked.details["until"])) == START + timedelta(seconds=600)
        fake.clock.go_on(seconds=599)
        fake.drop("y", agent="writer")
        fake.around.changed.set()
        await until(lambda: "task_completed" in fake.events.kinds("y"))
        assert fake.status("x") is Status.BLOCKED
        fake.clock.go_on(seconds=1)
        await until(lambda: "task_completed" in fake.events.kinds("x"))

    fake.run_and(story)
    assert ways(fake) == [("first", "large"), ("second", "large"), ("second", "large")]


def test_a_short_rest_is_taken_in_the_slot(tmp_path: Path) -> None:
    fake = world(tmp_path, chain=(), retries=Retries(max=1, backoff=timedelta()))
    fake.engine.script["x"] = [replace(LIMITED, retry_after=5.0), said("done")]
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        await until(lambda: "attempt_failed" in fake.events.kinds("x"))
        assert [one.task_id for one in daemon.working()] == ["x"]
        fake.clock.go_on(seconds=5)  # the rest is over before the loop's is: the loop sleeps at no cost
        await until(lambda: "task_completed" in fake.events.kinds("x"))

    fake.run_and(story)
    assert len(fake.engine.runs) == 2


def test_what_waits_for_a_stronger_one_is_not_given_to_the_weaker_one_that_failed(tmp_path: Path) -> None:
    fake = world(tmp_path, chain=(), checks=CHECKS, escalation=STRONGER, first=tool("paid", models=("large", "small")))
    fake.rates.cool("tool paid with large", told=START + timedelta(seconds=600), why="rate limited")
    fake.settings = replace(
        fake.settings,
        agents=fake.settings.agents
        | {AgentKey("dev"): Agent(key=AgentKey("dev"), preferred_tool="paid", preferred_model="large")},
    )
    fake.engine.script["x"] = [said("weak"), CRASHED, said("strong"), said("passed")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    fake.clock.go_on(seconds=600 + 10)  # and the jitter
    fake.run()
    assert fake.status("x") is Status.DONE
    assert ways(fake) == [("paid", "small"), ("paid", "large")]


# --- cheap first, proven, then stronger --------------------------------------------------------------------------


def escalating(folder: Path, *limits: Limit) -> Fake:
    """A world that begins with the cheapest where checks prove the work."""
    return world(folder, *limits, chain=(), checks=CHECKS, escalation=STRONGER)


def test_work_that_does_not_prove_itself_is_given_to_a_stronger_one_that_knows_why(tmp_path: Path) -> None:
    fake = escalating(tmp_path, limit(Period.DAY, 10))
    fake.engine.script["x"] = [cost(0.1, "weak"), CRASHED, cost(0.4, "strong"), said("passed")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert ways(fake) == [("paid", "small"), ("paid", "large")]
    [failed] = of_kind(fake, EventKind.ATTEMPT_FAILED)
    assert failed.error_kind == "verify_failed"
    assert "tests" in str(failed.details["failed"])
    assert of_kind(fake, STARTED)[-1].reason == "escalation"
    assert "prompts/earlier.md.j2" in next(run for run in fake.engine.runs if run.model == "large").stdin.decode()
    assert sum(one.amount for one in fake.ledger.settled.values()) == 500_000
    metrics = fake.task("x").result["metrics"]
    assert (metrics["cost_usd"], metrics["cost_source"], metrics["invocations"]) == ("0.500000", "reported", 2)
    assert fake.trail.commits[-1].trailers["Cost-USD"] == "0.500000"


def test_what_all_attempts_cost_is_as_certain_as_the_least_certain_of_them(tmp_path: Path) -> None:
    fake = world(tmp_path)
    tokens = Tokens(input=1000, output=100)
    fake.engine.script["x"] = [replace(CRASHED, tokens=tokens), cost(0.4, tokens=tokens)]
    fake.drop("x")
    fake.run()
    metrics = fake.task("x").result["metrics"]
    assert (metrics["cost_usd"], metrics["cost_source"]) == ("0.403000", "computed")
    assert (metrics["tokens"]["input"], metrics["tokens"]["output"]) == (2000, 200)


def test_the_attempts_of_a_task_share_its_limit(tmp_path: Path) -> None:
    fake = escalating(tmp_path, limit(Period.TASK, 1))
    fake.engine.script["x"] = [cost(0.7, "weak"), CRASHED, cost(0.2, "strong"), said("passed")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.status("x") is Status.DONE
    holds = [event.details["reserved_microusd"] for event in of_kind(fake, STARTED)]
    assert holds == [DOLLAR, 300_000]


def test_an_attempt_for_which_the_task_has_no_money_left_is_not_made(tmp_path: Path) -> None:
    fake = escalating(tmp_path, limit(Period.TASK, 1))
    fake.engine.script["x"] = [cost(1, "weak"), CRASHED, said("strong"), said("passed")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.task("x").error["kind"] == "verify_failed"
    assert ways(fake) == [("paid", "small")]


def test_a_tool_that_fails_on_the_way_up_does_not_end_it(tmp_path: Path) -> None:
    fake = escalating(tmp_path)
    fake.engine.script["x"] = [CRASHED, said("strong"), said("passed")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert ways(fake) == [("paid", "small"), ("paid", "large")]


# --- places ------------------------------------------------------------------------------------------------------


def test_a_tool_without_a_place_is_passed_over_and_its_place_is_given_back_at_the_end(tmp_path: Path) -> None:
    fake = world(tmp_path, first=tool("first", rate_limit=RateLimit(per_hour=1)))
    fake.drop("x")
    fake.run()
    fake.drop("y")
    fake.run()
    assert (ways(fake), ways(fake, "y")) == ([("first", "large")], [("second", "large")])
    assert fake.rates.holders == {}


def test_where_money_is_refused_no_place_is_lost(tmp_path: Path) -> None:
    fake = world(tmp_path, limit(Period.DAY, 0.4), first=tool("first", rate_limit=RateLimit(per_hour=1)))
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert not any(fake.rates.starts.values())
    fake.settings = replace(fake.settings, policies={})
    fake.run()
    assert ways(fake) == [("first", "large")]


@pytest.mark.parametrize("breaks", [False, True], ids=["refused", "broken"])
def test_a_place_is_given_back_where_the_money_went_at_the_last_moment(tmp_path: Path, *, breaks: bool) -> None:
    fake = world(tmp_path, limit(Period.DAY, 1), chain=(), first=tool("first", rate_limit=RateLimit(per_hour=1)))
    hold = fake.ledger.hold

    def late(limits: Sequence[Applied], *about: object) -> object:
        if breaks:
            raise LedgerUnusable("it was taken away")
        return Over(amount=MicroUsd(1), standings=tuple(fake.ledger.standing(limits, fake.clock.at)))

    fake.ledger.hold = late  # type: ignore[method-assign, assignment]  # another process was quicker
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert not any(fake.rates.starts.values())
    assert fake.rates.holders == {}
    fake.ledger.hold = hold  # type: ignore[method-assign]  # as it was
    fake.run()
    assert ways(fake) == [("first", "large")]


RATES_LOST = OrchestratorError("rates.db cannot be written")


def test_while_the_rates_cannot_be_kept_nothing_runs_and_then_it_goes_on(tmp_path: Path) -> None:
    fake = world(tmp_path, limit(Period.DAY, 1))
    fake.rates.trouble = RATES_LOST
    fake.drop("x")
    fake.run()
    fake.run()
    assert fake.engine.runs == []
    assert "rates.db cannot be written" in of_kind(fake, EventKind.TASK_BLOCKED)[-1].why
    assert (fake.around.crashes, fake.ledger.holds) == ([], {})
    fake.rates.trouble = None
    fake.run()
    assert fake.status("x") is Status.DONE


def test_rates_that_cannot_hear_of_the_end_of_a_run_cost_it_nothing(tmp_path: Path) -> None:
    fake = world(tmp_path, first=tool("first", rate_limit=RateLimit(per_hour=9)))
    fake.engine.held.add("x")
    fake.drop("x")

    async def story(_: Daemon) -> None:
        await until(lambda: fake.engine.runs)
        fake.rates.trouble = RATES_LOST
        fake.engine.let_go()
        await until(lambda: "task_completed" in fake.events.kinds("x"))

    fake.run_and(story)
    assert fake.status("x") is Status.DONE
    assert fake.around.crashes == []


def test_tasks_that_are_blocked_do_not_wake_each_other_for_ever(tmp_path: Path) -> None:
    fake = world(tmp_path)
    fake.workspaces.unworkable["x"] = "the branch is taken"
    fake.drop("y", agent="idle")
    fake.run()
    fake.drop("x")
    fake.run()
    assert (fake.status("x"), fake.status("y")) == (Status.BLOCKED, Status.BLOCKED)
    assert fake.events.kinds("x").count("task_blocked") <= 2


# --- cancelled and stopped while it rests ------------------------------------------------------------------------


def resting(folder: Path) -> Fake:
    """A world in which the tool says that it is back in 50 seconds: the task rests in its slot."""
    fake = world(folder, limit(Period.DAY, 10), chain=(), retries=Retries(max=1, backoff=timedelta()))
    fake.engine.script["x"] = [replace(LIMITED, retry_after=50.0), said("done")]
    fake.drop("x")
    return fake


def test_a_task_can_be_cancelled_while_it_rests_and_costs_no_more(tmp_path: Path) -> None:
    fake = resting(tmp_path)

    async def story(daemon: Daemon) -> None:
        await until(lambda: "attempt_failed" in fake.events.kinds("x"))
        await daemon.stop(TaskId("x"), Ending.CANCELLED, "not wanted")

    fake.run_and(story)
    assert fake.status("x") is Status.CANCELLED
    assert fake.trail.commits[-1].body == "not wanted"
    assert len(fake.engine.runs) == 1
    assert fake.ledger.open_holds() == []
    assert sum(one.amount for one in fake.ledger.settled.values()) == DOLLAR // 2


def test_a_task_that_rests_when_the_daemon_stops_goes_on_with_the_next_one(tmp_path: Path) -> None:
    fake = resting(tmp_path)

    async def story(daemon: Daemon) -> None:
        await until(lambda: "attempt_failed" in fake.events.kinds("x"))
        daemon.ask_to_stop()
        daemon.ask_to_stop()

    fake.run_and(story)
    assert fake.status("x") is Status.ASSIGNED
    assert len(fake.engine.runs) == 1
    fake.clock.go_on(seconds=60)
    fake.run()
    assert fake.status("x") is Status.DONE
    assert len(fake.engine.runs) == 2
    assert of_kind(fake, STARTED)[-1].attempt == 2


# --- death -------------------------------------------------------------------------------------------------------


NAMES = ("falls-back", "fails", "works", "proves", "poor")


def story_of(folder: Path) -> Fake:
    """One task that is given to the next tool, one that fails with both, one that just works, one whose work passes its
    check with the stronger model only, and one for which there is no money."""
    limits = limit(Period.DAY, 5), limit(Period.TASK, 1)
    fake = world(folder, *limits, checks=CHECKS, max_parallel=1, escalation=STRONGER)
    fake.settings = replace(
        fake.settings,
        agents=fake.settings.agents
        | {
            AgentKey("writer"): Agent(
                key=AgentKey("writer"), preferred_tool="paid", preferred_model="large", policy="careful"
            )
        },
        policies=fake.settings.policies
        | {"careful": Policy(name="careful", limits=(limit(Period.DAY, 0.1),), max_parallel=1)},
    )
    fake.engine.script = {
        "falls-back": [cost(0.1, "", exit_code=3), cost(0.2, "an answer")],
        "fails": [cost(0.1, "", exit_code=3)],
        "works": [cost(0.3, "an answer")],
        "proves": [cost(0.1, "an answer")],
    }
    fake.engine.too_weak.add("small")
    for name in NAMES[:-1]:
        # A run that is lost is charged its cap, and that leaves enough for the next.
        fake.drop(name, "budget_usd: 0.3", *(["verify: [tests]"] if name == "proves" else []))
    fake.drop("poor", agent="writer")
    fake.clock.go_on(seconds=5)
    return fake


def outcome(fake: Fake) -> dict[str, tuple[list[str], Status]]:
    """Where each task is, and how it stands."""
    return {name: (fake.where(name), fake.status(name)) for name in NAMES}


def test_the_story_ends_as_it_is_told(tmp_path: Path) -> None:
    fake = story_of(tmp_path)
    fake.run()
    assert {name: status for name, (_, status) in outcome(fake).items()} == {
        "falls-back": Status.DONE,
        "fails": Status.ERROR,
        "works": Status.DONE,
        "proves": Status.DONE,
        "poor": Status.BLOCKED,
    }
    assert ways(fake, "proves") == [("paid", "small"), ("paid", "large")]
    assert ways(fake, "falls-back") == [("first", "large"), ("second", "large")]
    assert sum(one.amount for one in fake.ledger.settled.values()) == 1_000_000
    assert fake.ledger.amounts() == fake.money_told()


def test_a_death_before_any_effect_changes_no_end_and_no_money_is_lost_or_invented(tmp_path: Path) -> None:
    plain = story_of(tmp_path)
    plain.run()
    ends = outcome(plain)
    for number in range(len(plain.effects.done)):
        fake = story_of(tmp_path)
        fake.effects.die_at = number
        with pytest.raises(BaseExceptionGroup) as dead:
            fake.run()
        assert dead.group_contains(Died)
        fake.come_back()
        at = fake.effects.died
        told = fake.money_told()
        alive = fake.ledger.amounts()
        assert {name: amounts for name, amounts in told.items() if amounts[1] is not None} == {
            name: amounts for name, amounts in alive.items() if amounts[1] is not None
        }, at
        fake.run()
        assert outcome(fake) == ends, at
        assert fake.around.crashes == [], at
        assert fake.ledger.open_holds() == [], at
        assert fake.ledger.amounts() == fake.money_told(), at
        lost = [event for told_of in fake.events.told.values() for event in told_of if event.reason == "lost"]
        assert len(lost) <= 1, at
        for name in NAMES:
            # A run is repeated where it was lost, and a check where its outcome was not told yet.
            assert len(ways(fake, name)) <= len(ways(plain, name)) + len(lost), (at, name)
            if not any(event.task_id == name for event in lost):
                failed, wanted = (of_kind(one, EventKind.ATTEMPT_FAILED, name) for one in (fake, plain))
                assert [event.details for event in failed] == [event.details for event in wanted], (at, name)


def test_a_full_disk_at_any_effect_is_waited_for_and_the_money_is_the_same(tmp_path: Path) -> None:
    plain = story_of(tmp_path)
    plain.run()
    for number in range(len(plain.effects.done)):
        fake = story_of(tmp_path)
        fake.effects.refuse_at = number
        fake.run()
        at = fake.effects.refused
        if at.startswith(("run", "record")):
            continue  # neither is a call of the disk
        assert outcome(fake) == outcome(plain), at
        assert fake.around.crashes == [], at
        assert fake.ledger.open_holds() == [], at
        assert fake.ledger.amounts() == fake.money_told(), at
        amounts = sorted(amount for _, amount in fake.ledger.amounts().values() if amount is not None)
        assert amounts == [100_000] * 5 + [200_000, 300_000], at
