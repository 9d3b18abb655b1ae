"""What a tool may take, and that it is ended where it takes more."""

import resource
import shlex
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from process_world import World, needs_proc

from orchestrator.core.invocation import Bounds
from orchestrator.core.verdict import Ending


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@needs_proc
def test_a_silent_tool_is_ended_with_all_that_it_started(world: World) -> None:
    tool = world.sh(
        "setsid sleep 60 & env -i setsid sleep 60 & sleep 60", bounds=Bounds(silence=timedelta(seconds=0.3))
    )
    ran = world.run(tool)
    assert (ran.ending, ran.failure) == (Ending.SILENT, None)
    assert world.marked() == []


def test_a_tool_that_speaks_now_and_then_is_not_silent(world: World) -> None:
    script = "for i in 1 2 3 4 5; do sleep 0.15; echo $i >&2; done"
    ran = world.run(world.sh(script, bounds=Bounds(silence=timedelta(seconds=0.6))))
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 0)


@needs_proc
def test_memory_of_all_its_processes_together_is_bounded(world: World) -> None:
    hog = "import time; held = bytearray(60 << 20); held[::4096] = b'x' * len(held[::4096]); time.sleep(60)"
    python = shlex.quote(sys.executable)
    script = f'{python} -S -c "{hog}" & {python} -S -c "{hog}" & wait'
    ran = world.run(world.sh(script, bounds=Bounds(memory=100 << 20)))
    assert ran.ending is Ending.OVER_LIMIT
    assert "MiB of memory where 100 are allowed" in ran.errors
    assert world.marked() == []


@needs_proc
def test_memory_that_processes_share_counts_once(world: World) -> None:
    script = (
        "import os, time\n"
        "held = bytearray(60 << 20); held[::4096] = b'x' * len(held[::4096])\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0: time.sleep(0.6); os._exit(0)\n"
        "for _ in range(4): os.wait()"
    )
    ran = world.run(world.python(script, bounds=Bounds(memory=150 << 20)))
    assert (ran.ending, ran.exit_code, ran.errors) == (Ending.EXITED, 0, "")


@needs_proc
def test_a_fork_bomb_is_ended(world: World) -> None:
    bomb = "import os, time\nfor _ in range(60):\n    if os.fork() == 0: time.sleep(60)\ntime.sleep(60)"
    ran = world.run(world.python(bomb, bounds=Bounds(processes=20)))
    assert ran.ending is Ending.OVER_LIMIT
    assert "where 20 are allowed" in ran.errors
    assert world.marked() == []


@needs_proc
def test_as_many_processes_as_are_allowed_are_left_alone(world: World) -> None:
    script = "for i in 1 2 3 4; do sleep 0.5 & done; wait"
    ran = world.run(world.sh(script, bounds=Bounds(processes=5)))
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 0)


def test_no_file_grows_past_its_bound(world: World) -> None:
    world.run(world.sh("head -c 2000000 /dev/zero > big; :", bounds=Bounds(file_size=1_000_000)))
    assert (world.folder / "big").stat().st_size == 1_000_000


def test_a_tool_leaves_no_core_behind_and_keeps_our_other_limits(world: World) -> None:
    invocation = world.sh("ulimit -c; ulimit -n; ulimit -f", bounds=Bounds(file_size=None))
    world.run(invocation)
    core, files, size = world.out(invocation).decode().split()
    assert (core, int(files)) == ("0", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    assert size == "unlimited"
