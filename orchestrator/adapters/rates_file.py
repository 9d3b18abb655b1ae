"""The file in which rate limits and cooldowns are kept: how it is opened, and what its errors mean.

Everything in it is forgotten within days: a damaged file is put aside, and begun anew.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import BusyError, OrchestratorError

_VERSION = 1  # in the file's name: programs of two versions do not share one
NAME = f"rates-{_VERSION}.db"
_BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE starts (scope TEXT NOT NULL, at INTEGER NOT NULL, invocation TEXT NOT NULL);
CREATE INDEX starts_of_scope ON starts (scope, at);
CREATE INDEX starts_by_time ON starts (at);
CREATE TABLE holders (
  scope TEXT NOT NULL, invocation TEXT NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL, boot TEXT NOT NULL,
  PRIMARY KEY (scope, invocation)
) WITHOUT ROWID;
CREATE TABLE cooldowns (
  scope TEXT PRIMARY KEY NOT NULL, until INTEGER NOT NULL, since INTEGER NOT NULL, failures INTEGER NOT NULL,
  why TEXT NOT NULL
) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Opens it, or makes it, with its folder.

    Raises:
        OrchestratorError: it cannot be made, read or written; BusyError: it was locked for too long.
    """
    with told(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            try:
                return _opened(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                _put_aside(path)
                return _opened(path)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Says what an error of SQLite or of the disk means."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BusyError(f"{path} was locked by another process for {_BUSY_SECONDS:.0f} s; try again") from error
        raise OrchestratorError(
            f"{path}: rate limits cannot be kept ({error}); see that its folder can be written, or delete the file"
        ) from error
    except OSError as error:
        raise OrchestratorError(
            f"{path}: rate limits cannot be kept ({error}); see that its folder can be written"
        ) from error


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Nobody else makes the file, or puts it aside, at the same time."""
    fd = os.open(state, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _use_log(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # a start forgotten in a power cut is no harm
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for the one who closes the file as the last, just now: it says that it is busy at once."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.002)  # its busy handler is not asked here


def _put_aside(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(name).rename(path.with_name(f"{name}.damaged"))
