"""The declared checks of a task: run where its tool worked, and part of what is judged."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from world import SETTINGS, TOOL, Fake, said, until

from orchestrator.core.settings import Check, WorkspaceKind
from orchestrator.core.types import ErrorKind, Status, TaskId
from orchestrator.core.verdict import Ending, Ran
from orchestrator.daemon import Daemon

CHECKS = {
    "tests": Check(name="tests", command=("pytest", "-q"), timeout=timedelta(minutes=3), env_pass=("DATABASE_URL",)),
    "lint": Check(name="lint", command=("ruff", "check")),
    "gone": Check(name="gone", command=("missing",)),
}
TOOLS = {"brief": replace(TOOL, workspace=WorkspaceKind.WORKTREE, env={"API_KEY": "secret"})}
BOTH = "verify: [tests, lint]"
FAILED = Ran(ending=Ending.EXITED, exit_code=1, text="....F\n1 failed, 4 passed\n")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    fake = Fake(tmp_path, replace(SETTINGS, checks=CHECKS, tools=TOOLS))
    (tmp_path / "state").mkdir(exist_ok=True)
    return fake


def told(fake: Fake) -> list[tuple[object, object]]:
    found = [event for event in fake.events.told[TaskId("x")] if event.event == "check_finished"]
    return [(event.details["check"], event.details["passed"]) for event in found]


def test_checks_that_pass_prove_the_work(fake: Fake) -> None:
    fake.drop("x", BOTH)
    fake.run()
    result = fake.task("x").result
    assert result["verdict"] == "done"
    assert "2 checks passed" in fake.trail.commits[-1].body
    assert told(fake) == [("tests", True), ("lint", True)]
    assert [run.argv for run in fake.engine.runs[1:]] == [("pytest", "-q"), ("ruff", "check")]
    assert "restore x" in fake.effects.done


def test_a_check_works_where_the_tool_did_and_sees_none_of_its_secrets(fake: Fake) -> None:
    fake.drop("x", BOTH)
    fake.run()
    tool, tests, _ = fake.engine.runs
    assert tests.cwd == tool.cwd
    assert tests.timeout == timedelta(minutes=3)
    assert tests.bounds.orphan_grace == timedelta(0)
    assert "API_KEY" in tool.env
    assert "API_KEY" not in tests.env
    assert tests.env.keys() <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "DATABASE_URL"}


def test_a_check_that_fails_is_the_tasks_error_and_the_others_are_run_all_the_same(fake: Fake) -> None:
    fake.engine.script["x"] = [said("it is mended"), FAILED, said("clean")]
    fake.drop("x", BOTH)
    fake.run()
    error = fake.task("x").error
    assert error["kind"] == ErrorKind.VERIFY_FAILED
    assert error["message"].endswith("these checks failed: tests (exit code 1: 1 failed, 4 passed)")
    assert told(fake) == [("tests", False), ("lint", True)]


@pytest.mark.parametrize(
    ("ran", "why"),
    [
        (Ran(ending=Ending.TIMED_OUT, text="still at it\n"), "it did not end within 0:03:00: still at it"),
        (Ran(ending=Ending.OVER_LIMIT), "over limit"),
    ],
)
def test_a_check_that_is_ended_has_failed(fake: Fake, ran: Ran, why: str) -> None:
    fake.engine.script["x"] = [said("it is mended"), ran, said("clean")]
    fake.drop("x", BOTH)
    fake.run()
    assert f"tests ({why})" in fake.task("x").error["message"]


def test_a_check_that_cannot_be_started_proves_nothing_and_accuses_nobody(fake: Fake) -> None:
    fake.engine.script["x"] = [said("it is mended"), Ran(ending=Ending.NOT_STARTED, errors="no such program")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.task("x").result["verdict"] == "unverified"
    assert told(fake) == [("tests", False)]


def test_nothing_is_checked_where_the_run_failed(fake: Fake) -> None:
    fake.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3)]
    fake.drop("x", BOTH)
    fake.run()
    assert fake.task("x").error["kind"] == ErrorKind.CRASHED
    assert len(fake.engine.runs) == 1


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("[nothing]", "it asks for the check 'nothing', which config/policies.yaml does not declare; it has tests"),
        ("[gone]", "its check gone: missing is not on PATH"),
    ],
)
def test_a_task_whose_checks_cannot_run_is_blocked_before_it_costs_anything(fake: Fake, names: str, why: str) -> None:
    fake.drop("x", f"verify: {names}")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert fake.trail.commits[-1].body.startswith(why)
    assert fake.engine.runs == []


def test_a_task_can_be_cancelled_while_its_checks_run(fake: Fake) -> None:
    fake.engine.held_checks.add("x")
    fake.drop("x", BOTH)

    async def cancel(daemon: Daemon) -> None:
        await until(lambda: len(fake.engine.runs) == 2)
        await daemon.stop(TaskId("x"), Ending.CANCELLED, "not wanted")

    fake.run_and(cancel)
    assert fake.status("x") is Status.CANCELLED
    assert fake.trail.commits[-1].body == "not wanted"


def test_checks_that_a_stop_interrupts_are_run_again_and_what_they_left_is_not_committed(fake: Fake) -> None:
    fake.engine.held_checks.add("x")
    fake.drop("x", BOTH)

    async def stop(daemon: Daemon) -> None:
        await until(lambda: len(fake.engine.runs) == 2)
        daemon.ask_to_stop()
        daemon.ask_to_stop()

    fake.run_and(stop)
    assert fake.status("x") is Status.ASSIGNED
    fake.engine.held_checks.clear()
    fake.run()
    assert fake.task("x").result["verdict"] == "done"
    assert len(fake.workspaces.concluded) == 1
    assert [run.id.partition(".")[2] for run in fake.engine.runs] == ["", "check-0", "check-0", "check-1"]
