"""The program on a real terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_world import SECONDS, World

ENDED = b""


class Terminal:
    """A call of the program on a terminal of 80 columns."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self.process = process
        self._fd = fd
        self.seen = b""

    def read_until(self, text: bytes, times: int = 1) -> None:
        """Until it has shown that text so often."""
        deadline = time.monotonic() + SECONDS
        while self.seen.count(text) < times:
            assert time.monotonic() < deadline, self.seen
            assert self._more() != ENDED, self.seen

    def read_to_the_end(self) -> int:
        """Its exit code."""
        while self._more() != ENDED:
            pass
        return self.process.wait(SECONDS)

    def _more(self) -> bytes:
        assert select.select([self._fd], [], [], SECONDS)[0], self.seen
        try:
            got = os.read(self._fd, 65536)
        except OSError:  # Linux tells the end of a terminal so
            got = ENDED
        self.seen += got
        return got


@contextmanager
def terminal(folder: Path, *arguments: str, **environ: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "COLUMNS"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm", "COLUMNS": "80"} | environ,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace without git, with a task whose title is longer than any terminal."""
    made = World(tmp_path)
    made.well("--no-git", "init")
    made.well("submit", "--agent", "writer", "--title", "x" * 200, "--name", "long")
    made.well("daemon", "--until-idle")
    return made


def test_there_is_colour_on_a_terminal_and_none_with_no_color(world: World) -> None:
    with terminal(world.root, "status") as shown:
        assert shown.read_to_the_end() == 0
        assert b"\x1b[32mdone\x1b[0m" in shown.seen
    with terminal(world.root, "status", NO_COLOR="1") as shown:
        assert shown.read_to_the_end() == 0
        assert b"\x1b" not in shown.seen


def test_no_line_is_wider_than_the_terminal(world: World) -> None:
    for arguments in (["status"], ["show", "long"]):
        with terminal(world.root, *arguments, NO_COLOR="1") as shown:
            assert shown.read_to_the_end() == 0
            lines = shown.seen.decode().splitlines()
            assert max(len(line) for line in lines) <= 80, lines


def test_watch_looks_again_until_ctrl_c(world: World) -> None:
    with terminal(world.root, "status", "--watch") as shown:
        shown.read_until(b"\x1b[2J", times=2)
        shown.process.send_signal(signal.SIGINT)
        assert shown.read_to_the_end() == 130
        assert b"Traceback" not in shown.seen


def test_progress_is_one_line_that_is_replaced(world: World) -> None:
    world.well("submit", "--agent", "writer", "--title", "y", "--name", "another")
    with terminal(world.root, "daemon", "--until-idle") as shown:
        assert shown.read_to_the_end() == 0
        assert b"\r\x1b[K" in shown.seen
        assert b"ended: 2 in done" in shown.seen
