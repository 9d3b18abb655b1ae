"""A worktree of its own for each task: made, concluded, removed."""

from pathlib import Path

from conftest import House, commit, git, write


def test_a_task_gets_a_worktree_on_its_branch_at_what_is_checked_out(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    assert made.branch == "task/T1"
    assert made.base == house.git("rev-parse", "HEAD")
    assert made.is_fresh
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/task/T1"
    assert git(path, "status", "--porcelain") == ""
    assert (path / "src" / "main.py").read_text() == "print(1)\n"


def test_it_lies_in_the_users_state_folder_and_not_in_the_checkout(house: House, hermetic: Path) -> None:
    path = Path(house.prepare().path)
    assert path.is_relative_to(hermetic / ".local" / "state" / "orchestrator")
    assert path.parent.name.startswith("project-")
    assert not path.is_relative_to(house.root)
    assert ".git" not in path.parts


def test_what_the_tool_left_is_committed_with_the_message_as_given(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    write(path, {"src/new.py": "print(3)\n", "src/main.py": "print(4)\n", "build/out.bin": "x", "a.log": "x"})
    (path / "src" / "other.py").unlink()
    shown = house.conclude(made, "src/new.py", "docs/absent.md")
    assert (shown.branch, shown.base, shown.commits) == ("task/T1", made.base, 1)
    assert shown.head == house.git("rev-parse", "task/T1") != made.base
    assert shown.changed == ("src/main.py", "src/new.py", "src/other.py")
    assert shown.changed_count == 3
    assert shown.missing == ("docs/absent.md",)
    assert (shown.problems, shown.kept) == ((), "")
    assert house.git("log", "-1", "--format=%B", "task/T1").strip() == "Work on it\n\nTask-Id: T1"
    assert house.git("log", "-1", "--format=%an %ae", "task/T1") == "Tester tester@example.invalid"
    assert git(path, "status", "--porcelain") == ""


def test_concluding_again_says_the_same(house: House) -> None:
    made = house.prepare()
    write(Path(made.path), {"new.txt": "x"})
    assert house.conclude(made, "new.txt") == house.conclude(made, "new.txt")


def test_nothing_done_is_no_commit(house: House) -> None:
    made = house.prepare()
    shown = house.conclude(made)
    assert (shown.head, shown.commits, shown.changed) == (made.base, 0, ())


def test_the_tools_own_commits_stay_as_they_are(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    own = commit(path, "The tool's own", {"one.txt": "1"})
    write(path, {"two.txt": "2"})
    shown = house.conclude(made)
    assert shown.commits == 2
    assert house.git("rev-parse", "task/T1~1") == own
    assert shown.changed == ("one.txt", "two.txt")


def test_release_removes_the_worktree_and_keeps_the_branch_with_work(house: House) -> None:
    made = house.prepare()
    write(Path(made.path), {"new.txt": "x", "build/out": "ignored"})
    shown = house.conclude(made)
    assert house.port.release(made) == ""
    assert not Path(made.path).exists()
    assert house.git("rev-parse", "task/T1") == shown.head
    assert len(house.git("worktree", "list").splitlines()) == 1
    assert house.port.release(made) == ""


def test_release_deletes_a_branch_without_work(house: House) -> None:
    made = house.prepare()
    house.conclude(made)
    assert house.port.release(made) == ""
    assert house.git("for-each-ref", "refs/heads/task", "refs/orchestrator") == ""


def test_release_keeps_and_names_what_is_not_committed(house: House) -> None:
    made = house.prepare()
    house.conclude(made)
    write(Path(made.path), {"late.txt": "x"})
    assert house.port.release(made) == f"{made.path}: late.txt is not committed"
    assert (Path(made.path) / "late.txt").exists()
