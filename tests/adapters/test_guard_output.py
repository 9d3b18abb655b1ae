"""What is kept of what a tool prints: bounded in memory and on disk, whole where it fits, no reason to fail."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from process_world import World, is_gone, needs_proc

from orchestrator.core.invocation import Bounds
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran
from orchestrator.guard.kept import Kept, join

CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=12)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def expected(data: bytes, bound: int) -> bytes:
    half = bound // 2
    if len(data) <= 2 * half:
        return data
    return data[:half] + f"\n[... {len(data) - 2 * half:,} bytes left out ...]\n".encode() + data[len(data) - half :]


@settings(max_examples=150)
@given(CHUNKS, st.integers(min_value=2, max_value=60))
def test_head_and_tail_are_kept_however_it_comes(chunks: list[bytes], bound: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.out"
        kept = Kept(bytes(path), bound)
        for chunk in chunks:
            kept.add(chunk)
            assert sum(one.stat().st_size for one in Path(folder).iterdir()) <= bound // 2 * 3
        kept.finish()
        data = b"".join(chunks)
        assert path.read_bytes() == expected(data, bound)
        assert (kept.total, kept.lost) == (len(data), max(0, len(data) - bound // 2 * 2))
        assert [one.name for one in Path(folder).iterdir()] == ["x.out"]


@settings(max_examples=100)
@given(CHUNKS, st.integers(min_value=2, max_value=60), st.integers(min_value=0, max_value=60))
def test_what_a_killed_guard_left_is_joined_once_however_often_it_is_tried(
    chunks: list[bytes], bound: int, torn: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.out"
        kept = Kept(bytes(path), bound)
        for chunk in chunks:
            kept.add(chunk)
        data = b"".join(chunks)
        if len(data) > bound // 2:
            with path.open("ab") as file:
                file.write(b"?" * torn)  # killed while it joined them
        join(bytes(path), bound // 2)
        join(bytes(path), bound // 2)
        assert path.read_bytes() == expected(data, bound)


def test_output_is_readable_as_it_comes(world: World) -> None:
    invocation = world.sh("echo first; until test -e go; do sleep 0.01; done; echo last")

    async def story() -> Ran:
        run = asyncio.create_task(world.engine().run(invocation))
        assert await world.appears("1.out") == "first"
        (world.folder / "go").touch()
        return await run

    assert asyncio.run(story()).exit_code == 0
    assert world.out(invocation) == b"first\nlast\n"


@needs_proc
def test_a_gigabyte_is_counted_and_takes_neither_memory_nor_disk(world: World) -> None:
    size, kept = 1 << 30, 1 << 20
    invocation = world.sh(
        f"head -c {size} /dev/zero; echo end; echo x > written; until test -e go; do sleep 0.01; done",
        bounds=Bounds(output=2 * size, kept=kept),
    )

    async def story() -> tuple[Ran, int, int]:
        run = asyncio.create_task(world.engine().run(invocation))
        await world.appears("written")
        status = Path(f"/proc/{await world.guard_of(invocation)}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        disk = sum(path.stat().st_size for path in world.folder.glob("1.out*"))
        (world.folder / "go").touch()
        return await run, peak, disk

    ran, peak, disk = asyncio.run(story())
    assert (ran.ending, ran.exit_code, ran.left_out) == (Ending.EXITED, 0, size + 4 - kept)
    assert peak < 40_000  # KiB: a bare interpreter
    assert disk <= kept // 2 * 3
    out = world.out(invocation)
    assert out.endswith(b"\0end\n")
    assert len(out) < kept + 100


def test_a_flood_without_end_is_ended(world: World) -> None:
    invocation = world.sh(
        "trap '' INT TERM; cat /dev/zero & cat /dev/zero >&2", bounds=Bounds(output=1 << 26, kept=1000)
    )
    ran = world.run(invocation)
    assert (ran.ending, ran.failure) == (Ending.OVER_LIMIT, ErrorKind.BAD_OUTPUT)
    assert len(world.out(invocation)) + len(world.err(invocation)) < 2200


def test_a_grandchild_that_holds_the_output_open_delays_nothing(world: World) -> None:
    invocation = world.sh("echo answer; (trap '' TERM; echo $BASHPID; exec sleep 60) & exit 0")
    ran = world.run(invocation)
    assert (ran.ending, ran.exit_code) == (Ending.EXITED, 0)
    assert world.out(invocation).startswith(b"answer\n")


def test_what_a_left_over_child_writes_as_it_ends_is_kept(world: World) -> None:
    script = (
        "(trap 'echo ended; exit' TERM; echo > child; while :; do sleep 0.01; done) & until test -e child; do :; done"
    )
    invocation = world.sh(script)
    assert world.run(invocation).exit_code == 0
    assert world.out(invocation) == b"ended\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=256k,mode=700", "none", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this user may mount no small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_loses_output_and_not_the_run(world: World, small_disk: Path) -> None:
    invocation = world.sh(
        "head -c 2000000 /dev/zero; exit 5",
        stdout_path=str(small_disk / "1.out"),
        stderr_path=str(small_disk / "1.err"),
    )
    ran = world.run(invocation)
    assert (ran.ending, ran.exit_code, ran.truncated) == (Ending.EXITED, 5, True)
    assert ran.left_out >= 2_000_000 - 256 * 1024
    assert ran.left_out + len(world.out(invocation)) == 2_000_000


def test_a_disk_that_is_full_already_starts_nothing(world: World, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * (256 * 1024))
    invocation = world.sh("touch started", stdout_path=str(small_disk / "1.out"), stderr_path=str(small_disk / "1.err"))
    ran = world.run(invocation)
    assert ran.ending is Ending.NOT_STARTED
    assert "No space left" in ran.errors
    assert not (world.folder / "started").exists()


def test_output_is_for_its_owner_alone(world: World) -> None:
    world.run(world.sh("umask 0; echo x"))
    assert {path.name: path.stat().st_mode & 0o777 for path in world.folder.iterdir()} == {
        "1.out": 0o600,
        "1.err": 0o600,
        "1.exit": 0o600,
    }


def test_a_tool_that_writes_nothing_and_is_gone_at_once_leaves_empty_files(world: World) -> None:
    invocation = world.sh("kill -9 $$")
    assert world.run(invocation).exit_code == -9
    assert (world.out(invocation), world.err(invocation)) == (b"", b"")
    assert is_gone(0) is True
