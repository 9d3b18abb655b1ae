"""By which a task at work is stopped, wherever on the straight path it is."""

import asyncio
from contextlib import suppress

from orchestrator.core.types import InvocationId
from orchestrator.core.verdict import Ending
from orchestrator.ports import Engine


class Reins:
    """What runs for a task ends so, or does not begin."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._invocation: InvocationId | None = None
        self._pulled = asyncio.Event()
        self.ending: Ending | None = None
        self.why = ""  # what is told of a cancelled run

    async def pull(self, ending: Ending, why: str = "") -> None:
        """Stops it; a second time without graces."""
        self.ending, self.why = ending, why or self.why
        self._pulled.set()
        if self._invocation is not None:
            await self._engine.stop(self._invocation, ending)

    async def hand_over(self, invocation_id: InvocationId) -> None:
        """The invocation is about to run, or to be adopted."""
        self._invocation = invocation_id
        if self.ending is not None:
            await self._engine.stop(invocation_id, self.ending)

    async def rest(self, seconds: float) -> None:
        """Waits that long, or until it is pulled."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pulled.wait(), seconds)
