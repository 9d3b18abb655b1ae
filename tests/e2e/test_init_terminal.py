"""`init` with a person at a terminal: what it asks, what an answer does, and that leaving changes nothing."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_world import SECONDS, World, repository


@contextmanager
def at_terminal(
    world: World, *words: str, columns: int = 80, **environ: str
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """An init whose streams are a terminal, and that Ctrl-C reaches."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "orchestrator", "init", *words]
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    process = subprocess.Popen(
        command,
        cwd=world.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=inherited | {"COLUMNS": str(columns), "TERM": "xterm"} | environ,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait(SECONDS)
        os.close(ours)


def read(terminal: int, until: str = "") -> str:
    """What it shows, to its end or until that text."""
    seen = b""
    while not until or until not in seen.decode(errors="replace"):
        try:
            more = os.read(terminal, 65_536)
        except OSError:
            break
        if not more:
            break
        seen += more
    return seen.decode(errors="replace")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return repository(tmp_path)


def nothing_was_made(world: World) -> bool:
    return sorted(os.listdir(world.root)) == [".git", "README.md"] and not (world.root / ".git/orchestrator").exists()


def play(world: World, first: str, second: str) -> tuple[int, str]:
    """Answers the two questions."""
    with at_terminal(world, NO_COLOR="1") as (process, terminal):
        seen = read(terminal, until="quick-start]: ")
        os.write(terminal, f"{first}\n".encode())
        seen += read(terminal, until="[y/N] ")
        os.write(terminal, f"{second}\n".encode())
        seen += read(terminal)
        return process.wait(SECONDS), seen


ANSWERS = {
    "Enter, Enter": ("", "", "quick-start", False),
    "a number and yes": ("3", "y", "cost-optimized", True),
    "the beginning of a name": ("dev", "no", "development", False),
    "a name": ("Claude-Only", "N", "claude-only", False),
}


@pytest.mark.parametrize(("first", "second", "chosen", "hooks"), ANSWERS.values(), ids=ANSWERS)
def test_a_person_chooses(first: str, second: str, chosen: str, hooks: bool, world: World) -> None:
    code, seen = play(world, first, second)
    assert code == 0, seen
    assert f"configuration: {chosen}" in seen
    assert ("made hooks" in seen) is hooks
    assert world.well("hooks", "status", "--json").data["complete"] is hooks
    assert "next: orchestrator submit" in seen


def test_an_answer_that_is_none_is_asked_again(world: World) -> None:
    with at_terminal(world, "--no-hooks", NO_COLOR="1") as (process, terminal):
        read(terminal, until="]: ")
        os.write(terminal, b"7\n")
        assert "there is none" in read(terminal, until="]: ")
        os.write(terminal, b"c\n")  # claude-only or cost-optimized
        assert "there is none" in read(terminal, until="]: ")
        os.write(terminal, b"2\n")
        assert "configuration: claude-only" in read(terminal)
        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize("question", ["quick-start]: ", "[y/N] "])
def test_ctrl_c_at_a_question_changes_nothing(question: str, world: World) -> None:
    with at_terminal(world) as (process, terminal):
        read(terminal, until="quick-start]: ")
        if question == "[y/N] ":
            os.write(terminal, b"\n")
            read(terminal, until=question)
        process.send_signal(signal.SIGINT)
        seen = read(terminal)
        assert process.wait(SECONDS) == 130
        assert "Traceback" not in seen
    assert nothing_was_made(world)


def test_the_end_of_the_input_at_a_question_changes_nothing(world: World) -> None:
    with at_terminal(world) as (process, terminal):
        read(terminal, until="quick-start]: ")
        os.write(terminal, b"\x04")
        assert "nothing was written" in read(terminal)
        assert process.wait(SECONDS) == 130
    assert nothing_was_made(world)


@pytest.mark.parametrize("words", [("--yes",), ("--template", "quick-start", "--no-hooks"), ("--dry-run",)], ids=str)
def test_nothing_is_asked_where_there_is_no_choice(words: tuple[str, ...], world: World) -> None:
    with at_terminal(world, *words) as (process, terminal):
        seen = read(terminal)
        assert process.wait(SECONDS) == 0
        assert "]: " not in seen
        assert "[y/N]" not in seen


def test_what_is_there_is_told_and_nothing_asked(world: World) -> None:
    world.well("init")
    with at_terminal(world) as (process, terminal):
        seen = read(terminal)
        assert process.wait(SECONDS) == 0
        assert "everything was there already" in seen
        assert "[y/N]" not in seen


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(columns: int, world: World) -> None:
    with at_terminal(world, "--template", "claude-only", "--no-hooks", columns=columns, NO_COLOR="1") as (_, terminal):
        lines = read(terminal).replace("\x1b[K", "").splitlines()
    shown = [line for line in lines if str(world.root) not in line and not line.startswith("next: ")]
    assert max(len(line) for line in shown) <= columns, shown
    assert any("claude" in line and "not found" in line for line in shown)


def test_there_is_colour_on_a_terminal_and_none_where_it_is_not_wanted(world: World) -> None:
    with at_terminal(world, "--yes") as (_, terminal):
        assert "\x1b[32m" in read(terminal)
    with at_terminal(world, "--yes", "--force", NO_COLOR="1") as (_, terminal):
        assert not re.search(r"\x1b\[[0-9;]*m", read(terminal))
