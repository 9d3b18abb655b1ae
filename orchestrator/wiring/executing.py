"""Carries out `exec` where no daemon runs: at once, under the workspace's lock, and through the straight path.

What comes after the tool (the reader of its output, the templates of the work log) is loaded while the tool runs.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from orchestrator import executing, pipeline
from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.place import Place
from orchestrator.adapters.process_zygote import Zygote
from orchestrator.commands import Commands, EmptyFloor
from orchestrator.core import resume
from orchestrator.core.events import Event, EventKind
from orchestrator.core.settings import Tool
from orchestrator.core.verdict import Ending, Printed, Ran, Reported
from orchestrator.errors import InterruptedByPersonError, OrchestratorError
from orchestrator.executing import Executed
from orchestrator.registrar import Held
from orchestrator.reins import Reins
from orchestrator.wiring.exporting import Ears, exported
from orchestrator.wiring.opening import Opened, open_workspace, recover
from orchestrator.wiring.watching import LOOK_EVERY, SIGNALS, LiveText, Onlooker, Stop, has_left, live_of, show_rest
from orchestrator.world import World

FLUSH_SECONDS = 30.0
WORK_LOG = "logs/work-log.md.j2"


@dataclass(slots=True)
class _Heard:
    """What was told of the task, and its run as it was read, while the straight path goes on."""

    events: list[Event] = field(default_factory=list)
    ran: Ran | None = None
    get_ready: Callable[[Event], None] | None = None

    def hear(self, event: Event) -> None:
        """Something was told."""
        self.events.append(event)
        if event.event == EventKind.EXECUTION_STARTED and self.get_ready is not None:
            threading.Thread(target=self.get_ready, args=(event,), daemon=True).start()

    def read_output(self, read: Callable[..., Ran]) -> Callable[[Tool, Ran, Printed, Reported | None], Ran]:
        """The reader, listened to."""

        def reading(tool: Tool, ran: Ran, printed: Printed, previous: Reported | None) -> Ran:
            self.ran = read(tool, ran, printed, previous)
            return self.ran

        return reading


def run_alone(
    place: Place, arguments: Mapping[str, object], onlooker: Onlooker, stop: Stop, zygote: Zygote
) -> Executed:
    """Runs it here.

    Raises:
        BusyError: somebody holds the workspace, and nothing was done; OrchestratorError: it was refused.
    """
    if stop.presses:
        raise InterruptedByPersonError("interrupted before anything was done")
    heard = _Heard()
    place.state.mkdir(parents=True, exist_ok=True)
    with WorkspaceLock(place.state, what="exec"):
        ears = Ears(heard.hear)
        opened = open_workspace(place, heard=ears.hear, zygote=zygote)
        try:
            heard.get_ready = partial(_load_the_rest, opened)
            with exported(opened, ears):
                recover(opened)
                opened.disk.give_up()
                done = asyncio.run(_alone(opened, arguments, onlooker, stop, heard))
            opened.trail.flush(FLUSH_SECONDS)
            if opened.trail.trouble:
                warning = f"not committed yet: {opened.trail.trouble}; the next daemon commits it"
                done = replace(done, warning=warning)
        finally:
            opened.close()
    return done


def _load_the_rest(opened: Opened, started: Event) -> None:
    """What is needed once the tool has ended; it takes as long as a quick tool does."""
    from orchestrator.adapters import readers

    if (tool := opened.world.settings().tools.get(started.tool)) is not None:
        readers.get_ready(tool)
    opened.templates.get_ready(WORK_LOG)


async def _alone(
    opened: Opened, arguments: Mapping[str, object], onlooker: Onlooker, stop: Stop, heard: _Heard
) -> Executed:
    world = replace(opened.world, read_output=heard.read_output(opened.world.read_output))
    reins = Reins(world.engine)
    loop = asyncio.get_running_loop()
    pulls: set[asyncio.Task[None]] = set()

    def pull() -> None:
        job = loop.create_task(reins.pull(Ending.CANCELLED, stop.why))
        pulls.add(job)
        job.add_done_callback(pulls.discard)

    with _signals(loop, onlooker, stop, pull):
        reply = await Commands(world=world, floor=EmptyFloor()).carry_out("exec", arguments)
        onlooker.begun(reply)
        heard.events[:] = [event for event in heard.events if event.task_id == reply["id"]]
        held = await world.disk(executing.held_of, world, str(reply["path"]), str(reply["agent"]))
        job = asyncio.create_task(_straight_path(world, held, reins))
        await _watch(job, heard, world, onlooker, stop, pull)
        after = await job
    mine = [event for event in heard.events if event.task_id == after.id]
    return executing.executed(after.id, mine, heard.ran, world.host.state)


async def _straight_path(world: World, held: Held, reins: Reins) -> Held:
    try:
        held = await pipeline.claim(world, held)
        return await pipeline.work(world, held, resume.Resumption(stage=resume.Stage.RUN), reins)
    except Exception as error:
        # The one-task boundary, as in the daemon: what it is, is said where the task is, and then where we are.
        with contextlib.suppress(OrchestratorError, OSError):
            await pipeline.break_off(world, held, str(error) or type(error).__name__)
        raise


async def _watch(
    job: "asyncio.Task[Held]",
    heard: _Heard,
    world: World,
    onlooker: Onlooker,
    stop: Stop,
    pull: Callable[[], None],
) -> None:
    """Until it is over: shows what is printed, and ends it where nobody reads the answer any more."""
    live: LiveText | None = None
    shown = ""
    while not (await asyncio.wait({job}, timeout=LOOK_EVERY))[0]:
        if stop.reader_left:
            continue
        started = executing.started_in(heard.events)
        if onlooker.wants_live and started is not None and started.invocation_id != shown:
            shown = started.invocation_id
            live = live_of(world.host.state, started, world.settings(), onlooker)
        stop.reader_left = has_left(live, onlooker)
        if stop.reader_left:
            pull()
    if not stop.reader_left:
        show_rest(live, heard.events, world.host.state, world.settings(), onlooker)


@contextlib.contextmanager
def _signals(
    loop: asyncio.AbstractEventLoop, onlooker: Onlooker, stop: Stop, pull: Callable[[], None]
) -> Iterator[None]:
    """While it runs, a signal cancels it; a second one skips the graces."""

    def on_signal(number: int) -> None:
        stop.number = stop.number or number
        stop.presses += 1
        onlooker.cancelling(stop.presses)
        pull()

    ours = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
    for number in ours:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in ours:
            loop.remove_signal_handler(number)
