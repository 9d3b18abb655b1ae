"""The machine, git and a workspace, as doctor sees them."""

import errno
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters import lock, place, process_features
from orchestrator.adapters.doctor import machine, repository, sandbox, workspace
from orchestrator.core.finding import Finding, Mark, is_well
from orchestrator.core.settings import TrailMode, TrailSettings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OWN = TrailSettings()


def only(found: "list[Finding]") -> Finding:
    assert len(found) == 1, found
    return found[0]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a commit."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    git(root, "commit", "-q", "--allow-empty", "-m", "Begin")
    return root


@pytest.mark.parametrize(
    ("said", "mark", "word"),
    [
        ("git version 2.54.1", Mark.OK, "2.54.1"),
        ("git version 2.39.5 (Apple Git-154)", Mark.OK, "Apple"),
        ("git version 2.37.0", Mark.WARNING, "merge-tree"),
        ("git version 2.34.1.windows.1", Mark.WARNING, "core.fsync"),
        ("git version 2.30.2", Mark.FAILED, "2.31 or newer"),
        ("something else", Mark.FAILED, "2.31 or newer"),
    ],
)
def test_a_version_of_git_is_judged_with_what_a_newer_one_gives(said: str, mark: Mark, word: str) -> None:
    found = only(list(repository.version(Path("/"), said=said)))
    assert found.mark is mark
    assert word in f"{found.found} {found.todo}"


def test_a_machine_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = only(list(repository.version(tmp_path)))
    assert (found.mark, "not installed" in found.found) == (Mark.FAILED, True)


def test_who_commits_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(list(repository.identity(root))).found == "Tester tester@example.invalid"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    found = only(list(repository.identity(root)))
    assert found.mark is Mark.WARNING
    assert "git config user.name" in found.todo


def test_hooks_are_found_where_git_looks_for_them(root: Path) -> None:
    assert only(list(repository.hooks(root))).mark is Mark.NOT_APPLICABLE
    own = root / "my hooks"
    own.mkdir()
    for name in ("post-commit", "orchestrator-nudge"):
        (own / name).write_text("#!/bin/sh\n# orchestrator-nudge\n")
    git(root, "config", "core.hooksPath", "my hooks")
    assert only(list(repository.hooks(root))).mark is Mark.WARNING  # not executable
    for file in own.iterdir():
        file.chmod(0o755)
    found = only(list(repository.hooks(root)))
    assert (found.mark, found.found) == (Mark.OK, f"in {own}")


def test_a_clock_before_the_newest_event_is_pointed_out() -> None:
    assert only(list(machine.clock(NOW, None))).mark is Mark.OK
    assert only(list(machine.clock(NOW, NOW - timedelta(days=1)))).mark is Mark.OK
    ahead = only(list(machine.clock(NOW, NOW + timedelta(hours=1))))
    assert ahead.mark is Mark.WARNING
    assert "before the newest event, of 2026-11-21 13:00:00 UTC" in ahead.found
    assert only(list(machine.clock(datetime(1970, 1, 1, tzinfo=UTC), None))).mark is Mark.FAILED


@pytest.mark.parametrize(
    ("code", "mark", "word"),
    [
        (0, Mark.OK, ""),
        (errno.EMFILE, Mark.WARNING, "max_user_instances="),
        (errno.ENOSPC, Mark.WARNING, "max_user_watches="),
    ],
)
def test_limits_of_inotify_are_tried(code: int, mark: Mark, word: str) -> None:
    found = only(list(machine.watches(lambda: code)))
    assert found.mark is mark
    assert word in found.todo


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is of Linux")
def test_a_folder_is_really_watched_for_a_moment() -> None:
    assert only(list(machine.watches())).topic == "system"


def test_windows_with_linux_inside_is_noted() -> None:
    assert "keep the repository on a Linux disk" in only(list(machine.system("5.15.1-microsoft-standard-WSL2"))).found


def test_this_python_and_program_are_named() -> None:
    found = list(machine.program({}))
    assert sys.executable in found[0].found
    assert is_well(found)


def test_what_holds_processes_is_listed_with_a_reason_each() -> None:
    names = [feature.name for feature in process_features.features()]
    found = list(sandbox.examine())
    assert [finding.what for finding in found] == names
    assert all(finding.found for finding in found)
    assert {"child subreaper", "pidfd", "cgroup v2", "bubblewrap", "Landlock"} <= set(names)
    assert is_well(found)


def test_who_works_in_a_workspace_is_told(root: Path) -> None:
    here = place.find(root)
    assert "never did" in only(list(workspace.daemon(here))).found
    with lock.WorkspaceLock(here.state) as held:
        held.say("running")
        assert "since" in only(list(workspace.daemon(here))).found
    assert "holds nobody up" in only(list(workspace.daemon(here))).found


def test_changes_that_are_not_committed_are_counted(root: Path) -> None:
    here = place.find(root)
    here.state.mkdir()
    assert only(list(workspace.backlog(here, OWN))).mark is Mark.OK
    notes = [["h", 1, "", ""], ["i", 1, ["a"]], ["i", 2, ["b"]], ["a", [1], "x"]]
    (here.state / "trail.journal").write_text("".join(json.dumps(note) + "\n" for note in notes) + "torn")
    found = only(list(workspace.backlog(here, OWN)))
    assert (found.mark, found.found) == (Mark.WARNING, "1 changes wait to be committed")
    pending = [["t", 1, 0, {}], ["t", 2, 0, {}], ["d", [1]]]
    (here.state / "tracked.pending").write_text("".join(json.dumps(note) + "\n" for note in pending))
    before = (here.state / "tracked.pending").read_bytes()
    tracked = TrailSettings(mode=TrailMode.TRACKED)
    assert only(list(workspace.backlog(here, tracked))).found.startswith("1 changes")
    assert (here.state / "tracked.pending").read_bytes() == before
    assert list(workspace.backlog(here, TrailSettings(mode=TrailMode.NONE))) == []


def test_an_index_that_cannot_be_read_is_a_warning(root: Path) -> None:
    here = place.find(root)
    assert only(list(workspace.index(here))).mark is Mark.NOT_APPLICABLE
    here.state.mkdir()
    (here.state / "index.db").write_bytes(b"no database, and longer than a header of SQLite would be" * 10)
    assert only(list(workspace.index(here))).mark is Mark.WARNING
