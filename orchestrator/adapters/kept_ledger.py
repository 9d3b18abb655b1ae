"""The ledger of a workspace as the straight path uses it: opened when money first matters, mended from events."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.event_reading import SUFFIX, read_events
from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_schema import NAME
from orchestrator.core.budget_amounts import Settlement
from orchestrator.core.budget_facts import Adjustment, Fate, fate_of
from orchestrator.core.budgets import Applied, Held, LedgerUnusable, Over, Standing, Subject
from orchestrator.core.events import Event
from orchestrator.core.layout import TELEMETRY
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId


class KeptLedger:
    """Implements `ports.Ledger`. A workspace in which nothing costs money never has the file."""

    def __init__(self, state: Path, work: Path, provider_of: Callable[[str], str], told: Callable[[str], None]) -> None:
        """`told`: what had to be mended, for people."""
        self._state = state
        self._work = work
        self._provider_of = provider_of
        self._told = told
        self._lock = threading.Lock()
        self._open: Ledger | None = None

    # --- money ---------------------------------------------------------------------------------------------------

    def hold(
        self, limits: Sequence[Applied], invocation_id: InvocationId, about: Subject, amount: MicroUsd, at: datetime
    ) -> Held | Over:
        """Holds the amount where every hard limit leaves room for it."""
        return self._ledger().hold(limits, invocation_id, about, amount, at)

    def hold_anyway(
        self,
        limits: Sequence[Applied],
        invocation_id: InvocationId,
        about: Subject,
        amount: MicroUsd,
        at: datetime,
        *,
        reason: str,
    ) -> Held:
        """Holds it over any limit, because a person says so."""
        return self._ledger().hold_anyway(limits, invocation_id, about, amount, at, reason=reason)

    def settle(self, held: Held, cost: MicroUsd | None, source: CostSource | None) -> Settlement:
        """Charges a run what it cost."""
        return self._ledger().settle(held, cost, source)

    def release(self, held: Held, reason: str) -> bool:
        """Gives a hold back: its run never began."""
        return self._ledger().release(held, reason)

    def adjust(self, adjustment: Adjustment) -> bool:
        """Corrects what is counted as spent; its event was written before."""
        return self._ledger().adjust(adjustment)

    def take_in(self, events: Iterable[Event]) -> int:
        """Enters what these events tell and it did not know."""
        return self._ledger().take_in(events, self._provider_of)

    def standing(self, limits: Sequence[Applied], at: datetime) -> Sequence[Standing]:
        """How much of each limit is gone."""
        return self._ledger().standing(limits, at)

    def costs(self, agent: str, model: str, task_type: str, limit: int = 200) -> list[int]:
        """What the latest runs of a kind cost."""
        return self._ledger().costs(agent, model, task_type, limit)

    # --- start and end -------------------------------------------------------------------------------------------

    def recover(self, events_of: Callable[[TaskId], list[Event]]) -> None:
        """Closes the holds of runs whose end is known, or that never began. Those that may still go on stay open.

        For whoever has the workspace to itself: nothing is about to begin.
        """
        if not (self._state / NAME).exists():
            return
        ledger = self._ledger()
        for held in ledger.open_holds():
            events = events_of(held.about.task_id)
            match fate_of(held, events):
                case Fate.ENDED:
                    ledger.take_in(events, self._provider_of)
                case Fate.NEVER_BEGAN:
                    ledger.release(held, "the run was never announced")
                case Fate.SILENT:
                    continue  # adopted, or told as lost: that settles it

    def close(self) -> None:
        """Lets it go."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _ledger(self) -> Ledger:
        with self._lock:
            if self._open is None:
                self._open = self._opened()
            return self._open

    def _opened(self) -> Ledger:
        try:
            return Ledger.open(self._state)
        except LedgerUnusable as unusable:
            from orchestrator.adapters.ledger_rebuild import rebuild

            there = (self._state / NAME).exists()
            done = rebuild(self._state, all_events(self._work), self._provider_of)
            if there:
                self._told(
                    f"the ledger of money was rebuilt from the events ({unusable.reason}): {done.entries} entries"
                )
            return Ledger.open(self._state)


def all_events(work: Path) -> Iterator[Event]:
    """Every event there is, those of a task in their order."""
    for path in sorted((work / TELEMETRY).rglob(f"*{SUFFIX}")):
        if path.is_file() and not path.is_symlink():
            yield from read_events(path)
