"""Everything that a tool started is gone when its run is over."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest
from process_world import World, is_gone, needs_proc

from orchestrator.adapters import process_table
from orchestrator.core.verdict import Ending, Ran


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


ESCAPES = {
    "a background child": "sleep 60 & echo $! > child; {}",
    "a child in a session of its own": "setsid sh -c 'echo $$ > child; exec sleep 60' & {}",
    "a daemon": "(setsid sh -c 'sh -c \"echo \\$\\$ > child; exec sleep 60\" & exit') & {}",
    "a child that ignores every request": (
        "(trap '' INT TERM HUP; setsid sh -c 'echo $$ > child; sleep 60; sleep 60') & {}"
    ),
    "a stopped child": "setsid sh -c 'echo $$ > child; kill -STOP $$; sleep 60' & {}",
}
UNTIL_STARTED = "until test -s child; do sleep 0.01; done"


@needs_proc
@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES)
def test_nothing_outlives_a_tool_that_ends_by_itself(world: World, script: str) -> None:
    ran = world.run(world.sh(script.format(UNTIL_STARTED)))
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 0)
    assert is_gone(int((world.folder / "child").read_text()))
    assert world.marked() == []


HYDRA = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        break
open("child", "a").write("x")
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.02)
"""


@needs_proc
@pytest.mark.parametrize("limit", [0.3, 20.0])
def test_a_tool_that_forks_all_the_time_is_caught(world: World, limit: float) -> None:
    world.run(world.python(HYDRA, timeout=timedelta(seconds=limit)))
    assert world.marked() == []


@needs_proc
def test_a_child_without_the_marks_is_known_by_descending_from_the_guard(world: World) -> None:
    tool = world.sh(f"env -i setsid sh -c 'echo $$ > child; sleep 60' & {UNTIL_STARTED}")
    assert world.run(tool).exit_code == 0
    assert is_gone(int((world.folder / "child").read_text()))


@needs_proc
def test_the_end_of_one_run_leaves_another_alone(world: World) -> None:
    long = world.sh("setsid sh -c 'echo $$ > child; sleep 60' & sleep 60")
    short = world.sh("sleep 60 & exit 0")

    async def story() -> bool:
        engine = world.engine()
        run = asyncio.create_task(engine.run(long))
        child = int(await world.appears("child"))
        await engine.run(short)
        alive = not is_gone(child)
        await engine.stop(long.id, Ending.CANCELLED)
        await run
        return alive and is_gone(child)

    assert asyncio.run(story())


@needs_proc
def test_start_up_leaves_alone_what_a_living_guard_looks_after(world: World) -> None:
    tool = world.sh("setsid sleep 60 & echo $$ > started; sleep 60")

    async def story() -> Ran:
        engine = world.engine()
        run = asyncio.create_task(engine.run(tool))
        pid = int(await world.appears("started"))
        assert await asyncio.to_thread(world.engine().sweep) == []
        assert not is_gone(pid)
        await engine.stop(tool.id, Ending.CANCELLED)
        return await run

    assert asyncio.run(story()).ending is Ending.CANCELLED
    assert world.marked() == []


def test_two_hundred_quick_runs_leave_no_descriptor_and_no_zombie(world: World) -> None:
    async def story() -> tuple[int, int]:
        engine = world.engine()
        await engine.run(world.sh("sleep 9 & (exit 0) & exit 0"))
        before = len(os.listdir("/dev/fd"))
        for _ in range(50):
            await asyncio.gather(*(engine.run(world.sh("(true &); true", stdin=b"x")) for _ in range(4)))
        assert [
            pid for pid in engine._starter._zygote.orphans() if (one := process_table.entry(pid)) and one.zombie
        ] == []
        return before, len(os.listdir("/dev/fd"))

    before, after = asyncio.run(story())
    assert after == before
    assert all(one.zombie is False for one in process_table.everything().values() if one.parent == os.getpid())
