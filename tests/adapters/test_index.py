"""The index: kept current, caught up, rebuilt, and always what the event files add up to."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from histories import DAY, START, Workspace, holds

from orchestrator.adapters import index_rebuild
from orchestrator.adapters.index import CatchUp, Index
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.core.events import EventKind, encode
from orchestrator.core.history import IndexUnusable
from orchestrator.core.types import Folder, Status, TaskId
from orchestrator.errors import BusyError, OrchestratorError

A, B = TaskId("a"), TaskId("b")


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path).rebuilt()
    assert space.index.catch_up() == CatchUp()
    yield space
    space.close()


def rebuilt_elsewhere(space: Workspace) -> dict[str, list[tuple[object, ...]]]:
    rebuild(space.root / "other", space.work)
    return holds(space.root / "other")


def test_an_index_of_a_workspace_without_events_is_empty_and_usable(space: Workspace) -> None:
    assert space.index.catch_up() == CatchUp()
    assert space.index.known([A]) == {}
    assert list(space.index.unfinished()) == []


def test_applied_events_are_known_at_once(space: Workspace) -> None:
    assert space.index.locate(A) is None
    space.tell("a", EventKind.TASK_CLAIMED, agent="dev", path="collaboration/assigned/dev/a.yaml")
    known = space.index.known([A, B])
    assert (known[A].status, known[A].path, known[A].agent) == ("assigned", "collaboration/assigned/dev/a.yaml", "dev")
    assert B not in known
    assert space.index.locate(A) == f"telemetry/{DAY}/a.jsonl"


def test_a_thousand_ids_are_asked_for_in_one_call(space: Workspace) -> None:
    space.tell("a", EventKind.TASK_CLAIMED)
    assert set(space.index.known([A, *(TaskId(f"x{number}") for number in range(1000))])) == {A}


def test_a_live_index_and_a_rebuilt_one_hold_the_same(space: Workspace) -> None:
    for number in range(5):
        space.done(f"t{number}")
    space.tell("e", EventKind.TASK_CLAIMED, agent="dev")
    space.tell("e", EventKind.TASK_ERROR, agent="dev", error_kind="timeout", why="too slow")
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_catching_up_reads_what_is_new_longer_or_changed_and_nothing_else(space: Workspace) -> None:
    path = space.done("a")
    space.done("b")
    assert space.index.catch_up() == CatchUp()
    space.write("2026-02-13.2", "c", [space.event("c", EventKind.TASK_CLAIMED)])
    with path.open("ab") as file:
        file.write(encode(space.event("a", EventKind.TASK_ARCHIVED)))
    assert space.index.catch_up() == CatchUp(files_read=2, events=7)
    assert space.index.statuses([A])[A].folder is Folder.ARCHIVE
    assert space.index.catch_up() == CatchUp()
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_a_file_edited_to_the_same_length_is_read_again(space: Workspace) -> None:
    path = space.tell("a", EventKind.TASK_CLAIMED, agent="dev")
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"dev"', b'"ops"'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert space.index.catch_up() == CatchUp(files_read=1, events=1)
    assert space.index.known([A])[A].agent == "ops"


def test_what_a_person_takes_away_stays_away(space: Workspace) -> None:
    space.done("a").unlink()
    space.done("b")
    assert space.index.catch_up() == CatchUp(forgotten=1)
    assert set(space.index.known([A, B])) == {B}
    for path in (space.work / "telemetry" / DAY).iterdir():
        path.unlink()
    (space.work / "telemetry" / DAY).rmdir()
    assert space.index.catch_up() == CatchUp(forgotten=1)
    assert not any(holds(space.state).values())


def test_flat_event_files_of_an_older_workspace_are_read(space: Workspace) -> None:
    space.write(".", "a", [space.event("a", EventKind.TASK_CLAIMED)])
    assert space.index.catch_up() == CatchUp(files_read=1, events=1)
    assert space.index.locate(A) == "telemetry/a.jsonl"
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_links_and_files_that_are_no_event_files_are_left_alone(space: Workspace) -> None:
    real = space.write(DAY, "a", [space.event("a", EventKind.TASK_CLAIMED)])
    (real.parent / "b.jsonl").symlink_to(real)
    (real.parent / ".hidden.jsonl").write_bytes(real.read_bytes())
    (real.parent / "notes.txt").write_text("hello")
    os.mkfifo(real.parent / "c.jsonl")
    (space.work / "telemetry" / "link").symlink_to(real.parent)
    (real.parent / os.fsdecode(b"\xff.jsonl")).write_bytes(real.read_bytes())
    assert space.index.catch_up() == CatchUp(files_read=1, events=1)
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_events_that_another_hand_appended_are_not_missed_by_the_next_apply(space: Workspace) -> None:
    path = space.tell("a", EventKind.TASK_CLAIMED, agent="dev")
    with path.open("ab") as file:
        file.write(encode(space.event("a", EventKind.TASK_ERROR, error_kind="crashed")))
    space.tell("a", EventKind.HANDOFF_CREATED)
    assert space.index.statuses([A])[A].error_kind == "crashed"
    assert space.index.catch_up() == CatchUp()


def test_events_applied_twice_count_once(space: Workspace) -> None:
    finished = space.event("a", EventKind.EXECUTION_FINISHED, invocation_id="i", details={"cost_microusd": 5})
    path = space.append("a", finished)
    space.index.apply(f"telemetry/{DAY}/a.jsonl", path.stat().st_size, A, [finished])
    assert space.index.statuses([A])[A].cost == 5


def test_a_task_with_files_of_two_machines_is_told_from_both_in_order_of_time(space: Workspace) -> None:
    claimed = space.event("a", EventKind.TASK_CLAIMED, agent="dev")
    failed = space.event("a", EventKind.TASK_ERROR, error_kind="timeout")
    retried = space.event("a", EventKind.TASK_RETRIED)
    space.write("2026-02-13", "a", [claimed, failed])
    space.write("2026-02-11", "a", [claimed, retried])
    space.index.catch_up()
    assert space.index.known([A])[A].status == "assigned"
    assert holds(space.state) == rebuilt_elsewhere(space)
    space.append("a", space.event("a", EventKind.TASK_CANCELLED))
    assert space.index.known([A])[A].status == "cancelled"
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_what_was_taken_in_is_known_by_path_and_blob(space: Workspace) -> None:
    odd = os.fsdecode(b"tasks/\xff.yaml")
    origin = {"origin_path": odd, "origin_blob": "b1", "origin_commit": "c1"}
    space.tell("a", EventKind.TASK_SUBMITTED, details=origin)
    assert space.index.is_taken_in(odd, "b1")
    assert not space.index.is_taken_in(odd, "b2")
    assert not space.index.is_taken_in(os.fsdecode(b"tasks/\xfe.yaml"), "b1")
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_unfinished_tasks_are_those_that_recovery_must_look_at(space: Workspace) -> None:
    for number in range(600):
        space.write(DAY, f"n{number:03d}", [space.event(f"n{number:03d}", EventKind.TASK_CLAIMED)])
    space.done("d")
    space.tell("e", EventKind.TASK_CLAIMED, EventKind.TASK_ERROR)
    space.tell("f", EventKind.TASK_CLAIMED, EventKind.TASK_FROZEN)
    space.tell("r", EventKind.TASK_SUBMITTED, EventKind.TASK_REJECTED)
    space.index.catch_up()
    ids = [state.id for state in space.index.unfinished()]
    assert ids == ["f", *(f"n{number:03d}" for number in range(600))]
    assert [state.id for state in space.index.unfinished([Status.ERROR])] == ["e"]


def test_retained_tasks_come_oldest_first_and_without_the_archived(space: Workspace) -> None:
    for name in "abc":
        space.done(name)
    space.tell("a", EventKind.TASK_ARCHIVED)
    later = START + timedelta(days=1)
    assert [known.task_id for known in space.index.retained(later, 10)] == ["b", "c"]
    assert [known.task_id for known in space.index.retained(later, 1)] == ["b"]
    assert space.index.retained(START, 10) == []


def test_agents_are_counted_by_status_and_recent_tasks_come_first(space: Workspace) -> None:
    space.done("a", agent="dev")
    space.done("b", agent="ops")
    space.tell("c", EventKind.TASK_CLAIMED, agent="dev")
    space.tell("b", EventKind.TASK_ARCHIVED)
    assert space.index.agents() == [("dev", "assigned", 1), ("dev", "done", 1)]
    assert [state.id for state in space.index.recent(2)] == ["b", "c"]
    ended = {agent: at - START for agent, at in space.index.last_finished().items()}
    assert ended == {"dev": timedelta(seconds=5), "ops": timedelta(seconds=10)}


def test_waiting_tasks_are_replaced_as_a_whole_and_gone_after_a_restart(space: Workspace) -> None:
    space.index.set_waiting({A: "for b", B: "for a tool"})
    space.index.set_waiting({B: "for a tool", TaskId("c"): "for b"})
    reader = IndexReader(space.state, space.work)
    assert [(one.task_id, one.why) for one in reader.waiting(9)] == [("b", "for a tool"), ("c", "for b")]
    assert reader.waiting_total() == 2
    reader.close()
    space.close()
    assert space.index.catch_up() == CatchUp()
    reader = IndexReader(space.state, space.work)
    assert reader.waiting(9) == []
    reader.close()


def test_readers_read_while_the_writer_writes(space: Workspace) -> None:
    seen: list[int] = []
    troubles: list[Exception] = []
    ended = threading.Event()

    def read() -> None:
        try:
            while not ended.is_set():
                reader = IndexReader(space.state, space.work)
                seen.append(sum(count.n for count in reader.counts()))
                reader.close()
        except OrchestratorError as error:
            troubles.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for thread in readers:
        thread.start()
    for number in range(150):
        space.done(f"t{number}")
    ended.set()
    for thread in readers:
        thread.join()
    assert troubles == []
    assert seen
    assert max(seen) <= 150
    assert holds(space.state) == rebuilt_elsewhere(space)


def test_threads_of_the_daemon_share_one_index(space: Workspace) -> None:
    def work(name: str) -> None:
        for number in range(20):
            space.index.apply(*told(f"{name}{number}"))
            space.index.known([A])

    def told(task_id: str) -> tuple[str, int, TaskId, list[object]]:
        event = space.event(task_id, EventKind.TASK_CLAIMED, agent="dev")
        path = space.write(DAY, task_id, [event])
        return f"telemetry/{DAY}/{task_id}.jsonl", path.stat().st_size, TaskId(task_id), [event]

    threads = [threading.Thread(target=work, args=(name,)) for name in "pqrs"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert space.index.agents() == [("dev", "assigned", 80)]


def test_a_rebuild_says_how_far_it_is_and_what_it_read(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_rebuild, "_BATCH", 2)
    for name in "abcde":
        space.done(name)
    space.close()
    told: list[tuple[int, int]] = []
    rebuilt = rebuild(space.state, space.work, lambda files, events: told.append((files, events)))
    assert (rebuilt.files, rebuilt.events) == (5, 25)
    assert told == [(2, 10), (4, 20), (5, 25)]


def test_an_index_in_use_is_not_rebuilt_under_its_daemon(space: Workspace) -> None:
    with pytest.raises(BusyError, match="daemon has it open"):
        rebuild(space.state, space.work)


def test_a_closed_index_says_so_to_a_thread_that_comes_late(space: Workspace) -> None:
    index = space.index
    space.close()
    index.close()
    with pytest.raises(IndexUnusable, match="closed"):
        index.known([A])


DIE_AT = """
import os, sys
from pathlib import Path
from orchestrator.adapters.index_rebuild import rebuild
state, work, when = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
seen = 0
def audit(name, args):
    global seen
    if name in {"os.remove", "os.rename", "sqlite3.connect"} or (name == "open" and "index" in str(args[0])):
        seen += 1
        if seen == when:
            os._exit(9)
sys.addaudithook(audit)
rebuild(state, work)
"""


def test_a_rebuild_that_dies_at_any_moment_leaves_an_index_that_works(space: Workspace) -> None:
    space.done("a")
    space.close()
    space.write(DAY, "b", [space.event("b", EventKind.TASK_CLAIMED)])
    died = 0
    for when in range(1, 40):
        call = [sys.executable, "-c", DIE_AT, str(space.state), str(space.work), str(when)]
        ended = subprocess.run(call, check=False)
        reader = IndexReader(space.state, space.work)
        assert {count.agent for count in reader.counts()} >= {"dev"}
        reader.close()
        Index.open(space.state, space.work).close()
        if ended.returncode == 0:
            break
        assert ended.returncode == 9
        died += 1
    assert died >= 5
    assert holds(space.state) == rebuilt_elsewhere(space)
    assert sorted(os.listdir(space.state)) == ["index.db", "index.lock"]
