"""ledger.db: money that is held, spent and adjusted, checked against limits under one lock that all processes share.

The truth is in the events; why this is a file of its own beside index.db is told in docs/explanation/money.md.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.adapters import ledger_audit as audit
from orchestrator.adapters import ledger_rows as rows
from orchestrator.adapters import ledger_schema as schema
from orchestrator.adapters import ledger_sums as sums_of
from orchestrator.adapters.mounts import refuse_network
from orchestrator.core import budgets
from orchestrator.core.budget_amounts import LARGEST, Settlement, settle_at
from orchestrator.core.budget_facts import Adjustment, fact_of
from orchestrator.core.budgets import Applied, Granted, Held, LedgerUnusable, Over, Standing, Subject
from orchestrator.core.events import Event
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId
from orchestrator.errors import BusyError, OrchestratorError

_POLL = 0.01
_SKEW = timedelta(minutes=1)  # clocks of processes are read a little before they have the lock


class Ledger:
    """The ledger of a workspace. Thread-safe; several processes may have it open.

    Every method may raise LedgerUnusable (close it and rebuild it), BusyError, and OSError where the disk refuses.
    After any of them nothing of the call is in it: no money is held, and nothing that costs may run.
    """

    def __init__(self, connection: sqlite3.Connection, database: Path, lock: int) -> None:
        self._connection = connection
        self._database = database
        self._held = lock
        self._lock = threading.RLock()
        self._inode = database.stat().st_ino

    @classmethod
    def open(cls, state: Path) -> "Ledger":
        """Raises LedgerUnusable where it is missing, damaged, or not of this version: rebuild it."""
        lock = lock_file(state, fcntl.LOCK_SH)
        try:
            with schema.guarded():
                return cls(schema.connect(state / schema.NAME), state / schema.NAME, lock)
        except BaseException:
            os.close(lock)
            raise

    def close(self) -> None:
        """Lets it go. First the database, then the lock: closing may take its log away, which by then must be ours."""
        with self._lock:
            self._connection.close()
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    # --- money ---------------------------------------------------------------------------------------------------

    def hold(
        self, limits: Sequence[Applied], invocation_id: InvocationId, about: Subject, amount: MicroUsd, at: datetime
    ) -> Held | Over:
        """Holds the amount for a run if every hard limit leaves room for it, all in one transaction.

        A run that has its hold keeps it: the call can be repeated. Announce it (`budget_facts.told_at_start`) before
        the run begins. `limits`: of `budgets.chain`. Where the clock is behind the newest run that is known, the run
        counts as begun when that did, so that no window is opened again.
        """
        return self._hold(limits, Held(invocation_id=invocation_id, about=about, at=at, amount=amount), "")

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
        """Holds it over any limit, because a person says so. It is counted all the same.

        Raises:
            OrchestratorError: there is no reason.
        """
        if not reason.strip():
            raise OrchestratorError("going over a limit takes a reason: --justification")
        held = self._hold(limits, Held(invocation_id=invocation_id, about=about, at=at, amount=amount), reason)
        assert isinstance(held, Held)  # nothing is refused with a reason
        return held

    def settle(self, held: Held, cost: MicroUsd | None, source: CostSource | None) -> Settlement:
        """Charges a run what it cost, or its hold where no cost can be believed. Repeated, it says what was charged.

        Write the event first. Where the ledger lost the hold, it is entered with the settlement.
        """
        with self._writing() as connection:
            rows.put_hold(connection, held)
            known = rows.hold_of(connection, held.about.task_id, held.invocation_id) or held
            settled = settle_at(known.amount, cost, source, known.about.billing)
            if rows.put_settlement(connection, known, settled):
                return settled
            return rows.settlement_of(connection, held.about.task_id, held.invocation_id)

    def release(self, held: Held, reason: str) -> bool:
        """Gives a hold back. Only for a run that never began: silence is not proof. False where it was not open."""
        with self._writing() as connection:
            return rows.put_release(connection, held, reason)

    def adjust(self, adjustment: Adjustment) -> bool:
        """Corrects what is counted as spent; write the event first. False where it was known.

        Raises:
            OrchestratorError: it has no reason, or is no amount that could be meant.
        """
        if not adjustment.reason.strip():
            raise OrchestratorError("an adjustment of money needs a reason")
        if not 0 < abs(adjustment.amount) <= LARGEST:
            raise OrchestratorError(
                f"{adjustment.amount} micro-dollars cannot be adjusted; use an amount other than zero"
            )
        with self._writing() as connection:
            return rows.put_adjustment(connection, adjustment)

    def take_in(self, events: Iterable[Event], provider_of: Callable[[str], str] = lambda _model: "") -> int:
        """Enters what these events tell and it did not know, those of each task in their order; how much that was."""
        facts = (fact_of(event, provider_of) for event in events)
        with self._writing() as connection:
            return sum(rows.take_in(connection, fact) for fact in facts if fact is not None)

    # --- asking --------------------------------------------------------------------------------------------------

    def standing(self, limits: Sequence[Applied], at: datetime) -> tuple[Standing, ...]:
        """How much of each limit is gone, in its window at that moment (or at the newest run, where that is later)."""
        with self._transaction("BEGIN") as connection:
            present = budgets.at_time(limits, _effective(connection, at))
            sums = (sums_of.sum_of(connection, sums_of.key_of(one), keep=False) for one in present)
            return tuple(
                sums_of.standing_of(one, held, spent) for one, (held, spent, _) in zip(present, sums, strict=True)
            )

    def open_holds(self) -> list[Held]:
        """Holds of runs that have not ended as far as the ledger knows, the oldest first.

        At start-up the caller settles those of dead runs at what their `execution_finished` says, or at the hold where
        they began and never said, and releases those that no `execution_started` announced.
        """
        with self._transaction("BEGIN") as connection:
            return rows.holds_open(connection)

    def hold_of(self, task_id: TaskId, invocation_id: InvocationId) -> Held | None:
        """What was held for a run, whatever became of it; None: nothing."""
        with self._transaction("BEGIN") as connection:
            return rows.hold_of(connection, task_id, invocation_id)

    def costs(self, agent: str, model: str, task_type: str, limit: int = 200) -> list[int]:
        """What the latest runs of a kind were charged, where that was reported or computed: for an estimate."""
        with self._transaction("BEGIN") as connection:
            return rows.costs(connection, agent, model, task_type, limit)

    def balances(self) -> audit.Balances:
        """What the entries add up to, by task and day in UTC and all that scopes ask for. To compare two ledgers."""
        with self._transaction("BEGIN") as connection:
            return audit.balances(connection)

    def faults(self) -> list[str]:
        """What is wrong inside it, in sentences; all of it is read. Empty: each sum is that of its entries."""
        with self._transaction("BEGIN") as connection:
            return audit.faults(connection)

    # --- inside --------------------------------------------------------------------------------------------------

    def _hold(self, limits: Sequence[Applied], wanted: Held, reason: str) -> Held | Over:
        if not 0 <= wanted.amount <= LARGEST:
            raise OrchestratorError(f"{wanted.amount} micro-dollars cannot be held for a run; use 0 or more")
        with self._writing() as connection:
            known = rows.hold_of(connection, wanted.about.task_id, wanted.invocation_id)
            if known is not None:
                return _still_open(connection, known)
            at = _effective(connection, wanted.at)
            present = budgets.at_time(limits, at)
            keys = [sums_of.key_of(one) for one in present]
            sums = [sums_of.sum_of(connection, key, keep=True) for key in keys]
            standings = [
                sums_of.standing_of(one, held, spent) for one, (held, spent, _) in zip(present, sums, strict=True)
            ]
            decided = budgets.decide(standings, wanted.amount)
            if isinstance(decided, Over):
                if not reason:
                    behind = at - wanted.at
                    return replace(decided, clock_behind=behind) if behind > _SKEW else decided
                decided = Granted(
                    amount=wanted.amount, crossings=tuple(s for s in standings if s.crosses(wanted.amount))
                )
            fresh = set()
            for key, one, (_, _, warned) in zip(keys, standings, sums, strict=True):
                if not warned and one in decided.crossings:
                    sums_of.warn(connection, key)
                    fresh.add(key)
            told = tuple(one for key, one in zip(keys, standings, strict=True) if key in fresh)
            held = replace(wanted, at=at, crossings=decided.crossings, warned=told)
            rows.put_hold(connection, held, reason)
            return held

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, schema.guarded():
            self._check_place()
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _check_place(self) -> None:
        """What is written into a file that was taken away is lost, and another process would not see it."""
        try:
            if self._database.stat().st_ino == self._inode:
                return
        except FileNotFoundError:
            pass
        raise LedgerUnusable(f"{schema.NAME} was taken away")


def _still_open(connection: sqlite3.Connection, known: Held) -> Held:
    if rows.is_open(connection, known):
        return known
    raise OrchestratorError(f"run {known.invocation_id} was accounted for already; a new run needs a new invocation")


_NEWEST = """
SELECT at FROM entries AS one WHERE kind = 'hold' AND NOT EXISTS (
  SELECT 1 FROM entries WHERE task = one.task AND invocation = one.invocation AND kind = 'release'
) ORDER BY at DESC LIMIT 1
"""  # a run that never began is no run: nothing but this file tells of it


def _effective(connection: sqlite3.Connection, at: datetime) -> datetime:
    newest = connection.execute(_NEWEST).fetchone()
    return at if newest is None or schema.to_ticks(at) >= newest[0] else schema.from_ticks(newest[0])


def lock_file(state: Path, how: int, seconds: float = schema.BUSY_SECONDS) -> int:
    """Takes the lock of the ledger; closing the descriptor lets it go.

    Raises:
        BusyError: it is in use for longer than that.
        OrchestratorError: it would be on a network file system.
    """
    refuse_network(state)
    descriptor = os.open(state / schema.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                raise BusyError(
                    f"{state / schema.NAME} is in use by a daemon or an exec, or is being rebuilt; try again later"
                ) from None
            time.sleep(_POLL)  # a wait for flock itself could not be ended in time
