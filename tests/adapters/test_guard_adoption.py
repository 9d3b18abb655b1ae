"""A daemon dies at any moment: the run goes on, the next daemon learns its true end, and nothing runs twice."""

import asyncio
import os
import random
import signal
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from process_world import World, is_gone, needs_proc, printed

from orchestrator.adapters import process_guard, process_table
from orchestrator.core.invocation import Bounds, Invocation
from orchestrator.core.verdict import Ending, Ran
from orchestrator.engines.local import Graces

DIE = "import os, signal; kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL); "
WAITING = "echo x > started; until test -e go; do sleep 0.02; done"
STEPS = {
    "before the guard is forked": DIE + "process_guard.lock = kill",
    "before the guard is told anything": DIE + "process_guard.Guarded.tell = kill",
    "with half of it told": DIE
    + "tell = process_guard.Guarded.tell; "
    + "process_guard.Guarded.tell = lambda self, data: (self._connection.send(data[: len(data) // 2]), kill())",
    "once it is told all": DIE
    + "process_guard.Guarded.tell = lambda self, data: (self._connection.send(data), kill())",
    "while it waits": DIE + "process_guard.Guarded.end = kill",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def counting(world: World, rest: str, **changes: object) -> Invocation:
    """A tool that notes each of its starts."""
    return world.sh(f"echo x >> starts; {rest}", **changes)


def starts(world: World) -> int:
    path = world.folder / "starts"
    return len(path.read_text().split()) if path.exists() else 0


def adopted(world: World, invocation: Invocation) -> Ran | None:
    return asyncio.run(world.engine().adopt(invocation.id, printed(invocation)))


async def orphaned(world: World, tool: Invocation, sign: str = "started") -> None:
    """A daemon begins it, and is killed once the tool has given the sign."""
    daemon = world.daemon([tool])
    await world.appears(sign)
    daemon.kill()


def ended(story: Coroutine[Any, Any, Ran | None]) -> Ran:
    """How it ended; there is such a run."""
    ran = asyncio.run(story)
    assert ran is not None
    return ran


def ended_when_adopted(world: World, tool: Invocation, sign: str = "started") -> Ran:
    """How a run ended that is adopted once its daemon is dead."""

    async def story() -> Ran | None:
        await orphaned(world, tool, sign)
        return await world.engine().adopt(tool.id, printed(tool))

    return ended(story())


@pytest.mark.parametrize("before", STEPS.values(), ids=STEPS)
def test_a_daemon_that_dies_at_a_step_leaves_a_whole_run_or_none(world: World, before: str) -> None:
    tool = counting(world, "echo answer; sleep 0.2; echo more; exit 7")
    world.daemon([tool], before=before).wait()
    ran = adopted(world, tool)
    if ran is None:
        assert starts(world) == 0
        assert sorted(path.suffix for path in world.folder.iterdir()) in ([], [".lock"])
        ran = world.run(tool)  # as the next daemon would
    assert (ran.ending, ran.exit_code, world.out(tool), starts(world)) == (Ending.EXITED, 7, b"answer\nmore\n", 1)
    assert adopted(world, tool) == ran


def test_a_daemon_that_dies_at_any_moment_leaves_a_whole_run_or_none(world: World) -> None:
    chance = random.Random(3)
    tools = [counting(world, f"echo {n}; sleep {n * 0.05:.2f}; echo {n}; exit {n}") for n in range(4)]
    again = [replace(tool, cwd=str(world.folder / str(n))) for n, tool in enumerate(tools)]

    async def one_round(delay: float) -> None:
        for tool in again:
            Path(tool.cwd).mkdir(exist_ok=True)
            (Path(tool.cwd) / "starts").unlink(missing_ok=True)
            for suffix in (".out", ".err", ".exit"):
                Path(f"{world.files(tool).base}{suffix}").unlink(missing_ok=True)
        daemon = world.daemon(again)
        while process_guard.presence(world.files(again[0])) is None:
            await asyncio.sleep(0.001)
        await asyncio.sleep(delay)
        daemon.kill()
        engine = world.engine()
        await asyncio.to_thread(engine.sweep)
        ended = await asyncio.gather(*(engine.adopt(tool.id, printed(tool)) for tool in again))
        for n, (tool, ran) in enumerate(zip(again, ended, strict=True)):
            noted = Path(tool.cwd) / "starts"
            if ran is None:
                assert not noted.exists()
            else:
                assert (ran.ending, ran.exit_code, world.out(tool)) == (Ending.EXITED, n, f"{n}\n{n}\n".encode())
                assert noted.read_text() == "x\n"

    for _ in range(5):
        asyncio.run(one_round(chance.random() * 0.1))


def test_a_daemon_that_dies_during_output_loses_none_of_it(world: World) -> None:
    tool = world.python(
        "import sys, time\n"
        "for n in range(300):\n"
        "    print(n, 'x' * 10_000, flush=True)\n"
        "    if n == 50: open('half', 'w').write('\\n')\n"
        "    time.sleep(0.001)"
    )
    ran = ended_when_adopted(world, tool, "half")
    assert (ran.ending, ran.exit_code, ran.left_out) == (Ending.EXITED, 0, 0)
    assert world.out(tool).decode() == "".join(f"{n} {'x' * 10_000}\n" for n in range(300))


@needs_proc
def test_a_daemon_that_dies_between_the_tools_end_and_its_record_loses_nothing(world: World) -> None:
    tool = world.sh(
        "(trap '' TERM; setsid sh -c 'echo $$ > child; sleep 60') & until test -s child; do :; done;"
        " echo $$ > started; exit 5"
    )

    async def story() -> Ran | None:
        daemon = world.daemon([tool], graces=Graces(leftovers=0.6))
        pid, child = int(await world.appears("started")), int(await world.appears("child"))
        while not is_gone(pid):
            await asyncio.sleep(0.005)
        daemon.kill()
        assert not world.files(tool).at(b".exit").exists()
        ran = await world.engine().adopt(tool.id, printed(tool))
        assert is_gone(child)
        return ran

    ran = ended(story())
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 5)


