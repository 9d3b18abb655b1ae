"""`orchestrator workspace`: the worktrees of tasks, listed, opened and cleaned."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import World, repository

from orchestrator.adapters import place as places
from orchestrator.adapters.workspaces.workspaces import Workspaces
from orchestrator.core.settings import WorkspaceKind, WorkspaceSettings
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Wanted, Workspace


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace."""
    made = repository(tmp_path / "a repository")
    made.well("init")
    return made


def finished(world: World) -> str:
    """A task that is done."""
    task = world.well("submit", "--agent", "writer", "--title", "Sum up README.md", "--json").data["id"]
    world.well("daemon", "--until-idle")
    return str(task)


def worked(world: World, task: str, name: str) -> Path:
    """Its worktree, with a file that was committed."""
    port = Workspaces(places.find(world.root), WorkspaceSettings)
    made = port.prepare(Wanted(kind=WorkspaceKind.WORKTREE, task_id=TaskId(task)))
    assert isinstance(made, Workspace), made
    (Path(made.path) / name).write_text("x")
    port.conclude(made, message="Work\n", artefacts=())
    return Path(made.path)


def test_a_workspace_without_worktrees_says_so(world: World) -> None:
    ended = world.well("workspace", "list")
    assert (ended.out, ended.err) == ("", "no task has a branch or a worktree\n")
    assert world.well("workspace", "list", "--json").data == {"workspaces": []}
    assert "no finished task" in world.well("workspace", "clean").err


def test_worktrees_are_listed_opened_and_cleaned(world: World) -> None:
    task = finished(world)
    path = worked(world, task, "a.txt")
    told = world.well("workspace", "list", "--json").data["workspaces"]
    assert [
        (one["id"], one["status"], one["branch"], one["commits"], one["path"], one["uncommitted"]) for one in told
    ] == [(task, "done", f"task/{task}", 1, str(path), "")]
    line = world.well("workspace", "list").out
    assert task in line
    assert "1 commit" in line
    assert str(path) in line
    assert world.well("workspace", "clean", "--dry-run").out == f"would remove {path}\n"
    assert path.exists()
    assert world.well("workspace", "clean", "--json").data == {
        "removed": [{"id": task, "path": str(path)}],
        "kept": [],
        "dry_run": False,
    }
    assert not path.exists()
    assert "removed" in world.well("workspace", "list").out
    opened = world.well("workspace", "open", task[:-2])
    assert opened.out == f"{path}\n"
    assert (path / "a.txt").read_text() == "x"
    assert world.well("workspace", "open", task, "--json").data == {
        "id": task,
        "path": str(path),
        "branch": f"task/{task}",
    }
    assert world.git("status", "--porcelain", "--", "README.md") == ""


def test_what_is_not_committed_is_kept_until_it_is_named_with_force(world: World) -> None:
    task = finished(world)
    path = worked(world, task, "a.txt")
    (path / "late.txt").write_text("x")
    ended = world.well("workspace", "clean")
    assert ended.out == ""
    assert f"kept {task}: {path}: late.txt is not committed" in ended.err
    assert "late.txt is not committed" in world.well("workspace", "list").out
    assert world.well("workspace", "clean", "--force", task).out == f"removed {path}\n"
    assert not path.exists()
    assert world.git("rev-list", "--count", f"HEAD..task/{task}") == "1\n"


def test_the_worktree_of_a_task_that_is_not_finished_is_left_alone(world: World) -> None:
    task = world.well("submit", "--agent", "writer", "--title", "Later", "--json").data["id"]
    path = worked(world, task, "a.txt")
    assert world.well("workspace", "clean").out == ""
    refused = world("workspace", "clean", "--force", task)
    assert refused.code == 5
    assert f"orchestrator cancel {task}" in refused.err
    assert path.exists()


def test_a_task_without_a_worktree_is_not_found(world: World) -> None:
    task = finished(world)
    for arguments in (["open", task], ["open", "nonsense"], ["clean", "--force", task]):
        ended = world("workspace", *arguments)
        assert ended.code == 4, ended
        assert ended.out == ""


def test_without_git_there_are_no_worktrees(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.well("--no-git", "init")
    ended = world("--no-git", "workspace", "list")
    assert ended.code == 4
    assert "no git repository" in ended.err


def test_the_folder_on_stdout_is_alone(world: World) -> None:
    task = finished(world)
    path = worked(world, task, "a.txt")
    command = f'cd "$({shlex.quote(sys.executable)} -m orchestrator workspace open {task})" && pwd'
    said = subprocess.run(
        ["bash", "-c", command], cwd=world.root, check=True, capture_output=True, text=True, env=os.environ
    )
    assert said.stdout.strip() == str(path)
