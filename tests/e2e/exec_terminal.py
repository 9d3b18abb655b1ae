"""An `exec` at a terminal, with a person who may be asked something."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cli_world import SECONDS, World


@contextmanager
def at_terminal(world: World, *words: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """An exec whose streams are a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "orchestrator", "exec", *words]
    environ = {name: value for name, value in os.environ.items() if name != "CI"} | {"COLUMNS": "200"}
    process = subprocess.Popen(command, cwd=world.root, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    try:
        yield process, ours
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
        os.close(ours)


def read(fd: int, until: bytes = b"") -> str:
    """What the terminal shows, to its end or until that text."""
    seen = b""
    while not until or until not in seen:
        try:
            more = os.read(fd, 65_536)
        except OSError:
            break
        if not more:
            break
        seen += more
    return seen.decode()
