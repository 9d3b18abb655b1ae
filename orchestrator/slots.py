"""The floor: tasks that are claimed and wait for a slot, in the order of work, and those that run."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.core import order, resume
from orchestrator.core.settings import Tool, WorkspaceKind
from orchestrator.core.types import TaskId
from orchestrator.core.verdict import Ending
from orchestrator.registrar import Held
from orchestrator.reins import Reins
from orchestrator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """A task that is being worked on."""

    task_id: TaskId
    agent: str
    tool: str
    since: datetime


@dataclass(order=True, slots=True)
class _Ready:
    rank: order.Rank
    held: Held = field(compare=False)
    at: resume.Resumption = field(compare=False)


@dataclass(slots=True)
class _Running:
    told: AtWork
    policy: str
    work: "asyncio.Task[Held | None]"
    reins: Reins


# What a dead daemon had begun had its slot already, and its guard waits only so long for somebody to come back.
_UNDER_WAY = frozenset({resume.Stage.RERUN, resume.Stage.GIVE_UP, resume.Stage.JUDGE, resume.Stage.CLOSE})

Perform = Callable[[Held, resume.Resumption, Reins], Coroutine[Any, Any, Held | None]]


class Slots:
    """Who waits and who runs. `perform` does a task; it is started with `start`, and ends with `free`."""

    def __init__(
        self,
        world: World,
        *,
        perform: Perform,
        start: Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"],
        coming: Callable[[], order.Rank | None] = lambda: None,
    ) -> None:
        """`coming` is the first of those that are being claimed: it has the slot before those that come after it."""
        self._world = world
        self._coming = coming
        self._perform = perform
        self._start = start
        self._ready: list[_Ready] = []  # a heap; what was withdrawn is skipped when its turn comes
        self._queued: set[TaskId] = set()
        self._running: dict[TaskId, _Running] = {}
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many are claimed and wait."""
        return len(self._queued)

    @property
    def window(self) -> int:
        """How many may wait, claimed, for a slot: enough to keep slots busy, few enough to keep the order."""
        settings = self._world.settings()
        return max(8, 2 * (sum(policy.max_parallel for policy in settings.policies.values()) or 4))

    def working(self) -> list[AtWork]:
        """What runs now."""
        return [running.told for running in self._running.values()]

    def has(self, task_id: TaskId) -> bool:
        """Whether it waits or runs here."""
        return task_id in self._queued or task_id in self._running

    def enqueue(self, held: Held, at: resume.Resumption, *, rank: order.Rank | None = None) -> None:
        """It waits for its turn, or runs at once; nothing where it is here already. `rank`: as it had in the inbox."""
        if self.has(held.id):
            return
        if at.stage in _UNDER_WAY and not self._closed:
            policy = self._world.settings().policy(self._world.agent(held.agent).policy)
            self._run(held, at, policy.name, at.started.tool if at.started is not None else "")
            return
        self._queued.add(held.id)
        if rank is None:
            rank = order.rank(held.file.task, held.file.task.assigned_at or self._world.clock.now())
        heapq.heappush(self._ready, _Ready(rank=rank, held=held, at=at))
        self.fill()

    def fill(self) -> None:
        """Gives the free slots to those whose turn it is: within their policy's and their tool's `max_parallel`."""
        if self._closed:
            return
        used = Counter(running.policy for running in self._running.values())
        tools = Counter(running.told.tool for running in self._running.values())
        coming = self._coming()
        skipped: list[_Ready] = []
        while self._ready and len(skipped) <= self.window:
            if coming is not None and coming < self._ready[0].rank:
                break  # claims end in any order, within a moment: whoever ends one fills the slots again
            ready = heapq.heappop(self._ready)
            if ready.held.id not in self._queued:
                continue
            agent = self._world.agent(ready.held.agent)
            policy = self._world.settings().policy(agent.policy)
            tool = self._world.settings().tools.get(agent.preferred_tool)
            if self._is_full(tool, tools) or used[policy.name] >= policy.max_parallel:
                skipped.append(ready)
                continue
            used[policy.name] += 1
            tools[agent.preferred_tool] += 1
            self._run(ready.held, ready.at, policy.name, agent.preferred_tool)
        for ready in skipped:
            heapq.heappush(self._ready, ready)

    def _is_full(self, tool: Tool | None, running: Counter[str]) -> bool:
        """Whether no more of that tool may run now: by its own limit, or because another works in the checkout."""
        if tool is None:
            return False
        if tool.rate_limit.max_parallel is not None and running[tool.name] >= tool.rate_limit.max_parallel:
            return True
        tools = self._world.settings().tools
        return tool.workspace is WorkspaceKind.CHECKOUT and any(
            number > 0 and name in tools and tools[name].workspace is WorkspaceKind.CHECKOUT
            for name, number in running.items()
        )

    def _run(self, held: Held, at: resume.Resumption, policy: str, tool: str) -> None:
        self._queued.discard(held.id)
        reins = Reins(self._world.engine)
        self._running[held.id] = _Running(
            told=AtWork(task_id=held.id, agent=held.agent, tool=tool, since=self._world.clock.now()),
            policy=policy,
            work=self._start(self._perform(held, at, reins)),
            reins=reins,
        )

    def free(self, task_id: TaskId) -> None:
        """It is put away: its slot is free."""
        self._running.pop(task_id, None)

    def withdraw(self, task_id: TaskId) -> bool:
        """Takes it out of the queue; False where it does not wait."""
        if task_id not in self._queued:
            return False
        self._queued.discard(task_id)
        return True

    def is_running(self, task_id: TaskId) -> bool:
        """Whether it is being worked on."""
        return task_id in self._running

    async def stop(self, task_id: TaskId, ending: Ending, why: str = "") -> Held | None:
        """Ends its invocation, and waits until the task is put away; the task as it then is."""
        running = self._running.get(task_id)
        if running is None:
            return None
        await running.reins.pull(ending, why)
        return await asyncio.shield(running.work)

    def close(self) -> None:
        """Nothing more is started."""
        self._closed = True

    async def pull_all(self) -> None:
        """Interrupts whatever runs; a second time without graces."""
        for running in list(self._running.values()):
            await running.reins.pull(Ending.INTERRUPTED)
