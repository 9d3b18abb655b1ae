"""The event files, one a task: appended and synced before what they announce is acted on (FORMATS section 4)."""

import contextlib
import errno
import json
import os
import stat
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.buckets import Buckets
from orchestrator.adapters.event_reading import SUFFIX, read_events
from orchestrator.core.events import Event, encode
from orchestrator.core.layout import TELEMETRY
from orchestrator.core.types import TaskId
from orchestrator.ports import Appended

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_REMEMBERED = 4_096  # paths of files that the index may not know yet
_NEWEST = 16  # day folders that are looked into for a file that the index does not know
_LOCKS = 64  # one writer a file; the disk syncs different files together, if it is let


class EventIds:
    """Makes event ids: ULIDs (48 bits of milliseconds, 80 random) that rise in the process whatever the clock does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def new(self, now: datetime) -> str:
        """An id that sorts after every earlier one of this process."""
        fresh = int(now.timestamp() * 1000) << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
        with self._lock:
            self._last = fresh = max(fresh, self._last + 1)
        return "".join(_CROCKFORD[fresh >> shift & 31] for shift in range(125, -1, -5))


class EventFiles:
    """The event files below `work`. `locate` asks the index where a task's file is; thread-safe."""

    def __init__(self, work: Path, *, locate: Callable[[TaskId], str | None]) -> None:
        self._work = work
        self._root = work / TELEMETRY
        self._locate = locate
        self._buckets = Buckets(self._root)
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._remembering = threading.Lock()
        self._paths: dict[TaskId, str] = {}
        self._newest: tuple[int, list[str]] = (0, [])  # when the root changed last, and its newest folders then

    def append(self, task_id: TaskId, events: Sequence[Event], *, day: str) -> Appended:
        """Adds the events to the task's file, in a folder of `day` where it has none yet, and syncs them.

        A last line that a crash or a full disk tore is repaired first. Appending the same events again, because a later
        step of the caller failed, changes nothing.

        Raises:
            OSError: the disk refuses, or a link or something else is in the file's place; then nothing was added.
            ValueError: the id cannot be a file name.
        """
        data = b"".join(encode(event) for event in events)
        with self._lock_of(task_id):
            path = self._find(task_id)
            if path is not None:
                with contextlib.suppress(FileNotFoundError):  # a person took it away: the task gets a new one
                    return Appended(path=path, content=self._write(path, data, create=False))
            # Where all was taken away it may come back: then with the whole file, and not with what is added now.
            if not self._work.is_dir() and (task_id in self._paths or self._locate(task_id)):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(self._work))
            path = f"{TELEMETRY}/{self._buckets.place(day)}/{task_id}{SUFFIX}"
            try:
                content = self._write(path, data, create=True)
            except FileExistsError:  # older than what was searched
                content = self._write(path, data, create=False)
            self._remember(task_id, path)
            return Appended(path=path, content=content)

    def path_of(self, task_id: TaskId) -> str | None:
        """Where the task's event file is; None: it has none."""
        with self._lock_of(task_id):
            return self._find(task_id)

    def content(self, task_id: TaskId) -> bytes:
        """The whole file as it is on disk, empty where there is none."""
        path = self.path_of(task_id)
        return self._read_bytes(path) if path else b""

    def read(self, task_id: TaskId) -> list[Event]:
        """The task's events, oldest first."""
        path = self.path_of(task_id)
        return self.read_file(path) if path else []

    def read_file(self, path: str) -> list[Event]:
        """The events of a file; torn lines and what is no event are skipped."""
        return read_events(self._work / path)

    def _lock_of(self, task_id: TaskId) -> threading.Lock:
        return self._locks[hash(task_id) % _LOCKS]

    def _read_bytes(self, path: str) -> bytes:
        try:
            descriptor = os.open(self._work / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def _find(self, task_id: TaskId) -> str | None:
        if not task_id or task_id.startswith(".") or "/" in task_id or "\0" in task_id:
            raise ValueError(f"{task_id!r} cannot name an event file")
        root = os.fspath(self._work)
        for known in (self._paths.get, self._locate):
            path = known(task_id)
            if path and os.path.lexists(f"{root}/{path}"):
                return path
        path = self._search(f"{task_id}{SUFFIX}")
        if path:
            self._remember(task_id, path)
        return path

    def _search(self, name: str) -> str | None:
        """Looks into the newest day folders, for what was written and did not reach the index."""
        try:
            changed = self._root.stat().st_mtime_ns
            if changed != self._newest[0]:
                self._newest = changed, sorted(os.listdir(self._root), key=_by_day)[-_NEWEST:]
        except FileNotFoundError:
            return None
        root = os.fspath(self._root)
        for folder in reversed(self._newest[1]):
            if os.path.lexists(f"{root}/{folder}/{name}"):  # a Path for each of many costs more than looking
                return f"{TELEMETRY}/{folder}/{name}"
        return None

    def _remember(self, task_id: TaskId, path: str) -> None:
        with self._remembering:
            if len(self._paths) >= _REMEMBERED:
                del self._paths[next(iter(self._paths))]
            self._paths[task_id] = path

    def _write(self, path: str, data: bytes, *, create: bool) -> bytes:
        """Appends, and gives the whole file. The folder is opened first, so that no link in its place is followed."""
        parent, name = (self._work / path).parent, path.rpartition("/")[2]
        folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(name, flags | (os.O_CREAT | os.O_EXCL if create else 0), 0o644, dir_fd=folder)
            try:
                content = _append(file, data, path)
                if create:
                    os.fsync(folder)
            except OSError:
                if create:
                    with contextlib.suppress(OSError):
                        os.unlink(name, dir_fd=folder)
                raise
            finally:
                os.close(file)
        finally:
            os.close(folder)
        return content


def _by_day(folder: str) -> tuple[str, int]:
    day, _, number = folder.partition(".")
    return day, int(number) if number.isdecimal() else 1


def _append(file: int, data: bytes, path: str) -> bytes:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(errno.EINVAL, "no regular file", path)
    before = _read_all(file)
    whole, missing_newline = _repaired(before)
    if data and not missing_newline and len(whole) == len(before) and whole.endswith(data):
        os.fsync(file)  # what was there may not have been synced
        return whole
    if len(whole) < len(before):
        os.ftruncate(file, len(whole))
    data = missing_newline + data
    try:
        _write_at_once(file, data, path)
        os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):  # what stays is a torn line, which the next append repairs
            os.ftruncate(file, len(whole))
        raise
    return whole + data


def _write_at_once(file: int, data: bytes, path: str) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def _read_all(file: int) -> bytes:
    parts: list[bytes] = []
    offset = 0
    while part := os.pread(file, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def _repaired(content: bytes) -> tuple[bytes, bytes]:
    """What of the content stays, and what is to follow it: a newline after a whole last object; a torn one goes."""
    if not content or content.endswith(b"\n"):
        return content, b""
    end = content.rfind(b"\n") + 1
    try:
        is_whole = isinstance(json.loads(content[end:]), dict)
    except (ValueError, RecursionError):
        is_whole = False
    return (content, b"\n") if is_whole else (content[:end], b"")
