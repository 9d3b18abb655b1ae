"""Runs of real processes: how each ends, and what is told of it."""

import asyncio
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from process_world import World, is_gone

from orchestrator.adapters import process_table
from orchestrator.core.invocation import Bounds
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran
from orchestrator.engines.local import Graces, LocalEngine


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# --- what came of it ---
def test_output_and_exit_code_are_reported(world: World) -> None:
    invocation = world.sh("echo answer; echo trouble >&2; exit 3")
    ran = world.run(invocation)
    assert (ran.ending, ran.exit_code, ran.errors, ran.left_out) == (Ending.EXITED, 3, "", 0)
    assert (world.out(invocation), world.err(invocation)) == (b"answer\n", b"trouble\n")
    assert not ran.truncated


def test_output_is_on_disk_as_it_was_written(world: World) -> None:
    invocation = world.sh("printf 'na\\303\\257ve \\377'; printf e >&2")
    world.run(invocation)
    assert (world.out(invocation), world.err(invocation)) == (b"na\xc3\xafve \xff", b"e")


def test_a_signal_is_a_negative_exit_code(world: World) -> None:
    assert world.run(world.sh("kill -SEGV $$")).exit_code == -signal.SIGSEGV


def test_the_tool_sees_its_environment_and_the_marks_and_nothing_else(world: World) -> None:
    invocation = world.invocation("env", env={"PATH": os.environ["PATH"], "A": "1", "ORCHESTRATOR_INVOCATION": "x"})
    world.run(invocation)
    assert sorted(world.out(invocation).decode().splitlines()) == [
        "A=1",
        "ORCHESTRATOR_INVOCATION=I1",
        f"ORCHESTRATOR_WORKSPACE={world.folder}",
        f"PATH={os.environ['PATH']}",
    ]


def test_the_tool_leads_a_session_of_its_own_and_works_where_it_is_told(world: World, tmp_path: Path) -> None:
    (tmp_path / "in here").mkdir()
    script = "import os; print(os.getpid() == os.getsid(0) == os.getpgid(0), os.getcwd())"
    invocation = world.python(script, cwd=str(tmp_path / "in here"))
    world.run(invocation)
    assert world.out(invocation).decode() == f"True {tmp_path / 'in here'}\n"


def test_the_tool_inherits_no_descriptor(world: World) -> None:
    with Path(os.devnull).open() as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003 - the function takes no name for it
        invocation = world.python("import os; print(sorted(os.listdir('/proc/self/fd'))[:5])")
        world.run(invocation)
    assert world.out(invocation).startswith(b"['0', '1', '2', '3']")  # 3: the folder that it lists


def test_of_a_long_output_the_first_half_of_what_is_kept_and_the_last_are_on_disk(world: World) -> None:
    script = "import sys; sys.stdout.write('a' * 900_000 + 'b' * 900_000)"
    invocation = world.python(script, bounds=Bounds(kept=1_000_000))
    ran = world.run(invocation)
    assert (ran.ending, ran.truncated, ran.left_out, ran.failure) == (Ending.EXITED, True, 800_000, None)
    note = b"\n[... 800,000 bytes left out ...]\n"
    assert world.out(invocation) == b"a" * 500_000 + note + b"b" * 500_000


# --- limits and stops ---
def test_a_timeout_interrupts_first(world: World) -> None:
    script = "trap 'echo interrupted; exit 9' INT; while :; do sleep 0.02; done"
    invocation = world.sh(script, timeout=timedelta(seconds=0.6))
    ran = world.run(invocation)
    assert (ran.ending, ran.exit_code) == (Ending.TIMED_OUT, 9)
    assert world.out(invocation) == b"interrupted\n"


def test_a_tool_that_ignores_the_interrupt_is_terminated(world: World) -> None:
    script = "trap '' INT; trap 'echo terminated; exit 9' TERM; while :; do sleep 0.02; done"
    invocation = world.sh(script, timeout=timedelta(seconds=0.6))
    ran = world.run(invocation)
    assert (ran.ending, ran.exit_code) == (Ending.TIMED_OUT, 9)
    assert world.out(invocation) == b"terminated\n"


def test_a_tool_that_ignores_both_is_killed(world: World) -> None:
    script = "trap '' INT TERM; while :; do sleep 0.02; done"
    ran = world.run(world.sh(script, timeout=timedelta(seconds=0.4)))
    assert (ran.ending, ran.exit_code) == (Ending.TIMED_OUT, -signal.SIGKILL)


