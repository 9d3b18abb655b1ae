"""The one hand that changes tasks: its order, its repeats, and what it does not overwrite."""

from typing import Any

import pytest
from world import Fake, run

from orchestrator import pipeline, taskfile
from orchestrator.core import layout
from orchestrator.core.events import EventKind
from orchestrator.core.types import AgentKey, Status
from orchestrator.ports import NameTakenError
from orchestrator.registrar import Advance, Held, OvertakenError

DEV = f"{layout.ASSIGNED}/dev"
EVENTS = f"{layout.TELEMETRY}/2026-02-12/x.jsonl"


def in_hand(fake: Fake, path: str) -> Held:
    file = taskfile.parse(fake.mailbox.files[path].content, name=path.rpartition("/")[2], path=path)
    return Held(file=file, path=path, agent=AgentKey("dev"))


def closing(fake: Fake, held: Held, **changes: Any) -> Advance:
    event = fake.world.registrar.event(EventKind.TASK_COMPLETED, held, status=Status.DONE)
    whole = {"step": "close", "events": [event], "fields": {"status": Status.DONE}, "to": f"{layout.DONE}/dev/x.yaml"}
    return Advance(**{**whole, **changes})


def test_an_advance_intends_announces_writes_moves_and_records_in_that_order(fake: Fake) -> None:
    held = in_hand(fake, fake.drop("x", "status: in_progress", folder=DEV))
    after = run(fake.world.registrar.advance(held, closing(fake, held)))
    assert fake.effects.done == [
        f"intend {DEV}/x.yaml {layout.DONE}/dev/x.yaml {EVENTS}",
        "announce task_completed x",
        f"write {DEV}/x.yaml",
        f"move {DEV}/x.yaml {layout.DONE}/dev/x.yaml",
        "record task: done x",
    ]
    assert (after.path, after.status) == (f"{layout.DONE}/dev/x.yaml", Status.DONE)
    assert fake.steps == [f"close.{step}" for step in ("intended", "announced", "written", "moved", "recorded")]


def test_a_claim_moves_before_it_writes_so_that_nobody_else_holds_the_file_that_is_written(fake: Fake) -> None:
    held = in_hand(fake, fake.drop("x"))
    run(pipeline.claim(fake.world, held))
    assert [what.split()[0] for what in fake.effects.done] == ["intend", "announce", "move", "write", "record"]


@pytest.mark.parametrize("number", range(4))
def test_an_advance_that_a_full_disk_refused_anywhere_is_made_once(fake: Fake, number: int) -> None:
    held = in_hand(fake, fake.drop("x", "status: in_progress", folder=DEV))
    change = closing(fake, held)
    fake.effects.refuse_at = number
    run(fake.world.registrar.advance(held, change))
    assert fake.disk.waits == 1
    assert fake.where("x") == ["done/dev"]
    assert fake.events.kinds("x") == ["task_completed"]
    assert len(fake.trail.intents) == len(fake.trail.commits) == 1


@pytest.mark.parametrize("first_move", [False, True], ids=["write first", "move first"])
def test_a_taken_place_is_refused_before_anything_is_told(fake: Fake, first_move: bool) -> None:
    held = in_hand(fake, fake.drop("x", folder=DEV))
    fake.drop("x", "# another", folder=f"{layout.DONE}/dev")
    before = dict(fake.mailbox.files)
    with pytest.raises(NameTakenError):
        run(fake.world.registrar.advance(held, closing(fake, held, first_move=first_move)))
    assert fake.mailbox.files == before
    assert fake.effects.done == []


def test_a_file_that_is_gone_is_not_made_again_and_nothing_is_told(fake: Fake) -> None:
    path = fake.drop("x", folder=DEV)
    held = in_hand(fake, path)
    del fake.mailbox.files[path]
    with pytest.raises(FileNotFoundError):
        run(fake.world.registrar.advance(held, closing(fake, held)))
    assert fake.effects.done == []


def test_a_file_whose_status_another_hand_changed_is_left_to_it(fake: Fake) -> None:
    held = in_hand(fake, fake.drop("x", "status: assigned", folder=DEV))
    fake.drop("x", "status: cancelled", folder=DEV)
    with pytest.raises(OvertakenError, match="it is cancelled by now, and was assigned"):
        run(fake.world.registrar.advance(held, closing(fake, held)))
    assert fake.effects.done == []


def test_the_end_of_a_run_is_recorded_whatever_its_tool_wrote_as_status(fake: Fake) -> None:
    held = in_hand(fake, fake.drop("x", "status: in_progress", folder=DEV))
    fake.drop("x", "status: done", "note: I finished it myself", folder=DEV)
    run(fake.world.registrar.advance(held, closing(fake, held, was=Status.IN_PROGRESS)))
    assert fake.status("x") is Status.DONE
    assert fake.task("x").extras == {"note": "I finished it myself"}


def test_what_a_person_wrote_meanwhile_is_kept(fake: Fake) -> None:
    held = in_hand(fake, fake.drop("x", "status: assigned", folder=DEV))
    fake.drop("x", "status: assigned", "# by the way", "priority: low", folder=DEV)
    run(fake.world.registrar.advance(held, closing(fake, held)))
    assert "# by the way\npriority: low\n" in fake.text(fake.path("x"))


def test_a_transition_without_an_event_still_commits_what_was_told_before(fake: Fake) -> None:
    path = fake.drop("x", "status: assigned", folder=DEV)
    held = in_hand(fake, path)
    fake.events.append(held.id, [fake.world.registrar.event(EventKind.EXECUTION_FINISHED, held, reason="interrupted")])
    run(fake.world.registrar.advance(held, Advance(step="close", events=[], fields={"status": Status.BLOCKED})))
    assert {change.path for change in fake.trail.commits[0].changes} == {path, EVENTS}
