"""A run under its guard, as the daemon sees it: what it is told, its end, and what is done where the guard died."""

import asyncio
import fcntl
import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters import process_table
from orchestrator.core.invocation import INVOCATION_MARK, WORKSPACE_MARK, Invocation
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Printed, Ran
from orchestrator.guard import kept, record
from orchestrator.guard.spec import CONTROL, ERROR, LOCK, RECORD, Spec

_LOOK_EVERY = 0.05  # seconds between two looks at a guard whose end nothing tells us


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A run's files."""

    printed: Printed

    @property
    def base(self) -> str:
        """The path that all but the output begin with."""
        return self.printed.stdout.removesuffix(".out")

    def at(self, suffix: bytes) -> Path:
        """The file of that suffix."""
        return Path(self.base + suffix.decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What a guard says of itself in its locked file."""

    pid: int
    started: int
    kept: int


def spec_of(invocation: Invocation, *, workspace: str, graces: tuple[float, float, float]) -> Spec:
    """What the guard of that invocation is told. Raises ValueError for text that no system call can be given."""
    bounds = invocation.bounds
    files = Files(printed=Printed(stdout=invocation.stdout_path, stderr=invocation.stderr_path))
    env = {name: value for name, value in invocation.env.items() if name not in {INVOCATION_MARK, WORKSPACE_MARK}}
    env = {INVOCATION_MARK: invocation.id, WORKSPACE_MARK: workspace} | env
    return Spec(
        invocation=os.fsencode(invocation.id),
        workspace=os.fsencode(workspace),
        argv=[os.fsencode(one) for one in invocation.argv],
        env=[(os.fsencode(name), os.fsencode(value)) for name, value in env.items()],
        cwd=os.fsencode(Path(invocation.cwd).absolute()),
        stdin=invocation.stdin,
        out=os.fsencode(Path(invocation.stdout_path).absolute()),
        err=os.fsencode(Path(invocation.stderr_path).absolute()),
        base=os.fsencode(Path(files.base).absolute()),
        timeout=invocation.timeout.total_seconds(),
        silence=bounds.silence.total_seconds() if bounds.silence is not None else None,
        memory=bounds.memory,
        processes=bounds.processes,
        file_size=bounds.file_size,
        output=bounds.output,
        kept=bounds.kept,
        orphan_grace=bounds.orphan_grace.total_seconds(),
        interrupt=graces[0],
        terminate=graces[1],
        leftovers=graces[2],
        proc=process_table.PROC,
    )


def lock(files: Files) -> int:
    """Makes and locks the file that shows that a run may be going on. Raises OSError, where one does already too."""
    path = files.at(LOCK)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(fd, 0)
    except OSError:
        os.close(fd)
        raise
    return fd


def is_alive(files: Files) -> bool:
    """Whether somebody guards that run, or is about to."""
    try:
        fd = os.open(files.at(LOCK), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def presence(files: Files) -> Presence | None:
    """What the guard wrote; None: it has not come to that."""
    try:
        fields = json.loads(files.at(LOCK).read_bytes())
        return Presence(pid=fields["pid"], started=fields["started"], kept=fields["kept"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ended(files: Files) -> Ran | None:
    """The Ran of the end record, or None where there is none."""
    try:
        return ran_of(files.at(RECORD).read_bytes())
    except OSError:
        return None


def ran_of(line: bytes) -> Ran | None:
    """The Ran that a guard's line tells; None where it is none."""
    try:
        fields = json.loads(line)
        return Ran(
            ending=Ending(fields["ending"]),
            exit_code=fields["exit_code"],
            duration_ms=fields["ms"],
            errors=fields["errors"],
            truncated=fields["left_out"] > 0,
            left_out=fields["left_out"],
            failure=ErrorKind(fields["failure"]) if fields["failure"] else None,
        )
    except (ValueError, KeyError, TypeError):
        return None


def mend(files: Files) -> None:
    """Does what a guard that was killed left undone: the output is one file again, and nothing says that it lives."""
    found = presence(files)
    if found is not None:
        for path in (files.printed.stdout, files.printed.stderr):
            with suppress(OSError):
                kept.join(os.fsencode(path), found.kept // 2)
    record.clear(os.fsencode(files.base))


def why_lost(files: Files) -> str:
    """Why a guard ended without a word."""
    path = files.at(ERROR)
    return f"its guard failed, which is a mistake of ours: see {path}" if path.exists() else "its guard was killed"


class Guarded:
    """A run of this daemon's: its guard at the other end of the connection."""

    def __init__(self, files: Files, connection: socket.socket) -> None:
        self._files = files
        self._connection = connection

    async def tell(self, packed: bytes) -> None:
        """Tells the guard what to run."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it is gone: its end is noticed as any end is
            await asyncio.get_running_loop().sock_sendall(self._connection, packed)

    def command(self, line: str) -> None:
        """Tells the guard what to do."""
        with suppress(OSError):  # gone: its end is noticed
            self._connection.send(line.encode() + b"\n")

    async def end(self) -> Ran | None:
        """How it ended; None where the guard ended without a word. Nothing of the run is left otherwise."""
        loop = asyncio.get_running_loop()
        said = b""
        with suppress(ConnectionResetError):
            while part := await loop.sock_recv(self._connection, 65536):
                said += part
        return ran_of(said.partition(b"\n")[0]) or ended(self._files)

    def close(self) -> None:
        """Lets go: for the guard, this daemon is gone."""
        self._connection.close()


class Adopted:
    """A run of an earlier daemon's, whose guard lives."""

    def __init__(self, files: Files, control: int, guard: Presence) -> None:
        self._files = files
        self._control = control
        self._guard = guard
        self.command("here")

    def command(self, line: str) -> None:
        """Tells the guard what to do."""
        with suppress(OSError):  # gone: its end is noticed
            os.write(self._control, line.encode() + b"\n")

    async def end(self) -> Ran | None:
        """How it ended; None where the guard ended without a word."""
        await _gone(self._files, self._guard)
        return ended(self._files)

    def close(self) -> None:
        """Lets go: for the guard, this daemon is gone."""
        os.close(self._control)


async def find(files: Files) -> Adopted | None:
    """The run of an earlier daemon whose guard lives, taken over; None where none does (any more)."""
    while is_alive(files):
        guard = presence(files)
        if guard is not None:
            with suppress(OSError):  # it is just ending: then the lock will be free
                return Adopted(files, os.open(files.at(CONTROL), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), guard)
        await asyncio.sleep(_LOOK_EVERY / 5)
    return None


async def _gone(files: Files, guard: Presence) -> None:
    """Waits until that guard is gone."""
    try:
        fd = os.pidfd_open(guard.pid)
    except (AttributeError, OSError):  # macOS, an old kernel, gone already
        while is_alive(files):  # noqa: ASYNC110 - another process lets go of the lock: nothing tells us
            await asyncio.sleep(_LOOK_EVERY)
        return
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    try:
        found = process_table.entry(guard.pid)
        if found is None or found.started != guard.started:
            return
        loop.add_reader(fd, over.set)
        await over.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
