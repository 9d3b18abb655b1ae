"""A workspace's money for tests: a ledger, the events beside it, and the caller's part of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_rebuild import rebuild
from orchestrator.core.budget_facts import (
    ADJUSTED,
    Adjustment,
    Fate,
    fate_of,
    told_at_start,
    told_for_silent,
    told_of,
)
from orchestrator.core.budgets import Applied, Held, Over, Subject, chain
from orchestrator.core.events import Event, EventKind, decode, encode
from orchestrator.core.settings import Limit, Period, Policy
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def limit(period: Period, most: int, *, hard: bool = True, percent: int = 80, **scope: str) -> Limit:
    """In micro-dollars."""
    return Limit(period=period, max_usd=MicroUsd(most), hard=hard, threshold_percent=percent, scope=scope)


def policy(*limits: Limit, zone: str = "UTC") -> Policy:
    """A policy of these limits."""
    return Policy(name="p", timezone=zone, limits=limits)


def about(task: str = "t", **more: str) -> Subject:
    """A run of that task."""
    known = {"agent": "writer", "tool": "claude", "model": "opus", "provider": "acme"} | more
    return Subject(task_id=TaskId(task), **known)


def fresh(state: Path, events: Sequence[Event] = ()) -> Ledger:
    """A ledger made from these events."""
    state.mkdir(parents=True, exist_ok=True)
    rebuild(state, events)
    return Ledger.open(state)


@dataclass
class Desk:
    """Asks the ledger as the straight path does."""

    ledger: Ledger
    policy: Policy
    at: datetime = NOON
    asked: int = 0

    def limits(self, subject: Subject) -> tuple[Applied, ...]:
        return chain(self.policy, subject, self.at)

    def hold(self, amount: int, subject: Subject | None = None, name: str = "") -> Held | Over:
        self.asked += 1
        subject = subject or about()
        invocation = InvocationId(name or f"I{self.asked}")
        return self.ledger.hold(self.limits(subject), invocation, subject, MicroUsd(amount), self.at)

    def held(self, amount: int, subject: Subject | None = None, name: str = "") -> Held:
        held = self.hold(amount, subject, name)
        assert isinstance(held, Held), held
        return held

    def spend(self, amount: int, subject: Subject | None = None) -> Held:
        held = self.held(amount, subject)
        self.ledger.settle(held, MicroUsd(amount), CostSource.REPORTED)
        return held

    def sums(self, subject: Subject | None = None) -> list[tuple[int, int]]:
        """(spent, held) of each limit."""
        standings = self.ledger.standing(self.limits(subject or about()), self.at)
        return [(one.spent, one.held) for one in standings]


def started(held: Held) -> Event:
    """What is announced before a run."""
    return _event(EventKind.EXECUTION_STARTED, held, told_at_start(held))


def finished(held: Held, cost: int | None, source: str = "reported") -> Event:
    """What is told after it."""
    return _event(EventKind.EXECUTION_FINISHED, held, {} if cost is None else _cost(cost, source))


def adjusted(adjustment: Adjustment) -> Event:
    """What is told before the ledger is adjusted."""
    return Event(
        event_id=adjustment.key,
        ts=NOON,
        event=ADJUSTED,
        why=adjustment.reason,
        details=told_of(adjustment),
        task_id="x",
    )


def _cost(cost: int, source: str) -> dict[str, object]:
    return {"cost_microusd": cost, "cost_source": source}


def _event(kind: EventKind, held: Held, details: dict[str, object]) -> Event:
    subject = held.about
    return Event(
        event_id=f"{kind}-{held.invocation_id}",
        ts=held.at,
        event=kind,
        task_id=subject.task_id,
        run_id=subject.run,
        invocation_id=held.invocation_id,
        agent=subject.agent,
        tool=subject.tool,
        model=subject.model,
        details=details,
    )


@dataclass
class Journal:
    """The event file. A line that was torn by a death is no event."""

    path: Path
    lines: list[bytes] = field(default_factory=list)

    def append(self, event: Event) -> None:
        with self.path.open("ab") as file:
            file.write(encode(event))

    def read(self) -> list[Event]:
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        return [event for event in map(decode, lines) if event is not None]


def recover(ledger: Ledger, journal: Journal) -> None:
    """What start-up does, all runs being dead."""
    ledger.take_in(journal.read())
    for held in ledger.open_holds():
        match fate_of(held, journal.read()):
            case Fate.NEVER_BEGAN:
                ledger.release(held, "it never began")
            case Fate.SILENT:
                journal.append(_event(EventKind.EXECUTION_FINISHED, held, told_for_silent(held)))
                ledger.settle(held, held.amount, CostSource.ESTIMATED)
            case Fate.ENDED:
                raise AssertionError("taking in the events settles it")
