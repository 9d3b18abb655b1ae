"""Runs invocations as processes of this machine: when each ends, and with which ending."""

import asyncio
import signal
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from orchestrator.core.invocation import Invocation
from orchestrator.core.types import ErrorKind, InvocationId
from orchestrator.core.verdict import Ending, Ran

LOOK_EVERY = 0.25  # seconds between two looks at a tool's output and processes; a quicker tool is never looked at
_REMEMBERED = 1024  # stops that came before their run


class Started(Protocol):
    """A tool that runs (adapters.process.Running)."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def exited(self) -> "asyncio.Future[None]":
        """Done once the tool itself ended."""

    def signal(self, number: signal.Signals, /) -> None:
        """Signals it and its group."""

    def look(self) -> None:
        """Notes which processes it has."""

    def written(self) -> int:
        """The bytes that it has written."""

    def collect(self) -> tuple[int, int]:
        """Exit code and milliseconds, once it ended."""

    async def clear(self, running: Collection[int], grace: float) -> str:
        """Ends what it left running; names what could not be ended."""

    def said(self, ran: Ran, /) -> Ran:
        """That Ran with the text and the errors that it wrote."""

    def cut_output(self) -> None:
        """Brings its files back to their bound."""


class Starter(Protocol):
    """Starts tools (adapters.process.Processes; a guard process may come in between)."""

    def start(self, invocation: Invocation, /) -> "Started | Ran":
        """The running tool, or why there is none."""

    def recall(self, ran: Ran, /, *, stdout_path: str, stderr_path: str) -> Ran:
        """That Ran with what is in these output files."""

    def sweep(self) -> list[int]:
        """Ends what a dead daemon left running."""

    def unavailable(self, binary: str, /) -> str:
        """Empty where that binary can be started, else why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graces:
    """How long a tool is given, in seconds, before the next, harder way to end it."""

    interrupt: float = 10.0  # after SIGINT
    terminate: float = 5.0  # after SIGTERM
    leftovers: float = 1.0  # what an ended tool left running, after SIGTERM


class _Run:
    """One running invocation: what is to end it first."""

    def __init__(self, started: Started, invocation: Invocation) -> None:
        loop = asyncio.get_running_loop()
        self.started = started
        self.ending: asyncio.Future[Ending] = loop.create_future()
        self.limit = invocation.max_output
        self.hurry: asyncio.Future[None] = loop.create_future()  # a second stop: no more graces
        started.exited.add_done_callback(lambda _: self.decide(Ending.EXITED))

    def decide(self, ending: Ending) -> bool:
        """End it so, unless that is decided already."""
        if self.ending.done():
            return False
        self.ending.set_result(ending)
        return True

    def stop(self, ending: Ending) -> None:
        """What a person or the daemon asks for; asked again, it may no longer take its time."""
        if not self.decide(ending) and not self.hurry.done():
            self.hurry.set_result(None)

    @property
    def is_flood(self) -> bool:
        """Whether it has written more than it may."""
        return self.started.written() > self.limit

    def look(self) -> None:
        """Notes its processes, and ends it where it floods us."""
        self.started.look()
        if self.is_flood:
            self.decide(Ending.EXITED)
            self.stop(Ending.EXITED)  # no grace for a flood


