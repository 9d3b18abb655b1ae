"""The daemon dies by SIGKILL at each numbered step of the straight path; the next one leaves all as it must be."""

import signal
from pathlib import Path

import pytest
from crash_check import describe
from crash_launcher import Launcher
from crash_rig import Rig

from orchestrator.core.steps import Step


@pytest.mark.parametrize("passing", [1, 2], ids=["first passing", "second passing"])
@pytest.mark.parametrize("step", list(Step))
def test_a_daemon_that_dies_at_a_step_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, launcher: Launcher, step: Step, passing: int
) -> None:
    rig = Rig(tmp_path, launcher)
    rig.drop("hands-off", agent="giver")
    rig.drop("hands-off-too", agent="giver")
    rig.drop("waits", depends_on=["hands-off"])
    rig.drop("falls-back", agent="falls")
    rig.drop("falls-back-too", agent="falls")
    rig.start(die_at=f"{step}:{passing}")
    assert rig.wait() == -signal.SIGKILL, f"it did not pass {step} {passing} times: {rig.said()}"
    rig.rest()
    assert not (found := rig.violations()), describe(found)
    assert len(list(rig.work.glob("collaboration/done/*/*/*.yaml"))) == 7, rig.said()


@pytest.mark.parametrize("step", [Step.CLAIM_MOVED, Step.RUN_ANNOUNCED, Step.CLOSE_ANNOUNCED, Step.CLOSE_MOVED])
def test_a_workspace_without_git_survives_as_well(tmp_path: Path, launcher: Launcher, step: Step) -> None:
    rig = Rig(tmp_path, launcher, trail="none")
    rig.drop("one", agent="giver")
    rig.start(die_at=step)
    assert rig.wait() == -signal.SIGKILL, rig.said()
    rig.rest()
    assert not (found := rig.violations()), describe(found)


def test_a_daemon_that_dies_at_each_step_one_after_the_other_comes_through(tmp_path: Path, launcher: Launcher) -> None:
    rig = Rig(tmp_path, launcher)
    for number, step in enumerate(Step):
        rig.drop(f"task-{number}", agent="falls" if step.startswith("again.") else "giver")
        rig.start(die_at=step)
        rig.wait()
    rig.rest()
    assert not (found := rig.violations()), describe(found)


def test_a_run_whose_every_daemon_dies_is_made_once_and_found_done(tmp_path: Path, launcher: Launcher) -> None:
    rig = Rig(tmp_path, launcher)
    rig.drop("steady")
    rig.start(die_at=Step.RUN_ENDED)
    assert rig.wait() == -signal.SIGKILL, rig.said()
    rig.rest()
    assert not (found := rig.violations()), describe(found)
    [events] = (rig.work / "telemetry").rglob("steady.jsonl")
    assert events.read_text().count('"event":"execution_started"') == 1


def test_a_task_of_which_no_run_begins_before_its_daemon_dies_is_given_back_as_lost(
    tmp_path: Path, launcher: Launcher
) -> None:
    rig = Rig(tmp_path, launcher)
    rig.drop("deadly")
    for _ in range(3):
        rig.start(die_at=Step.START_RECORDED)
        assert rig.wait() == -signal.SIGKILL, rig.said()
    rig.rest()
    assert not (found := rig.violations()), describe(found)
    text = (rig.work / "collaboration/assigned/quick/deadly.yaml").read_text()
    told = next((rig.work / "telemetry").rglob("deadly.jsonl")).read_text()
    assert told.count('"cost_microusd":1000000,"cost_source":"estimated"') == 3
    assert "status: error" in text
    assert "kind: lost" in text
