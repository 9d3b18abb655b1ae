"""The processes below a guard, as /proc shows them. Where there is none (macOS) every answer is empty."""
# ruff: noqa: PTH110 - pathlib costs a bare start more than all that is imported here

import os
import signal

PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One process. `key` is never used twice while the machine is up."""

    __slots__ = ("command", "key", "parent", "pid", "session", "zombie")

    def __init__(self, pid: int, stat: bytes) -> None:
        head, _, tail = stat.rpartition(b") ")  # a command may hold blanks and parentheses itself
        fields = tail.split()
        self.pid = pid
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.key = (pid, int(fields[19]))
        self.zombie = fields[0] in b"ZX"
        self.command = head.partition(b"(")[2].decode(errors="replace")


class Table:
    """The machine's processes."""

    __slots__ = ("_names_children", "_proc")

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._names_children = os.path.exists(f"{proc}/self/task/{os.getpid()}/children")  # else an unusual kernel

    def is_readable(self) -> bool:
        """Whether this system tells about its processes there."""
        return bool(_read(f"{self._proc}/self/stat"))

    def process(self, pid: int) -> Process | None:
        """The process of that id, or None where there is none (any more)."""
        stat = _read(f"{self._proc}/{pid}/stat")
        return Process(pid, stat) if b") " in stat else None

    def children(self, pid: int) -> list[int]:
        """The ids of the direct children of all its threads, the dead too."""
        found: list[int] = []
        if not self._names_children:
            everybody = (self.process(int(name)) for name in _names(self._proc) if name.isdigit())
            return [one.pid for one in everybody if one is not None and one.parent == pid]
        for thread in _names(f"{self._proc}/{pid}/task"):
            found += map(int, _read(f"{self._proc}/{pid}/task/{thread}/children").split())
        return found

    def below(self, pid: int) -> list[Process]:
        """All that descend from it, the dead who were not collected too; itself left out."""
        found: dict[int, Process] = {}
        waiting = self.children(pid)
        while waiting:
            child = self.process(waiting.pop())
            if child is not None and child.pid not in found:
                found[child.pid] = child
                waiting += self.children(child.pid)
        return list(found.values())

    def belonging(self, session: int, marks: tuple[bytes, bytes]) -> list[Process]:
        """All that stand in that session or were started with both marks, and what descends from them: a look at every
        process of the machine."""
        found: dict[int, Process] = {}
        for name in _names(self._proc):
            one = self.process(int(name)) if name.isdigit() else None
            if one is None or one.pid in found or one.zombie:
                continue
            if one.session == session or self._is_marked(one.pid, marks):
                found[one.pid] = one
                found.update((below.pid, below) for below in self.below(one.pid))
        return list(found.values())

    def memory(self, pids: list[int], bound: int) -> int:
        """The resident bytes of these processes together. What they share counts once where that decides."""
        counted = sum(self._resident(pid) for pid in pids)
        return counted if counted <= bound else sum(self._proportional(pid) for pid in pids)

    def _resident(self, pid: int) -> int:
        fields = _read(f"{self._proc}/{pid}/statm").split()
        return int(fields[1]) * PAGE if len(fields) > 1 else 0

    def _proportional(self, pid: int) -> int:
        for line in _read(f"{self._proc}/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
        return self._resident(pid)  # an old kernel, or it changed its user

    def _is_marked(self, pid: int, marks: tuple[bytes, bytes]) -> bool:
        variables = _read(f"{self._proc}/{pid}/environ").split(b"\0")
        return marks[0] in variables and marks[1] in variables


def send(table: Table, one: Process, number: int) -> bool:
    """Signals exactly that process, and not one that got its id since. False where it is not ours to signal."""
    try:
        fd = os.pidfd_open(one.pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        return True  # gone
    try:
        now = table.process(one.pid)
        if now is not None and now.key == one.key:
            if fd >= 0:
                signal.pidfd_send_signal(fd, number)
            else:
                os.kill(one.pid, number)
    except ProcessLookupError:
        return True  # gone meanwhile
    except PermissionError:
        return False  # it runs as somebody else (setuid)
    finally:
        if fd >= 0:
            os.close(fd)
    return True


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> bytes:
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
