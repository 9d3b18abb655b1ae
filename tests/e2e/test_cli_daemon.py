"""The program beside a daemon that runs."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_world import World, repository, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace."""
    made = repository(tmp_path)
    made.well("init")
    return made


@pytest.fixture
def daemon(world: World) -> "Iterator[subprocess.Popen[str]]":
    """A daemon of it, that runs."""
    process = world.begin("daemon")
    try:
        wait_until(lambda: world.well("status", "--json").data["daemon"]["state"] == "running", "it runs")
        yield process
    finally:
        process.kill()
        process.communicate()


def status_of(world: World, task: str) -> str:
    return str(world.well("show", task, "--json").data["state"]["status"])


def test_a_command_reaches_the_daemon_and_the_task_is_done(world: World, daemon: "subprocess.Popen[str]") -> None:
    task = world.well("submit", "--agent", "writer", "--title", "Sum up README.md", "--json").data["id"]
    wait_until(lambda: status_of(world, task) == "done", "it is done")
    ended = world("cancel", task)
    assert ended.code == 1
    assert "done is final" in ended.err
    assert f"process {daemon.pid}" in world.well("status").out


def test_a_second_daemon_says_who_holds_the_workspace_and_since_when(
    world: World, daemon: "subprocess.Popen[str]"
) -> None:
    ended = world("daemon", "--once")
    assert ended.code == 5
    assert f"process {daemon.pid}" in ended.err
    assert "since 20" in ended.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_well(world: World, daemon: "subprocess.Popen[str]", number: signal.Signals) -> None:
    daemon.send_signal(number)
    out, err = daemon.communicate(timeout=30)
    assert daemon.returncode == 0, err
    assert out.startswith("ended:")
    assert not world.well("status", "--json").data["daemon"]["running"]


def test_a_daemon_that_was_killed_is_not_waited_for(world: World, daemon: "subprocess.Popen[str]") -> None:
    daemon.kill()
    daemon.wait()
    assert "not running" in world.well("status").out
    assert world.well("submit", "--agent", "writer", "--title", "x").code == 0
