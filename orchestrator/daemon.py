"""Arrivals → slots → pipeline, and housekeeping. One loop, woken by hints, that always looks for itself."""

import asyncio
import contextlib
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from orchestrator import pipeline, rejecting, takeup, trying, waits, withdrawing
from orchestrator.arrivals import Arrivals, Found, NoTask
from orchestrator.commands import Commands
from orchestrator.core import order, resume
from orchestrator.core.types import Status, TaskId
from orchestrator.core.verdict import Ending
from orchestrator.errors import OrchestratorError
from orchestrator.registrar import Held, OvertakenError
from orchestrator.reins import Reins
from orchestrator.slots import AtWork, Slots
from orchestrator.taskfile import TaskFileRefused
from orchestrator.world import World

if TYPE_CHECKING:
    from datetime import datetime

RESCAN_SECONDS = 30.0  # everything is looked at again, whatever the watcher said
GLANCE_SECONDS = 1.0  # the time of the folders, and requests, are looked at
LONGEST_PAUSE = 2.0  # seconds between two looks at a folder that takes long to look through
UNSETTLED_SECONDS = 0.02  # a file that is still being written is looked at again
MOST_BACKLOG = 2048  # transitions not yet committed: above it nothing is claimed
STOP_GRACE_SECONDS = 10.0  # what runs may finish within it after SIGTERM


class Until(StrEnum):
    """How long the daemon goes on."""

    STOPPED = "stopped"
    IDLE = "idle"  # until nothing is left that could be done
    ONCE = "once"  # what is there now, then the end


class Surroundings(Protocol):
    """What the daemon needs beyond the straight path. Everything here is cheap or taken off the loop by `Disk`."""

    def changes(self) -> AsyncIterator[None]:
        """A hint for each change in the watched folders."""

    def glance(self) -> bool:
        """Whether the folders' times changed since the last glance, or requests wait."""

    async def requests(self, commands: Commands) -> None:
        """Answers the requests that wait."""

    def take_in(self) -> int:
        """Drops what intake offers into the inbox; how many."""

    def disk_trouble(self) -> str:
        """Why nothing can be written now; empty: all is well."""

    def say(self, state: str, why: str = "") -> None:
        """Tells people how it stands: status reads it."""

    def tell_service_manager(self, state: str) -> None:
        """READY=1 and the like, where that is asked for."""

    def write_boards(self) -> None:
        """Brings AGENT_STATUS.md, HANDOFFS.md and WORKFLOW_LOG.md up to date."""

    def housekeeping(self) -> bool:
        """One bounded piece of work for quiet times; False: nothing was left to do."""

    async def archive(self) -> int:
        """Puts some done tasks past retention into the archive; how many."""

    def reload(self) -> str:
        """Reads the configuration again; '' or why the old one stays."""

    def report_crash(self, text: str) -> str:
        """Keeps a traceback; the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where the daemon stands, for who shows it."""

    waiting: int
    running: int
    finished: Counter[str]
    last: str = ""


