"""What a sweep finds and ends, and what it leaves alone."""

import os
import signal
import subprocess
import time

import pytest

from orchestrator.adapters import process_end, process_table
from orchestrator.core.types import InvocationId

pytestmark = pytest.mark.skipif(not process_table.is_readable(), reason="this system has no /proc")


def test_an_id_that_a_stranger_has_since_is_not_signalled() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        found = process_table.entry(process.pid)
        assert found is not None
        stranger = process_table.Entry(
            pid=found.pid, parent=0, session=0, started=found.started - 1, zombie=False, command="gone"
        )
        left = process_end.end_all(iter([[stranger], [stranger], [], [], []]).__next__, grace=0.0)
        assert left == ()
        assert process.poll() is None
        process.kill()


def test_a_sweep_of_certain_invocations_leaves_the_others() -> None:
    def start(invocation: str) -> "subprocess.Popen[bytes]":
        marks = {"ORCHESTRATOR_INVOCATION": invocation, "ORCHESTRATOR_WORKSPACE": "/nowhere/state"}
        return subprocess.Popen(["/bin/sleep", "60"], env=marks)

    with start("A") as one, start("B") as other:
        # The sweep collects what it killed, as a daemon would its own; Popen then reports 0.
        assert process_end.sweep_marked("/nowhere/state", {InvocationId("A")}, grace=5) == [one.pid]
        assert other.poll() is None
        assert process_end.sweep_marked("/nowhere/else") == []
        assert process_end.sweep_marked("/nowhere/state") == [other.pid]


def test_a_command_with_blanks_and_parentheses_is_read() -> None:
    script = (
        "import ctypes, sys; ctypes.CDLL(None).prctl(15, b'a ) S 1 (b', 0, 0, 0); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = process_table.entry(process.pid)
        assert found is not None
        assert (found.command, found.parent) == ("a ) S 1 (b", os.getpid())
        process.communicate()


def test_nobody_is_found_for_an_id_that_does_not_exist() -> None:
    assert process_table.entry(2**30) is None
    assert process_table.children(2**30) == ()
    assert process_table.mark(2**30, "PATH") is None


def test_we_are_our_own_ancestor_and_our_parent_too() -> None:
    assert {os.getpid(), os.getppid()} <= process_table.ancestors(os.getpid())


def test_descendants_are_found_at_every_depth() -> None:
    with subprocess.Popen(["sh", "-c", "sh -c 'sleep 60; :'; :"]) as process:
        deadline = time.monotonic() + 20
        while len(below := process_table.descendants(process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(below) == 2
        process.kill()
        for pid, _ in below:
            os.kill(pid, signal.SIGKILL)
