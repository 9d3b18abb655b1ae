"""The read side on real folders, a real index and a real lock: what it answers, and that it writes nothing."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.events import EventFiles
from orchestrator.adapters.index import Index
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.adapters.lock import WorkspaceLock, holder
from orchestrator.core.events import Event, EventKind
from orchestrator.core.reports import TaskFilter, plain
from orchestrator.core.types import Folder, Status, TaskId
from orchestrator.errors import NotFoundError
from orchestrator.query import IndexNeeded, QueryService

T = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)
HEAVY = {"pydantic", "yaml", "jinja2", "asyncio", "git", "rich", "subprocess", "logging", "watchfiles", "difflib"}


class Space:
    """A workspace whose events are written first and indexed when a question is asked."""

    def __init__(self, root: Path) -> None:
        self.work, self.state = root / "work", root / "state"
        for folder in ("inbox", "assigned", "done", "rejected", "fridge", "archive"):
            (self.work / "collaboration" / folder).mkdir(parents=True)
        self.state.mkdir()
        self._files = EventFiles(self.work, locate=lambda _: None)
        self._number = 0

    def file(self, path: str, text: str = "title: x\n") -> str:
        target = self.work / "collaboration" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return f"collaboration/{path}"

    def tell(self, task_id: str, kind: str, **fields: object) -> None:
        self._number += 1
        event = Event(
            event_id=f"{self._number:026d}",
            ts=T + timedelta(seconds=self._number),
            event=kind,
            task_id=task_id,
            **fields,  # type: ignore[arg-type]  # a shorthand
        )
        self._files.append(TaskId(task_id), [event], day="2026-02-12")

    def claimed(self, task_id: str, agent: str = "dev") -> str:
        path = self.file(f"assigned/{agent}/{task_id}.yaml")
        self.tell(task_id, EventKind.TASK_CLAIMED, agent=agent, path=path, details={"title": f"Do {task_id}"})
        return path

    def running(self, task_id: str) -> None:
        self.claimed(task_id)
        self.tell(task_id, EventKind.EXECUTION_STARTED, tool="claude", model="m", attempt=1, invocation_id="i1")

    def done(self, task_id: str) -> None:
        self.running(task_id)
        logs = {"verdict": "done", "log_paths": [f"reports/logs/dev/{task_id}.md"]}
        (self.work / f"collaboration/assigned/dev/{task_id}.yaml").unlink()
        path = self.file(f"done/dev/2026-02-12/{task_id}.yaml")
        self.tell(task_id, EventKind.TASK_COMPLETED, path=path, details=logs)

    @property
    def service(self) -> QueryService:
        return QueryService(
            self.work,
            open_reader=lambda: IndexReader(self.state, self.work),
            holder=lambda: holder(self.state),
        )

    @property
    def asked(self) -> QueryService:
        rebuild(self.state, self.work)
        return self.service


@pytest.fixture
def space(tmp_path: Path) -> Space:
    return Space(tmp_path)


def test_an_empty_workspace_has_nothing_to_say(space: Space) -> None:
    report = space.asked.status()
    assert not report.daemon.running
    assert set(report.folders.values()) == {0}
    assert (report.running, report.waiting, report.finished, report.attention) == ((), (), (), ())


def test_without_an_index_every_question_says_how_to_make_one(space: Space) -> None:
    for question in (space.service.status, space.service.tasks, lambda: space.service.task("a")):
        with pytest.raises(IndexNeeded, match="it is missing; run: orchestrator index rebuild"):
            question()


def test_a_damaged_index_is_asked_to_be_rebuilt_too(space: Space) -> None:
    (space.state / "index.db").write_bytes(b"rubbish" * 500)
    with pytest.raises(IndexNeeded, match="orchestrator index rebuild"):
        space.service.status()


def test_status_counts_files_where_they_lie_and_tasks_as_the_events_tell(space: Space) -> None:
    space.file("inbox/n1.yaml")
    space.file("inbox/n2.yml")
    space.file("inbox/.n3.yaml")
    space.file("inbox/n4.yaml~")
    space.file("fridge/later/f.yaml")
    space.claimed("a1")
    space.running("r1")
    space.claimed("deep", agent="ops")
    os.renames(
        space.work / "collaboration/assigned/ops/deep.yaml", space.work / "collaboration/assigned/ops/d/deep.yaml"
    )
    for number in range(3):
        space.done(f"d{number}")
    space.tell("d0", EventKind.TASK_ARCHIVED, path="collaboration/archive/2026-02/d0.yaml")
    report = space.asked.status()
    assert report.folders == {"inbox": 2, "assigned": 3, "done": 2, "rejected": 0, "fridge": 1, "archive": 1}
    assert {name: n for name, n in report.statuses.items() if n} == {"assigned": 2, "in_progress": 1, "done": 2}
    assert report.agents == {"dev": {"assigned": 1, "in_progress": 1}, "ops": {"assigned": 1}}


def test_status_shows_what_runs_with_its_tool_and_since_when(space: Space) -> None:
    space.running("r1")
    space.claimed("a1")
    (running,) = space.asked.status().running
    assert (running.id, running.tool, running.model, running.started) == ("r1", "claude", "m", T + timedelta(seconds=2))


def test_status_shows_the_newest_finished_and_no_more_than_asked(space: Space) -> None:
    for number in range(4):
        space.done(f"d{number}")
    assert [state.id for state in space.asked.status(few=2).finished] == ["d3", "d2"]


def test_status_shows_what_waits_for_a_person(space: Space) -> None:
    space.claimed("e")
    space.tell("e", EventKind.TASK_ERROR, why="too slow", error_kind="timeout")
    space.claimed("b")
    space.tell("b", EventKind.TASK_BLOCKED, why="no tool named gemini")
    space.claimed("f")
    space.tell("f", EventKind.TASK_ERROR)
    space.tell("f", EventKind.TASK_FROZEN, path="collaboration/fridge/f.yaml")
    space.file("rejected/x.txt", "hello")
    space.file("rejected/x.txt.why.md", "\n# x.txt:1:1: this is no task\n\nmore\n")
    space.file("rejected/2026-02-12/y.yaml.why.md", "")
    report = space.asked.status()
    shown = {item.id: (item.what, item.why) for item in report.attention}
    assert shown == {
        "e": ("error", "too slow"),
        "b": ("blocked", "no tool named gemini"),
        "x.txt": ("rejected", "x.txt:1:1: this is no task"),
        "y.yaml": ("rejected", ""),
    }
    assert report.folders["rejected"] == 2
    assert len(space.service.status(few=3).attention) == 3


def test_status_tells_whether_a_daemon_runs_and_what_it_says_of_itself(space: Space) -> None:
    rebuild(space.state, space.work)
    lock = WorkspaceLock(space.state)
    lock.acquire()
    lock.say("paused", "the disk is full")
    daemon = space.service.status().daemon
    assert (daemon.running, daemon.pid, daemon.state, daemon.why) == (True, os.getpid(), "paused", "the disk is full")
    lock.release()
    assert not space.service.status().daemon.running


def test_waiting_tasks_are_shown_only_while_somebody_answers_for_them(space: Space) -> None:
    rebuild(space.state, space.work)
    index = Index.open(space.state, space.work)
    index.set_waiting({TaskId(f"w{number:02d}"): "for a" for number in range(30)})
    assert space.service.status().waiting == ()
    with WorkspaceLock(space.state):
        report = space.service.status(few=5)
    index.close()
    assert [one.task_id for one in report.waiting] == ["w00", "w01", "w02", "w03", "w04"]
    assert report.waiting_total == 30


def test_a_task_is_shown_whole(space: Space) -> None:
    space.done("d1")
    report = space.asked.task("d1")
    assert (report.state.status, report.path) == (Status.DONE, "collaboration/done/dev/2026-02-12/d1.yaml")
    assert [event.event for event in report.events] == ["task_claimed", "execution_started", "task_completed"]
    assert [run.tool for run in report.invocations] == ["claude"]
    assert report.event_file == "telemetry/2026-02-12/d1.jsonl"
    assert report.logs == ("reports/logs/dev/d1.md",)
    assert [event.event for event in space.service.task("d1", events=1).events] == ["task_completed"]


def test_a_task_is_found_by_the_beginning_of_its_id_where_only_one_starts_so(space: Space) -> None:
    space.done("2026-02-12-cache")
    space.claimed("2026-02-13-index")
    service = space.asked
    assert service.task("2026-02-12").state.id == "2026-02-12-cache"
    with pytest.raises(NotFoundError, match="could be 2026-02-12-cache, 2026-02-13-index; write more of the id"):
        service.task("2026-02-1")


def test_an_exact_id_wins_over_longer_ones_that_start_so(space: Space) -> None:
    space.claimed("cache")
    space.claimed("cache-2")
    assert space.asked.task("cache").state.id == "cache"


def test_a_file_that_no_event_tells_of_yet_is_found_where_it_lies(space: Space) -> None:
    space.file("inbox/fresh-task.yml")
    space.file("assigned/ops/by-hand.yaml")
    service = space.asked
    fresh, by_hand = service.task("fresh"), service.task("by-hand")
    assert (fresh.known, fresh.path, fresh.state.status) == (False, "collaboration/inbox/fresh-task.yml", Status.NEW)
    assert (by_hand.state.agent, by_hand.state.status) == ("ops", Status.ASSIGNED)


def test_a_file_that_a_person_moved_is_found_where_it_is_now(space: Space) -> None:
    path = space.claimed("a")
    (space.work / path).rename(space.work / "collaboration/fridge/a.yaml")
    report = space.asked.task("a")
    assert (report.path, report.state.path) == ("collaboration/fridge/a.yaml", path)
    (space.work / report.path).unlink()
    assert space.service.task("a").path == ""


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("layer", "no task 'layer'; did you mean backend-cache-layer?"),
        ("backend-cahce-layer", "no task 'backend-cahce-layer'; did you mean backend-cache-layer?"),
        ("zzz", "no task 'zzz'; `orchestrator status` shows what there is"),
        ("", "no task ''; `orchestrator status` shows what there is"),
        ("../../etc/passwd", "no task '../../etc/passwd'; `orchestrator status` shows what there is"),
        ("100%_", "no task '100%_'; `orchestrator status` shows what there is"),
        ("a\0b", "no task 'a\\x00b'; `orchestrator status` shows what there is"),
    ],
)
def test_an_id_that_is_not_there_is_answered_with_what_is_near(space: Space, asked: str, said: str) -> None:
    space.claimed("backend-cache-layer")
    with pytest.raises(NotFoundError) as raised:
        space.asked.task(asked)
    assert str(raised.value) == said


def test_tasks_are_listed_by_what_they_are_the_newest_first(space: Space) -> None:
    space.done("d1")
    space.claimed("a1", agent="ops")
    space.running("r1")
    space.done("d2")
    space.tell("d1", EventKind.TASK_ARCHIVED)
    service = space.asked

    def listed(**wanted: object) -> list[str]:
        return [state.id for state in service.tasks(TaskFilter(**wanted)).tasks]  # type: ignore[arg-type]  # a shorthand

    assert listed() == ["d1", "d2", "r1", "a1"]
    assert listed(statuses=(Status.ASSIGNED, Status.IN_PROGRESS)) == ["r1", "a1"]
    assert listed(statuses=(Status.DONE,), folders=(Folder.DONE,)) == ["d2"]
    assert listed(agent="ops") == ["a1"]
    assert listed(agent="nobody") == []


def test_a_long_list_goes_on_before_the_last_that_was_shown(space: Space) -> None:
    for number in range(5):
        space.claimed(f"t{number}")
    service = space.asked
    first = service.tasks(limit=3)
    assert ([state.id for state in first.tasks], first.more) == (["t4", "t3", "t2"], True)
    rest = service.tasks(TaskFilter(before=first.tasks[-1].last_ts), limit=3)
    assert ([state.id for state in rest.tasks], rest.more) == (["t1", "t0"], False)


def test_ids_are_offered_for_completion_from_index_and_inbox(space: Space) -> None:
    space.claimed("cache-1")
    space.file("inbox/cache-2.yaml")
    space.file("inbox/other.yaml")
    assert space.asked.ids("ca") == ["cache-1", "cache-2"]


def test_reports_turn_into_plain_json(space: Space) -> None:
    space.done("d1")
    service = space.asked
    status = json.loads(json.dumps(plain(service.status())))
    assert status["finished"][0]["finished"] == "2026-02-12T11:01:03.000000Z"
    assert status["finished"][0]["status"] == "done"
    task = json.loads(json.dumps(plain(service.task("d1"))))
    assert task["events"][0]["details"] == {"title": "Do d1"}


def test_asking_changes_no_file_of_the_workspace(space: Space) -> None:
    space.done("d1")
    service = space.asked

    def seen() -> dict[str, tuple[int, int]]:
        found = {}
        for folder, _, names in os.walk(space.work.parent):
            for name in names:
                stat = (Path(folder) / name).stat()
                if not name.endswith(("-shm", "-wal")):  # the reader's own shared memory beside a closed index
                    found[f"{folder}/{name}"] = (stat.st_size, stat.st_mtime_ns)
        return found

    before = seen()
    service.status()
    service.tasks()
    service.task("d1")
    assert seen() == before


ASK = """
import sys
from pathlib import Path
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.query import QueryService
from orchestrator.core.reports import plain
work, state = Path(sys.argv[1]), Path(sys.argv[2])
service = QueryService(work, open_reader=lambda: IndexReader(state, work), holder=lambda: None)
service.status(); service.tasks(); service.task("d1")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_asking_loads_nothing_heavy(space: Space) -> None:
    space.done("d1")
    rebuild(space.state, space.work)
    call = [sys.executable, "-c", ASK, str(space.work), str(space.state)]
    loaded = subprocess.run(call, check=True, capture_output=True, text=True).stdout.split()
    assert "sqlite3" in loaded
    assert not HEAVY.intersection(loaded)
