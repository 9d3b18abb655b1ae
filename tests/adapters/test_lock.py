"""One writer a workspace."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.adapters.lock import NAME, SIZE, WorkspaceLock, holder
from orchestrator.errors import BusyError, OrchestratorError

SINCE = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)

HOLD = """
import sys
from pathlib import Path
from orchestrator.adapters.lock import WorkspaceLock
lock = WorkspaceLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def hold_elsewhere(state: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def wait_for_door(path: Path) -> None:
    """Until this process has the file open twice: once looking, once trying to lock it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if sum(os.path.realpath(f"/proc/self/fd/{fd}") == str(path) for fd in os.listdir("/proc/self/fd")) > 1:
            return
    raise AssertionError("nobody came to the door")


def test_a_second_holder_is_told_who_holds_it_and_since_when(tmp_path: Path) -> None:
    first = WorkspaceLock(tmp_path, now=lambda: SINCE)
    first.acquire()
    with pytest.raises(BusyError) as refusal:
        WorkspaceLock(tmp_path).acquire()
    assert f"process {os.getpid()}" in str(refusal.value)
    assert "since 2026-02-12T11:01:00" in str(refusal.value)
    first.release()


def test_the_lock_is_free_again_after_release(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path):
        pass
    with WorkspaceLock(tmp_path) as second:
        assert second.is_held()


def test_another_process_that_is_killed_leaves_nothing_that_blocks(tmp_path: Path) -> None:
    process = hold_elsewhere(tmp_path)
    try:
        with pytest.raises(BusyError, match=f"process {process.pid}"):
            WorkspaceLock(tmp_path).acquire()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert holder(tmp_path) is None
        with WorkspaceLock(tmp_path):
            said = holder(tmp_path)
            assert said is not None
            assert said.pid == os.getpid()
    finally:
        process.kill()
        process.communicate()


def test_nobody_holds_a_workspace_that_was_never_locked(tmp_path: Path) -> None:
    assert holder(tmp_path / "absent") is None
    assert not (tmp_path / "absent").exists()


def test_a_command_that_holds_it_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    command = WorkspaceLock(tmp_path, what="submit")
    command.acquire()
    daemon = WorkspaceLock(tmp_path)
    thread = threading.Thread(target=daemon.acquire)
    thread.start()
    wait_for_door(tmp_path / NAME)
    command.release()
    thread.join()
    assert daemon.is_held()
    daemon.release()


def test_what_the_holder_says_is_always_the_same_size_in_the_same_file(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path) as lock:
        inode = (tmp_path / NAME).stat().st_ino
        assert lock.say("paused", "disk full: " + "\N{SNOWMAN}" * 5000)
        content = (tmp_path / NAME).read_bytes()
        assert len(content) == SIZE
        assert json.loads(content)["why"].startswith("disk full: ")
        assert lock.say("running")
        assert json.loads((tmp_path / NAME).read_bytes())["why"] == ""
        assert (tmp_path / NAME).stat().st_ino == inode
        said = holder(tmp_path)
        assert said is not None
        assert (said.state, said.what) == ("running", "daemon")


def test_saying_without_holding_writes_nothing(tmp_path: Path) -> None:
    assert not WorkspaceLock(tmp_path).say("running")
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff" * 10, b'{"pid": "x"}', b"{" * 9000])
def test_what_stands_in_the_file_never_matters_to_who_gets_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert holder(tmp_path) is None
    with WorkspaceLock(tmp_path):
        assert holder(tmp_path) is not None


def test_a_holder_that_has_said_nothing_readable_is_still_a_holder(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path):
        (tmp_path / NAME).write_bytes(b"nonsense")
        assert holder(tmp_path) is not None
        with pytest.raises(BusyError, match="unknown"):
            WorkspaceLock(tmp_path).acquire()


def test_the_holder_notices_that_the_file_was_taken_away(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path) as lock:
        assert lock.is_held()
        (tmp_path / NAME).unlink()
        assert not lock.is_held()


def test_somebody_who_only_looks_does_not_turn_a_daemon_away(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"")
    with (tmp_path / NAME).open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        lock = WorkspaceLock(tmp_path)
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        wait_for_door(tmp_path / NAME)
        fcntl.flock(looking, fcntl.LOCK_UN)
        thread.join()
    assert lock.is_held()
    lock.release()


def test_a_state_folder_that_cannot_be_made_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    with pytest.raises(OrchestratorError, match="cannot be locked"):
        WorkspaceLock(tmp_path / "state").acquire()


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    (tmp_path / NAME).symlink_to(tmp_path / "other")
    with pytest.raises(OrchestratorError, match="cannot be locked"):
        WorkspaceLock(tmp_path).acquire()
    assert (tmp_path / "other").read_text() == "precious"


def test_a_child_does_not_keep_the_lock_alive(tmp_path: Path) -> None:
    lock = WorkspaceLock(tmp_path)
    lock.acquire()
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        lock.release()
        with WorkspaceLock(tmp_path) as again:
            assert again.is_held()
    finally:
        child.kill()
        child.wait()
