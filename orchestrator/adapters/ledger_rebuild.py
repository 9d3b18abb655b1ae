"""Makes ledger.db anew from the events, beside the old one, and puts it in its place when it is whole."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters import ledger_audit, ledger_rows, ledger_schema
from orchestrator.adapters.ledger import lock_file
from orchestrator.core.budget_facts import fact_of
from orchestrator.core.budgets import Held, LedgerUnusable
from orchestrator.core.events import Event
from orchestrator.errors import BusyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild found."""

    entries: int
    carried: int  # holds of the old ledger that no event announced yet: their runs may be about to begin


def rebuild(
    state: Path,
    events: Iterable[Event],
    provider_of: Callable[[str], str] = lambda _model: "",
    known: Iterable[Held] = (),
) -> Rebuilt:
    """Replaces the ledger; those of each task must come in their order. Nobody may have it open, this process neither.

    `known`: what the caller holds for runs that no event may have announced yet.

    Raises:
        BusyError: somebody has it open.
        LedgerUnusable, OSError: the new one could not be written; the old one stays.
    """
    lock = lock_file(state, fcntl.LOCK_EX)
    try:
        database, new = state / ledger_schema.NAME, state / f"{ledger_schema.NAME}.new"
        carried = [*_holds_of(database), *known]
        _remove(new)
        with ledger_schema.guarded():
            done = _fill(new, events, provider_of, carried)
        _sync(new)
        _remove(database)  # its log first: beside the new one it would be taken for the new one's
        os.replace(new, database)  # noqa: PTH105  # one call, as its documentation tells it
        _sync(state)
        return done
    finally:
        os.close(lock)


def _fill(new: Path, events: Iterable[Event], provider_of: Callable[[str], str], carried: Iterable[Held]) -> Rebuilt:
    connection = ledger_schema.create(new)
    try:
        connection.execute("BEGIN IMMEDIATE")
        facts = (fact_of(event, provider_of) for event in events)
        entries = sum(ledger_rows.take_in(connection, fact) for fact in facts if fact is not None)
        kept = sum(ledger_rows.put_hold(connection, held) for held in carried)
        connection.execute("COMMIT")
        wrong = ledger_audit.faults(connection)
        if wrong:
            raise LedgerUnusable(f"the new {ledger_schema.NAME} is not sound: {wrong[0]}")
        return Rebuilt(entries=entries, carried=kept)
    finally:
        connection.close()  # the last to close it, so all of it is in the one file


def _holds_of(database: Path) -> list[Held]:
    """As far as the old one can be read: what is in it and not in the events was held a moment ago."""
    with contextlib.suppress(LedgerUnusable, BusyError, OSError, sqlite3.Error), ledger_schema.guarded():
        connection = ledger_schema.connect(database)
        with contextlib.closing(connection):
            return ledger_rows.holds_open(connection)
    return []


def _remove(database: Path) -> None:
    for end in ("-wal", "-shm", "-journal", ""):
        database.with_name(f"{database.name}{end}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
