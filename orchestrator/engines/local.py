"""Runs invocations as processes of this machine. What ends a run, and how, is its guard's business."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.invocation import Invocation
from orchestrator.core.types import CostSource, ErrorKind, InvocationId, MicroUsd
from orchestrator.core.verdict import Ending, Printed, Ran

_TRIES = 3  # of a run whose guard was killed before it began: nothing of it ran, so it may be started again
_REMEMBERED = 1024  # stops that came before their run


class Started(Protocol):
    """A run that goes on under its guard (adapters.process.Supervised)."""

    @property
    def has_begun(self) -> bool:
        """False once it is certain that nothing of it was ever started."""

    def stop(self, ending: Ending, /) -> None:
        """Asks it to end so; asked again, without graces."""

    def kill(self) -> None:
        """Ends it without any grace."""

    async def end(self) -> Ran | None:
        """How it ended, with nothing of it left; None: its guard was killed."""

    def why_lost(self) -> str:
        """Why there was no word of its end."""


class Starter(Protocol):
    """Starts and finds runs (adapters.process.Processes)."""

    async def start(self, invocation: Invocation, graces: tuple[float, float, float], /) -> "Started | Ran":
        """The run, or why there is none."""

    async def find(self, invocation_id: InvocationId, printed: Printed, /) -> "Started | Ran | None":
        """A run of an earlier daemon: going on, ended since, or without a trace."""

    def sweep(self) -> list[int]:
        """Ends what a dead daemon left running without a guard."""

    def unavailable(self, binary: str, /) -> str:
        """Empty where that binary can be started, else why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graces:
    """How long a tool is given, in seconds, before the next, harder way to end it."""

    interrupt: float = 10.0  # after SIGINT
    terminate: float = 5.0  # after SIGTERM
    leftovers: float = 1.0  # what an ended tool left running, after SIGTERM


class LocalEngine:
    """Runs invocations on this machine. Not thread-safe: it belongs to one event loop."""

    def __init__(self, starter: Starter, graces: Graces | None = None) -> None:
        self._starter = starter
        graces = graces or Graces()
        self._graces = (graces.interrupt, graces.terminate, graces.leftovers)
        self._running: dict[InvocationId, Started] = {}
        self._stopped_before: dict[InvocationId, Ending] = {}

    async def run(self, invocation: Invocation) -> Ran:
        """Runs it to its end: nothing that it started is left then. What the tool does raises nothing.

        Cancelling this coroutine kills the tool without any grace; `stop` is the gentle way.
        """
        if (ending := self._stopped_before.pop(invocation.id, None)) is not None:
            return Ran(
                ending=ending,
                errors="it was stopped before it started",
                cost=MicroUsd(0),
                cost_source=CostSource.COMPUTED,
            )
        for _ in range(_TRIES):
            started = await self._starter.start(invocation, self._graces)
            if isinstance(started, Ran):
                return started
            if (ran := await self._until_over(invocation.id, started)) is not None:
                return ran
            if started.has_begun:
                return Ran(ending=Ending.INTERRUPTED, failure=ErrorKind.LOST, errors=started.why_lost())
        return Ran(ending=Ending.NOT_STARTED, failure=ErrorKind.CRASHED, errors="its guard was killed before it began")

    async def adopt(self, invocation_id: InvocationId, printed: Printed) -> Ran | None:
        """The end of a run that an earlier daemon started, waited for where it goes on. None: no trace of it."""
        found = await self._starter.find(invocation_id, printed)
        if found is None or isinstance(found, Ran):
            self._stopped_before.pop(invocation_id, None)
            return found
        return await self._until_over(invocation_id, found)

    async def stop(self, invocation_id: InvocationId, ending: Ending) -> None:
        """Asks a run to end so, and returns at once; `run` returns when it is over. A second time skips the graces.

        A stop that comes before its run ends it before it starts; one that comes after it does nothing.
        """
        if (started := self._running.get(invocation_id)) is not None:
            started.stop(ending)
            return
        self._stopped_before[invocation_id] = ending
        if len(self._stopped_before) > _REMEMBERED:  # those of runs that were over, which never come again
            del self._stopped_before[next(iter(self._stopped_before))]

    def sweep(self) -> list[int]:
        """Ends what a dead daemon of this workspace left running without a guard; the process ids. Blocks."""
        return self._starter.sweep()

    def unavailable(self, binary: str) -> str:
        """Empty where that binary can be started, else why not."""
        return self._starter.unavailable(binary)

    async def _until_over(self, invocation_id: InvocationId, started: Started) -> Ran | None:
        self._running[invocation_id] = started
        if (ending := self._stopped_before.pop(invocation_id, None)) is not None:  # it came while it was being started
            started.stop(ending)
        end = asyncio.ensure_future(started.end())
        try:
            return await asyncio.shield(end)
        except asyncio.CancelledError:
            started.kill()
            await end
            raise
        finally:
            del self._running[invocation_id]
