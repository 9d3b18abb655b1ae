"""Ends what no guard looks after any more: its guard was killed, or the machine or an older daemon left it.

What such a run started is known by its marks, by what descends from those that carry them, and, where the guard was
killed under this daemon's zygote, by having become the zygote's child. Not found: one that cleared its environment and
lost its parent under a guard that was killed while no daemon was there.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from orchestrator.adapters import process_table as table
from orchestrator.core.invocation import INVOCATION_MARK, WORKSPACE_MARK
from orchestrator.core.types import InvocationId
from orchestrator.guard.spec import LOCK

_UNKILLABLE = 60.0  # seconds after which a process that survives SIGKILL (stuck in the kernel) is named and left
GUARD_FILE = LOCK.decode()
_SHORTEST, _LONGEST = 0.002, 0.05  # seconds between two looks


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


def sweep_marked(
    workspace: str,
    ids: Collection[InvocationId] | None = None,
    *,
    grace: float = 0.5,
    orphans: Callable[[], Collection[int]] = tuple,
) -> list[int]:
    """End what an earlier daemon of this workspace left running, by its marks, save what a living guard looks after.

    Args:
        ids: Only those invocations; their guards are known to be dead.
        orphans: Processes that are to go too, unless they are guards.

    Returns:
        The process ids that were ended.
    """
    seen: set[tuple[int, int]] = set()

    def is_marked(one: table.Entry) -> bool:
        if one.zombie or table.mark(one.pid, WORKSPACE_MARK) != workspace:
            return False
        found = table.mark(one.pid, INVOCATION_MARK)
        return found is not None and (found in ids if ids is not None else not _is_guarded(one.pid, found))

    def members() -> list[table.Entry]:
        everything = table.everything()
        above = table.ancestors(os.getpid())  # a daemon that a tool started carries the marks itself
        left = {pid for pid in orphans() if not table.holds(pid, GUARD_FILE)}
        roots = {
            pid
            for pid, one in everything.items()
            if pid not in above and (pid in left or one.key in seen or is_marked(one))
        }
        return _living(_with_descendants(everything, roots), seen)

    end_all(members, grace=grace)
    return sorted(pid for pid, _ in seen)


def _is_guarded(pid: int, invocation: str) -> bool:
    """Whether the guard of that invocation is above the process: it says so in the file that it holds open."""
    for above in table.ancestors(pid):
        for path in table.holds(above, GUARD_FILE):
            try:
                said = json.loads(Path(path).read_bytes())
            except (OSError, ValueError):
                continue  # it has not written it yet: then it has started nothing
            if isinstance(said, dict) and (said.get("pid"), said.get("invocation")) == (above, invocation):
                return True
    return False


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
        time.sleep(pause)  # they are no children of ours: nothing tells their end
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
