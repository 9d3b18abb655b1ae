"""A death or a full disk between any two effects: what comes after is what would have come without it."""

from dataclasses import replace
from pathlib import Path

import pytest
from world import SETTINGS, Died, Fake, said

from orchestrator.core import layout
from orchestrator.core.claims import Claims
from orchestrator.core.resume import MOST_LOST
from orchestrator.core.settings import Check
from orchestrator.core.types import Status, TaskId
from orchestrator.core.verdict import Ending, Ran

NEXT = Claims(summary="did it", next_agent="writer", next_task_title="Write it up")
STORY = ("good", "fails", "needy", "ghostly", "hands", "broken", "x", "proved")
CHECKED = replace(SETTINGS, checks={"tests": Check(name="tests", command=("pytest",))})


def told(folder: Path) -> Fake:
    """A morning's work: every way that a task can end, each once."""
    fake = Fake(folder, CHECKED)
    fake.engine.script = {"fails": [Ran(ending=Ending.EXITED, exit_code=3)], "hands": [said("go on")]}
    fake.claims["go on"] = NEXT
    fake.drop("good", "# a remark")
    fake.drop("fails")
    fake.drop("needy", "depends_on: [good]")
    fake.drop("ghostly", agent="idle")
    fake.drop("hands")
    fake.drop("x", folder=f"{layout.ASSIGNED}/dev")
    fake.drop("proved", "verify: [tests]")
    fake.mailbox.put(f"{layout.INBOX}/broken.yaml", b"- a list\n")
    fake.clock.go_on(seconds=5)
    return fake


def outcome(fake: Fake) -> dict[str, tuple[list[str], str]]:
    """Each task's folders and status."""
    found = {}
    for path, file in fake.mailbox.files.items():
        name = path.rpartition("/")[2]
        if layout.is_task_name(name):
            status = next((line for line in file.content.decode().splitlines() if line.startswith("status:")), "")
            task_id = layout.stem(name)
            found[task_id] = (fake.where(task_id), status)
    return found


def effects_of_the_whole(folder: Path) -> tuple[int, dict[str, tuple[list[str], str]]]:
    fake = told(folder)
    fake.run()
    return len(fake.effects.done), outcome(fake)


def test_the_story_ends_as_it_is_told(tmp_path: Path) -> None:
    _, ends = effects_of_the_whole(tmp_path)
    follower = next(name for name in ends if name not in STORY)
    assert ends == {
        "good": (["done/dev/2026-02-12"], "status: done"),
        "fails": (["assigned/dev"], "status: error"),
        "needy": (["done/dev/2026-02-12"], "status: done"),
        "ghostly": (["assigned/idle"], "status: blocked"),
        "hands": (["done/dev/2026-02-12"], "status: done"),
        "x": (["done/dev/2026-02-12"], "status: done"),
        "broken": (["rejected"], ""),
        "proved": (["done/dev/2026-02-12"], "status: done"),
        follower: (["done/writer/2026-02-12"], "status: done"),
    }


def die_once_at(folder: Path, number: int) -> Fake:
    fake = told(folder)
    fake.effects.die_at = number
    with pytest.raises(BaseExceptionGroup) as dead:
        fake.run()
    assert dead.group_contains(Died)
    fake.come_back()
    fake.run()
    return fake


def test_a_death_before_any_effect_costs_no_task_and_at_most_one_more_run(tmp_path: Path) -> None:
    effects, ends = effects_of_the_whole(tmp_path)
    for number in range(effects):
        fake = die_once_at(tmp_path, number)
        at = fake.effects.died
        assert outcome(fake) == ends, at
        assert fake.around.crashes == [], at
        for task_id, events in fake.events.told.items():
            runs = sum(run.task_id == task_id and ".check-" not in run.id for run in fake.engine.runs)
            starts = sum(event.event == "execution_started" for event in events)
            lost = sum(event.reason == "lost" for event in events)
            assert runs <= starts <= 1 + lost, (at, task_id)
            assert lost <= 2, (at, task_id)  # one of each of the two slots at most
            state = fake.index.state(task_id)
            assert state is not None
            if state.folder != "rejected":
                assert fake.path(task_id) == state.path, (at, task_id)
                assert fake.status(task_id) is state.status, (at, task_id)


def test_a_full_disk_at_any_effect_is_waited_for_and_changes_nothing_else(tmp_path: Path) -> None:
    effects, ends = effects_of_the_whole(tmp_path)
    plain = told(tmp_path)
    plain.run()
    for number in range(effects):
        fake = told(tmp_path)
        fake.effects.refuse_at = number
        fake.run()
        at = fake.effects.refused
        if at.startswith(("run", "record")):
            continue  # neither is a call of the disk
        assert outcome(fake) == ends, at
        assert fake.disk.waits == 1, at
        assert fake.around.crashes == [], at
        assert sorted(fake.subjects()) == sorted(plain.subjects()), at
        for task_id in plain.events.told:
            assert fake.events.kinds(task_id) == plain.events.kinds(task_id), (at, task_id)


def test_a_run_that_dies_with_each_of_its_daemons_is_given_up_as_lost(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    fake.drop("x")
    for _ in range(MOST_LOST):
        fake.engine.script["x"] = [Died()]
        with pytest.raises(BaseExceptionGroup):
            fake.run()
    fake.run()
    assert len(fake.engine.runs) == MOST_LOST
    assert fake.status("x") is Status.ERROR
    assert fake.task("x").error["kind"] == "lost"
    assert fake.events.kinds("x").count("execution_started") == MOST_LOST
    assert [event.reason for event in fake.events.told[TaskId("x")]].count("lost") == MOST_LOST


def test_a_run_that_is_lost_once_is_run_again_and_says_so(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    fake.drop("x")
    fake.engine.script["x"] = [Died()]
    with pytest.raises(BaseExceptionGroup):
        fake.run()
    fake.engine.script["x"] = [said("an answer")]
    fake.run()
    assert fake.status("x") is Status.DONE
    assert fake.task("x").result["metrics"]["invocations"] == 2
    assert fake.events.kinds("x") == [
        "task_claimed",
        "route_planned",
        "execution_started",
        "execution_finished",
        "route_planned",
        "execution_started",
        "execution_finished",
        "task_completed",
    ]
