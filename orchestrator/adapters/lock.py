"""One writer a workspace: a lock that is held for life, and what its holder says of itself (UX-FACTS section 4)."""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from orchestrator import __version__
from orchestrator.core.events import format_ts
from orchestrator.errors import BusyError, OrchestratorError

NAME = "daemon.lock"
SIZE = 4096  # always written whole and in place, so that it can still be said that the disk is full
_PATIENCE = 0.25  # seconds: whoever asks "does a daemon run?" holds a shared lock for a moment, and is no daemon
_FOR_A_COMMAND = 15.0  # seconds: whoever is no daemon carries one thing out, and lets go
_STEP = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock, in its own words. Empty fields: it has not said."""

    pid: int = 0
    host: str = ""
    since: str = ""  # UTC, ISO 8601
    version: str = ""
    what: str = "daemon"  # or the command that carries something out
    state: str = ""
    why: str = ""

    def __str__(self) -> str:
        """One phrase for a message."""
        who = f"{self.what}, process {self.pid or 'unknown'}" + (f" on {self.host}" if self.host else "")
        return who + (f", since {self.since}" if self.since else "")


def holder(state: Path) -> Holder | None:
    """Who holds the workspace of that state folder now, or None. Never waits, never makes anything."""
    try:
        file = (state / NAME).open("rb")
    except OSError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
        return None


class WorkspaceLock:
    """The lock of one workspace. `flock` decides; what a dead holder left in the file is harmless."""

    def __init__(
        self, state: Path, *, what: str = "daemon", now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path = state / NAME
        self._what = what
        self._now = now
        self._fd: int | None = None
        self._since = ""

    def acquire(self) -> None:
        """Takes the lock, and says who has it. A command that holds it for a moment is waited for, a daemon is not.

        Raises:
            BusyError: somebody else has it; the message names them.
            OrchestratorError: the file cannot be made or written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fd = self._locked()
        except OSError as error:
            raise OrchestratorError(
                f"{self._path}: cannot be locked: {error.strerror}; make room, or see who may write there"
            ) from error
        self._fd = fd
        self._since = format_ts(self._now())
        try:
            self._write("starting", "")
        except OSError as error:
            self.release()
            raise OrchestratorError(f"{self._path}: cannot be written: {error.strerror}; make room") from error

    def say(self, state: str, why: str = "") -> bool:
        """Tells whoever asks how things stand. False where even that could not be written."""
        try:
            self._write(state, why)
        except OSError:
            return False
        return True

    def is_held(self) -> bool:
        """Whether this lock is the one that others would meet: not when somebody took the file away."""
        return self._fd is not None and _is_at(self._fd, self._path)

    def release(self) -> None:
        """Lets go. The file stays: taking it away would let two holders meet different files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> "WorkspaceLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _locked(self) -> int:
        began = time.monotonic()
        while True:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                _lock(fd, began)
            except BaseException:
                os.close(fd)
                raise
            if _is_at(fd, self._path):
                return fd
            os.close(fd)  # the file was taken away between opening and locking it: this lock would meet nobody

    def _write(self, state: str, why: str) -> None:
        if self._fd is None:
            raise OSError(errno.EBADF, "the lock is not held")
        said = {
            "pid": os.getpid(),
            "host": os.uname().nodename[:200],
            "since": self._since,
            "version": __version__,
            "what": self._what[:100],
            "state": state[:100],
            "why": why[:1000],
        }
        content = _encode(said)
        while len(content) > SIZE:
            said["why"] = str(said["why"])[: len(str(said["why"])) // 2]
            content = _encode(said)
        os.pwrite(self._fd, content.ljust(SIZE - 1) + b"\n", 0)


def _lock(fd: int, began: float) -> None:
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with os.fdopen(os.dup(fd), "rb") as file:
                held = _read(file)
            patience = _PATIENCE if held.what == "daemon" else _FOR_A_COMMAND
            if time.monotonic() - began > patience:
                raise BusyError(_busy(held)) from error
            time.sleep(_STEP)  # a wait for flock itself could not be ended in time
        else:
            return


def _encode(said: dict[str, object]) -> bytes:
    return json.dumps(said, ensure_ascii=True).encode()


def _busy(who: Holder) -> str:
    stands = f" ({who.state}{': ' + who.why if who.why else ''})" if who.state else ""
    return (
        f"this workspace is held by another orchestrator: {who}{stands}; "
        f"wait for it, or stop it with `kill {who.pid or '<pid>'}`"
    )


def _read(file: IO[bytes]) -> Holder:
    try:
        file.seek(0)
        raw = json.loads(file.read(SIZE))
        texts = {name: str(raw[name]) for name in ("host", "since", "version", "what", "state", "why") if raw.get(name)}
        return Holder(pid=int(raw.get("pid") or 0), **texts)
    except (ValueError, TypeError, AttributeError, OSError):
        return Holder()


def _is_at(fd: int, path: Path) -> bool:
    try:
        there = path.stat(follow_symlinks=False)
    except OSError:
        return False
    here = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
