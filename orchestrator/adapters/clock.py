"""The time, as the system has it."""

from datetime import UTC, datetime


class SystemClock:
    """Wall time, aware, UTC."""

    def now(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)
