"""Stops and kills at moments that chance picks: never twice, never anything left, and the end is told."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from process_world import World, needs_proc, printed

import orchestrator
from orchestrator.adapters import process_guard
from orchestrator.core.invocation import Invocation
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran

RUNS = 16


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def tools(world: World) -> list[Invocation]:
    made = []
    for number in range(RUNS):
        own = world.folder / f"own{number}"
        own.mkdir()
        made.append(world.sh("echo x >> starts; setsid sleep 60 & (sleep 60 &) ; sleep 60", cwd=str(own)))
    return made


def starts(tool: Invocation) -> int:
    path = Path(tool.cwd) / "starts"
    return path.read_text().count("x") if path.exists() else 0


@needs_proc
def test_a_stop_at_any_moment_ends_all_of_it(world: World) -> None:
    chance = random.Random(1)

    async def stopped(tool: Invocation) -> Ran:
        run = asyncio.create_task(engine.run(tool))
        await asyncio.sleep(chance.random() * 0.05)
        await engine.stop(tool.id, Ending.CANCELLED)
        return await run

    async def story() -> None:
        for tool in tools(world):
            assert (await stopped(tool)).ending is Ending.CANCELLED
            assert starts(tool) <= 1

    engine = world.engine()
    asyncio.run(story())
    assert world.marked() == []


@needs_proc
def test_a_caller_that_goes_away_at_any_moment_leaves_nothing(world: World) -> None:
    chance = random.Random(2)

    async def story() -> None:
        engine = world.engine()
        for tool in tools(world):
            run = asyncio.create_task(engine.run(tool))
            await asyncio.sleep(chance.random() * 0.03)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            assert not process_guard.is_alive(world.files(tool))

    asyncio.run(story())
    assert world.marked() == []


@needs_proc
def test_a_guard_that_is_killed_at_any_moment_is_noticed_and_its_tool_is_gone(world: World) -> None:
    chance = random.Random(3)

    async def story() -> None:
        engine = world.engine()
        for tool in tools(world):
            run = asyncio.create_task(engine.run(tool))
            pid = await world.guard_of(tool)
            await asyncio.sleep(chance.random() * 0.02)
            os.kill(pid, signal.SIGKILL)
            ran = await run
            assert (ran.ending, ran.failure) == (Ending.INTERRUPTED, ErrorKind.LOST)
            assert starts(tool) <= 1
            assert not world.files(tool).at(b".guard").exists()

    asyncio.run(story())
    assert world.marked() == []


@needs_proc
def test_a_zygote_that_is_killed_at_any_moment_costs_no_run(world: World) -> None:
    chance = random.Random(4)

    async def story() -> None:
        engine = world.engine()
        for number in range(RUNS):
            tool = world.sh(f"echo x >> starts; exit {number}")
            run = asyncio.create_task(engine.run(tool))
            await asyncio.sleep(chance.random() * 0.01)
            if zygote := engine._starter._zygote.pid:
                os.kill(zygote, signal.SIGKILL)
            ran = await run
            assert (ran.ending, ran.exit_code) == (Ending.EXITED, number)
        assert (world.folder / "starts").read_text().count("x") == RUNS

    asyncio.run(story())


def test_a_guard_imports_next_to_nothing() -> None:
    root = str(Path(orchestrator.__file__).parent.parent)
    script = (
        "import sys; sys.path.append(sys.argv[1]); from orchestrator.guard import zygote;"
        " print(*(name for name in sys.modules if name.startswith('orchestrator')"
        " and not name.startswith('orchestrator.guard') or name in sys.argv[2:]))"
    )
    heavy = ["dataclasses", "typing", "pathlib", "subprocess", "socket", "asyncio", "inspect", "threading", "logging"]
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, root, *heavy], capture_output=True, check=True, text=True, env={}
    )
    assert said.stdout.split() == ["orchestrator"]


@needs_proc
def test_a_tool_runs_on_though_its_daemon_is_gone_and_the_daemons_zygote_is_not_left(world: World) -> None:
    tool = world.sh("echo x > started; until test -e go; do sleep 0.01; done")

    async def story() -> None:
        daemon = world.daemon([tool])
        await world.appears("started")
        guard = await world.guard_of(tool)
        parent = int(Path(f"/proc/{guard}/stat").read_text().rpartition(")")[2].split()[1])
        assert parent != daemon.pid
        daemon.kill()
        while Path(f"/proc/{parent}").exists() and parent != 1:
            await asyncio.sleep(0.005)
        (world.folder / "go").touch()
        ran = await world.engine().adopt(tool.id, printed(tool))
        assert ran is not None
        assert ran.exit_code == 0

    asyncio.run(story())