def test_a_tool_that_stopped_itself_is_ended_as_well(world: World) -> None:
    ran = world.run(world.sh("kill -STOP $$", timeout=timedelta(seconds=0.4)))
    assert (ran.ending, ran.exit_code) == (Ending.TIMED_OUT, -signal.SIGINT)


@pytest.mark.parametrize("ending", [Ending.CANCELLED, Ending.INTERRUPTED])
def test_a_stop_ends_the_run_with_its_ending(world: World, ending: Ending) -> None:
    invocation = world.sh("echo $$ > started; sleep 60")

    async def stop(engine: LocalEngine) -> None:
        await world.appears("started")
        await engine.stop(invocation.id, ending)

    assert world.run_while(invocation, stop).ending is ending
    assert is_gone(int((world.folder / "started").read_text()))


def test_a_second_stop_skips_the_graces(world: World) -> None:
    invocation = world.sh("trap '' INT TERM; echo $$ > started; while :; do sleep 0.02; done")

    async def stop_twice(engine: LocalEngine) -> None:
        await world.appears("started")
        await engine.stop(invocation.id, Ending.INTERRUPTED)
        await engine.stop(invocation.id, Ending.CANCELLED)

    patient = Graces(interrupt=3600, terminate=3600, leftovers=0.3)
    ran = world.run_while(invocation, stop_twice, graces=patient)
    assert (ran.ending, ran.exit_code) == (Ending.INTERRUPTED, -signal.SIGKILL)


def test_a_stop_before_the_start_starts_nothing(world: World) -> None:
    invocation = world.sh("touch started")

    async def story() -> Ran:
        engine = world.engine()
        await engine.stop(invocation.id, Ending.CANCELLED)
        return await engine.run(invocation)

    assert asyncio.run(story()).ending is Ending.CANCELLED
    assert not (world.folder / "started").exists()


def test_a_stop_after_the_end_changes_nothing(world: World) -> None:
    first, second = world.sh("exit 4"), world.sh("exit 5")

    async def story() -> tuple[Ran, Ran]:
        engine = world.engine()
        ran = await engine.run(first)
        await engine.stop(first.id, Ending.CANCELLED)
        return ran, await engine.run(second)

    one, other = asyncio.run(story())
    assert (one.ending, one.exit_code, other.ending, other.exit_code) == (Ending.EXITED, 4, Ending.EXITED, 5)


def test_a_run_whose_caller_is_gone_leaves_nothing(world: World) -> None:
    invocation = world.sh("trap '' INT TERM; setsid sleep 60 & echo $! > started; sleep 60")

    async def story() -> None:
        run = asyncio.create_task(world.engine(Graces()).run(invocation))
        await world.appears("started")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(story())
    assert is_gone(int((world.folder / "started").read_text()))
    assert world.marked() == []


def test_a_flood_of_output_is_stopped_and_cut(world: World) -> None:
    invocation = world.sh("trap '' INT TERM; yes", bounds=Bounds(output=1_000_000))
    ran = world.run(invocation)
    assert (ran.ending, ran.truncated, ran.failure) == (Ending.OVER_LIMIT, True, ErrorKind.BAD_OUTPUT)
    assert "more output than is allowed" in ran.errors
    assert len(world.out(invocation)) == 1_000_000


def test_too_much_output_is_cut_also_where_the_tool_is_quicker_than_its_guard(world: World) -> None:
    invocation = world.sh("head -c 3000 /dev/zero >&2; echo answer", bounds=Bounds(output=1000))
    ran = world.run(invocation)
    assert (ran.ending, ran.truncated, ran.failure) == (Ending.OVER_LIMIT, True, ErrorKind.BAD_OUTPUT)
    assert len(world.err(invocation)) + len(world.out(invocation)) == 1000


# --- the rest of the port ---
def test_a_binary_is_available_or_says_where_it_was_looked_for(world: World, tmp_path: Path) -> None:
    engine = world.engine()
    assert engine.unavailable("sh") == ""
    assert engine.unavailable(sys.executable) == ""
    assert "not found on PATH" in engine.unavailable("no-such-program")
    assert "no such program there" in engine.unavailable(str(tmp_path / "none"))


def test_where_there_is_no_table_of_processes_the_group_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process_table, "PROC", str(tmp_path / "none"))
    ran = world.run(world.sh("sleep 60 & echo $! > child; exit 3"))
    monkeypatch.undo()
    assert ran.exit_code == 3
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while not is_gone(child) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert is_gone(child)
