"""The tables of index.db, how it is opened, and what its errors mean. Plain SQLite: `sqlite3 index.db` reads it too.

The database is derived: whatever is wrong with it, it is rebuilt from the event files. So a changed table raises
VERSION and needs no migration. Times are ISO 8601 in UTC with a Z, money is in micro-dollars.
"""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.history import IndexUnusable
from orchestrator.errors import BusyError

NAME = "index.db"
APPLICATION_ID = 0x6F726368  # "orch"
VERSION = 2
BUSY_SECONDS = 10.0

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tasks (
  id TEXT PRIMARY KEY NOT NULL, agent TEXT NOT NULL, title TEXT NOT NULL, priority TEXT NOT NULL,
  status TEXT NOT NULL, folder TEXT NOT NULL, path TEXT NOT NULL, run TEXT NOT NULL,
  tool TEXT NOT NULL, model TEXT NOT NULL, invocation TEXT NOT NULL, attempts INTEGER NOT NULL,
  verdict TEXT NOT NULL, why TEXT NOT NULL, error_kind TEXT NOT NULL, cost_microusd INTEGER NOT NULL,
  created TEXT, claimed TEXT, started TEXT, finished TEXT, last_event_id TEXT NOT NULL, last_ts TEXT
);
CREATE TABLE invocations (
  task_id TEXT NOT NULL, invocation_id TEXT NOT NULL, agent TEXT NOT NULL, run TEXT NOT NULL, tool TEXT NOT NULL,
  model TEXT NOT NULL, provider TEXT NOT NULL, task_type TEXT NOT NULL, reason TEXT NOT NULL, billing TEXT NOT NULL,
  attempt INTEGER NOT NULL, started TEXT, finished TEXT, duration_ms INTEGER NOT NULL, exit_code INTEGER,
  error_kind TEXT NOT NULL, tokens_input INTEGER NOT NULL, tokens_cache_read INTEGER NOT NULL,
  tokens_cache_write INTEGER NOT NULL, tokens_output INTEGER NOT NULL, cost_microusd INTEGER NOT NULL,
  cost_source TEXT NOT NULL, outcome TEXT NOT NULL, checked INTEGER NOT NULL,
  PRIMARY KEY (task_id, invocation_id)
) WITHOUT ROWID;
-- What was read, and how it looked then: the file is <folder>/<task_id>.jsonl below the work folder.
CREATE TABLE event_files (
  folder TEXT NOT NULL, task_id TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  PRIMARY KEY (folder, task_id)
) WITHOUT ROWID;
CREATE TABLE taken_in (
  path TEXT NOT NULL, blob TEXT NOT NULL, task_id TEXT NOT NULL, "commit" TEXT NOT NULL,
  PRIMARY KEY (path, blob, task_id)
) WITHOUT ROWID;
CREATE TABLE counts (
  folder TEXT NOT NULL, status TEXT NOT NULL, agent TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (folder, status, agent)
) WITHOUT ROWID;
-- Not a fact: what the running daemon says of tasks that wait.
CREATE TABLE waiting (task_id TEXT PRIMARY KEY NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;
"""

# A rebuild fills the tables first and adds these at the end: sorting once beats inserting a million times.
INDEXES = """
CREATE INDEX tasks_last ON tasks (last_ts);
CREATE INDEX tasks_of_status ON tasks (status, last_ts);
CREATE INDEX tasks_of_agent ON tasks (agent, last_ts);
CREATE INDEX tasks_of_agent_and_status ON tasks (agent, status, last_ts);
CREATE INDEX tasks_of_agent_finished ON tasks (agent, finished) WHERE finished IS NOT NULL;
CREATE INDEX tasks_finished ON tasks (finished) WHERE finished IS NOT NULL;
CREATE INDEX tasks_retained ON tasks (finished) WHERE folder = 'done';
CREATE INDEX event_files_of_task ON event_files (task_id);
CREATE INDEX taken_in_of_task ON taken_in (task_id);
INSERT INTO counts SELECT folder, status, agent, count(*) FROM tasks GROUP BY folder, status, agent;
CREATE TRIGGER task_added AFTER INSERT ON tasks BEGIN
  INSERT INTO counts VALUES (new.folder, new.status, new.agent, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER task_removed AFTER DELETE ON tasks BEGIN
  UPDATE counts SET n = n - 1 WHERE folder = old.folder AND status = old.status AND agent = old.agent;
END;
CREATE TRIGGER task_moved AFTER UPDATE OF folder, status, agent ON tasks
WHEN old.folder <> new.folder OR old.status <> new.status OR old.agent <> new.agent BEGIN
  UPDATE counts SET n = n - 1 WHERE folder = old.folder AND status = old.status AND agent = old.agent;
  INSERT INTO counts VALUES (new.folder, new.status, new.agent, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
"""


def wal_of(database: Path) -> Path:
    """Its write-ahead log."""
    return database.with_name(f"{database.name}-wal")


def shm_of(database: Path) -> Path:
    """Its shared memory file."""
    return database.with_name(f"{database.name}-shm")


def workspace_of(work: Path) -> str:
    """How the index names the workspace that it belongs to."""
    return os.fsencode(os.path.realpath(work)).decode("utf-8", "backslashreplace")


def connect(database: Path, *, mode: str) -> sqlite3.Connection:
    """A connection in autocommit that may be used from several threads, one at a time. `mode`: ro, rw or rwc."""
    uri = f"{Path(os.path.realpath(database)).as_uri()}?mode={mode}"
    if mode == "ro" and not os.access(database.parent, os.W_OK) and not wal_of(database).exists():
        uri += "&immutable=1"  # a read-only disk: SQLite would want to make the log that is not there
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def check_identity(connection: sqlite3.Connection, work: Path) -> None:
    """Refuses a database that is not ours, of another version, unfinished, or of another workspace.

    Raises:
        IndexUnusable
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise IndexUnusable("it is no index of ours")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise IndexUnusable(f"it has version {version}, and this program writes {VERSION}")
    row = connection.execute("SELECT value FROM meta WHERE key = 'work'").fetchone()
    if row is None or row[0] != workspace_of(work):
        raise IndexUnusable(f"it belongs to another workspace, {row[0] if row else 'unnamed'}")


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Says what an error of SQLite means.

    Raises:
        OSError: the disk is full, read-only or failing: the index itself may be sound.
        BusyError: another process held it for too long.
        IndexUnusable: anything else, and rows that cannot be read back.
    """
    try:
        yield
    except sqlite3.ProgrammingError as error:
        if "closed" in str(error):  # by another thread, that found it unusable
            raise IndexUnusable("it was closed") from error
        raise  # our own mistake
    except sqlite3.DatabaseError as error:
        raise _meaning(error) from error
    except ValueError as error:
        raise IndexUnusable(f"a row cannot be read: {error}") from error


def _meaning(error: sqlite3.DatabaseError) -> Exception:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} ({NAME})")
        case sqlite3.SQLITE_IOERR:
            return OSError(errno.EIO, f"{error} ({NAME})")
        case sqlite3.SQLITE_READONLY:
            return OSError(errno.EROFS, f"{error} ({NAME})")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return BusyError(f"{NAME} was locked by another process for {BUSY_SECONDS:.0f} s; try again")
        case _:
            return IndexUnusable(f"it is damaged: {error}")
