"""A command at a terminal, with a person who answers what it asks."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cli_world import SECONDS, World


class Terminal:
    """The person's side: what is shown, and what is typed."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self._process = process
        self._fd = fd
        self.shown = ""

    def answer(self, question: str, text: str) -> None:
        """Waits until the newest of what is shown has that question, and types the text."""
        self._until(question)
        os.write(self._fd, text.encode())

    def interrupt(self, question: str) -> None:
        """Presses Ctrl-C at that question."""
        self._until(question)
        self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Reads to the end; the exit code."""
        while self._read():
            pass
        return self._process.wait(SECONDS)

    def _until(self, question: str) -> None:
        before = len(self.shown)
        while question not in self.shown[before:]:
            assert self._read(), f"it ended before it asked {question!r}:\n{self.shown}"

    def _read(self) -> bool:
        assert select.select([self._fd], [], [], SECONDS)[0], f"nothing more is shown:\n{self.shown}"
        try:
            more = os.read(self._fd, 65_536)
        except OSError:
            return False
        self.shown += more.decode().replace("\r\n", "\n")
        return bool(more)


@contextmanager
def at_terminal(world: World, *words: str, env: dict[str, str] | None = None) -> Iterator[Terminal]:
    """The program, all of whose streams are a terminal of 200 columns; it is gone when the block ends."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "orchestrator", *words]
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    environ |= {"COLUMNS": "200", "NO_COLOR": "1", **(env or {})}
    process = subprocess.Popen(command, cwd=world.root, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)
        os.close(ours)
