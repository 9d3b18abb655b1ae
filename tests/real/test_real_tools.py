"""The real claude and codex, through the daemon: what people see of them."""

from pathlib import Path

import pytest
from real_world import WAITS, Shop
from situations import git

EACH = pytest.mark.parametrize("tool", ["claude", "codex"])


@EACH
def test_work_is_a_commit_on_a_branch_of_its_own(shop: Shop, tool: str) -> None:
    task = shop.open().ask("edit", tool, "STUB:WRITE notes.md made by it", "STUB:TEXT I wrote the notes.")
    shop.until_idle()
    found = shop.task(task)
    assert found["status"] == "done", found
    assert found["result"]["verdict"] == "done"
    assert "I wrote the notes." in shop.log(task)
    assert shop.on_branch(task, "notes.md") == "made by it"
    assert f"Task-Id: {task}" in git(shop.root, "log", "-1", "--format=%B", f"task/{task}")
    assert not (shop.root / "notes.md").exists()
    metrics = found["result"]["metrics"]
    assert (metrics["tokens"]["input"], metrics["tokens"]["output"]) == (2000, 400)
    assert shop.runs_of(task) == 1
    shop.is_left_clean()


@EACH
def test_an_answer_without_a_change_is_told_as_that(shop: Shop, tool: str) -> None:
    task = shop.open().ask("answer", tool, "STUB:TEXT There is nothing to change.")
    shop.until_idle()
    found = shop.task(task)
    assert found["status"] == "done", found
    assert found["result"]["verdict"] == "no_change"
    assert "There is nothing to change." in shop.log(task)
    shop.is_left_clean()


def test_a_denied_tool_is_a_failure_that_names_what_was_denied(shop: Shop) -> None:
    outside = shop.root.with_name("outside.md")
    task = shop.open().ask("denied", "claude", f"STUB:WRITE {outside} hello", "STUB:TEXT All is done.")
    shop.until_idle()
    error = shop.task(task)["error"]
    assert error["kind"] == "denied"
    assert "Write" in error["message"]
    assert not outside.exists()
    shop.is_left_clean()


def test_what_the_sandbox_of_codex_denies_is_no_change_as_it_does_not_report_it(shop: Shop) -> None:
    task = shop.open(codex={"sandbox": "read-only"}).ask("denied", "codex", "STUB:WRITE notes.md x", "STUB:TEXT Done.")
    shop.until_idle()
    found = shop.task(task)
    assert found["result"]["verdict"] == "no_change", found
    shop.is_left_clean()


@EACH
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param("401", "auth", id="no credentials"),
        pytest.param("429", "rate_limited", id="rate limit"),
        pytest.param("500", "overloaded", id="a server error"),
    ],
)
def test_a_failing_api_is_a_failure_of_its_kind(shop: Shop, tool: str, status: str, kind: str) -> None:
    task = shop.open().ask("failing", tool, f"STUB:STATUS {status}")
    shop.until_idle()
    found = shop.task(task)
    assert found["status"] == "error"
    assert found["error"]["kind"] == kind, found["error"]
    shop.is_left_clean()


def test_the_cap_of_the_tool_itself_is_a_failure_of_the_budget(shop: Shop) -> None:
    task = shop.open(claude={"max_turns": "2"}).ask("capped", "claude", "STUB:LOOP true")
    shop.until_idle()
    error = shop.task(task)["error"]
    assert error["kind"] == "budget"
    assert "turns" in error["message"]
    assert sum("STUB:LOOP" in request.prompt for request in shop.api.requests) == 2
    shop.is_left_clean()


def test_a_loop_of_codex_which_has_no_cap_is_ended_by_the_limit_on_time(shop: Shop) -> None:
    task = shop.open().ask("loop", "codex", "STUB:LOOP true", timeout="4s")
    shop.until_idle()
    assert shop.task(task)["error"]["kind"] == "timeout"
    assert sum("STUB:LOOP" in request.prompt for request in shop.api.requests) > 3
    shop.is_left_clean()


