"""By which a task at work is stopped, wherever on the straight path it is."""

from orchestrator.core.types import InvocationId
from orchestrator.core.verdict import Ending
from orchestrator.ports import Engine


class Reins:
    """What runs for a task ends so, or does not begin."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._invocation: InvocationId | None = None
        self._ending: Ending | None = None
        self.why = ""  # what is told of a cancelled run

    async def pull(self, ending: Ending, why: str = "") -> None:
        """Stops it; a second time without graces."""
        self._ending, self.why = ending, why or self.why
        if self._invocation is not None:
            await self._engine.stop(self._invocation, ending)

    async def hand_over(self, invocation_id: InvocationId) -> None:
        """The invocation is about to run, or to be adopted."""
        self._invocation = invocation_id
        if self._ending is not None:
            await self._engine.stop(invocation_id, self._ending)
