"""Which status may follow which."""

import pytest

from orchestrator.core.moves import HOME, MOVES, refusal_of
from orchestrator.core.types import Folder, Status

ALLOWED = {
    ("new", "assigned"),
    ("new", "cancelled"),
    ("assigned", "in_progress"),
    ("assigned", "blocked"),
    ("assigned", "error"),
    ("assigned", "cancelled"),
    ("in_progress", "done"),
    ("in_progress", "error"),
    ("in_progress", "cancelled"),
    ("in_progress", "blocked"),
    ("in_progress", "assigned"),
    ("blocked", "in_progress"),
    ("blocked", "assigned"),
    ("blocked", "cancelled"),
    ("error", "assigned"),
    ("cancelled", "assigned"),
}


@pytest.mark.parametrize("current", Status)
@pytest.mark.parametrize("wanted", Status)
def test_exactly_the_moves_of_the_format_are_allowed(current: Status, wanted: Status) -> None:
    assert (refusal_of(current, wanted) == "") == ((current.value, wanted.value) in ALLOWED)


def test_a_refusal_names_the_moves_that_there_are() -> None:
    assert refusal_of(Status.BLOCKED, Status.DONE) == (
        "a task cannot go from blocked to done: from blocked it can go to assigned, in_progress, cancelled"
    )
    assert refusal_of(Status.DONE, Status.NEW) == "a task cannot go from done to new: done is final"


def test_every_status_has_moves_and_a_home() -> None:
    assert set(MOVES) == set(HOME) == set(Status)
    assert HOME[Status.NEW] is Folder.INBOX
    assert HOME[Status.DONE] is Folder.DONE
    assert {HOME[status] for status in Status} == {Folder.INBOX, Folder.ASSIGNED, Folder.DONE}
