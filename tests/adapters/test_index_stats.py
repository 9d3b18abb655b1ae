"""Sums of the index: what each run adds, whatever its events say; and the same after a rebuild."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import Workspace, holds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.adapters.index_stats import IndexStats
from orchestrator.core.events import EventKind
from orchestrator.core.history import IndexUnusable
from orchestrator.core.statistics import By, Group, Wanted
from orchestrator.core.types import Tokens


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path).rebuilt()
    _ = space.index
    yield space
    space.close()


def groups(space: Workspace, *by: By, **wanted: Any) -> list[Group]:
    reader = IndexStats(space.state, space.work)
    try:
        return reader.groups(Wanted(**wanted), by)
    finally:
        reader.close()


def run(
    space: Workspace, task: str, *, verdict: str = EventKind.TASK_COMPLETED, kind: str = "", **details: Any
) -> None:
    about: dict[str, Any] = {"agent": "dev", "tool": "claude", "model": "m", "invocation_id": f"{task}-1"}
    space.append(
        task,
        space.event(task, EventKind.EXECUTION_STARTED, reason="fallback", details={"provider": "acme"}, **about),
        space.event(task, EventKind.EXECUTION_FINISHED, exit_code=0, duration_ms=5, details=details, **about),
        space.event(task, verdict, error_kind=kind, **about),
    )


def test_a_run_is_one_row_with_all_that_is_told_of_it(space: Workspace) -> None:
    run(space, "a", tokens={"input": 1, "cache_read": 2, "cache_write": 3, "output": 4}, cost_microusd=7)
    (group,) = groups(space, *(kind for kind in By if kind is not By.DAY))
    assert group.keys == ("dev", "claude", "m", "acme", "", "fallback")
    assert (group.invocations, group.ended, group.fallbacks, group.succeeded, group.is_known) == (1, 1, 1, True, True)
    assert (group.tokens, group.cost, group.durations) == (
        Tokens(input=1, cache_read=2, cache_write=3, output=4),
        7,
        (5,),
    )


@pytest.mark.parametrize(
    ("verdict", "kind", "succeeded"),
    [
        (EventKind.TASK_COMPLETED, "", True),
        (EventKind.ATTEMPT_FAILED, "verify_failed", False),
        (EventKind.TASK_ERROR, "timeout", False),
        (EventKind.TASK_CANCELLED, "cancelled", False),
        (EventKind.TASK_BLOCKED, "", True),  # no verdict on the run: it ended with 0
    ],
)
def test_the_verdict_decides_whether_a_run_went_well(
    space: Workspace, verdict: str, kind: str, succeeded: bool
) -> None:
    run(space, "a", verdict=verdict, kind=kind)
    assert [group.succeeded for group in groups(space)] == [succeeded]


def test_a_run_that_goes_on_has_begun_and_not_ended(space: Workspace) -> None:
    space.tell("a", EventKind.EXECUTION_STARTED, agent="dev", invocation_id="i")
    (group,) = groups(space)
    assert (group.invocations, group.ended, group.succeeded, group.durations) == (1, 0, False, ())


def test_what_a_subscription_used_is_no_money(space: Workspace) -> None:
    run(space, "a", cost_microusd=7, cost_source="reported", billing="subscription", tokens={"input": 1})
    run(space, "b", cost_microusd=5, cost_source="estimated", tokens={"input": 1})
    found = {group.is_known: group for group in groups(space)}
    assert (found[False].cost, found[False].unpaid, found[False].estimated) == (0, 7, 0)
    assert (found[True].cost, found[True].unpaid, found[True].estimated) == (5, 0, 5)


def test_a_run_belongs_to_the_time_at_which_it_began(space: Workspace) -> None:
    started = space.event("a", EventKind.EXECUTION_STARTED, invocation_id="i")
    ended = space.event("a", EventKind.EXECUTION_FINISHED, invocation_id="i")
    space.append("a", started, ended)
    assert len(groups(space, since=started.ts, until=ended.ts)) == 1
    assert groups(space, since=ended.ts) == []
    assert groups(space, until=started.ts) == []


def test_a_run_of_the_workspace_is_picked_by_its_name(space: Workspace) -> None:
    space.tell("a", EventKind.EXECUTION_STARTED, invocation_id="i", run_id="r1")
    space.tell("b", EventKind.EXECUTION_STARTED, invocation_id="i", run_id="r2")
    assert [group.keys for group in groups(space, By.RUN, run="r2")] == [("r2",)]
    assert groups(space, run="r") == []


def test_absurd_numbers_do_not_overflow_a_sum(space: Workspace) -> None:
    for task in ("a", "b", "c"):
        run(space, task, tokens={"input": 10**30, "output": -5}, cost_microusd=10**30)
    (group,) = groups(space)
    assert (group.tokens.input, group.tokens.output, group.cost) == (3 * 10**12, 0, 3 * 10**12)


def test_only_checked_runs_that_the_model_answers_for_are_outcomes(space: Workspace) -> None:
    about = {"agent": "dev", "model": "m"}
    for task, judged, kind, checked in (
        ("a", EventKind.TASK_COMPLETED, "", True),
        ("b", EventKind.TASK_COMPLETED, "", False),
        ("c", EventKind.ATTEMPT_FAILED, "verify_failed", True),
        ("d", EventKind.ATTEMPT_FAILED, "rate_limited", True),
        ("e", EventKind.TASK_ERROR, "crashed", False),
    ):
        fields: dict[str, Any] = {"invocation_id": f"{task}1", **about}
        space.tell(task, EventKind.EXECUTION_STARTED, **fields)
        space.tell(task, EventKind.EXECUTION_FINISHED, details={"cost_microusd": 3}, **fields)
        if checked:
            space.tell(task, EventKind.CHECK_FINISHED, **fields)
        space.tell(task, judged, error_kind=kind, **fields)
    reader = IndexStats(space.state, space.work)
    assert sorted((one.task, one.solved, one.cost) for one in reader.outcomes(["m"])) == [
        ("a", True, 3),
        ("c", False, 3),
    ]
    assert reader.outcomes(["other"]) == []
    reader.close()


def test_an_index_of_the_version_before_is_rebuilt(space: Workspace) -> None:
    run(space, "a")
    space.close()
    connection = sqlite3.connect(space.state / "index.db")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(IndexUnusable, match="it has version 1"):
        IndexStats(space.state, space.work)
    assert len(groups(space.rebuilt())) == 1


TEXT = st.sampled_from(["", "x", "é", "\udcff"])
TOLD = st.fixed_dictionaries(
    {},
    optional={
        "billing": TEXT,
        "provider": TEXT,
        "task_type": st.one_of(TEXT, st.none(), st.just(3)),
        "cost_source": st.one_of(TEXT, st.just([])),
        "cost_microusd": st.one_of(st.integers(-3, 3), st.just(10**30), st.booleans()),
    },
)
KINDS = st.sampled_from(
    [
        EventKind.EXECUTION_STARTED,
        EventKind.EXECUTION_FINISHED,
        EventKind.CHECK_FINISHED,
        EventKind.ATTEMPT_FAILED,
        EventKind.TASK_COMPLETED,
        EventKind.TASK_ERROR,
        EventKind.TASK_CANCELLED,
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), KINDS, st.sampled_from(["i", "j"]), TOLD, TEXT), max_size=12))
def test_live_sums_are_those_of_a_rebuild(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, str, str, dict[str, Any], str]]
) -> None:
    space = Workspace(tmp_path_factory.mktemp("law")).rebuilt()
    _ = space.index
    for task, kind, invocation, details, word in history:
        fields = {"agent": word, "run_id": word, "reason": word, "error_kind": word, "details": details}
        space.tell(task, kind, invocation_id=invocation, **fields)
    live, counted = holds(space.state), groups(space, *By, timezone="Europe/Berlin")
    space.close()
    rebuild(space.state, space.work)
    assert holds(space.state) == live
    assert groups(space, *By, timezone="Europe/Berlin") == counted
    assert sum(group.invocations for group in counted) == len(live["invocations"])
