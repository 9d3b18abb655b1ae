"""A tool in the person's checkout, and one that needs no folder of its own."""

from pathlib import Path

from conftest import House, commit, git, write

from orchestrator.core.settings import WorkspaceKind
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Unworkable, Wanted


def test_what_the_tool_changed_is_told_from_what_was_changed_already(house: House) -> None:
    write(house.root, {"README.md": "half written\n", "mine.txt": "x", "both.txt": "x"})
    made = house.prepare(kind=WorkspaceKind.CHECKOUT)
    assert (made.path, made.base) == (str(house.root), house.git("rev-parse", "HEAD"))
    assert house.conclude(made).changed_count == 0
    write(house.root, {"src/main.py": "changed", "new.txt": "x", "both.txt": "y and more", "build/ignored": "x"})
    (house.root / "src" / "other.py").unlink()
    status = house.git("status", "--porcelain")
    shown = house.conclude(made, "new.txt", "absent.txt")
    assert shown.changed == ("both.txt", "new.txt", "src/main.py", "src/other.py")
    assert shown.missing == ("absent.txt",)
    assert (shown.commits, shown.head, shown.branch, shown.kept) == (0, made.base, "", "")
    assert house.git("status", "--porcelain") == status
    assert house.port.release(made) == ""


def test_commits_of_the_tool_in_the_checkout_are_counted(house: House) -> None:
    made = house.prepare(kind=WorkspaceKind.CHECKOUT)
    head = commit(house.root, "The tool's", {"a.txt": "1"})
    shown = house.conclude(made)
    assert (shown.base, shown.head, shown.commits, shown.changed) == (made.base, head, 1, ("a.txt",))


def test_what_is_staged_and_what_is_taken_back_counts(house: House) -> None:
    write(house.root, {"README.md": "changed\n"})
    made = house.prepare(kind=WorkspaceKind.CHECKOUT)
    house.git("checkout", "-q", "--", "README.md")
    write(house.root, {"src/main.py": "changed"})
    house.git("add", "src/main.py")
    assert house.conclude(made).changed == ("README.md", "src/main.py")


def test_our_own_folders_in_the_checkout_are_not_the_tools_work(house: House) -> None:
    made = house.prepare(kind=WorkspaceKind.CHECKOUT)
    write(house.root, {"work/collaboration/inbox/x.yaml": "x", "a.txt": "x"})
    assert house.conclude(made).changed == ("a.txt",)


def test_nothing_is_run_in_the_checkout_either(house: House, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    write(house.root, {".gitattributes": "* filter=bad diff=bad\n"})
    for key in ("core.fsmonitor", "filter.bad.clean", "filter.bad.process", "diff.external", "diff.bad.textconv"):
        house.git("config", key, f"touch {proof}; cat")
    made = house.prepare(kind=WorkspaceKind.CHECKOUT)
    write(house.root, {"README.md": "changed"})
    assert house.conclude(made).changed == ("README.md",)
    assert not proof.exists()


def test_a_checkout_without_commits_and_a_bare_repository(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    house = House(empty)
    made = house.prepare(kind=WorkspaceKind.CHECKOUT)
    assert made.base == ""
    write(empty, {"a.txt": "1"})
    assert house.conclude(made).changed == ("a.txt",)
    first = commit(empty, "Begin", {})
    assert house.conclude(made).head == first
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    refused = House(tmp_path / "bare.git").try_prepare(kind=WorkspaceKind.CHECKOUT)
    assert isinstance(refused, Unworkable)
    assert "is bare and has no checkout" in refused.why


def test_no_workspace_is_the_top_of_the_repository_and_shows_nothing(house: House) -> None:
    made = house.prepare(kind=WorkspaceKind.NONE)
    assert (made.path, made.branch, made.base) == (str(house.root), "", "")
    write(house.root, {"a.txt": "1"})
    shown = house.conclude(made, "a.txt", "b.txt")
    assert (shown.head, shown.changed_count, shown.missing) == ("", 0, ("b.txt",))
    assert house.port.release(made) == ""


def test_a_task_may_have_had_both(house: House) -> None:
    for kind in (WorkspaceKind.CHECKOUT, WorkspaceKind.WORKTREE, WorkspaceKind.CHECKOUT):
        made = house.port.prepare(Wanted(kind=kind, task_id=TaskId("T1")))
        assert not isinstance(made, Unworkable)
        house.conclude(made)
        assert house.port.release(made) == ""
