"""A task begins on a commit that contains the work of everything that it builds on."""

import subprocess
from pathlib import Path

import pytest
from conftest import House, commit, git, write

from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Foundation


def contains(house: House, inside: str, commit: str) -> bool:
    """Whether it does."""
    said = subprocess.run(["git", "merge-base", "--is-ancestor", commit, inside], cwd=house.root, check=False)
    return said.returncode == 0


def test_one_dependency_is_the_base_itself(house: House) -> None:
    first = house.done("A", {"a.txt": "1"})
    assert house.prepare("B", first).base == first.commit


def test_a_dependency_that_was_merged_already_changes_nothing(house: House) -> None:
    first = house.done("A", {"a.txt": "1"})
    house.git("merge", "-q", "--no-ff", "-m", "Merge", "task/A")
    assert house.prepare("B", first).base == house.git("rev-parse", "HEAD")


def test_a_chain_of_dependencies_is_its_last_one(house: House) -> None:
    first = house.done("A", {"a.txt": "1"})
    second = house.done("B", {"b.txt": "1"}, first)
    assert house.prepare("C", first, second).base == second.commit


def test_several_dependencies_are_merged_with_what_is_checked_out(house: House) -> None:
    first, second = house.done("A", {"a.txt": "1"}), house.done("B", {"b.txt": "1"})
    ahead = commit(house.root, "Meanwhile", {"c.txt": "1"})
    made = house.prepare("C", first, second)
    assert all(contains(house, made.base, one) for one in (first.commit, second.commit, ahead))
    assert {"a.txt", "b.txt", "c.txt"} <= {entry.name for entry in Path(made.path).iterdir()}
    assert house.conclude(made).changed_count == 0


def test_a_conflict_names_the_files_and_the_tasks_and_makes_nothing(house: House) -> None:
    first = house.done("A", {"README.md": "A's\n", "src/main.py": "A's\n"})
    second = house.done("B", {"README.md": "B's\n", "src/main.py": "B's\n"})
    refused = house.refused("C", first, second)
    assert refused.files == ("README.md", "src/main.py")
    assert "task A" in refused.why
    assert "task B" in refused.why
    assert "README.md, src/main.py" in refused.why
    assert house.git("for-each-ref", "refs/heads/task/C", "refs/orchestrator/base/C") == ""
    assert len(house.git("worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("gone", ["0123456789" * 4, "--help", ""])
def test_a_dependency_whose_commit_is_gone_is_named(house: House, gone: str) -> None:
    refused = house.refused("B", Foundation(task_id=TaskId("A"), commit=gone))
    assert "the work of task A" in refused.why
    assert "bring it back" in refused.why


def test_dependencies_without_a_common_beginning_are_refused_with_gits_words(house: House, tmp_path: Path) -> None:
    house.git("switch", "-q", "--orphan", "other")
    other = commit(house.root, "Elsewhere", {"x.txt": "1"})
    house.git("switch", "-q", "main")
    refused = house.refused("B", Foundation(task_id=TaskId("A"), commit=other))
    assert "unrelated histories" in refused.why


def test_a_configured_branch_is_where_tasks_begin(house: House) -> None:
    house.git("branch", "develop", "HEAD~1")
    house.set(base="develop")
    assert house.prepare().base == house.git("rev-parse", "develop")
    house.set(base="absent")
    assert house.refused("T2").why.startswith("workspaces.base: there is no branch absent")


def test_another_attempt_catches_up_with_what_it_builds_on(house: House) -> None:
    made = house.prepare("B")
    write(Path(made.path), {"b.txt": "1"})
    house.conclude(made)
    first = house.done("A", {"a.txt": "1"})
    again = house.prepare("B", first)
    assert contains(house, again.base, first.commit)
    assert (Path(again.path) / "a.txt").exists()
    assert git(Path(again.path), "status", "--porcelain") == ""
    shown = house.conclude(again)
    assert shown.changed == ("b.txt",)
    assert contains(house, shown.head, again.base)


def test_no_merge_driver_of_the_repository_is_run(house: House, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    commit(house.root, "Attributes", {".gitattributes": "* merge=bad\n"})
    first, second = house.done("A", {"README.md": "A\n"}), house.done("B", {"README.md": "B\n"})
    house.git("config", "merge.bad.driver", f"touch {proof}; true")
    house.refused("C", first, second)
    assert not proof.exists()
