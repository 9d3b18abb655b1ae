"""What start-up does with a task that it finds half-way: a table over events, status and whose it is."""

from datetime import UTC, datetime

import pytest

from orchestrator.core.events import Event, EventKind
from orchestrator.core.resume import MOST_LOST, Stage, finish_of, resume, waits_for_its_turn
from orchestrator.core.types import Status

AT = datetime(2026, 2, 12, tzinfo=UTC)

SHORT = {
    "submitted": EventKind.TASK_SUBMITTED,
    "claimed": EventKind.TASK_CLAIMED,
    "started": EventKind.EXECUTION_STARTED,
    "completed": EventKind.TASK_COMPLETED,
    "error": EventKind.TASK_ERROR,
    "cancelled": EventKind.TASK_CANCELLED,
    "blocked": EventKind.TASK_BLOCKED,
    "frozen": EventKind.TASK_FROZEN,
    "thawed": EventKind.TASK_THAWED,
    "handoff": EventKind.HANDOFF_CREATED,
}


def events(*words: str) -> list[Event]:
    """`exited`, `lost` and the like are ends of a run; `retried:error` says from which status."""
    found = []
    for number, word in enumerate(words):
        name, _, detail = word.partition(":")
        common = {"event_id": f"E{number:03}", "ts": AT, "task_id": "x", "invocation_id": "I"}
        if name == "retried":
            found.append(Event(**common, event=EventKind.TASK_RETRIED, details={"from": detail} if detail else {}))
        elif name in SHORT:
            found.append(Event(**common, event=SHORT[name]))
        else:
            reason = "cancelled" if name == "stopped" else name
            found.append(Event(**common, event=EventKind.EXECUTION_FINISHED, reason=reason))
    return found


RUN = ("claimed", "started", "exited")

TABLE = [
    # a person put it there, or the claim was cut short
    ((), "new", Stage.ASSIGN),
    ((), "assigned", Stage.RUN),
    (("submitted",), "new", Stage.ASSIGN),
    (("claimed",), "new", Stage.ASSIGN),
    (("claimed",), "assigned", Stage.RUN),
    ((), "in_progress", Stage.REST),
    (("claimed",), "in_progress", Stage.REST),
    ((), "blocked", Stage.REST),
    ((), "error", Stage.REST),
    ((), "cancelled", Stage.REST),
    ((), "done", Stage.REST),
    # a run was announced
    (("claimed", "started"), "assigned", Stage.RERUN),
    (("claimed", "started"), "in_progress", Stage.RERUN),
    (("claimed", "started", "lost", "started"), "in_progress", Stage.RERUN),
    (("claimed", *("started", "lost") * (MOST_LOST - 1), "started"), "in_progress", Stage.GIVE_UP),
    (("claimed", *("started", "lost") * MOST_LOST), "in_progress", Stage.GIVE_UP),
    (("claimed", *("started", "lost") * (MOST_LOST - 1), "retried", "started"), "in_progress", Stage.RERUN),
    (("claimed", "started", "lost"), "in_progress", Stage.RUN),
    # its end is known
    (RUN, "in_progress", Stage.JUDGE),
    (RUN, "assigned", Stage.JUDGE),
    (("claimed", "started", "timed_out"), "in_progress", Stage.JUDGE),
    (("claimed", "started", "stopped"), "in_progress", Stage.JUDGE),
    (("claimed", "started", "not_started"), "in_progress", Stage.JUDGE),
    (("claimed", "started", "interrupted"), "in_progress", Stage.RUN),
    (("claimed", "started", "interrupted"), "assigned", Stage.RUN),
    (("claimed", "started", "interrupted", "started"), "in_progress", Stage.RERUN),
    # what came of it is known
    ((*RUN, "completed"), "in_progress", Stage.CLOSE),
    ((*RUN, "completed", "handoff"), "in_progress", Stage.CLOSE),
    ((*RUN, "completed"), "done", Stage.CLOSE),
    ((*RUN, "error"), "in_progress", Stage.CLOSE),
    ((*RUN, "error"), "error", Stage.REST),
    ((*RUN, "error"), "assigned", Stage.ASSIGN),  # a person's wish for another turn
    ((*RUN, "error"), "new", Stage.ASSIGN),
    ((*RUN, "cancelled"), "in_progress", Stage.CLOSE),
    ((*RUN, "cancelled"), "cancelled", Stage.REST),
    (("claimed", "cancelled"), "assigned", Stage.CLOSE),
    (("claimed", "blocked"), "assigned", Stage.CLOSE),
    (("claimed", "blocked"), "blocked", Stage.REST),
    (("claimed", "blocked"), "new", Stage.ASSIGN),
    # turned back
    ((*RUN, "error", "retried:error"), "assigned", Stage.RUN),
    ((*RUN, "error", "retried:error"), "error", Stage.ASSIGN),  # told, and the file has not followed
    ((*RUN, "error", "retried:error"), "cancelled", Stage.REST),
    ((*RUN, "error", "retried"), "error", Stage.REST),
    ((*RUN, "error", "retried:error", "started", "exited", "error"), "error", Stage.REST),
    ((*RUN, "error", "retried:error", "claimed"), "error", Stage.REST),
    ((*RUN, "error", "frozen", "thawed"), "error", Stage.REST),
    (("claimed", "blocked", "frozen", "thawed"), "blocked", Stage.REST),
    (("claimed", "started", "frozen", "thawed"), "in_progress", Stage.RERUN),
    ((*RUN, "completed", "frozen", "thawed"), "in_progress", Stage.CLOSE),
    ((*RUN, "error", "claimed"), "assigned", Stage.RUN),
    ((*RUN, "error", "claimed"), "new", Stage.ASSIGN),
]


