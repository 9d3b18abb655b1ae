"""What the entries of the ledger add up to, row by row, and whether all that is kept beside them agrees."""

import sqlite3
from collections.abc import Mapping

from orchestrator.adapters.ledger_sums import Key, added_up

# (task, day in UTC, agent, tool, model, provider, run, one window's start and end) -> (held, spent)
Balances = Mapping[tuple[object, ...], tuple[int, int]]
_A_DAY = 86_400_000_000


def balances(connection: sqlite3.Connection) -> Balances:
    """The sums by everything that a limit can ask for. Two ledgers with the same tell every limit the same."""
    question = (
        f"SELECT task, at / {_A_DAY}, agent, tool, model, provider, run, first, past, sum(held), sum(spent) "  # noqa: S608  # a number
        "FROM entries GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(held) <> 0 OR sum(spent) <> 0"
    )
    return {tuple(row[:-2]): (row[-2], row[-1]) for row in connection.execute(question)}


def faults(connection: sqlite3.Connection) -> list[str]:
    """What is wrong, in sentences."""
    found = [f"it is damaged: {row[0]}" for row in connection.execute("PRAGMA quick_check(1)") if row[0] != "ok"]
    names = ", ".join(Key._fields)
    for row in connection.execute(f"SELECT {names}, held, spent FROM sums").fetchall():  # noqa: S608  # our own words
        is_sum, says = added_up(connection, Key(*row[:-2])), (row[-2], row[-1])
        if is_sum != says:
            found.append(f"the sum {Key(*row[:-2])} says {says}, and its entries say {is_sum}")
    unlike = connection.execute(
        "SELECT count(*) FROM (SELECT task, invocation FROM entries GROUP BY task, invocation "
        "HAVING max(kind = 'hold') AND NOT max(kind IN ('settle', 'release')) "
        "EXCEPT SELECT task, invocation FROM open)"
    ).fetchone()[0]
    if unlike:
        found.append(f"{unlike} holds are open by their entries and not noted so")
    return found
