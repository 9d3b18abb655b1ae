"""The daemon is told to stop, to read its configuration again, and tells its service manager how it stands."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from situations import AGENTS, POLICIES, Workspace, git, make_repository

ENDINGS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose daemon does not run yet."""
    made = Workspace(make_repository(tmp_path / "repository")).init()
    yield made
    made.close()


def with_a_tool_at_work(workspace: Workspace) -> Workspace:
    """A daemon with a tool that runs until the gate is opened."""
    workspace.drop("long", agent="gated")
    workspace.daemon()
    workspace.wait_until(lambda: workspace.runs() == ["long"], "the tool runs")
    return workspace


@ENDINGS
def test_what_ends_within_the_grace_is_done_and_nothing_new_is_begun(
    workspace: Workspace, number: signal.Signals
) -> None:
    with_a_tool_at_work(workspace).signal(number)
    workspace.wait_until(lambda: workspace.state == "stopping", "it is stopping")
    workspace.drop("too-late")
    workspace.open_gate()
    assert workspace.wait_for_end() == 0
    assert workspace.is_done("long")
    assert workspace.where("too-late") == ["inbox/too-late.yaml"]
    workspace.is_well()


def test_a_tool_that_outlasts_the_grace_is_interrupted_and_its_task_runs_again_at_the_next_start(
    workspace: Workspace,
) -> None:
    with_a_tool_at_work(workspace).signal(signal.SIGTERM)
    assert workspace.wait_for_end() == 0
    assert workspace.where("long") == ["assigned/gated/long.yaml"]
    assert workspace.status_of("long") == "assigned"
    assert "task: interrupted long" in git(workspace.work, "log", "--format=%s").splitlines()
    workspace.is_well()
    workspace.open_gate()
    workspace.daemon("--until-idle")
    assert workspace.is_done("long")
    assert workspace.runs() == ["long", "long"]
    workspace.is_well()


@ENDINGS
def test_a_second_signal_ends_at_once_what_runs(workspace: Workspace, number: signal.Signals) -> None:
    with_a_tool_at_work(workspace).signal(number)
    workspace.wait_until(lambda: workspace.state == "stopping", "it is stopping")
    began = time.monotonic()
    workspace.signal(number)
    assert workspace.wait_for_end() == 0
    assert time.monotonic() - began < 8  # the grace alone is 10 s
    assert workspace.status_of("long") == "assigned"
    workspace.is_well()


def test_a_good_configuration_is_in_force_after_a_hangup(workspace: Workspace) -> None:
    workspace.daemon()
    workspace.drop("for-nobody-yet", agent="newcomer")
    workspace.wait_until(
        lambda: workspace.where("for-nobody-yet") == ["rejected/for-nobody-yet.yaml"], "it is rejected"
    )
    workspace.configure(agents=f"{AGENTS}  newcomer: {{preferred_tool: quick, preferred_model: none}}\n")
    workspace.signal(signal.SIGHUP)
    workspace.drop("for-the-newcomer", agent="newcomer")
    workspace.wait_done("for-the-newcomer")
    workspace.stop()
    workspace.is_well()


def test_a_bad_configuration_is_refused_after_a_hangup_and_the_last_good_one_stays(workspace: Workspace) -> None:
    workspace.daemon()
    workspace.configure(policies=POLICIES.replace("max_parallel: 2", "max_paralel: 2"))
    workspace.signal(signal.SIGHUP)
    workspace.wait_until(lambda: "max_paralel" in workspace.said(), "it says what is wrong")
    assert "config/policies.yaml:2:" in workspace.said()
    assert "max_parallel" in workspace.said()  # what was meant
    workspace.drop("still-done")
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    ended = workspace.program("daemon", "--once")  # a new daemon has no last good one
    assert ended.code == 78
    assert "max_paralel" in ended.err


def test_status_says_that_the_new_configuration_was_refused_until_a_good_one_came(workspace: Workspace) -> None:
    workspace.daemon()
    workspace.configure(policies="policies: 7\n")
    workspace.signal(signal.SIGHUP)
    workspace.wait_until(lambda: "last good" in workspace.well("status").out, "status says it")
    workspace.drop("meanwhile")
    workspace.wait_done()
    assert "last good" in workspace.well("status").out
    workspace.configure()
    workspace.signal(signal.SIGHUP)
    workspace.wait_until(lambda: "last good" not in workspace.well("status").out, "it is over")
    workspace.stop()


def test_the_service_manager_is_told_when_it_is_ready_how_it_stands_and_when_it_stops(
    workspace: Workspace, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        workspace.env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        workspace.daemon()
        told = [manager.recv(4096).decode()]
        while told[-1] != "READY=1":
            told.append(manager.recv(4096).decode())
        assert any(line.startswith("STATUS=") for line in told)
        workspace.signal(signal.SIGHUP)
        while told[-1] != "RELOADING=1":
            told.append(manager.recv(4096).decode())
        while told[-1] != "READY=1":
            told.append(manager.recv(4096).decode())
        workspace.stop()
        while told[-1] != "STATUS=stopped":
            told.append(manager.recv(4096).decode())
        assert "STOPPING=1" in told


def test_a_second_daemon_ends_with_5_naming_the_first_and_since_when(workspace: Workspace) -> None:
    workspace.daemon()
    for words in ([], ["--once"], ["--until-idle"]):
        ended = workspace.program("daemon", *words)
        assert ended.code == 5
        assert f"process {workspace.pid}" in ended.err
        assert "since 20" in ended.err
    workspace.drop("still-done")
    workspace.wait_done()
    workspace.stop()


def test_once_does_what_is_there_and_ends(workspace: Workspace) -> None:
    for number in range(5):
        workspace.drop(f"there-{number}")
    workspace.daemon("--once")
    assert all(workspace.is_done(task) for task in workspace.dropped)
    workspace.is_well()
    workspace.ran_once()


def test_until_idle_ends_where_tasks_can_never_start_and_names_them(workspace: Workspace) -> None:
    workspace.drop("waits", depends_on="[nowhere]")
    workspace.drop("round", depends_on="[about]")
    workspace.drop("about", depends_on="[round]")
    workspace.drop("by-hand", agent="person")
    workspace.drop("can-be-done")
    workspace.daemon("--until-idle")
    assert workspace.is_done("can-be-done")
    assert workspace.where("waits") == ["inbox/waits.yaml"]
    assert workspace.status_of("round") == workspace.status_of("about") == "blocked"
    assert workspace.status_of("by-hand") == "assigned"
    shown = workspace.well("status").out
    assert "waits  waits for nowhere" in workspace.said()
    assert "2 of them need you" in workspace.said()
    assert all(task in shown for task in ("round", "about", "by-hand"))
    assert "its dependencies go in a circle: about → round → about" in shown
    workspace.is_well()
