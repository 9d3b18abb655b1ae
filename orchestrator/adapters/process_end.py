"""Ends processes, and everything that they started, whatever session it moved to.

The program makes itself a child subreaper (Linux): an orphan of a tool becomes our child and not init's, so that what a
tool left behind is found among our own children. A process belongs to an invocation when it descends from it, stands in
its session, was seen below it while it ran, or carries its mark. Not found: one that clears its environment, leads a
session of its own and loses its parent, all within a quarter of a second (a guard process closes that, as one per
invocation can be certain of everything it adopts).
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from orchestrator.adapters import process_table as table
from orchestrator.core.invocation import INVOCATION_MARK, WORKSPACE_MARK
from orchestrator.core.types import InvocationId

_PR_SET_CHILD_SUBREAPER = 36
_UNKILLABLE = 60.0  # seconds after which a process that survives SIGKILL (stuck in the kernel) is named and left
_SHORTEST, _LONGEST = 0.002, 0.05  # seconds between two looks


def adopt_orphans() -> bool:
    """Make this program the parent of its descendants' orphans. False where the system cannot (macOS)."""
    if not table.is_readable():
        return False
    import ctypes  # 10 ms that only a program which runs tools pays

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


@dataclass(slots=True)
class Orphans:
    """Collects dead children that we adopted; never one that somebody in this program started and will ask for.

    What this program starts stays in our session or leads its own, so that anything else was adopted. A dead session
    leader may be either: it is left until it was seen dead for a minute and nobody has asked.
    """

    clock: Callable[[], float] = time.monotonic
    _dead_leaders: dict[tuple[int, int], float] = field(default_factory=dict)

    def collect(self, child: table.Entry) -> None:
        """Collect that dead child, where it is an orphan for certain."""
        if child.session not in {os.getsid(0), child.pid}:
            _collect(child.pid)
        elif child.session == child.pid:
            now = self.clock()
            if now - self._dead_leaders.setdefault(child.key, now) > 60:
                del self._dead_leaders[child.key]
                _collect(child.pid)
            elif len(self._dead_leaders) > 1024:
                self._dead_leaders.clear()  # those that others collected; the wait begins anew for the rest


@dataclass(slots=True, kw_only=True)
class Family:
    """The processes of one invocation: its tool and what that started."""

    invocation_id: InvocationId
    leader: int  # the tool's process id, which is also its session's
    workspace: str
    orphans: Orphans
    seen: set[tuple[int, int]] = field(default_factory=set)
    _leader_key: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        """Take down when the tool began: its id alone may be somebody else's later."""
        if (found := table.entry(self.leader)) is not None:
            self._leader_key = found.key
            self.seen.add(found.key)

    def look(self) -> None:
        """Remember who lives below the tool now: they stay known when their parent is gone."""
        alive = {key for key in self.seen if (found := table.entry(key[0])) is not None and found.key == key}
        self.seen = alive | table.descendants(self.leader)

    def left_over(self, running: Collection[int]) -> bool:
        """Whether something of an ended tool still runs. `running`: the leaders of other invocations. Microseconds.

        With an ended leader, whoever is left is our child or hangs below one. Dead orphans are collected by the way.
        """
        for pid in table.adopted():
            if pid in running:
                continue
            child = table.entry(pid)
            if child is None:
                continue
            if child.zombie:
                self.orphans.collect(child)
            elif self._owns(child):
                return True
        return False

    def members(self) -> list[table.Entry]:
        """All that live, by a look at every process of the machine: milliseconds. Their dead are collected."""
        everything = table.everything()
        above = table.ancestors(os.getpid())
        roots = {pid for pid, found in everything.items() if pid not in above and self._owns(found)}
        return _living(_with_descendants(everything, roots), self.seen)

    def _owns(self, found: table.Entry) -> bool:
        if found.key in self.seen:
            return True
        if found.session == self.leader:
            holder = table.entry(self.leader)  # where the id is a stranger's by now, so is the session
            return holder is None or holder.key == self._leader_key
        return (
            not found.zombie
            and table.mark(found.pid, INVOCATION_MARK) == self.invocation_id
            and table.mark(found.pid, WORKSPACE_MARK) == self.workspace
        )


def end_all(members: Callable[[], list[table.Entry]], *, grace: float) -> tuple[table.Entry, ...]:
    """End whatever `members` finds until it finds nothing: SIGTERM, `grace` seconds, then SIGKILL. Blocks.

    Returns:
        Those that survive even that, a minute long: processes stuck in the kernel. Empty in ordinary life.
    """
    asked: set[tuple[int, int]] = set()
    for found in _until_none(members, grace):
        for one in found:
            if one.key not in asked:  # also whoever came since
                asked.add(one.key)
                _send(one, signal.SIGTERM)
    for found in _until_none(members, _UNKILLABLE):
        # First stop them all, so that no one forks while the others are killed; then look again for who was faster.
        for one in found:
            _send(one, signal.SIGSTOP)
        for one in members():
            _send(one, signal.SIGKILL)
    return tuple(members())


def sweep_marked(workspace: str, ids: Collection[InvocationId] | None = None, *, grace: float = 0.5) -> list[int]:
    """End what an earlier daemon of this workspace left running, by its marks. `ids`: only those invocations.

    Returns:
        The process ids that were ended.
    """
    seen: set[tuple[int, int]] = set()

    def is_marked(one: table.Entry) -> bool:
        if one.zombie or table.mark(one.pid, WORKSPACE_MARK) != workspace:
            return False
        return (found := table.mark(one.pid, INVOCATION_MARK)) is not None and (ids is None or found in ids)

    def members() -> list[table.Entry]:
        everything = table.everything()
        above = table.ancestors(os.getpid())  # a daemon that a tool started carries the marks itself
        roots = {pid for pid, one in everything.items() if pid not in above and (one.key in seen or is_marked(one))}
        return _living(_with_descendants(everything, roots), seen)

    end_all(members, grace=grace)
    return sorted(pid for pid, _ in seen)


def _with_descendants(everything: dict[int, table.Entry], roots: Collection[int]) -> list[table.Entry]:
    below: dict[int, list[int]] = {}
    for found in everything.values():
        below.setdefault(found.parent, []).append(found.pid)
    chosen: dict[int, table.Entry] = {}
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in chosen:
            chosen[pid] = everything[pid]
            waiting += below.get(pid, ())
    return list(chosen.values())


def _living(found: list[table.Entry], seen: set[tuple[int, int]]) -> list[table.Entry]:
    me = os.getpid()
    seen.update(one.key for one in found)
    for one in found:
        if one.zombie and one.parent == me:
            _collect(one.pid)
    return [one for one in found if not one.zombie]


def _collect(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # not ours, or collected already


def _until_none(members: Callable[[], list[table.Entry]], seconds: float) -> Iterator[list[table.Entry]]:
    """What `members` finds, again and again at growing distances, until it is nothing or the time is up."""
    deadline = time.monotonic() + seconds
    pause = _SHORTEST
    while (found := members()) and time.monotonic() < deadline:
        yield found
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _send(one: table.Entry, number: signal.Signals) -> None:
    """Signal exactly that process, and not one that got its id since."""
    try:
        fd = os.pidfd_open(one.pid)
    except OSError:
        return  # gone
    try:
        now = table.entry(one.pid)
        if now is not None and now.key == one.key:
            signal.pidfd_send_signal(fd, number)
    except (ProcessLookupError, PermissionError):
        return  # gone, or it runs as somebody else (setuid): not ours to end
    finally:
        os.close(fd)
