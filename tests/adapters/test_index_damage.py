"""A damaged, foreign or half index is noticed, and a rebuild answers."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import Workspace, holds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.index import Index
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.core.events import EventKind
from orchestrator.core.history import IndexUnusable
from orchestrator.core.types import TaskId


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a closed index of 300 tasks."""
    space = Workspace(tmp_path)
    for number in range(300):
        space.done(f"t{number:03d}")
    space.rebuilt()
    yield space
    space.close()


def refused(space: Workspace) -> str:
    """Why the index cannot be used; after a rebuild it can."""
    with pytest.raises(IndexUnusable) as raised:
        _ = space.index
    space.rebuilt()
    assert len(space.index.statuses([TaskId(f"t{number:03d}") for number in range(300)])) == 300
    return str(raised.value)


def test_a_missing_index_is_said_to_be_missing(space: Workspace) -> None:
    (space.state / "index.db").unlink()
    with pytest.raises(IndexUnusable, match="missing"):
        IndexReader(space.state, space.work)
    assert refused(space) == "the index cannot be used: it is missing; run: orchestrator index rebuild"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(b"hello" * 1000, id="no database"),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 5000, id="a broken header"),
    ],
)
def test_a_file_that_is_no_index_is_noticed(space: Workspace, content: bytes) -> None:
    (space.state / "index.db").write_bytes(content)
    with pytest.raises(IndexUnusable):
        IndexReader(space.state, space.work)
    refused(space)


def test_bytes_written_over_its_pages_are_noticed(space: Workspace) -> None:
    database = space.state / "index.db"
    content = bytearray(database.read_bytes())
    for start in range(8192, len(content) - 4096, 16384):
        content[start : start + 64] = os.urandom(64)
    database.write_bytes(content)
    assert "damaged" in refused(space)


def test_a_truncated_index_is_noticed(space: Workspace) -> None:
    database = space.state / "index.db"
    os.truncate(database, database.stat().st_size // 2)
    assert "damaged" in refused(space)


def test_an_index_of_another_version_is_refused(space: Workspace) -> None:
    connection = sqlite3.connect(space.state / "index.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert "version 999" in refused(space)


def test_an_index_of_another_workspace_is_refused(space: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path / "other").rebuilt()
    shutil.copy(other.state / "index.db", space.state / "index.db")
    assert "another workspace" in refused(space)


def test_a_half_made_index_is_refused(space: Workspace) -> None:
    (space.state / "index.db").unlink()
    connection = sqlite3.connect(space.state / "index.db")
    connection.execute("CREATE TABLE tasks (id TEXT)")
    connection.close()
    assert "no index of ours" in refused(space)


KILLED = """
import os, sys
from pathlib import Path
from datetime import UTC, datetime
from orchestrator.adapters.events import EventFiles
from orchestrator.adapters.index import Index
from orchestrator.core.events import Event
state, work = Path(sys.argv[1]), Path(sys.argv[2])
index = Index.open(state, work)
files = EventFiles(work, locate=index.locate)
for number in range(200):
    event = Event(event_id=str(number), ts=datetime.now(UTC), event="task_claimed", task_id=f"k{number}", agent="dev")
    appended = files.append(event.task_id, [event], day="2026-02-13")
    index.apply(appended.path, len(appended.content), event.task_id, [event])
os.kill(os.getpid(), 9)
"""


def kill_a_writer(space: Workspace) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(space.state), str(space.work)], check=False)
    assert (space.state / "index.db-wal").stat().st_size > 0


def test_an_index_whose_daemon_was_killed_opens_with_all_that_was_applied(space: Workspace) -> None:
    kill_a_writer(space)
    reader = IndexReader(space.state, space.work)
    assert sum(count.n for count in reader.counts()) == 500
    reader.close()
    assert space.index.catch_up().files_read == 0
    assert space.index.agents() == [("dev", "assigned", 200), ("dev", "done", 300)]


def test_a_log_that_was_taken_away_after_a_crash_is_noticed(space: Workspace) -> None:
    kill_a_writer(space)
    (space.state / "index.db-wal").unlink()
    assert "write-ahead log" in refused(space)
    assert space.index.agents() == [("dev", "assigned", 200), ("dev", "done", 300)]


def test_a_log_of_rubbish_costs_what_it_held_and_catching_up_brings_it_back(space: Workspace) -> None:
    kill_a_writer(space)
    (space.state / "index.db-wal").write_bytes(os.urandom(8192))
    (space.state / "index.db-shm").unlink()
    assert space.index.catch_up().files_read > 0
    assert space.index.agents() == [("dev", "assigned", 200), ("dev", "done", 300)]


def test_a_stale_log_beside_a_rebuilt_index_is_not_replayed_into_it(space: Workspace) -> None:
    kill_a_writer(space)
    (space.state / "index.db").write_bytes(b"rubbish")
    space.rebuilt()
    assert not (space.state / "index.db-wal").exists()
    assert space.index.agents() == [("dev", "assigned", 200), ("dev", "done", 300)]


def test_damage_that_appears_while_it_is_open_is_noticed_in_use(space: Workspace) -> None:
    index = space.index
    database = space.state / "index.db"
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(database.stat().st_size - 4096))
    index._connection.execute("PRAGMA shrink_memory")  # else it answers from what it has in memory
    with pytest.raises(IndexUnusable, match="damaged"):
        index.statuses([TaskId("t000")])
    with pytest.raises(IndexUnusable, match="damaged"):
        index.apply("telemetry/x/new.jsonl", 1, TaskId("new"), [space.event("new", EventKind.TASK_CLAIMED)])


@settings(max_examples=25)
@given(st.data())
def test_damage_anywhere_is_noticed_or_harmless_and_never_a_crash_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    space = Workspace(tmp_path_factory.mktemp("damaged"))
    for number in range(40):
        space.done(f"t{number:02d}")
    space.rebuilt()
    whole = holds(space.state)
    database = space.state / "index.db"
    content = bytearray(database.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=200))
    content[at : at + len(junk)] = junk
    database.write_bytes(content)
    try:
        index = Index.open(space.state, space.work)
        try:
            index.catch_up()
            index.statuses([TaskId(f"t{number:02d}") for number in range(40)])
        finally:
            index.close()
    except IndexUnusable:
        pass
    rebuild(space.state, space.work)
    assert holds(space.state) == whole
