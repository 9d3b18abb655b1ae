"""What lies in the inbox: which files are tasks, which can start, which wait and for what, which are no tasks at all.

The folder is the truth. A file is read once, and again when it changed; only what is needed to order and to claim is
kept of it, so that ten thousand waiting files cost little memory.
"""

import heapq
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator import taskfile
from orchestrator.core import order
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.settings import Agent
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, Status, TaskId
from orchestrator.ports import Clock, Entry, Index, Mailbox

QUIET_SECONDS = 2.0  # a file that does not parse is tried again until it has been quiet for so long
READS_AT_ONCE = 64  # files read in one look, so that claims begin while a burst is still being read


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A task in the inbox."""

    entry: Entry
    id: TaskId
    agent: AgentKey
    rank: order.Rank
    needs: frozenset[TaskId] = frozenset()  # must be done first


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTask:
    """A file that cannot be used, and the reason as it will stand in its .why.md."""

    entry: Entry
    why: str
    task_id: str = ""
    is_secret: bool = False  # what it holds must not get into git


@dataclass(slots=True)
class _Look:
    refused: list[NoTask] = field(default_factory=list)
    fresh: list[tuple[Entry, Task, AgentKey]] = field(default_factory=list)
    unsettled: bool = False
    more: bool = False


class Arrivals:
    """The inbox as it was last looked at."""

    def __init__(
        self,
        *,
        mailbox: Mailbox,
        index: Index,
        clock: Clock,
        agents: Callable[[], Mapping[AgentKey, Agent]],
        secret_in: Callable[[bytes, str], str],
    ) -> None:
        self._mailbox = mailbox
        self._index = index
        self._clock = clock
        self._agents = agents
        self._secret_in = secret_in
        self._found: dict[str, Found] = {}  # by path
        self._by_id: dict[TaskId, str] = {}
        self._held_up: dict[str, Found] = {}  # of these, the ones whose dependencies are not done: by path
        self._queue: list[tuple[order.Rank, str]] = []  # a heap of those that can start; stale items are skipped
        self._done: set[TaskId] = set()  # of the dependencies asked for
        self.not_after: datetime | None = None  # what was changed later than that is left for another time
        self._committed: set[Entry] = set()  # waiting tasks that are on the branch as they are
        self._claimed: set[str] = set()  # being claimed now
        self._lock = threading.RLock()  # a look reads in a thread, while the loop claims what was found before
        self.unsettled = False
        self.more = False

    def look(self) -> list[NoTask]:
        """Looks at the inbox once; the files that are no tasks. Blocking; reads at most READS_AT_ONCE files."""
        entries = {entry.path: entry for entry in self._mailbox.inbox() if self._is_in_time(entry)}
        for path in [path for path in list(self._found) if path not in entries]:
            self._forget(path)
        look = _Look()
        left = READS_AT_ONCE
        for path, entry in entries.items():
            known = self._found.get(path)
            if path in self._claimed or (known is not None and _same(known.entry, entry)):
                continue
            if left == 0:
                look.more = True
                break
            left -= 1
            self._forget(path)
            self._read(entry, look)
        for fresh in look.fresh:
            self._admit(*fresh)
        self._refresh_done()
        self.unsettled, self.more = look.unsettled, look.more
        return look.refused

    def _read(self, entry: Entry, look: _Look) -> None:
        if not entry.is_file:
            look.refused.append(NoTask(entry=entry, why=no_file(entry)))
            return
        if not self._mailbox.is_settled(entry):
            look.unsettled = True
            return
        try:
            raw = self._mailbox.read(entry.path)
            if why := self._secret_in(raw, entry.path):  # before all else: other reasons show the line
                self._not_yet(entry, why, look, is_secret=True)
                return
            task = taskfile.parse(raw, name=entry.name, path=entry.path).task
        except FileNotFoundError:
            return
        except taskfile.TaskFileRefused as refusal:
            self._not_yet(entry, str(refusal), look)
            return
        except OSError as error:
            look.refused.append(NoTask(entry=entry, why=unreadable(entry, error)))
            return
        if why := self._why_not(task, entry):
            self._not_yet(entry, why, look, task.id)
            return
        agent = resolve(task.agent, self._agents())
        if isinstance(agent, Unknown):
            self._not_yet(entry, f"{entry.path}: agent: {agent.why}", look, task.id)
            return
        with self._lock:
            self._by_id[task.id] = entry.path
        look.fresh.append((entry, task, agent))

    def _admit(self, entry: Entry, task: Task, agent: AgentKey) -> None:
        """After all of a look was read: a dependency may lie behind the task that names it."""
        needs = self._needs(task)
        found = Found(entry=entry, id=task.id, agent=agent, rank=order.rank(task, _seen(entry)), needs=needs)
        with self._lock:
            self._found[entry.path] = found
            if needs <= self._done:
                heapq.heappush(self._queue, (found.rank, entry.path))
            else:
                self._held_up[entry.path] = found

    def _not_yet(self, entry: Entry, why: str, look: _Look, task_id: str = "", *, is_secret: bool = False) -> None:
        """No task as it stands. Whoever writes it may not have finished: it is given time to become quiet."""
        if is_quiet(entry, self._clock.now()):
            look.refused.append(NoTask(entry=entry, why=why, task_id=task_id, is_secret=is_secret))
        else:
            look.unsettled = True

    def _why_not(self, task: Task, entry: Entry) -> str:
        if task.status is Status.DONE:
            return f"{entry.path}: status: it says done; set it to new to have it done again under a new id"
        twin = self._by_id.get(task.id)
        if twin is not None and twin != entry.path:
            return f"{entry.path}: id: {twin} has the same id; give it a new id and file name"
        known = self._index.known([task.id]).get(task.id)
        if known is not None and known.path and known.path != entry.path and self._mailbox.exists(known.path):
            return f"{entry.path}: id: {known.path} has it already ({known.status}); give it a new id and file name"
        return ""

    def _needs(self, task: Task) -> frozenset[TaskId]:
        soft = [TaskId(name) for name in task.dependencies if name != task.id]
        wanted = self._index.known([*task.depends_on, *soft])
        binding = [*task.depends_on, *(name for name in soft if name in wanted or name in self._by_id)]
        self._done.update(name for name, known in wanted.items() if known.status == Status.DONE)
        return frozenset(binding)

    def _refresh_done(self) -> None:
        """A dependency may have been finished by another hand: a pull, a person, another daemon."""
        with self._lock:
            open_ = {name for found in self._held_up.values() for name in found.needs} - self._done
        if open_:
            known = self._index.known(open_)
            self._done.update(name for name, row in known.items() if row.status == Status.DONE)
            self._release()

    def _release(self) -> None:
        with self._lock:
            for path in [path for path, found in self._held_up.items() if found.needs <= self._done]:
                heapq.heappush(self._queue, (self._held_up.pop(path).rank, path))

    def _forget(self, path: str) -> None:
        with self._lock:
            self._held_up.pop(path, None)
            found = self._found.pop(path, None)
            if found is not None and self._by_id.get(found.id) == path:
                del self._by_id[found.id]

    def next(self) -> Found | None:
        """The next one to claim, in the order of work; it is not offered again until `give_back`."""
        with self._lock:
            while self._queue:
                rank, path = heapq.heappop(self._queue)
                found = self._found.get(path)
                stale = found is None or found.rank != rank or path in self._held_up
                if found is not None and not stale and path not in self._claimed:
                    self._claimed.add(path)
                    return found
        return None

    def take(self, found: Found) -> None:
        """That one is being dealt with: it is not offered until `give_back`."""
        self._claimed.add(found.entry.path)

    def give_back(self, found: Found) -> None:
        """That is over, one way or the other; the folder says what is there now."""
        self._claimed.discard(found.entry.path)
        self._forget(found.entry.path)

    def note_done(self, task_id: TaskId) -> None:
        """That task is done: what waited for it may start."""
        self._done.add(task_id)
        if self._held_up:
            self._release()

    def waiting(self) -> dict[TaskId, str]:
        """The tasks that cannot start yet, and what each waits for."""
        with self._lock:
            held_up = list(self._held_up.values())
        return {found.id: f"waits for {', '.join(sorted(found.needs - self._done))}" for found in held_up}

    def uncommitted(self, limit: int) -> list[Found]:
        """Tasks that have been waiting for a while and are not on the branch as they are, until `note_committed`."""
        before = (self._clock.now().timestamp() - QUIET_SECONDS) * 1e9
        with self._lock:
            held_up = list(self._held_up.values())
        waiting = (found for found in held_up if found.entry.mtime_ns < before)
        found = [item for item in waiting if item.entry not in self._committed][:limit]
        self._committed.intersection_update(item.entry for item in held_up)
        return found

    def note_committed(self, found: Found) -> None:
        """That one is on the branch as it is, or gone."""
        self._committed.add(found.entry)

    def _is_in_time(self, entry: Entry) -> bool:
        return self.not_after is None or entry.mtime_ns / 1e9 <= self.not_after.timestamp()

    def in_circles(self) -> list[tuple[Found, str]]:
        """The tasks that wait for each other, each with the circle in words."""
        with self._lock:
            graph = {found.id: found.needs - self._done for found in self._held_up.values()}
        told = []
        for circle in order.cycles(graph):
            words = " → ".join([*circle, circle[0]])
            told += [
                (self._found[self._by_id[task_id]], f"its dependencies go in a circle: {words}; take one out")
                for task_id in circle
                if task_id in self._by_id and self._by_id[task_id] not in self._claimed
            ]
        return told

    def __len__(self) -> int:
        return len(self._found)


def is_quiet(entry: Entry, now: datetime) -> bool:
    """Whether nobody has written to it for so long that it is what it was meant to be."""
    return not 0 <= now.timestamp() - entry.mtime_ns / 1e9 < QUIET_SECONDS


def no_file(entry: Entry) -> str:
    """Why a link, a folder or a pipe is no task."""
    return f"{entry.path}: is a link or a folder, not a file; put the file itself"


def unreadable(entry: Entry, error: OSError) -> str:
    """Why a file is no task that the system does not let us read."""
    return f"{entry.path}: cannot be read: {error.strerror}"


def _same(one: Entry, other: Entry) -> bool:
    return (one.mtime_ns, one.size, one.inode) == (other.mtime_ns, other.size, other.inode)


def _seen(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.mtime_ns / 1e9, UTC)
