"""The trail, read back from its commits."""

from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.trail_log import read_log
from orchestrator.core.transition import Transition

AT = datetime(2026, 2, 12, tzinfo=UTC)


def commit(git: Git, subject: str, **trailers: str) -> None:
    message = Transition(subject=subject, at=AT, changes=(), body="Some words.", trailers=trailers).message
    git.raw("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "-F", "-", stdin=message.encode())


def repository(folder: Path) -> Git:
    git = Git(folder)
    git.raw("init", "--quiet")
    return git


def test_transitions_are_read_newest_first_with_their_trailers(tmp_path: Path) -> None:
    git = repository(tmp_path)
    commit(git, "task: assigned x", **{"Task-Id": "x", "Task-Transition": "new -> assigned", "Agent": "dev"})
    commit(git, "task: done x", **{"Task-Id": "x", "Task-Transition": "in_progress -> done", "Route-Reason": "a: b"})
    done, assigned = read_log(tmp_path)
    assert done.subject == "task: done x"
    assert done.trailers == {"Task-Id": "x", "Task-Transition": "in_progress -> done", "Route-Reason": "a: b"}
    assert assigned.trailers["Agent"] == "dev"
    assert done.commit == git.tip("HEAD")
    assert datetime.fromisoformat(done.at).tzinfo is not None


def test_one_tasks_transitions_are_its_own_and_not_those_of_longer_ids(tmp_path: Path) -> None:
    git = repository(tmp_path)
    for name in ("x", "x-2", "x.*"):
        commit(git, f"task: done {name}", **{"Task-Id": name, "Task-Transition": "in_progress -> done"})
    assert [found.subject for found in read_log(tmp_path, task_id="x")] == ["task: done x"]
    assert [found.subject for found in read_log(tmp_path, task_id="x.*")] == ["task: done x.*"]
    assert read_log(tmp_path, task_id="y") == []


def test_a_persons_commits_are_left_out_and_the_limit_counts_ours(tmp_path: Path) -> None:
    git = repository(tmp_path)
    for number in range(5):
        commit(git, f"task: done {number}", **{"Task-Id": str(number), "Task-Transition": "in_progress -> done"})
        git.raw(
            "commit", "--quiet", "--allow-empty", "-m", "by hand", "-m", "Task-Transition: a word", "-m", "The end."
        )
    assert [found.trailers["Task-Id"] for found in read_log(tmp_path, limit=3)] == ["4", "3", "2"]


def test_where_there_is_no_trail_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert read_log(tmp_path / "gone") == []
    repository(tmp_path)
    assert read_log(tmp_path) == []
