"""Rate limits and cooldowns, shared by every process of this user on the machine, whatever repository asks.

A small SQLite file in the user's state folder. A start is counted and its place taken in one `BEGIN IMMEDIATE`, so that
two processes never take the last place both.

Whoever holds a place is named by its process and that process's start, so that what died holds nothing.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.adapters import process_table, rates_file
from orchestrator.core import cooldowns, rates
from orchestrator.core.cooldowns import Cooldown, tool_scope
from orchestrator.core.hindrance import Hindrance, together
from orchestrator.core.rates import Limited

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def folder(environ: Mapping[str, str], otherwise: Path) -> Path:
    """The user's state folder; `otherwise` (the workspace's own) where a person has no home."""
    if Path(environ.get("XDG_STATE_HOME", "")).is_absolute():
        return Path(environ["XDG_STATE_HOME"]) / "orchestrator"
    if Path(environ.get("HOME", "")).is_absolute():
        return Path(environ["HOME"]) / ".local" / "state" / "orchestrator"
    return otherwise


class SharedRates:
    """The file, open. May be used from several threads; a child process opens its own."""

    def __init__(self, state: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Opens it, or makes it.

        Raises:
            OrchestratorError: it cannot be made, read or written; BusyError: it was locked for too long.
        """
        self._path = state / rates_file.NAME
        self._now = now
        self._lock = threading.Lock()
        self._connection = rates_file.connect(self._path)

    def close(self) -> None:
        """Lets go of the file; places that are held stay held."""
        with self._lock:
            self._connection.close()

    def hindrance(self, limited: Sequence[Limited]) -> Hindrance | None:
        """Why none of these may start now, or None. Takes nothing."""
        with self._transaction() as now:
            return self._hindrance(limited, now)

    def take(self, invocation: str, limited: Sequence[Limited]) -> Hindrance | None:
        """Counts a start against all of them, or against none where one of them has no room, and says why.

        The place is held by this process until `release`, or its death. A second time for one invocation is one start.
        """
        with self._transaction() as now:
            if self._one("SELECT 1 FROM holders WHERE invocation = ?", invocation):
                return None
            if (found := self._hindrance(limited, now)) is not None:
                return found
            at, (pid, started, boot) = _stored(now), _process(os.getpid())
            for one in {one.what: one for one in limited}.values():
                self._connection.execute("INSERT INTO starts VALUES (?, ?, ?)", (one.what, at, invocation))
                self._connection.execute(
                    "INSERT INTO holders VALUES (?, ?, ?, ?, ?)", (one.what, invocation, pid, started, boot)
                )
            return None

    def hand_over(self, invocation: str, pid: int) -> None:
        """Its places are held by that process from now on: the guard of the run, or the daemon that adopted it."""
        with self._transaction():
            self._connection.execute(
                "UPDATE holders SET pid = ?, started = ?, boot = ? WHERE invocation = ?", (*_process(pid), invocation)
            )

    def keep(self, invocation: str) -> None:
        """A run of an earlier daemon's goes on under this one: its places are this process's."""
        self.hand_over(invocation, os.getpid())

    def release(self, invocation: str) -> None:
        """The run is over: its places are free. That it was started still counts."""
        with self._transaction():
            self._connection.execute("DELETE FROM holders WHERE invocation = ?", (invocation,))

    def undo(self, invocation: str) -> None:
        """The run never began: as if it had not been taken."""
        with self._transaction():
            self._connection.execute("DELETE FROM holders WHERE invocation = ?", (invocation,))
            self._connection.execute("DELETE FROM starts WHERE invocation = ?", (invocation,))

    def cool(self, scope: str, *, told: datetime | None = None, why: str = "") -> Cooldown:
        """Something said "not now": it is left alone, for as long as `cooldowns.failed` says."""
        with self._transaction() as now:
            made = cooldowns.failed(self._cooldown(scope), now=now, told=told, why=why)
            self._write(scope, made)
            return made

    def clear(self, scope: str, *, began: datetime) -> None:
        """A run of it that began then succeeded."""
        with self._transaction():
            if cooldowns.succeeded(self._cooldown(scope), began=began) is None:
                self._connection.execute("DELETE FROM cooldowns WHERE scope = ?", (scope,))

    def cooling(self, tool: str, model: str) -> Hindrance | None:
        """Why the tool, or that model of it, is left alone now, or None."""
        scopes = dict.fromkeys((tool_scope(tool), tool_scope(tool, model)))
        with self._transaction() as now:
            return together(cooldowns.hindrance(scope, self._cooldown(scope), now) for scope in scopes)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[datetime]:
        """All in it happens, or none; no other process comes between. Gives the time that holds in it."""
        with self._lock, rates_file.told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                now = self._now()
                self._tidy(now)
                yield now
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _tidy(self, now: datetime) -> None:
        """Forgets what counts no more. What lies ahead, as the clock was set back, is taken to have been now."""
        at = _stored(now)
        self._connection.execute("DELETE FROM starts WHERE at <= ?", (_stored(now - rates.HOUR),))
        self._connection.execute("UPDATE starts SET at = ? WHERE at > ?", (at, at))
        for scope, *_ in self._connection.execute("SELECT scope FROM cooldowns WHERE since > ?", (at,)).fetchall():
            if (found := self._cooldown(scope)) is not None:
                self._write(scope, cooldowns.turned_back(found, now))

    def _hindrance(self, limited: Sequence[Limited], now: datetime) -> Hindrance | None:
        return together(
            rates.hindrance(one.what, one.limit, self._starts(one), running=self._running(one.what), now=now)
            for one in limited
        )

    def _starts(self, limited: Limited) -> list[datetime]:
        """The newest, as many as a limit can be about."""
        most = max(limited.limit.per_minute or 0, limited.limit.per_hour or 0)
        query = "SELECT at FROM starts WHERE scope = ? ORDER BY at DESC LIMIT ?"
        return [_read(at) for (at,) in self._connection.execute(query, (limited.what, most))]

    def _running(self, scope: str) -> int:
        """How many hold a place; those that died lose theirs."""
        rows = self._connection.execute(
            "SELECT invocation, pid, started, boot FROM holders WHERE scope = ?", (scope,)
        ).fetchall()
        dead = [(invocation,) for invocation, *process in rows if not _lives(*process)]
        if dead:
            self._connection.executemany("DELETE FROM holders WHERE invocation = ?", dead)
        return len(rows) - len(dead)

    def _cooldown(self, scope: str) -> Cooldown | None:
        row = self._connection.execute(
            "SELECT until, since, failures, why FROM cooldowns WHERE scope = ?", (scope,)
        ).fetchone()
        if row is None:
            return None
        until, since, failures, why = row
        return Cooldown(until=_read(until), since=_read(since), failures=failures, why=why)

    def _write(self, scope: str, cooldown: Cooldown) -> None:
        row = (scope, _stored(cooldown.until), _stored(cooldown.since), cooldown.failures, cooldown.why)
        self._connection.execute("INSERT OR REPLACE INTO cooldowns VALUES (?, ?, ?, ?, ?)", row)

    def _one(self, query: str, value: str) -> bool:
        return self._connection.execute(query, (value,)).fetchone() is not None


def _process(pid: int) -> tuple[int, int, str]:
    """What names a process and no later one. Where there is no /proc: its id alone."""
    found = process_table.entry(pid)
    return pid, found.started if found is not None else 0, _boot()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _lives(pid: int, started: int, boot: str) -> bool:
    if boot != _boot():
        return False
    found = process_table.entry(pid)
    if found is not None:
        return not found.zombie and found.started == started
    if process_table.is_readable():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _stored(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _read(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)
