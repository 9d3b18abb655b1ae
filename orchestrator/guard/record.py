"""A guard's files for whoever comes later: that it lives, and how its run ended."""

# ruff: noqa: PTH105, PTH108, PTH120 - pathlib costs a bare start more than all that is imported here

import json
import os

from orchestrator.guard.spec import CONTROL, ERROR, LOCK, RECORD, Spec
from orchestrator.guard.tree import Table

_HALF = b".tmp"  # ends the name of what is still being written


class End:
    """How a run ended. `ending` and `failure` are values of core.verdict.Ending and core.types.ErrorKind."""

    __slots__ = ("bytes", "ending", "errors", "exit_code", "failure", "left_out", "milliseconds")

    def __init__(self, ending: str) -> None:
        self.ending = ending
        self.exit_code: int | None = None
        self.milliseconds = 0
        self.bytes = 0
        self.left_out = 0
        self.errors: list[str] = []
        self.failure = ""

    def line(self) -> bytes:
        """As it is sent and written: one line of JSON."""
        fields = {
            "v": 1,
            "ending": self.ending,
            "exit_code": self.exit_code,
            "ms": self.milliseconds,
            "bytes": self.bytes,
            "left_out": self.left_out,
            "errors": "\n".join(self.errors),
            "failure": self.failure,
        }
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def marks(spec: Spec) -> tuple[bytes, bytes]:
    """The two variables in the environment of all that this run starts (core.invocation names them)."""
    return b"ORCHESTRATOR_INVOCATION=" + spec.invocation, b"ORCHESTRATOR_WORKSPACE=" + spec.workspace


def write_presence(lock: int, spec: Spec) -> None:
    """Says in the locked file who guards this run: process id, when it began, what it keeps of a stream."""
    me = Table(spec.proc).process(os.getpid())
    fields = {
        "pid": os.getpid(),
        "started": me.key[1] if me is not None else 0,
        "invocation": os.fsdecode(spec.invocation),
        "kept": spec.kept,
    }
    os.pwrite(lock, json.dumps(fields).encode() + b"\n", 0)


def write_end(base: bytes, line: bytes) -> None:
    """The end record, whole or not at all, and durable when this returns. Raises OSError."""
    beside = base + RECORD + _HALF
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, line)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(beside, base + RECORD)
    folder = os.open(os.path.dirname(base) or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove(base: bytes, *names: bytes) -> None:
    """Takes those files of a run away, where they are."""
    for name in names:
        try:
            os.unlink(base + name)
        except OSError:
            continue  # gone, or the folder is: nobody misses it


def clear(base: bytes) -> None:
    """Takes away what only a living guard needs, and an end record that one that was killed had half written."""
    remove(base, CONTROL, LOCK, RECORD + _HALF)


def forget(base: bytes) -> None:
    """Takes away what an earlier run of that name left."""
    remove(base, CONTROL, RECORD, ERROR)
