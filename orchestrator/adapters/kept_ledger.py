"""The ledger of a workspace as the straight path uses it: opened when money first matters, mended from events."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from orchestrator.adapters.event_reading import SUFFIX, read_events
from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_schema import NAME
from orchestrator.core.budget_amounts import Settlement
from orchestrator.core.budget_facts import Adjustment, Fate, fate_of
from orchestrator.core.budgets import Applied, Held, LedgerUnusable, Over, Standing, Subject
from orchestrator.core.events import Event
from orchestrator.core.layout import TELEMETRY
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId

T = TypeVar("T")


class KeptLedger:
    """Implements `ports.Ledger`. A workspace in which nothing costs money never has the file.

    Where the file is damaged or taken away while tasks run, it is made again from the events and the call is repeated.
    What this process holds and no event announced yet is entered in it, too: nothing is granted twice.
    """

    def __init__(self, state: Path, work: Path, provider_of: Callable[[str], str], told: Callable[[str], None]) -> None:
        """`told`: what had to be mended, for people."""
        self._state = state
        self._work = work
        self._provider_of = provider_of
        self._told = told
        self._lock = threading.RLock()  # what is granted and what is remembered of it are one step
        self._open: Ledger | None = None
        self._mine: dict[InvocationId, Held] = {}  # held here, and neither settled nor given back

    # --- money ---------------------------------------------------------------------------------------------------

    def hold(
        self, limits: Sequence[Applied], invocation_id: InvocationId, about: Subject, amount: MicroUsd, at: datetime
    ) -> Held | Over:
        """Holds the amount where every hard limit leaves room for it."""
        with self._lock:
            found = self._ask(lambda ledger: ledger.hold(limits, invocation_id, about, amount, at))
            if isinstance(found, Held):
                self._mine[invocation_id] = found
            return found

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
        with self._lock:
            held = self._ask(lambda ledger: ledger.hold_anyway(limits, invocation_id, about, amount, at, reason=reason))
            self._mine[invocation_id] = held
            return held

    def settle(self, held: Held, cost: MicroUsd | None, source: CostSource | None) -> Settlement:
        """Charges a run what it cost."""
        settled = self._ask(lambda ledger: ledger.settle(held, cost, source))
        self._mine.pop(held.invocation_id, None)
        return settled

    def release(self, held: Held, reason: str) -> bool:
        """Gives a hold back: its run never began."""
        with self._lock:
            released = self._ask(lambda ledger: ledger.release(held, reason))
            self._mine.pop(held.invocation_id, None)
            return released

    def adjust(self, adjustment: Adjustment) -> bool:
        """Corrects what is counted as spent; its event was written before."""
        return self._ask(lambda ledger: ledger.adjust(adjustment))

    def take_in(self, events: Iterable[Event]) -> int:
        """Enters what these events tell and it did not know."""
        told = tuple(events)
        return self._ask(lambda ledger: ledger.take_in(told, self._provider_of))

    def standing(self, limits: Sequence[Applied], at: datetime) -> Sequence[Standing]:
        """How much of each limit is gone."""
        return self._ask(lambda ledger: ledger.standing(limits, at))

    def costs(self, agent: str, model: str, task_type: str, limit: int = 200) -> list[int]:
        """What the latest runs of a kind cost."""
        return self._ask(lambda ledger: ledger.costs(agent, model, task_type, limit))

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

    def _ask(self, question: Callable[[Ledger], T]) -> T:
        """The answer, of a ledger that is made again where this one has become unusable. Raises as `Ledger` does."""
        ledger = self._ledger()
        try:
            return question(ledger)
        except LedgerUnusable as unusable:
            self._replace(ledger, unusable)
            return question(self._ledger())

    def _ledger(self) -> Ledger:
        with self._lock:
            if self._open is None:
                self._open = self._opened()
            return self._open

    def _opened(self) -> Ledger:
        try:
            return Ledger.open(self._state)
        except LedgerUnusable as unusable:
            return self._made_again(unusable, is_news=(self._state / NAME).exists())

    def _replace(self, ledger: Ledger, unusable: LedgerUnusable) -> None:
        """By another thread, maybe: whoever comes first does it for all."""
        with self._lock:
            if self._open is ledger:
                self._open = None
                ledger.close()
                self._open = self._made_again(unusable, is_news=True)

    def _made_again(self, unusable: LedgerUnusable, *, is_news: bool) -> Ledger:
        from orchestrator.adapters.ledger_rebuild import rebuild

        done = rebuild(self._state, all_events(self._work), self._provider_of, tuple(self._mine.values()))
        if is_news:
            self._told(f"the ledger of money was rebuilt from the events ({unusable.reason}): {done.entries} entries")
        return Ledger.open(self._state)


def all_events(work: Path) -> Iterator[Event]:
    """Every event there is, those of a task in their order."""
    for path in sorted((work / TELEMETRY).rglob(f"*{SUFFIX}")):
        if path.is_file() and not path.is_symlink():
            yield from read_events(path)
