"""A task that comes again finds its worktree as it was left; what is not ours is refused and never touched."""

import shutil
import threading
from pathlib import Path

from conftest import House, commit, git, write

from orchestrator.core.workspace import Unworkable, Workspace


def test_an_attempt_that_was_cut_short_loses_nothing(house: House) -> None:
    first = house.prepare()
    path = Path(first.path)
    own = commit(path, "The tool's own", {"a.txt": "1"})
    write(path, {"b.txt": "2"})
    again = house.prepare(base=first.base)
    assert (again.path, again.base, again.is_fresh) == (first.path, first.base, False)
    assert house.git("log", "--format=%s", f"{first.base}..task/T1").splitlines() == [
        "attempt left unfinished",
        "The tool's own",
    ]
    assert house.git("rev-parse", "task/T1~1") == own
    write(path, {"c.txt": "3"})
    assert house.conclude(again).changed == ("a.txt", "b.txt", "c.txt")


def test_a_new_attempt_begins_on_the_branch_and_not_where_the_tool_had_gone(house: House) -> None:
    first = house.prepare()
    path = Path(first.path)
    own = commit(path, "Work", {"a.txt": "1"})
    git(path, "checkout", "-q", "--detach", f"{first.base}~1")
    house.prepare()
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/task/T1"
    assert git(path, "rev-parse", "HEAD") == own
    assert git(path, "status", "--porcelain") == ""
    assert (path / "a.txt").exists()
    assert (path / "src" / "other.py").exists()


