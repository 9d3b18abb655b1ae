"""The tables of ledger.db, how it is opened, and what its errors mean. Plain SQLite: `sqlite3 ledger.db` reads it too.

`entries` is the book: rows are added and never changed. `sums` and `open` follow from it and are kept beside it, so
that a decision costs the same after a million runs. Money is in micro-dollars, moments are microseconds since 1970.
"""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.core.budgets import LedgerUnusable
from orchestrator.errors import BusyError

NAME = "ledger.db"
LOCK = "ledger.lock"  # held shared by whoever has the ledger open, alone while it is rebuilt
APPLICATION_ID = 0x6F72636D  # "orcm"
VERSION = 1
BUSY_SECONDS = 10.0
_CHECKPOINT = 4_000  # pages of log

TABLES = """
CREATE TABLE entries (
  number INTEGER PRIMARY KEY,
  task TEXT NOT NULL, invocation TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('hold', 'settle', 'release', 'adjust')),
  at INTEGER NOT NULL,          -- when the run began: its windows
  agent TEXT NOT NULL, tool TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, run TEXT NOT NULL,
  task_type TEXT NOT NULL, billing TEXT NOT NULL,
  held INTEGER NOT NULL,        -- what it adds to what is held: a settlement takes its hold away
  spent INTEGER NOT NULL,       -- what it adds to what is spent
  source TEXT NOT NULL,         -- of a settlement: reported, computed, estimated
  reason TEXT NOT NULL,
  first INTEGER, past INTEGER,  -- of an adjustment of one window: where that begins and ends
  UNIQUE (task, invocation, kind)
);
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_costs ON entries (agent, model, task_type, number) WHERE kind = 'settle';
CREATE TABLE open (task TEXT NOT NULL, invocation TEXT NOT NULL, PRIMARY KEY (task, invocation)) WITHOUT ROWID;
-- One row for each scope and window that was ever asked for; the period task has its task in it. '' is everything.
CREATE TABLE sums (
  task TEXT NOT NULL, past INTEGER NOT NULL, first INTEGER NOT NULL,
  agent TEXT NOT NULL, tool TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, run TEXT NOT NULL,
  held INTEGER NOT NULL, spent INTEGER NOT NULL, warned INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (task, past, first, agent, tool, model, provider, run)
) WITHOUT ROWID;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def to_ticks(at: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (at - _EPOCH) // _TICK


def from_ticks(ticks: int) -> datetime:
    """The moment, UTC."""
    return _EPOCH + ticks * _TICK


def create(database: Path) -> sqlite3.Connection:
    """An empty ledger, in a file that is not there yet."""
    connection = _connect(database, mode="rwc")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")  # nobody sees it before it is whole and synced
    connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    return connection


def connect(database: Path) -> sqlite3.Connection:
    """The ledger that is there. Several processes may have it open.

    Raises:
        LedgerUnusable: it is missing, or not ours, or of another version.
    """
    if not database.is_file():
        raise LedgerUnusable(f"{NAME} is missing")
    connection = _connect(database, mode="rw")
    try:
        _check_identity(connection)
        # Not FULL: a power cut may take the last entries, and the events, which are synced, bring them back.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_identity(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise LedgerUnusable(f"{NAME} is no ledger of ours")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise LedgerUnusable(f"{NAME} has version {version}, and this program writes {VERSION}")


def _connect(database: Path, *, mode: str) -> sqlite3.Connection:
    uri = f"{Path(os.path.realpath(database)).as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Says what an error of SQLite means.

    Raises:
        OSError: the disk is full, read-only or failing.
        BusyError: another process held it for too long.
        LedgerUnusable: anything else.
    """
    try:
        yield
    except sqlite3.ProgrammingError as error:
        if "closed" in str(error):
            raise LedgerUnusable(f"{NAME} was closed") from error
        raise  # our own mistake
    except (sqlite3.DatabaseError, OverflowError) as error:
        raise _meaning(error) from error


def _meaning(error: Exception) -> Exception:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} ({NAME})")
        case sqlite3.SQLITE_IOERR:
            return OSError(errno.EIO, f"{error} ({NAME})")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return OSError(errno.EROFS, f"{error} ({NAME})")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return BusyError(f"{NAME} was locked by another process for {BUSY_SECONDS:.0f} s; try again")
        case _:
            return LedgerUnusable(f"{NAME} is damaged: {error}")