def test_an_api_that_hangs_is_ended_by_the_limit_on_time(shop: Shop) -> None:
    task = shop.open().ask("hang", "claude", "STUB:HANG", timeout="4s")
    shop.until_idle()
    assert shop.task(task)["error"]["kind"] == "timeout"
    shop.is_left_clean()


def test_a_hiccup_of_the_api_is_got_over_by_the_tool_itself(shop: Shop) -> None:
    task = shop.open().ask("hiccup", "claude", "STUB:STATUS 529 times=1", "STUB:WRITE notes.md x", "STUB:TEXT Done.")
    shop.until_idle()
    found = shop.task(task)
    assert found["result"]["verdict"] == "done", found
    assert shop.runs_of(task) == 1
    shop.is_left_clean()


@EACH
def test_a_huge_answer_is_kept_whole_in_the_output_and_bounded_everywhere_else(shop: Shop, tool: str) -> None:
    task = shop.open().ask("huge", tool, "STUB:HUGE 3000000")
    shop.until_idle()
    found = shop.task(task)
    assert found["status"] == "done", found
    (output,) = (shop.state_folder / "logs" / task).glob("*.out")
    assert b"0123456789abcdef" * 187_500 in output.read_bytes()
    assert len(shop.log(task)) < 2_000_000
    shop.is_left_clean()


@EACH
def test_a_task_cancelled_in_the_middle_of_a_command_leaves_nothing_running(shop: Shop, tool: str) -> None:
    task = shop.open().ask("cancelled", tool, f"STUB:SHELL {WAITS}", "STUB:TEXT never")
    shop.daemon()
    shop.wait_for_command(WAITS)
    shop.well("cancel", task)
    shop.wait_until(lambda: shop.status_of(task) == "cancelled", "it is cancelled")
    assert shop.processes() == {}
    shop.stop()
    shop.is_left_clean()


@EACH
def test_a_task_that_takes_too_long_is_ended_with_all_that_it_started(shop: Shop, tool: str) -> None:
    task = shop.open().ask("slow", tool, f"STUB:SHELL {WAITS}", "STUB:TEXT never", timeout="4s")
    shop.until_idle()
    error = shop.task(task)["error"]
    assert error["kind"] == "timeout", error
    assert shop.runs_of(task) == 1
    shop.is_left_clean()


@EACH
def test_a_run_outlives_a_killed_daemon_and_the_next_one_takes_it_up_whole(shop: Shop, tool: str) -> None:
    gate = "until [ -e open-the-gate ]; do sleep 0.1; done; echo through"
    task = shop.open().ask("adopted", tool, f"STUB:SHELL {gate}", "STUB:WRITE late.md x", "STUB:TEXT It took a while.")
    shop.daemon()
    shop.wait_for_command("sleep")
    shop.kill_daemon()
    assert shop.processes()
    shop.daemon()
    (worktree,) = (path for path in worktrees(shop) if path.endswith(task))
    Path(worktree, "open-the-gate").touch()
    shop.wait_until(lambda: shop.status_of(task) in {"done", "error"}, "it has ended")
    found = shop.task(task)
    assert found["status"] == "done", found
    assert "It took a while." in shop.log(task)
    assert shop.on_branch(task, "late.md") == "x"
    assert shop.runs_of(task) == 1
    assert sum(request.status == 200 for request in shop.api.requests if request.method == "POST") == 3
    assert (found["result"]["metrics"]["tokens"]["input"], found["result"]["metrics"]["tokens"]["output"]) == (
        3000,
        600,
    )
    shop.stop()
    shop.is_left_clean()


def worktrees(shop: Shop) -> list[str]:
    """The folders of the repository's worktrees."""
    lines = git(shop.root, "worktree", "list", "--porcelain").splitlines()
    return [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")]