class LocalEngine:
    """Runs invocations on this machine. Not thread-safe: it belongs to one event loop."""

    def __init__(self, starter: Starter, graces: Graces | None = None) -> None:
        self._starter = starter
        self._graces = graces or Graces()
        self._running: dict[InvocationId, _Run] = {}
        self._stopped_before: dict[InvocationId, Ending] = {}

    async def run(self, invocation: Invocation) -> Ran:
        """Runs it to its end: nothing that it started is left then. What the tool does raises nothing.

        Cancelling this coroutine kills the tool without any grace; `stop` is the gentle way.
        """
        if (ending := self._stopped_before.pop(invocation.id, None)) is not None:
            return Ran(ending=ending, errors="it was stopped before it started")
        started = self._starter.start(invocation)
        if isinstance(started, Ran):
            return started
        run = self._running[invocation.id] = _Run(started, invocation)
        try:
            ending = await self._until_over(run, invocation)
            return await self._finish(run, ending)
        except asyncio.CancelledError:
            await self._kill(run)
            raise
        finally:
            del self._running[invocation.id]

    async def stop(self, invocation_id: InvocationId, ending: Ending) -> None:
        """Asks a run to end so, and returns at once; `run` returns when it is over. A second time skips the graces.

        A stop that comes before its run ends it before it starts; one that comes after it does nothing.
        """
        if (run := self._running.get(invocation_id)) is not None:
            run.stop(ending)
            return
        self._stopped_before[invocation_id] = ending
        if len(self._stopped_before) > _REMEMBERED:  # those of runs that were over, which never come again
            del self._stopped_before[next(iter(self._stopped_before))]

    def recall(self, ran: Ran, *, stdout_path: str, stderr_path: str) -> Ran:
        """The Ran of a run that ended before this daemon began: its text is read from its output files."""
        return self._starter.recall(ran, stdout_path=stdout_path, stderr_path=stderr_path)

    def sweep(self) -> list[int]:
        """Ends what a dead daemon of this workspace left running; the process ids. Blocks."""
        return self._starter.sweep()

    def unavailable(self, binary: str) -> str:
        """Empty where that binary can be started, else why not."""
        return self._starter.unavailable(binary)

    async def _until_over(self, run: _Run, invocation: Invocation) -> Ending:
        """Waits for whatever comes first: its own end, the limit on time, on output, or a stop."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            run.look()
            looks.append(loop.call_later(LOOK_EVERY, look))
            del looks[0]

        limit = loop.call_later(invocation.timeout.total_seconds(), run.decide, Ending.TIMED_OUT)
        looks = [loop.call_later(LOOK_EVERY, look)]
        try:
            ending = await run.ending
            await self._escalate(run)
        finally:
            limit.cancel()
            looks[0].cancel()
        return ending

    async def _escalate(self, run: _Run) -> None:
        """Ends the tool itself, if it has not ended: asks, asks harder, kills."""
        ways = ((signal.SIGINT, self._graces.interrupt), (signal.SIGTERM, self._graces.terminate))
        for number, grace in ways:
            if run.started.exited.done() or run.hurry.done():
                break
            run.started.look()  # a parent that obeys leaves children behind: know them before
            run.started.signal(number)
            await asyncio.wait({run.started.exited, run.hurry}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        if not run.started.exited.done():
            run.started.look()
            run.started.signal(signal.SIGKILL)
            await asyncio.wait({run.started.exited})

    async def _finish(self, run: _Run, ending: Ending) -> Ran:
        code, duration = run.started.collect()
        stuck = await run.started.clear(self._others(run), self._graces.leftovers)
        ran = run.started.said(Ran(ending=ending, exit_code=code, duration_ms=duration))
        if stuck:
            ran = _with_words(ran, f"these processes of it could not be ended: {stuck}")
        if not run.is_flood:
            return ran
        run.started.cut_output()
        ran = _with_words(ran, "it wrote more output than is allowed, and was ended")
        return replace(ran, truncated=True, failure=ErrorKind.BAD_OUTPUT if ending is Ending.EXITED else None)

    async def _kill(self, run: _Run) -> None:
        """For a run whose caller is gone: everything ends now."""
        run.started.look()
        run.started.signal(signal.SIGKILL)
        await asyncio.wait({run.started.exited})
        run.started.collect()
        await run.started.clear(self._others(run), 0)

    def _others(self, run: _Run) -> set[int]:
        return {other.started.pid for other in self._running.values() if other is not run}


def _with_words(ran: Ran, words: str) -> Ran:
    return replace(ran, errors=f"{ran.errors.rstrip()}\n{words}".lstrip())
