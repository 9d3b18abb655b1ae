"""What the events of a task add up to: a table of transitions, and a few laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.events import Event, EventKind
from orchestrator.core.history import InvocationState, TaskState, fold, fold_invocation, origin_of
from orchestrator.core.types import Folder, Priority, Status, TaskId, Tokens

T = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)
ASSIGNED = TaskState(id=TaskId("a"), status=Status.ASSIGNED, folder=Folder.ASSIGNED, agent="dev", claimed=T, created=T)
RUNNING = replace(ASSIGNED, status=Status.IN_PROGRESS, invocation="i1", attempts=1, started=T, tool="claude")
FAILED = replace(ASSIGNED, status=Status.ERROR, error_kind="crashed", why="it crashed", attempts=1, finished=T)
DONE = replace(ASSIGNED, status=Status.DONE, folder=Folder.DONE, verdict="done", finished=T, attempts=1)


def event(kind: str, **fields: object) -> Event:
    return Event(event_id="01E", ts=T + timedelta(minutes=1), event=kind, task_id="a", **fields)  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize(
    ("before", "heard", "changed"),
    [
        pytest.param(
            None,
            event(EventKind.TASK_SUBMITTED, agent="dev", path="collaboration/inbox/a.yaml"),
            {"created": T + timedelta(minutes=1), "agent": "dev", "path": "collaboration/inbox/a.yaml"},
            id="a submitted task is new",
        ),
        pytest.param(
            None,
            event(EventKind.TASK_CLAIMED, agent="dev", path="p", details={"title": "Tidy", "priority": "high"}),
            {
                "status": Status.ASSIGNED,
                "folder": Folder.ASSIGNED,
                "agent": "dev",
                "path": "p",
                "title": "Tidy",
                "priority": Priority.HIGH,
                "created": T + timedelta(minutes=1),
                "claimed": T + timedelta(minutes=1),
            },
            id="a claimed task is assigned, with its title and priority",
        ),
        pytest.param(
            None,
            event(EventKind.TASK_REJECTED, why="no YAML", error_kind="bad", path="collaboration/rejected/a.yaml"),
            {
                "folder": Folder.REJECTED,
                "why": "no YAML",
                "error_kind": "bad",
                "path": "collaboration/rejected/a.yaml",
            },
            id="a rejected file was never claimed",
        ),
        pytest.param(
            RUNNING,
            event(EventKind.TASK_REJECTED, why="duplicate", path="collaboration/rejected/a.yaml"),
            {},
            id="the rejection of a second file with its id is not the task's",
        ),
        pytest.param(
            ASSIGNED,
            event(EventKind.EXECUTION_STARTED, attempt=2, tool="codex", model="m", invocation_id="i2"),
            {
                "status": Status.IN_PROGRESS,
                "attempts": 2,
                "tool": "codex",
                "model": "m",
                "invocation": "i2",
                "started": T + timedelta(minutes=1),
            },
            id="a started run says which attempt it is",
        ),
        pytest.param(
            RUNNING,
            event(EventKind.EXECUTION_FINISHED, invocation_id="i1", details={"cost_microusd": 420_000}),
            {"invocation": "", "cost": 420_000},
            id="a finished run leaves the task in progress with nothing running, and its cost added",
        ),
        pytest.param(
            RUNNING,
            event(EventKind.TASK_COMPLETED, why="all there", path="d/a.yaml", details={"verdict": "no_change"}),
            {
                "status": Status.DONE,
                "folder": Folder.DONE,
                "verdict": "no_change",
                "why": "all there",
                "path": "d/a.yaml",
                "invocation": "",
                "finished": T + timedelta(minutes=1),
            },
            id="a completed task is done with its verdict and its new path",
        ),
        pytest.param(
            RUNNING,
            event(EventKind.TASK_ERROR, why="too slow", error_kind="timeout"),
            {
                "status": Status.ERROR,
                "why": "too slow",
                "error_kind": "timeout",
                "invocation": "",
                "finished": T + timedelta(minutes=1),
            },
            id="a failed task keeps its folder and says why",
        ),
        pytest.param(
            ASSIGNED,
            event(EventKind.TASK_CANCELLED, reason="not wanted"),
            {"status": Status.CANCELLED, "why": "not wanted", "finished": T + timedelta(minutes=1)},
            id="a cancelled task takes the reason where there is no why",
        ),
        pytest.param(
            RUNNING,
            event(EventKind.TASK_BLOCKED, why="no tool"),
            {"status": Status.BLOCKED, "why": "no tool", "invocation": ""},
            id="a blocked task has nothing running and no end",
        ),
        pytest.param(
            ASSIGNED,
            event(EventKind.TASK_FROZEN, why="later", path="collaboration/fridge/a.yaml"),
            {"folder": Folder.FRIDGE, "why": "later", "path": "collaboration/fridge/a.yaml"},
            id="a frozen task keeps its status",
        ),
        pytest.param(
            replace(FAILED, folder=Folder.FRIDGE),
            event(EventKind.TASK_THAWED, path="collaboration/assigned/dev/a.yaml"),
            {"folder": Folder.ASSIGNED, "why": "", "path": "collaboration/assigned/dev/a.yaml"},
            id="a thawed task goes to where its status lives",
        ),
        pytest.param(
            FAILED,
            event(EventKind.TASK_RETRIED),
            {"status": Status.ASSIGNED, "error_kind": "", "why": "", "finished": None},
            id="a retried task is assigned again and keeps its attempts",
        ),
        pytest.param(
            DONE,
            event(EventKind.TASK_ARCHIVED, path="collaboration/archive/2026-02/a.yaml"),
            {"folder": Folder.ARCHIVE, "path": "collaboration/archive/2026-02/a.yaml"},
            id="an archived task is still done",
        ),
        pytest.param(
            DONE,
            event(EventKind.TASK_SUBMITTED, path="collaboration/inbox/a.yaml"),
            {},
            id="submitting the id of a task that is done changes nothing",
        ),
        pytest.param(
            RUNNING,
            event("quantum_leap", status="done", path="elsewhere"),
            {},
            id="a kind of a later version changes nothing but what was last heard",
        ),
    ],
)
def test_an_event_changes_exactly_this(before: TaskState | None, heard: Event, changed: dict[str, object]) -> None:
    expected = replace(
        before or TaskState(id=TaskId("a")),
        last_event_id=heard.event_id,
        last_ts=heard.ts,
        **changed,  # type: ignore[arg-type]  # a table
    )
    assert fold(before, heard) == expected


def test_an_attempt_without_a_number_is_the_next_one() -> None:
    assert fold(replace(RUNNING, attempts=3), event(EventKind.EXECUTION_STARTED)).attempts == 4


def test_details_of_the_wrong_type_are_as_good_as_absent() -> None:
    odd = {"title": 7, "priority": "soonish", "verdict": [], "cost_microusd": True, "tokens": "many"}
    state = fold(RUNNING, event(EventKind.EXECUTION_FINISHED, details=odd))
    assert (state.title, state.priority, state.cost) == ("", Priority.NORMAL, 0)
    assert fold(RUNNING, event(EventKind.TASK_COMPLETED, details=odd)).verdict == ""


def test_numbers_stay_within_what_the_index_can_hold() -> None:
    state = fold(RUNNING, event(EventKind.EXECUTION_STARTED, attempt=10**30))
    assert state.attempts == 2**63 - 1
    richest = fold(
        replace(state, cost=2**63 - 5), event(EventKind.EXECUTION_FINISHED, details={"cost_microusd": 10**40})
    )  # type: ignore[arg-type]  # plain int
    assert richest.cost == 2**63 - 1


def test_an_invocation_is_told_by_its_start_and_its_end() -> None:
    started = fold_invocation(
        None, event(EventKind.EXECUTION_STARTED, invocation_id="i1", tool="claude", model="m", attempt=2)
    )
    ended = fold_invocation(
        started,
        event(
            EventKind.EXECUTION_FINISHED,
            invocation_id="i1",
            duration_ms=1500,
            exit_code=0,
            details={"tokens": {"input": 10, "output": 3, "cache_read": -1}, "cost_microusd": 42},
        ),
    )
    at = T + timedelta(minutes=1)
    assert ended == InvocationState(
        id="i1",
        task_id=TaskId("a"),
        tool="claude",
        model="m",
        attempt=2,
        started=at,
        finished=at,
        duration_ms=1500,
        exit_code=0,
        tokens=Tokens(input=10, output=3),
        cost=42,  # type: ignore[arg-type]  # plain int
        cost_source="reported",
    )


def test_events_about_anything_else_tell_of_no_invocation() -> None:
    assert fold_invocation(None, event(EventKind.CHECK_FINISHED, invocation_id="i1")) is None
    assert fold_invocation(None, event(EventKind.EXECUTION_STARTED)) is None


def test_a_submitted_task_names_the_committed_file_that_it_was_taken_from() -> None:
    details = {"origin_path": "tasks/a.yaml", "origin_blob": "b1", "origin_commit": "c1"}
    origin = origin_of(event(EventKind.TASK_SUBMITTED, details=details))
    assert origin is not None
    assert (origin.path, origin.blob, origin.commit, origin.task_id) == ("tasks/a.yaml", "b1", "c1", "a")
    assert origin_of(event(EventKind.TASK_CLAIMED, details=details)) is None
    assert origin_of(event(EventKind.TASK_SUBMITTED, details={"origin_path": "tasks/a.yaml"})) is None


@given(st.lists(st.sampled_from([*EventKind, "unknown"]), max_size=12))
def test_any_order_of_events_gives_a_state_that_was_last_heard_at_the_last_of_them(kinds: list[str]) -> None:
    state: TaskState | None = None
    for number, kind in enumerate(kinds):
        heard = replace(event(kind), event_id=f"{number:04d}")
        state = fold(state, heard)
        assert state.last_event_id == f"{number:04d}"
        assert state.id == "a"
        assert not state.invocation or state.status is Status.IN_PROGRESS