class Daemon:
    """One workspace's daemon. It is also the floor on which commands find what runs."""

    def __init__(
        self,
        world: World,
        surroundings: Surroundings,
        *,
        until: Until = Until.STOPPED,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._world = world
        self._around = surroundings
        self._until = until
        self._on_progress = on_progress
        self._arrivals = Arrivals(
            mailbox=world.mailbox,
            index=world.index,
            clock=world.clock,
            agents=lambda: world.settings().agents,
            secret_in=world.secret_in,
        )
        self._arrivals.not_after = world.clock.now() if until is Until.ONCE else None
        self._commands = Commands(world=world, floor=self)
        self._slots = Slots(world, perform=self._perform, start=self._start, coming=self._coming)
        self._claiming: dict[str, Found] = {}  # by path
        self._settled: set[tuple[str, int]] = set()  # files in assigned/ that need nothing, by path and mtime
        self._wake = asyncio.Event()
        self._stopping = False
        self._was_paused = False
        self._last_rescan = float("-inf")
        self._next_look = 0.0
        self._refused: set[tuple[str, int, str]] = set()  # what could not be rejected: tried again at the next rescan
        self._half_written = False  # something in assigned/ is being written
        self._settings = world.settings()
        self._missed: frozenset[TaskId] = frozenset()  # tasks whose files were not there at the last look
        self._blocked = 0  # tasks in assigned/ that may go on when another is done
        self._blocked_until: datetime | None = None  # when the first of those that wait for a time can go on
        self._boards_due = False
        self._assigned_due = True
        self._finished: Counter[str] = Counter()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._intake: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None

    # --- the loop ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Goes on until stopped, or until nothing is left where that was asked for."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            watcher = group.create_task(self._watch())
            keeper = group.create_task(self._keep_house())
            try:
                if self._until is Until.ONCE:
                    await self._take_in_first()
                await self._loop()
            finally:
                watcher.cancel()
                keeper.cancel()

    async def _loop(self) -> None:
        told_ready = False
        while True:
            self._wake.clear()
            await self._look()
            self._pump()
            self._report()
            if not told_ready:
                self._around.tell_service_manager("READY=1")
                told_ready = True
            if self._stopping:
                await self._wind_down()
                return
            if self._nothing_left():
                return
            await self._until_something()

    async def _look(self) -> None:
        """Looks at everything that may have changed. The scan is the truth; what woke us was a hint."""
        began = self._now()
        if self._now() - self._last_rescan >= RESCAN_SECONDS:
            self._last_rescan, self._assigned_due = self._now(), True
            self._refused.clear()
        await self._around.requests(self._commands)
        if self._stopping:
            return
        if self._intake is None or self._intake.done():  # it may ask a remote, which may take its time
            assert self._group is not None
            self._intake = self._group.create_task(self._guarded(self._take_in(), "intake"))
        if self._assigned_due:
            self._assigned_due = False
            await self._take_up()
        for refused in await self._guarded(self._world.disk(self._arrivals.look), "the inbox") or ():
            await self._reject(refused)
        for found, why in self._arrivals.in_circles():
            self._arrivals.take(found)
            self._begin_claim(found, blocked_by=why)
        waiting = self._arrivals.waiting()
        await self._guarded(self._world.disk(self._world.index.set_waiting, waiting), "what waits")
        if waiting and self._world.trail.backlog < MOST_BACKLOG:
            await self._guarded(
                self._world.disk(waits.commit_waiting, self._world, self._arrivals), "the waiting tasks"
            )
        # A folder of ten thousand takes a while to look through: looking takes a fifth of the time at most.
        self._next_look = self._now() + min(LONGEST_PAUSE, 4 * (self._now() - began))

    async def _take_in_first(self) -> None:
        """What intake offers now is there now, though it lands in the inbox a moment after the start."""
        if await self._guarded(self._world.disk(self._around.take_in), "intake"):
            self._arrivals.not_after = self._world.clock.now()

    async def _take_in(self) -> None:
        if await self._world.disk(self._around.take_in):
            self._wake.set()

    async def _until_something(self) -> None:
        """Sleeps until a hint, a changed folder, a file that may have settled, or the next rescan."""
        if self._arrivals.more:
            await asyncio.sleep(0)
            return
        while True:
            with contextlib.suppress(TimeoutError):
                hurried = self._arrivals.unsettled or self._until is not Until.STOPPED
                async with asyncio.timeout(UNSETTLED_SECONDS if hurried else GLANCE_SECONDS):
                    await self._wake.wait()
                if not self._stopping:
                    await asyncio.sleep(self._next_look - self._now())
                return
            due = self._half_written or self._now() - self._last_rescan >= RESCAN_SECONDS
            if self._blocked_until is not None and self._world.clock.now() >= self._blocked_until:
                due = self._assigned_due = True
            self._assigned_due = self._assigned_due or self._half_written
            relieved = self._was_paused and not self._paused()
            if changed := self._around.glance():
                self._assigned_due = True
            if due or relieved or self._arrivals.unsettled or changed or self._nothing_left():
                return

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def look_again(self) -> None:
        """The folders changed, or a slot is free."""
        self._assigned_due = True
        self._wake.set()

    async def _watch(self) -> None:
        async for _ in self._around.changes():
            self._wake.set()

    # --- claims and slots ----------------------------------------------------------------------------------------

    def _paused(self) -> str:
        return self._around.disk_trouble() or self._world.trail.trouble or ""

    def _pump(self) -> None:
        """Fills the free slots, then claims as many as may wait for one."""
        self._slots.fill()
        if self._stopping or self._paused() or self._world.trail.backlog > MOST_BACKLOG:
            return
        while self._slots.waiting + len(self._claiming) < self._slots.window:
            found = self._arrivals.next()
            if found is None:
                return
            self._begin_claim(found)

    def _begin_claim(self, found: Found, *, blocked_by: str = "") -> None:
        self._claiming[found.entry.path] = found  # from now on, not from when its coroutine first runs
        self._start(self._claim(found, blocked_by=blocked_by))

    def _coming(self) -> order.Rank | None:
        """The most urgent of those that are being claimed."""
        return min((found.rank for found in self._claiming.values()), default=None)

    async def _claim(self, found: Found, *, blocked_by: str = "") -> None:
        try:
            held = await takeup.claim(self._world, found)
            if held is None:
                return
            if blocked_by:
                await pipeline.block(self._world, held, blocked_by)
            elif not self._world.agent(held.agent).manual:
                self._slots.enqueue(held, resume.Resumption(stage=resume.Stage.RUN), rank=found.rank)
            if self._blocked or blocked_by:
                self.look_again()
            self._boards_due = True
        finally:
            self._claiming.pop(found.entry.path, None)
            self._arrivals.give_back(found)
            self._pump()

    async def _perform(self, held: Held, at: resume.Resumption, reins: Reins) -> Held | None:
        after = None
        try:
            after = await pipeline.work(self._world, held, at, reins)
        except (TaskFileRefused, OvertakenError):
            self._assigned_due = True  # edited meanwhile, and no task or another's turn now: the next look says so
            return None
        except Exception as error:  # noqa: BLE001 - the daemon's one-task boundary (STYLE, errors)
            if isinstance(error, FileNotFoundError) and not await self._world.disk(self._world.mailbox.search, held.id):
                self.look_again()  # a person took it away meanwhile: it stays away, and the next look tells of it
                return None
            file = self._around.report_crash(traceback.format_exc())
            after = await pipeline.break_off(self._world, held, f"{error}; the traceback is in {file}")
        finally:
            self._slots.free(held.id)
            self._boards_due = True
            if self._blocked and (after is None or after.status is not Status.BLOCKED):
                self.look_again()  # what others wait for may be there now; one that is blocked itself brought nothing
        if after.status is Status.BLOCKED:
            await self._note_time(held.id)
        self._finished[str(after.status)] += 1
        if after.status is Status.DONE:
            self._arrivals.note_done(held.id)
        self._pump()
        return after

    async def _note_time(self, task_id: TaskId) -> None:
        """Until when it is blocked, if that was told: then it is looked at again, and not at the next rescan."""
        events = await self._world.disk(self._world.events.read, task_id)
        until = trying.waits_until(events[-1] if events else None)
        self._blocked_until = min(filter(None, (self._blocked_until, until)), default=None)

    def _start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        assert self._group is not None
        job = self._group.create_task(self._guarded(work, "a task"))
        self._jobs.add(job)
        job.add_done_callback(self._job_ended)
        job.add_done_callback(lambda _: work.close())  # one that was cancelled before it began
        return job

    def _job_ended(self, job: "asyncio.Task[Any]") -> None:
        self._jobs.discard(job)
        if not self._jobs:
            self._wake.set()

    async def _guarded(self, work: Coroutine[Any, Any, Any], what: str) -> Any:
        """The boundary of one task: what goes wrong in it is kept in a file and named, and the others go on."""
        try:
            return await work
        except OrchestratorError as error:
            self._around.say("running", str(error)[:500])
        except Exception:  # noqa: BLE001 - the daemon's one-task boundary (STYLE, errors)
            file = self._around.report_crash(traceback.format_exc())
            self._around.say("running", f"a mistake of ours at {what}: see {file}")
        return None

    # --- what is in assigned/ ------------------------------------------------------------------------------------

    async def _take_up(self) -> None:
        """Takes up what lies in assigned/ and is not in hand: a person put it there, or a daemon died over it."""
        entries = await self._guarded(self._world.disk(self._world.mailbox.assigned), "assigned/") or []
        self._missed = (
            await self._guarded(
                withdrawing.note_withdrawn(self._world, self._in_hand, self._missed), "what was taken away"
            )
            or frozenset()
        )
        self._settled &= {(entry.path, entry.mtime_ns) for entry in entries}
        self._blocked, self._blocked_until, self._half_written = 0, None, bool(self._missed)
        if self._world.settings() is not self._settings:  # what needed nothing may need something under new settings
            self._settings = self._world.settings()
            self._settled.clear()
        for entry in entries:
            if (entry.path, entry.mtime_ns) in self._settled:
                continue
            taken = await self._guarded(takeup.find_half_way(self._world, entry, self._in_hand), entry.path)
            match taken:
                case takeup.Broken():
                    await self._reject(taken.file)
                case takeup.Unsettled():
                    self._half_written = True
                case takeup.HalfWay():
                    self._slots.enqueue(taken.held, taken.at)
                case takeup.Blocked(until=until):
                    self._blocked += 1
                    self._blocked_until = min(filter(None, (self._blocked_until, until)), default=None)
                case takeup.AtRest():
                    self._settled.add((entry.path, entry.mtime_ns))
                case _:
                    pass

    async def _reject(self, file: NoTask) -> None:
        """Moves it to rejected/; where that cannot be done, it is said once and not at every look."""
        key = (file.entry.path, file.entry.mtime_ns, file.why)
        if key not in self._refused:
            self._refused.add(key)
            if await self._guarded(rejecting.reject(self._world, file), f"rejecting {file.entry.path}"):
                self._refused.discard(key)

    def _in_hand(self, task_id: TaskId) -> bool:
        return self._slots.has(task_id) or any(found.id == task_id for found in self._claiming.values())

    def working(self) -> list[AtWork]:
        """What runs now."""
        return self._slots.working()

    # --- the floor, for commands ---------------------------------------------------------------------------------

    def is_running(self, task_id: TaskId) -> bool:
        """Whether an invocation of it runs now."""
        return self._slots.is_running(task_id)

    def withdraw(self, task_id: TaskId) -> bool:
        """Takes it out of the queue."""
        return self._slots.withdraw(task_id)

    async def stop(self, task_id: TaskId, ending: Ending, why: str = "") -> Held | None:
        """Ends its invocation, and waits until the task is put away."""
        return await self._slots.stop(task_id, ending, why)

    # --- the end -------------------------------------------------------------------------------------------------

    def ask_to_stop(self) -> None:
        """Stops claiming; a second time, ends at once what runs."""
        if self._stopping:
            self._start(self._slots.pull_all())
        self._stopping = True
        self._slots.close()
        self._around.tell_service_manager("STOPPING=1")
        self._around.say("stopping", "asked to stop: what runs may finish within the grace")
        self._wake.set()

    async def _wind_down(self) -> None:
        """Waits for what runs, within the grace, then ends it."""
        if self._jobs:
            await asyncio.wait(list(self._jobs), timeout=STOP_GRACE_SECONDS)
        await self._slots.pull_all()
        while self._jobs:
            await asyncio.wait(list(self._jobs))

    def _nothing_left(self) -> bool:
        if self._until is Until.STOPPED or self._jobs or self._slots.waiting or self._paused():
            return False
        if self._intake is not None and not self._intake.done():
            return False
        unsettled = self._arrivals.more or self._arrivals.unsettled or self._half_written
        return not (unsettled or self._assigned_due or self._wake.is_set())

    def _report(self) -> None:
        self._was_paused = bool(why := self._paused())
        if why:
            self._around.say("paused", why)
        elif not self._stopping:
            self._around.say("running", self._world.trail.waiting)
        if self._on_progress is not None:
            self._on_progress(
                Progress(
                    waiting=len(self._arrivals) + self._slots.waiting,
                    running=len(self._slots.working()),
                    finished=self._finished,
                )
            )

    # --- housekeeping --------------------------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        """What can wait: the boards, the trail's own housekeeping, the archive. Never in the way of a task."""
        while True:
            await asyncio.sleep(1.0 if self._boards_due else GLANCE_SECONDS * 2)
            if self._paused():
                continue
            if self._boards_due:
                self._boards_due = False
                await self._guarded(self._world.disk(self._around.write_boards), "the boards")
            if not self._claiming and not self._world.trail.backlog:
                await self._guarded(self._world.disk(self._around.housekeeping), "housekeeping")
                await self._guarded(self._around.archive(), "the archive")
