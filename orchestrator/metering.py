"""A run that tells what it uses while it runs is stopped at what is held for it.

For tools that cannot be told a cap. One that tells nothing before its end is bounded by its limits on time and turns,
and by what they let it cost.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import affording, launch
from orchestrator.core import accounts, budget_words
from orchestrator.core.settings import Model, Tool
from orchestrator.core.types import ErrorKind, MicroUsd
from orchestrator.core.verdict import Ending, Printed, Ran, Reported
from orchestrator.registrar import Held
from orchestrator.running import Run, Way
from orchestrator.world import World

_LOOK_EVERY = 2.0  # seconds
_SHARE = 20  # looking takes a twentieth of the time at most: what is long takes longer to read


@dataclass(slots=True)
class Meter:
    """What a run has used so far, against what is held for it."""

    world: World
    tool: Tool
    model: Model
    printed: Printed
    hold: MicroUsd
    previous: Reported | None = None
    stopped_at: MicroUsd | None = None
    _size: int = -1

    def explain(self, ran: Ran) -> Ran:
        """The run, with the reason where it was stopped here."""
        if self.stopped_at is None or ran.ending is not Ending.OVER_LIMIT:
            return ran
        used, held = budget_words.money(self.stopped_at), budget_words.money(self.hold)
        words = f"it had used {used} where {held} is held for it, and was stopped; a larger budget_usd holds more"
        return replace(ran, failure=ErrorKind.BUDGET, errors="\n".join(filter(None, (ran.errors, words))))

    def used(self) -> MicroUsd | None:
        """What it cost up to now; None where nothing more was printed, or that tells nothing. Blocking."""
        try:
            size = Path(self.printed.stdout).stat().st_size
            if size == self._size:
                return None
            self._size = size
            read = self.world.read_output(self.tool, Ran(ending=Ending.INTERRUPTED), self.printed, self.previous)
        except OSError:  # the next look tells, or the end
            return None
        return affording.with_cost(read, self.tool, self.model).cost


@asynccontextmanager
async def metered(world: World, held: Held, way: Way, run: Run) -> AsyncIterator[Meter]:
    """Watches the run while the block lasts."""
    tool, hold = way.candidate.tool, way.hold
    model = world.settings().model(run.model)
    meter = Meter(
        world=world,
        tool=tool,
        model=model,
        printed=launch.printed(world.host, held, run.invocation_id),
        hold=hold.amount if hold is not None else MicroUsd(0),
    )
    if not meter.hold or tool.output == "text" or not affording.binds(world, held):
        yield meter
        return
    events = await world.disk(world.events.read, held.id)
    meter.previous = accounts.last_session(events, tool.name, before=run.invocation_id)
    watch = asyncio.create_task(_watch(meter, world, run))
    try:
        yield meter
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(meter: Meter, world: World, run: Run) -> None:
    pause = _LOOK_EVERY
    while meter.stopped_at is None:
        await asyncio.sleep(pause)
        began = time.monotonic()
        used = await world.disk(meter.used)
        pause = max(_LOOK_EVERY, _SHARE * (time.monotonic() - began))
        if used is not None and used >= meter.hold:
            meter.stopped_at = used
            await world.engine.stop(run.invocation_id, Ending.OVER_LIMIT)