def test_an_adopted_run_is_stopped_as_an_own_one(world: World) -> None:
    tool = world.sh("trap 'echo bye; exit 9' INT; echo $$ > started; while :; do sleep 0.02; done")

    async def story() -> Ran | None:
        daemon = world.daemon([tool])
        pid = int(await world.appears("started"))
        daemon.kill()
        engine = world.engine()
        run = asyncio.create_task(engine.adopt(tool.id, printed(tool)))
        await asyncio.sleep(0)
        await engine.stop(tool.id, Ending.CANCELLED)
        ran = await run
        assert is_gone(pid)
        return ran

    ran = ended(story())
    assert (ran.ending, ran.exit_code, world.out(tool)) == (Ending.CANCELLED, 9, b"bye\n")


def test_a_daemon_that_comes_back_within_the_grace_ends_it(world: World) -> None:
    tool = world.sh("echo x > started; sleep 0.8; exit 4", bounds=Bounds(orphan_grace=timedelta(seconds=0.5)))
    ran = ended_when_adopted(world, tool)
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 4)


def test_an_adopter_that_dies_too_is_followed_by_the_next(world: World) -> None:
    tool = world.sh(f"{WAITING}; exit 4")

    async def story() -> Ran | None:
        await orphaned(world, tool)
        second = world.adopter(tool)
        while not process_table.holds(second.pid, ".ctl"):
            await asyncio.sleep(0.005)
        second.kill()
        third = asyncio.create_task(world.engine().adopt(tool.id, printed(tool)))
        await asyncio.sleep(0)
        (world.folder / "go").touch()
        return await third

    ran = ended(story())
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 4)


def test_a_run_that_goes_on_is_not_started_a_second_time(world: World) -> None:
    tool = counting(world, f"{WAITING}; exit 4")

    async def story() -> tuple[Ran, Ran | None]:
        await orphaned(world, tool)
        engine = world.engine()
        again = await engine.run(tool)
        (world.folder / "go").touch()
        return again, await engine.adopt(tool.id, printed(tool))

    second, first = asyncio.run(story())
    assert second.ending is Ending.NOT_STARTED
    assert "goes on already" in second.errors
    assert first is not None
    assert (first.ending, first.exit_code, starts(world)) == (Ending.EXITED, 4, 1)


def test_a_run_that_nobody_knows_is_nothing(world: World) -> None:
    assert adopted(world, world.sh("true")) is None


def test_a_record_that_is_torn_or_foreign_is_none(world: World) -> None:
    tool = world.sh("true")
    for content in (b"", b"{", b"[]", b'{"ending": "melted"}', b"null\n"):
        world.files(tool).at(b".exit").write_bytes(content)
        assert adopted(world, tool) is None


def test_the_limits_hold_while_no_daemon_is_there(world: World) -> None:
    tool = world.sh("echo x > started; sleep 60", timeout=timedelta(seconds=0.6))

    async def story() -> Ran | None:
        daemon = world.daemon([tool])
        await world.appears("started")
        guard = await world.guard_of(tool)
        daemon.kill()
        while not is_gone(guard):
            await asyncio.sleep(0.01)
        return await world.engine().adopt(tool.id, printed(tool))

    ran = ended(story())
    assert ran.ending is Ending.TIMED_OUT


def test_where_nothing_tells_of_a_guards_end_its_lock_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    tool = world.sh("echo x > started; sleep 0.3; exit 4")
    ran = ended_when_adopted(world, tool)
    assert ran.exit_code == 4


def test_a_zygote_that_was_killed_is_replaced_and_its_runs_go_on(world: World) -> None:
    tool = world.sh(f"{WAITING}; exit 4")

    async def story() -> tuple[Ran, Ran]:
        engine = world.engine()
        run = asyncio.create_task(engine.run(tool))
        await world.appears("started")
        os.kill(engine._starter._zygote.pid, signal.SIGKILL)
        other = await engine.run(world.sh("exit 5"))
        (world.folder / "go").touch()
        return await run, other

    first, second = asyncio.run(story())
    assert (first.exit_code, second.exit_code) == (4, 5)
