"""No trail: `trail.mode: none`, or no git. Files and events are all there is."""

from collections.abc import Sequence

from orchestrator.core.transition import Transition
from orchestrator.ports import Recovered


class NoTrail:
    """Takes everything and commits nothing."""

    @property
    def backlog(self) -> int:
        """Nothing ever waits."""
        return 0

    @property
    def trouble(self) -> str:
        """Nothing can go wrong."""
        return ""

    @property
    def waiting(self) -> str:
        """Never for anything."""
        return ""

    def intend(self, paths: Sequence[str]) -> int:  # noqa: ARG002  # the port's signature
        """A number, as every trail gives one."""
        return 1

    def record(self, intent: int, transition: Transition) -> None:
        """Nothing."""

    def forgo(self, intent: int) -> None:
        """Nothing was noted."""

    def flush(self, seconds: float) -> bool:  # noqa: ARG002  # the port's signature
        """At once."""
        return True

    def recover(self, extra_paths: Sequence[str] = ()) -> Recovered:  # noqa: ARG002  # the port's signature
        """Nothing to recover."""
        return Recovered()

    def idle(self) -> None:
        """Nothing."""

    def tip(self) -> str:
        """No commit."""
        return ""

    def close(self) -> None:
        """Nothing."""