@pytest.mark.parametrize(("told", "status", "stage"), TABLE, ids=str)
def test_the_stage_of_an_agents_task(told: tuple[str, ...], status: str, stage: Stage) -> None:
    assert resume(events(*told), Status(status), manual=False).stage is stage


@pytest.mark.parametrize(
    ("told", "status", "stage"),
    [
        ((), "new", Stage.ASSIGN),
        (("claimed",), "new", Stage.ASSIGN),
        (("claimed",), "assigned", Stage.REST),
        (("claimed", "started"), "in_progress", Stage.REST),
        (("claimed", "started"), "assigned", Stage.REST),
        (("claimed", "started", "completed"), "in_progress", Stage.CLOSE),
        (("claimed", "started", "completed"), "done", Stage.CLOSE),
        (("claimed", "cancelled", "retried:cancelled"), "cancelled", Stage.ASSIGN),
    ],
    ids=str,
)
def test_the_stage_of_a_persons_own_task(told: tuple[str, ...], status: str, stage: Stage) -> None:
    assert resume(events(*told), Status(status), manual=True).stage is stage


def test_a_resumption_carries_what_it_starts_from() -> None:
    told = events("claimed", "started", "lost", "started", "exited", "error")
    at = resume(told, Status.IN_PROGRESS, manual=False)
    assert (at.attempt, at.started, at.finished, at.closed) == (2, told[3], told[4], told[5])
    fresh = resume(events("claimed", "started", "exited", "error", "retried"), Status.ASSIGNED, manual=False)
    assert (fresh.attempt, fresh.started, fresh.finished, fresh.closed) == (1, None, None, None)


@pytest.mark.parametrize(
    ("told", "status", "waits"),
    [
        (("claimed", "blocked"), "blocked", True),
        (("claimed", "blocked", "frozen", "thawed"), "blocked", True),
        (("claimed", "blocked"), "assigned", False),
        (("claimed",), "blocked", False),  # a person's own word
        (("claimed", "blocked", "cancelled"), "blocked", False),
        (("claimed", "blocked", "retried:blocked"), "blocked", False),
    ],
    ids=str,
)
def test_only_what_we_blocked_goes_on_by_itself(told: tuple[str, ...], status: str, waits: bool) -> None:
    at = resume(events(*told), Status(status), manual=False)
    assert waits_for_its_turn(Status(status), at) is waits


def test_the_end_of_a_run_is_found_by_its_id() -> None:
    told = events("claimed", "started", "exited")
    assert finish_of(told, "I") is told[2]
    assert finish_of(told, "J") is None


def test_kinds_of_a_later_version_change_nothing() -> None:
    later = Event(event_id="E9", ts=AT, event="task_admired", task_id="x")
    assert resume([*events("claimed", "started"), later], Status.IN_PROGRESS, manual=False).stage is Stage.RERUN
