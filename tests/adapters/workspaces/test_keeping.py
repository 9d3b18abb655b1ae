"""The worktrees of all tasks: listed, opened again, tidied."""

from pathlib import Path

import pytest
from conftest import House, write

from orchestrator.adapters.workspaces.keeping import kept, reopen
from orchestrator.adapters.workspaces.turn import turn
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Unworkable, Workspace
from orchestrator.errors import BusyError


def test_the_list_has_branches_and_worktrees(house: House) -> None:
    house.done("A", {"a.txt": "1"})
    made = house.prepare("B")
    write(Path(made.path), {"b.txt": "1"})
    house.git("branch", "task/not-ours")
    ground = house.port.ground
    assert ground is not None
    told = [(one.task_id, one.branch, one.commits, one.path, one.left) for one in kept(ground)]
    assert told == [("A", "task/A", 1, "", ""), ("B", "task/B", 0, made.path, "b.txt is not committed")]


def test_a_removed_worktree_opens_again_and_an_open_one_as_it_is(house: House) -> None:
    house.done("A", {"a.txt": "1"})
    ground = house.port.ground
    assert ground is not None
    again = reopen(ground, TaskId("A"))
    assert isinstance(again, Workspace)
    write(Path(again.path), {"half.txt": "x"})
    assert reopen(ground, TaskId("A")).path == again.path  # type: ignore[union-attr]  # compared with a path
    assert house.git("rev-list", "--count", "main..task/A") == "1"
    for unknown in ("Z", "../x", ""):
        assert isinstance(reopen(ground, TaskId(unknown)), Unworkable)


def test_tidying_removes_the_finished_and_names_those_with_something_uncommitted(house: House) -> None:
    made = {task: house.prepare(task) for task in ("A", "B", "C")}
    for task in ("A", "C"):
        write(Path(made[task].path), {"x.txt": task})
        house.conclude(made[task])
    write(Path(made["B"].path), {"late.txt": "x"})
    removing = Path(made["A"].path).parent / ".removing-Z-0123"
    write(removing, {"x.txt": "x"})
    house.git("update-ref", "refs/orchestrator/base/gone", "HEAD")
    reasons = house.port.tidy(lambda task: task != "C")
    assert reasons == [f"task B: {made['B'].path}: late.txt is not committed"]
    assert [Path(one.path).exists() for one in made.values()] == [False, True, True]
    assert not removing.exists()
    assert house.git("for-each-ref", "refs/orchestrator/base/gone") == ""


def test_waiting_for_ones_turn_has_an_end(tmp_path: Path) -> None:
    with (
        turn(tmp_path / "lock"),
        pytest.raises(BusyError, match="another process has held it"),
        turn(tmp_path / "lock", seconds=0.02),
    ):
        pass
