"""The shared rates, opened when they are first needed: where nothing is limited and nothing failed there is no file."""

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.rates import SharedRates
from orchestrator.adapters.rates_file import NAME
from orchestrator.core.cooldowns import Cooldown
from orchestrator.core.hindrance import Hindrance
from orchestrator.core.rates import Limited


class LazyRates:
    """Implements `ports.Rates`."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._open: SharedRates | None = None

    def hindrance(self, limited: Sequence[Limited]) -> Hindrance | None:
        """Why none of these may start now, or None."""
        return self._rates().hindrance(limited)

    def take(self, invocation: str, limited: Sequence[Limited]) -> Hindrance | None:
        """Counts a start against all of them, or says why it may not be."""
        return self._rates().take(invocation, limited)

    def keep(self, invocation: str) -> None:
        """A run of an earlier daemon's goes on under this one."""
        if self._is_there:
            self._rates().keep(invocation)

    def release(self, invocation: str) -> None:
        """The run is over."""
        self._rates().release(invocation)

    def undo(self, invocation: str) -> None:
        """The run never began."""
        self._rates().undo(invocation)

    def cool(self, scope: str, *, told: datetime | None = None, why: str = "") -> Cooldown:
        """Something said "not now"."""
        return self._rates().cool(scope, told=told, why=why)

    def clear(self, scope: str, *, began: datetime) -> None:
        """A run of it that began then succeeded."""
        if self._is_there:
            self._rates().clear(scope, began=began)

    def cooling(self, tool: str, model: str) -> Hindrance | None:
        """Why the tool, or that model of it, is left alone now, or None."""
        return self._rates().cooling(tool, model) if self._is_there else None

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    @property
    def _is_there(self) -> bool:
        return self._open is not None or (self._state / NAME).exists()

    def _rates(self) -> SharedRates:
        with self._lock:
            if self._open is None:
                self._open = SharedRates(self._state)
            return self._open
