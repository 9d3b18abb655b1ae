"""Rows of the ledger about runs and adjustments, within the transaction of the caller."""

import sqlite3
from collections.abc import Sequence
from typing import Any, assert_never

from orchestrator.adapters.ledger_schema import from_ticks, to_ticks
from orchestrator.adapters.ledger_sums import Entry, put
from orchestrator.core.budget_amounts import Settlement
from orchestrator.core.budget_facts import Adjustment, Ended, Fact
from orchestrator.core.budgets import Held, Subject
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId

_HOLD = (
    "SELECT invocation, task, at, agent, tool, model, provider, run, task_type, billing, held FROM entries "
    "WHERE kind = 'hold' AND task = ? AND invocation = ?"
)


def entry_of(held: Held, kind: str, *, held_by: int, spent: int = 0, source: str = "", reason: str = "") -> Entry:
    """An entry about a run."""
    about = held.about
    return Entry(
        task=about.task_id,
        invocation=held.invocation_id,
        kind=kind,
        at=to_ticks(held.at),
        agent=about.agent,
        tool=about.tool,
        model=about.model,
        provider=about.provider,
        run=about.run,
        task_type=about.task_type,
        billing=about.billing,
        held=held_by,
        spent=spent,
        source=source,
        reason=reason,
    )


def put_hold(connection: sqlite3.Connection, held: Held, reason: str = "") -> bool:
    """Enters a hold; False where there was one for that run, which stays as it is."""
    new = put(connection, entry_of(held, "hold", held_by=held.amount, reason=reason))
    if new:
        connection.execute("INSERT OR IGNORE INTO open VALUES (?, ?)", (held.about.task_id, held.invocation_id))
    return new


def put_settlement(connection: sqlite3.Connection, held: Held, settled: Settlement) -> bool:
    """Enters what a run is charged in place of its hold; False where it was charged before."""
    # A hold that was released, though its run was not over after all, is not taken away twice.
    gone = connection.execute(
        "DELETE FROM open WHERE task = ? AND invocation = ?", (held.about.task_id, held.invocation_id)
    )
    less = -held.amount if gone.rowcount else 0
    return put(
        connection,
        entry_of(held, "settle", held_by=less, spent=settled.amount, source=settled.source.value, reason=settled.why),
    )


def put_adjustment(connection: sqlite3.Connection, adjustment: Adjustment) -> bool:
    """Enters a correction; False where it is known."""
    entry = Entry(
        task=adjustment.task_id,
        invocation=adjustment.key,
        kind="adjust",
        at=to_ticks(adjustment.at),
        spent=adjustment.amount,
        reason=adjustment.reason,
        agent=adjustment.scope.get("agent", ""),
        tool=adjustment.scope.get("tool", ""),
        model=adjustment.scope.get("model", ""),
        provider=adjustment.scope.get("provider", ""),
        run=adjustment.scope.get("run", ""),
    )
    if adjustment.start is not None and adjustment.end is not None:
        entry = entry._replace(first=to_ticks(adjustment.start), past=to_ticks(adjustment.end))
    return put(connection, entry)


def take_in(connection: sqlite3.Connection, fact: Fact) -> bool:
    """Enters what an event tells; False where it was known."""
    match fact:
        case Held():
            return put_hold(connection, fact)
        case Ended():
            held = hold_of(connection, fact.about.task_id, fact.invocation_id)
            if held is None:  # it ran without a hold, and cost what it cost
                held = Held(invocation_id=fact.invocation_id, about=fact.about, at=fact.at, amount=MicroUsd(0))
                put_hold(connection, held)
            return put_settlement(connection, held, fact.settle(held.amount, held.about.billing))
        case Adjustment():
            return put_adjustment(connection, fact)
        case _:
            assert_never(fact)


def hold_of(connection: sqlite3.Connection, task: str, invocation: str) -> Held | None:
    """What was held for a run, whatever became of it."""
    row = connection.execute(_HOLD, (task, invocation)).fetchone()
    return None if row is None else _held(row)


def holds_open(connection: sqlite3.Connection) -> list[Held]:
    """Holds that were neither settled nor released, the oldest first."""
    names = connection.execute("SELECT task, invocation FROM open").fetchall()
    found = [hold_of(connection, task, invocation) for task, invocation in names]
    return sorted((held for held in found if held is not None), key=lambda held: held.at)


def _held(row: Sequence[Any]) -> Held:
    invocation, task, at, agent, tool, model, provider, run, task_type, billing, amount = row
    about = Subject(
        agent=agent,
        tool=tool,
        model=model,
        provider=provider,
        run=run,
        task_id=TaskId(task),
        task_type=task_type,
        billing=billing,
    )
    return Held(invocation_id=InvocationId(invocation), about=about, at=from_ticks(at), amount=MicroUsd(amount))


def is_open(connection: sqlite3.Connection, held: Held) -> bool:
    """Whether it was neither settled nor released."""
    question = "SELECT 1 FROM open WHERE task = ? AND invocation = ?"
    return connection.execute(question, (held.about.task_id, held.invocation_id)).fetchone() is not None


def put_release(connection: sqlite3.Connection, held: Held, reason: str) -> bool:
    """Gives back what is held for a run; False where nothing is."""
    known = hold_of(connection, held.about.task_id, held.invocation_id)
    if known is None or not is_open(connection, known):
        return False
    connection.execute("DELETE FROM open WHERE task = ? AND invocation = ?", (known.about.task_id, known.invocation_id))
    return put(connection, entry_of(known, "release", held_by=-known.amount, reason=reason))


def settlement_of(connection: sqlite3.Connection, task: str, invocation: str) -> Settlement:
    """What a run was charged; it was."""
    question = "SELECT spent, source, reason FROM entries WHERE task = ? AND invocation = ? AND kind = 'settle'"
    spent, source, why = connection.execute(question, (task, invocation)).fetchone()
    return Settlement(amount=MicroUsd(spent), source=CostSource(source), why=why)


def costs(connection: sqlite3.Connection, agent: str, model: str, task_type: str, limit: int) -> list[int]:
    """What the latest runs of a kind were charged."""
    question = (
        "SELECT spent FROM entries WHERE kind = 'settle' AND agent = ? AND model = ? AND task_type = ? "
        "AND source <> 'estimated' AND billing = 'api' ORDER BY number DESC LIMIT ?"
    )
    return [spent for (spent,) in connection.execute(question, (agent, model, task_type, limit))]