def test_a_worktree_that_was_not_filled_to_its_end_is_filled_again(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    (path / "src" / "main.py").write_text("half")
    (path / "README.md").unlink()
    (house.root / ".git" / "orchestrator" / "workspaces" / "T1" / "ready").unlink()
    (house.root / ".git" / "worktrees" / "T1" / "orchestrator-task").unlink()
    again = house.prepare()
    assert again.is_fresh
    assert git(path, "status", "--porcelain") == ""
    assert (path / "src" / "main.py").read_text() == "print(1)\n"


def test_a_worktree_deleted_by_hand_is_made_again_from_its_branch(house: House) -> None:
    first = house.prepare()
    write(Path(first.path), {"a.txt": "1"})
    house.conclude(first)
    shutil.rmtree(first.path)
    again = house.prepare()
    assert again.is_fresh
    assert (Path(again.path) / "a.txt").read_text() == "1"
    assert house.conclude(again).changed == ("a.txt",)


def test_a_released_worktree_is_made_again_from_its_branch(house: House) -> None:
    house.done("T1", {"a.txt": "1"})
    base = house.git("rev-parse", "HEAD")
    house_moved_on = commit(house.root, "Later", {"later.txt": "x"})
    again = house.prepare()
    assert again.base == base != house_moved_on
    assert house.conclude(again).commits == 1


def test_the_state_folder_can_be_lost(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    write(path, {"a.txt": "1", "README.md": "changed"})
    shutil.rmtree(house.root / ".git" / "orchestrator")
    assert not house.prepare().is_fresh
    write(path, {"b.txt": "1"})
    shutil.rmtree(house.root / ".git" / "orchestrator")
    assert house.conclude(made).changed == ("README.md", "a.txt", "b.txt")
    shutil.rmtree(house.root / ".git" / "orchestrator")
    assert house.port.release(made) == ""


def test_a_branch_of_somebody_elses_is_refused_and_left(house: House) -> None:
    house.git("branch", "task/T1", "HEAD~1")
    before = house.git("rev-parse", "task/T1")
    why = house.refused().why
    assert (
        why
        == "the branch task/T1 exists and is not of this task's making; rename or delete the branch task/T1, then retry"
    )
    assert house.git("rev-parse", "task/T1") == before


def test_a_branch_named_task_is_in_the_way(house: House) -> None:
    house.git("branch", "task")
    assert "refs/heads/task" in house.refused().why


def test_a_branch_that_a_person_has_checked_out_is_refused_with_the_place(house: House) -> None:
    house.done("T1", {"a.txt": "1"})
    house.git("switch", "-q", "task/T1")
    assert house.refused().why.startswith(f"{house.root} has the branch task/T1 checked out; switch to another")


def test_a_locked_worktree_is_refused_with_the_place(house: House) -> None:
    made = house.prepare()
    house.git("worktree", "lock", "--reason", "mine now", made.path)
    assert house.refused().why.startswith(f"{made.path} is locked (mine now); run `git worktree unlock")


def test_a_strangers_folder_is_refused_and_left(house: House) -> None:
    made = house.prepare()
    house.conclude(made)
    house.port.release(made)
    write(Path(made.path), {"theirs.txt": "x"})
    assert "is in the way and is not ours" in house.refused().why
    assert "not ours" in house.port.release(made)
    assert (Path(made.path) / "theirs.txt").read_text() == "x"
    assert house.git("for-each-ref", "refs/heads/task") == ""


def test_a_base_that_vanished_is_refused_with_a_way_out(house: House) -> None:
    house.git("branch", "task/T1")
    why = house.refused(base="0123456789" * 4).why
    assert "the commit 012345678901 on which task/T1 began is not in this repository" in why
    assert "rename or delete" in why


def test_the_base_of_an_earlier_run_is_believed_where_its_ref_is_gone(house: House) -> None:
    made = house.prepare()
    write(Path(made.path), {"a.txt": "1"})
    house.conclude(made)
    house.git("update-ref", "-d", "refs/orchestrator/base/T1")
    assert house.prepare(base=made.base).base == made.base
    assert house.git("rev-parse", "refs/orchestrator/base/T1") == made.base


def test_a_branch_that_was_deleted_while_files_lay_there_comes_back(house: House) -> None:
    made = house.prepare()
    write(Path(made.path), {"a.txt": "1"})
    house.git("update-ref", "-d", "refs/heads/task/T1")
    again = house.prepare()
    assert house.conclude(again).changed == ("a.txt",)


def test_a_repository_without_commits_is_refused_with_words(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert "no commit yet to begin on" in House(tmp_path).refused().why


def test_without_git_there_is_no_worktree(tmp_path: Path) -> None:
    from orchestrator.adapters import place as places
    from orchestrator.adapters.workspaces.workspaces import Workspaces
    from orchestrator.core.settings import WorkspaceKind, WorkspaceSettings
    from orchestrator.core.types import TaskId
    from orchestrator.core.workspace import Wanted

    port = Workspaces(places.find(tmp_path, use_git=False), WorkspaceSettings)
    made = port.prepare(Wanted(kind=WorkspaceKind.WORKTREE, task_id=TaskId("T1")))
    assert isinstance(made, Unworkable)
    assert "no git repository" in made.why


def test_ids_that_git_cannot_name_a_branch_after_are_refused(house: House) -> None:
    for task in ("a..b", "a.lock", "a.", "../x", "-x", "a/b", ""):
        assert "cannot be the name of a branch" in house.refused(task).why


def test_many_worktrees_at_once(house: House) -> None:
    made: dict[str, Workspace | Unworkable] = {}
    heads: dict[str, str] = {}

    def work(task: str) -> None:
        workspace = made[task] = house.try_prepare(task)
        assert isinstance(workspace, Workspace)
        write(Path(workspace.path), {"result.txt": task})
        heads[task] = house.conclude(workspace).head
        if task.endswith("0"):
            assert house.port.release(workspace) == ""

    tasks = [f"T{number}" for number in range(48)]
    queue = list(tasks)

    def worker() -> None:
        while queue:
            try:
                task = queue.pop()
            except IndexError:
                return
            work(task)

    threads = [threading.Thread(target=worker) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(made) == sorted(tasks)
    refs = dict(
        line.split()
        for line in house.git(
            "for-each-ref", "--format=%(refname:lstrip=3) %(objectname)", "refs/heads/task"
        ).splitlines()
    )
    assert refs == heads
    assert len(house.git("worktree", "list").splitlines()) == 44
