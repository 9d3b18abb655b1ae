"""What runs on this machine, read from /proc. Where there is none (macOS) every answer is empty.

This and `process_end` are the seam for other systems: without a table only a process group can be ended.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = "/proc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One process. `pid` and `started` together are never used twice while the machine is up."""

    pid: int
    parent: int
    session: int
    started: int  # clock ticks since boot
    zombie: bool
    command: str

    @property
    def key(self) -> tuple[int, int]:
        """What names this process and no later one."""
        return self.pid, self.started


def is_readable() -> bool:
    """Whether this system tells about its processes in /proc."""
    return Path(f"{PROC}/self/stat").exists()


def entry(pid: int) -> Entry | None:
    """The process of that id, or None where there is none (any more)."""
    raw = _read(f"{PROC}/{pid}/stat")
    head, found, tail = raw.rpartition(b") ")  # a command may hold blanks and parentheses itself
    if not found:
        return None
    fields = tail.split()
    return Entry(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        started=int(fields[19]),
        zombie=fields[0] in b"ZX",
        command=head.partition(b"(")[2].decode(errors="replace"),
    )


def everything() -> dict[int, Entry]:
    """All processes, by id. Milliseconds on a busy machine: not for the quick path."""
    table = {}
    for pid in _pids():
        if (found := entry(pid)) is not None:
            table[pid] = found
    return table


def children(pid: int) -> tuple[int, ...]:
    """The direct children of all threads of a process, zombies included. Microseconds each."""
    found: list[int] = []
    try:
        threads = os.listdir(f"{PROC}/{pid}/task")
    except OSError:
        return ()
    for thread in threads:
        found += map(int, _read(f"{PROC}/{pid}/task/{thread}/children").split())
    return tuple(found)


def descendants(pid: int) -> set[tuple[int, int]]:
    """The keys of the living below a process, itself left out."""
    found: set[tuple[int, int]] = set()
    waiting = list(children(pid))
    while waiting:
        below = entry(waiting.pop())
        if below is not None and below.key not in found:
            found.add(below.key)
            waiting += children(below.pid)
    return found


def mark(pid: int, name: str) -> str | None:
    """The value of a variable in the environment that a process was started with; None: unset, or not ours to read."""
    start = name.encode() + b"="
    for item in _read(f"{PROC}/{pid}/environ").split(b"\0"):
        if item.startswith(start):
            return os.fsdecode(item[len(start) :])
    return None


def holds(pid: int, suffix: str) -> list[str]:
    """The paths of that ending among the files that a process has open; empty where it is not ours to look at."""
    folder = f"{PROC}/{pid}/fd"
    found = []
    try:
        for name in os.listdir(folder):
            with suppress(FileNotFoundError):  # closed meanwhile
                found.append(str(Path(f"{folder}/{name}").readlink()))
    except OSError:
        return []
    return [path for path in found if path.removesuffix(" (deleted)").endswith(suffix)]


def ancestors(pid: int) -> set[int]:
    """The ids of a process and of everything above it."""
    above: set[int] = set()
    while pid > 0 and pid not in above:
        above.add(pid)
        found = entry(pid)
        pid = found.parent if found is not None else 0
    return above


def _pids() -> Iterator[int]:
    try:
        names = os.listdir(PROC)
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit())


def _read(path: str) -> bytes:
    # os.open and os.read: half the price of open(), and this is read for each tool that ends.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:  # it ended while we read
        return b""
    finally:
        os.close(fd)
