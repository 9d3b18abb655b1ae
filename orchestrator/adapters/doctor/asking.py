"""Asks another program one question: no stdin, a limit on time and on what it may say, and nothing of it is left."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST = 64 << 10  # bytes of an answer; what comes after is not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it. `text` may hold anything: show no more of it than you understand."""

    code: int | None = None  # None: it did not end, or did not begin
    text: str = ""
    refused: str = ""  # why it could not be started
    late: bool = False


def ask(argv: Sequence[str], *, env: Mapping[str, str], folder: Path, seconds: float) -> Answer:
    """Runs it to its end, or to the limit. stdout and stderr are one text."""
    try:
        process = subprocess.Popen(
            argv,
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Answer(refused=error.strerror or str(error))
    except ValueError as error:  # a NUL in an argument
        return Answer(refused=str(error))
    deadline = time.monotonic() + seconds
    assert process.stdout is not None
    with process.stdout:
        text = _read(process.stdout.fileno(), deadline)
    late = not _ended(process.pid, deadline)
    # Not reaped yet, so the number of its group is still its own.
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    return Answer(code=None if late else code, text=text.decode(errors="replace"), late=late)


def _read(descriptor: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    room = MOST
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while room > 0 and (left := deadline - time.monotonic()) > 0 and selector.select(left):
            part = os.read(descriptor, room)
            if not part:
                break
            parts.append(part)
            room -= len(part)
    return b"".join(parts)


def _ended(pid: int, deadline: float) -> bool:
    """Whether it ended by then. It is not reaped."""
    while True:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(0.005, left))  # waitid waits for ever or not at all
