"""Sums of the ledger: entering a row keeps every sum that it belongs to, within the transaction of the caller."""

import sqlite3
from typing import NamedTuple

from orchestrator.adapters.ledger_schema import to_ticks
from orchestrator.core.budgets import Applied, Standing
from orchestrator.core.types import MicroUsd

_PUT = (
    "INSERT OR IGNORE INTO entries (task, invocation, kind, at, agent, tool, model, provider, run, task_type, billing, "
    "held, spent, source, reason, first, past) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# The sums in whose scope an entry lies: those that ask for nothing that it is not.
_ADD = (
    "UPDATE sums SET held = held + ?, spent = spent + ? WHERE task IN ('', ?) AND past > ? AND first <= ? "
    "AND agent IN ('', ?) AND tool IN ('', ?) AND model IN ('', ?) AND provider IN ('', ?) AND run IN ('', ?)"
)
_EXACTLY = (
    "WHERE task = ? AND past = ? AND first = ? AND agent = ? AND tool = ? AND model = ? AND provider = ? AND run = ?"
)
_ADD_TO_ONE = "UPDATE sums SET held = held + ?, spent = spent + ? " + _EXACTLY  # noqa: S608  # our own words; values are bound
_ASK = "SELECT held, spent, warned FROM sums " + _EXACTLY  # noqa: S608  # our own words; values are bound
_WARN = "UPDATE sums SET warned = 1 " + _EXACTLY  # noqa: S608  # our own words; values are bound
_OF_ONE = "SELECT coalesce(sum(spent), 0) FROM entries " + _EXACTLY + " AND kind = 'adjust'"  # noqa: S608  # our own words; values are bound


class Entry(NamedTuple):
    """One row of `entries`, in its order."""

    task: str
    invocation: str
    kind: str
    at: int
    agent: str = ""
    tool: str = ""
    model: str = ""
    provider: str = ""
    run: str = ""
    task_type: str = ""
    billing: str = "api"
    held: int = 0
    spent: int = 0
    source: str = ""
    reason: str = ""
    first: int | None = None
    past: int | None = None


class Key(NamedTuple):
    """Names a row of `sums`, in the order of its key."""

    task: str
    past: int
    first: int
    agent: str = ""
    tool: str = ""
    model: str = ""
    provider: str = ""
    run: str = ""


def key_of(applied: Applied) -> Key:
    """The sum of a limit."""
    window = applied.window
    return Key(applied.task_id, to_ticks(window.end), to_ticks(window.start), **applied.scope)


def put(connection: sqlite3.Connection, entry: Entry) -> bool:
    """Enters it and adds it to its sums; False where there was one of that task, invocation and kind."""
    if not connection.execute(_PUT, entry).rowcount:
        return False
    if entry.first is not None:
        key = (entry.task, entry.past, entry.first, *entry[4:9])
        connection.execute(_ADD_TO_ONE, (entry.held, entry.spent, *key))
    elif entry.held or entry.spent:
        connection.execute(_ADD, (entry.held, entry.spent, entry.task, entry.at, entry.at, *entry[4:9]))
    return True


def sum_of(connection: sqlite3.Connection, key: Key, *, keep: bool) -> tuple[int, int, bool]:
    """Held, spent, and whether somebody was warned. Added up from the entries the first time that it is asked for.

    `keep`: within a transaction that writes.
    """
    row = connection.execute(_ASK, key).fetchone()
    if row is not None:
        return row[0], row[1], bool(row[2])
    held, spent = added_up(connection, key)
    if keep:
        connection.execute("INSERT INTO sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", (*key, held, spent))
    return held, spent, False


def added_up(connection: sqlite3.Connection, key: Key) -> tuple[int, int]:
    """What the entries say that a sum is."""
    wanted = [(name, value) for name, value in zip(Key._fields, key, strict=True) if name not in {"past", "first"}]
    scope = "".join(f" AND {name} = ?" for name, value in wanted if value)
    values = [value for _, value in wanted if value]
    # The + keeps SQLite from looking by time where the task is named: its window is all of time.
    at = "+at" if key.task else "at"
    question = "SELECT coalesce(sum(held), 0), coalesce(sum(spent), 0) FROM entries WHERE first IS NULL"
    question += f" AND {at} >= ? AND {at} < ?{scope}"
    held, spent = connection.execute(question, (key.first, key.past, *values)).fetchone()
    exact = connection.execute(_OF_ONE, key).fetchone()[0]
    return held, spent + exact


def warn(connection: sqlite3.Connection, key: Key) -> None:
    """Notes that somebody is told of it now."""
    connection.execute(_WARN, key)


def standing_of(applied: Applied, held: int, spent: int) -> Standing:
    """In the words of the core."""
    return Standing(applied=applied, held=MicroUsd(held), spent=MicroUsd(spent))
