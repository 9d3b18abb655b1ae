"""What starts, what does not, and what a tool is given."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from process_world import World

from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# --- what does not start ---
def broken_script(folder: Path) -> str:
    path = folder / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    return str(path)


def unrunnable(folder: Path) -> str:
    path = folder / "text"
    path.write_text("x")
    return str(path)


def no_program(folder: Path) -> str:
    path = folder / "blob"
    path.write_bytes(b"\1\2\3")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("binary", "kind", "words"),
    {
        "a missing program": (lambda _: "no-such-program", ErrorKind.NO_TOOL, "no such program"),
        "a missing path": (lambda folder: f"{folder}/none", ErrorKind.NO_TOOL, "no such program"),
        "a missing interpreter": (broken_script, ErrorKind.NO_TOOL, "interpreter"),
        "a file that is not executable": (unrunnable, ErrorKind.NO_TOOL, os.strerror(errno.EACCES)),
        "a file that is no program": (no_program, ErrorKind.NO_TOOL, "neither a binary nor a script"),
        "a NUL in a name": (lambda _: "a\0b", ErrorKind.CRASHED, "null byte"),
    }.values(),
)
def test_what_cannot_start_says_why(
    world: World, tmp_path: Path, binary: Callable[[Path], str], kind: ErrorKind, words: str
) -> None:
    ran = world.run(world.invocation(binary(tmp_path)))
    assert (ran.ending, ran.failure, ran.exit_code) == (Ending.NOT_STARTED, kind, None)
    assert words in ran.errors


def test_a_missing_folder_is_named(world: World) -> None:
    ran = world.run(world.invocation("true", cwd="/no/such/folder"))
    assert (ran.ending, ran.failure) == (Ending.NOT_STARTED, ErrorKind.CRASHED)
    assert "/no/such/folder" in ran.errors


def test_arguments_past_the_systems_bound_are_a_refusal(world: World) -> None:
    ran = world.run(world.invocation("true", "x" * 5_000_000))
    assert (ran.ending, ran.failure) == (Ending.NOT_STARTED, ErrorKind.CRASHED)
    assert "by stdin" in ran.errors


def test_no_argument_at_all_is_a_refusal(world: World) -> None:
    assert world.run(world.invocation()).ending is Ending.NOT_STARTED


def test_an_output_file_that_is_a_link_is_not_followed(world: World, tmp_path: Path) -> None:
    invocation = world.invocation("echo", "x")
    Path(invocation.stdout_path).symlink_to(tmp_path / "victim")
    assert world.run(invocation).ending is Ending.NOT_STARTED
    assert not (tmp_path / "victim").exists()


def test_the_folder_of_the_output_is_made(world: World, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "x.out"
    world.run(world.invocation("echo", "x", stdout_path=str(path)))
    assert path.read_bytes() == b"x\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


# --- stdin ---
@pytest.mark.parametrize("size", [1, 65_536, 65_537, 5_000_000])
def test_a_tool_that_reads_gets_all_of_its_input(world: World, size: int) -> None:
    invocation = world.invocation("wc", "-c", stdin=b"x" * size)
    world.run(invocation)
    assert world.out(invocation).split() == [str(size).encode()]


def test_a_tool_that_does_not_read_blocks_nobody(world: World) -> None:
    assert world.run(world.invocation("true", stdin=b"x" * 5_000_000)).exit_code == 0


def test_no_input_is_the_end_of_input(world: World) -> None:
    invocation = world.invocation("cat")
    assert world.run(invocation).exit_code == 0
    assert world.out(invocation) == b""


def test_no_file_stays_behind_but_the_output_and_how_it_ended(world: World, tmp_path: Path) -> None:
    world.run(world.invocation("true", stdin=b"x" * 200_000))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.err", "1.exit", "1.out"]
