"""Of tools that try to get away nothing is left, whatever ends them."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from process_world import World, is_gone, needs_proc, printed

from orchestrator.core.invocation import Bounds
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran
from orchestrator.engines.local import Graces

pytestmark = needs_proc
BRIEF = Graces(interrupt=0.1, terminate=0.1, leftovers=0.1)  # they would not use a longer one


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def ended_by_stops(world: World, ending: Ending) -> list[Ran]:
    zoo, engine = world.zoo("unmarked too"), world.engine(BRIEF)
    runs = [asyncio.create_task(engine.run(tool)) for tool in zoo]
    pids = await world.all_up(len(zoo))
    for tool in zoo:
        await engine.stop(tool.id, ending)
    ended = await asyncio.gather(*runs)
    assert [pid for pid in pids if not is_gone(pid)] == []
    return ended


def test_nothing_outlives_a_cancel(world: World) -> None:
    ended = asyncio.run(ended_by_stops(world, Ending.CANCELLED))
    assert {ran.ending for ran in ended} == {Ending.CANCELLED}
    assert [ran.errors for ran in ended if ran.errors] == []
    assert world.marked() == []


def test_nothing_outlives_a_limit(world: World) -> None:
    async def story() -> list[Ran]:
        engine = world.engine(BRIEF)
        zoo = world.zoo("unmarked too", timeout=timedelta(seconds=1.5))
        runs = [asyncio.create_task(engine.run(tool)) for tool in zoo]
        pids = await world.all_up(len(zoo))
        ended = await asyncio.gather(*runs)
        assert [pid for pid in pids if not is_gone(pid)] == []
        return ended

    assert {ran.ending for ran in asyncio.run(story())} == {Ending.TIMED_OUT}
    assert world.marked() == []


def test_nothing_outlives_a_daemon_that_does_not_come_back_within_the_grace(world: World) -> None:
    zoo = world.zoo("unmarked too", bounds=Bounds(orphan_grace=timedelta(seconds=0.5)))

    async def story() -> list[Ran | None]:
        daemon = world.daemon(zoo, graces=BRIEF)
        pids = await world.all_up(len(zoo))
        guards = [await world.guard_of(tool) for tool in zoo]
        daemon.kill()
        while not all(map(is_gone, guards)):
            await asyncio.sleep(0.01)
        assert [pid for pid in pids if not is_gone(pid)] == []
        engine = world.engine(BRIEF)
        return [await engine.adopt(tool.id, printed(tool)) for tool in zoo]

    assert {ran.ending for ran in asyncio.run(story()) if ran} == {Ending.ORPHANED}
    assert world.marked() == []


def test_nothing_outlives_its_guard_where_the_daemon_sees_that_it_was_killed(world: World) -> None:
    async def story() -> list[Ran]:
        zoo, engine = world.zoo("unmarked too"), world.engine(BRIEF)
        runs = [asyncio.create_task(engine.run(tool)) for tool in zoo]
        pids = await world.all_up(len(zoo))
        for tool in zoo:
            os.kill(await world.guard_of(tool), signal.SIGKILL)
        ended = await asyncio.gather(*runs)
        assert [pid for pid in pids if not is_gone(pid)] == []
        return ended

    ended = asyncio.run(story())
    assert {(ran.ending, ran.failure, ran.errors) for ran in ended} == {
        (Ending.INTERRUPTED, ErrorKind.LOST, "its guard was killed")
    }
    assert world.marked() == []


@pytest.mark.parametrize("how", ["adopt", "sweep"])
def test_nothing_outlives_guard_and_daemon_once_the_next_daemon_begins(world: World, how: str) -> None:
    async def story() -> None:
        zoo = world.zoo()
        daemon = world.daemon(zoo, graces=BRIEF)
        pids = await world.all_up(len(zoo))
        guards = [await world.guard_of(tool) for tool in zoo]
        daemon.kill()
        for guard in guards:
            os.kill(guard, signal.SIGKILL)
        engine = world.engine(BRIEF)
        if how == "sweep":
            assert await asyncio.to_thread(engine.sweep)
            assert [pid for pid in pids if not is_gone(pid)] == []
        assert [await engine.adopt(tool.id, printed(tool)) for tool in zoo] == [None] * len(zoo)
        assert [pid for pid in pids if not is_gone(pid)] == []
        assert sorted(path.suffix for path in world.folder.iterdir() if path.stem == "1") == [".err", ".out"]

    asyncio.run(story())
    assert world.marked() == []


def test_a_tool_that_kills_its_guard_is_told_as_such_and_gone(world: World) -> None:
    ran = world.run(world.sh("setsid sleep 60 & echo $! > child; kill -9 $PPID; sleep 60"))
    assert (ran.ending, ran.failure) == (Ending.INTERRUPTED, ErrorKind.LOST)
    assert is_gone(int((world.folder / "child").read_text()))
    assert world.marked() == []
