"""Rate limits and cooldowns that every process on the machine shares: real files, real processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.rates import SharedRates, folder
from orchestrator.adapters.rates_file import NAME
from orchestrator.core.cooldowns import tool_scope
from orchestrator.core.rates import Limited
from orchestrator.core.settings import RateLimit
from orchestrator.errors import BusyError, OrchestratorError

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

TAKE = """
import sys
from pathlib import Path
from orchestrator.adapters.rates import SharedRates
from orchestrator.core.rates import Limited
from orchestrator.core.cooldowns import tool_scope
from orchestrator.core.rates import Limited
from orchestrator.core.settings import RateLimit

state, name, times, stay = sys.argv[1:]
rates = SharedRates(Path(state))
limited = [Limited(what="tool x", limit=RateLimit(per_hour=50, max_parallel=1000))]
got = sum(rates.take(f"{name}-{number}", limited) is None for number in range(int(times)))
print(got, flush=True)
if stay == "stay":
    sys.stdin.read()
"""


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def shared(tmp_path: Path, clock: HandClock) -> Iterator[SharedRates]:
    rates = SharedRates(tmp_path / "state", now=clock)
    yield rates
    rates.close()


def tool(**limits: int) -> list[Limited]:
    return [Limited(what="tool x", limit=RateLimit(**limits))]


def taking(state: Path, name: str, times: int, *, stay: bool = False) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", TAKE, str(state), name, str(times), "stay" if stay else "go"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_starts_are_counted_until_they_leave_the_window(shared: SharedRates, clock: HandClock) -> None:
    assert shared.take("1", tool(per_minute=2)) is None
    clock.now += 10 * SECOND
    assert shared.take("2", tool(per_minute=2)) is None
    found = shared.take("3", tool(per_minute=2))
    assert found is not None
    assert found.until == NOON + 60 * SECOND
    clock.now = NOON + 60 * SECOND
    assert shared.hindrance(tool(per_minute=2)) is None
    assert shared.take("3", tool(per_minute=2)) is None


def test_a_start_that_has_no_room_with_one_counts_against_none(shared: SharedRates) -> None:
    provider = Limited(what="provider p", limit=RateLimit(per_minute=1))
    assert shared.take("1", [*tool(per_minute=9), provider]) is None
    assert shared.take("2", [*tool(per_minute=9), provider]) is not None
    assert shared.take("3", tool(per_minute=2)) is None  # the tool was started once


def test_of_many_starts_the_newest_say_how_long_to_wait(shared: SharedRates, clock: HandClock) -> None:
    for number in range(10):
        assert shared.take(str(number), tool(per_hour=10)) is None
        clock.now += 10 * SECOND
    found = shared.hindrance(tool(per_hour=3, per_minute=2))  # a repository that is more careful
    assert found is not None
    assert found.until == NOON + 70 * SECOND + timedelta(hours=1)


def test_places_are_given_back_and_starts_are_not(shared: SharedRates) -> None:
    assert shared.take("1", tool(max_parallel=1, per_hour=2)) is None
    found = shared.take("2", tool(max_parallel=1, per_hour=2))
    assert found is not None
    assert found.why == "tool x runs 1 times, and may 1 times at once"
    shared.release("1")
    assert shared.take("2", tool(max_parallel=1, per_hour=2)) is None
    shared.release("2")
    assert shared.take("3", tool(max_parallel=1, per_hour=2)) is not None


def test_a_run_that_never_began_was_not_started(shared: SharedRates) -> None:
    assert shared.take("1", tool(max_parallel=1, per_hour=1)) is None
    shared.undo("1")
    assert shared.take("2", tool(max_parallel=1, per_hour=1)) is None


def test_a_second_time_for_one_invocation_is_one_start(shared: SharedRates) -> None:
    for _ in range(3):
        assert shared.take("1", tool(per_hour=1)) is None


def test_looking_takes_nothing(shared: SharedRates) -> None:
    for _ in range(3):
        assert shared.hindrance(tool(per_hour=1, max_parallel=1)) is None
    assert shared.take("1", tool(per_hour=1, max_parallel=1)) is None


def test_a_clock_set_back_a_day_blocks_for_no_longer_than_the_window(shared: SharedRates, clock: HandClock) -> None:
    assert shared.take("1", tool(per_minute=1)) is None
    shared.cool("tool x")
    clock.now -= timedelta(days=1)
    found = shared.hindrance(tool(per_minute=1))
    assert found is not None
    assert found.until == clock.now + 60 * SECOND
    clock.now += 61 * SECOND
    assert shared.hindrance(tool(per_minute=1)) is None
    assert shared.cooling("x", "m") is None


def test_eight_processes_never_take_more_than_there_is(tmp_path: Path) -> None:
    children = [taking(tmp_path, str(number), 20) for number in range(8)]
    got = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(got) == 50


def test_threads_of_one_process_share_it(shared: SharedRates) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: shared.take(str(number), tool(per_hour=30)), range(100)))
    assert sum(found is None for found in got) == 30


def test_who_was_killed_holds_nothing_and_its_starts_still_count(tmp_path: Path) -> None:
    child = taking(tmp_path, "child", 3, stay=True)
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "3\n"
    rates = SharedRates(tmp_path)
    assert rates.hindrance(tool(max_parallel=3)) is not None
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=30)
    assert rates.hindrance(tool(max_parallel=1)) is None
    assert rates.hindrance(tool(per_hour=3)) is not None
    child.stdin.close()
    child.stdout.close()
    rates.close()


def test_a_place_goes_with_the_process_that_it_is_handed_to(tmp_path: Path) -> None:
    rates = SharedRates(tmp_path)
    guard = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert rates.take("1", tool(max_parallel=1)) is None
    rates.hand_over("1", guard.pid)
    assert rates.hindrance(tool(max_parallel=1)) is not None
    guard.communicate(timeout=30)
    assert rates.hindrance(tool(max_parallel=1)) is None
    rates.close()


def test_a_process_id_that_is_used_again_holds_nothing(tmp_path: Path) -> None:
    rates = SharedRates(tmp_path)
    assert rates.take("1", tool(max_parallel=1)) is None
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("UPDATE holders SET started = started - 1")
    connection.close()
    assert rates.hindrance(tool(max_parallel=1)) is None
    rates.close()


def test_cooldowns_outlive_the_process_and_the_later_one_wins(tmp_path: Path, clock: HandClock) -> None:
    first = SharedRates(tmp_path, now=clock)
    first.cool(tool_scope("claude", "opus"), told=NOON + timedelta(hours=5), why="the limit of 5 hours")
    first.cool(tool_scope("claude", "opus"), told=NOON + SECOND)
    first.close()
    second = SharedRates(tmp_path, now=clock)
    found = second.cooling("claude", "opus")
    assert found is not None
    assert found.until == NOON + timedelta(hours=5)
    assert found.why == "tool claude with opus is left alone until 2026-11-21 17:00:00 UTC (the limit of 5 hours)"
    assert second.cooling("claude", "sonnet") is None
    second.cool(tool_scope("claude"))
    assert second.cooling("claude", "sonnet") is not None
    second.close()


def test_a_success_clears_a_cooldown_unless_it_began_before(shared: SharedRates) -> None:
    shared.cool("tool x")
    shared.clear("tool x", began=NOON - SECOND)
    assert shared.cooling("x", "") is not None
    shared.clear("tool x", began=NOON)
    assert shared.cooling("x", "") is None
    assert shared.cool("tool x").failures == 1


@pytest.mark.parametrize(
    "damage", [b"no database at all, but long enough to be taken for one" * 50, b"SQLite format 3\0"]
)
def test_a_damaged_file_is_put_aside_and_begun_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / NAME).write_bytes(damage)
    rates = SharedRates(tmp_path)
    assert rates.take("1", tool(per_hour=1)) is None
    assert (tmp_path / f"{NAME}.damaged").read_bytes() == damage
    rates.close()


def test_a_file_that_is_deleted_while_it_is_used_does_no_harm_to_those_who_come(tmp_path: Path) -> None:
    rates = SharedRates(tmp_path)
    for name in os.listdir(tmp_path):
        (tmp_path / name).unlink()
    anew = SharedRates(tmp_path)
    assert anew.take("1", tool(per_hour=1)) is None
    assert anew.take("2", tool(per_hour=1)) is not None
    rates.close()
    anew.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OrchestratorError, match=r"rate limits cannot be kept .* see that its folder can be written"):
        SharedRates(tmp_path / "file" / "state")


def test_a_file_that_another_holds_for_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.adapters.rates_file._BUSY_SECONDS", 0.05)
    rates = SharedRates(tmp_path)
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="locked by another process"):
        rates.take("1", tool(per_hour=1))
    other.execute("ROLLBACK")
    other.close()
    assert rates.take("1", tool(per_hour=1)) is None
    rates.close()


def test_two_who_begin_at_once_make_one_file(tmp_path: Path) -> None:
    barrier = threading.Barrier(6)

    def begin(number: int) -> bool:
        barrier.wait(timeout=30)
        rates = SharedRates(tmp_path)
        granted = rates.take(str(number), tool(per_hour=4)) is None
        rates.close()
        return granted

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(begin, range(6))) == 4


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/orchestrator"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/orchestrator"),
        ({}, "/workspace"),
    ],
)
def test_it_lies_in_the_users_state_folder(environ: dict[str, str], expected: str) -> None:
    assert folder(environ, Path("/workspace")) == Path(expected)
