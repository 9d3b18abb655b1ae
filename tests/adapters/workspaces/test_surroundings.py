"""Repositories, machines and settings as people have them."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from conftest import House, commit, git, write

from orchestrator.adapters.git import GitError
from orchestrator.adapters.workspaces.troubles import disk_troubles_raised


def test_a_bare_repository_has_worktrees(house: House, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(house.root), "server.git")
    server = House(tmp_path / "server.git")
    made = server.prepare()
    assert Path(made.path).parent.name.startswith("server-")
    write(Path(made.path), {"a.txt": "1"})
    assert server.conclude(made).commits == 1
    assert server.port.release(made) == ""


def test_a_linked_worktree_is_where_its_tasks_begin(house: House, tmp_path: Path) -> None:
    house.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"), "HEAD~1")
    side = House(tmp_path / "side")
    made = side.prepare()
    assert made.base == house.git("rev-parse", "side")
    write(Path(made.path), {"a.txt": "1"})
    assert side.conclude(made).commits == 1
    assert side.port.release(made) == ""
    assert len(house.git("worktree", "list").splitlines()) == 2


@pytest.mark.parametrize("option", ["--object-format=sha256", "--shared=group", "--separate-git-dir=../kept.git"])
def test_repositories_of_other_kinds(tmp_path: Path, option: str) -> None:
    root = tmp_path / "in side" / "röot"
    root.mkdir(parents=True)
    git(root, "init", "-q", option)
    commit(root, "Begin", {"a.txt": "1"})
    house = House(root)
    made = house.prepare()
    write(Path(made.path), {"b.txt": "2"})
    assert house.conclude(made).changed == ("b.txt",)
    assert house.port.release(made) == ""


def test_a_shallow_clone_and_one_that_borrows_its_objects(house: House, tmp_path: Path) -> None:
    for number, option in enumerate(("--depth=1", "--shared")):
        git(tmp_path, "clone", "-q", option, f"file://{house.root}", f"clone{number}")
        clone = House(tmp_path / f"clone{number}")
        made = clone.prepare()
        write(Path(made.path), {"b.txt": "2"})
        shown = clone.conclude(made)
        assert (shown.commits, shown.changed) == (1, ("b.txt",))
        clone.port.release(made)


def test_packed_refs_and_a_gc_in_between(house: House) -> None:
    made = house.prepare()
    write(Path(made.path), {"b.txt": "2"})
    house.git("pack-refs", "--all")
    shown = house.conclude(made)
    house.git("gc", "-q", "--prune=now")
    assert house.conclude(made) == shown
    assert house.port.release(made) == ""


def test_the_persons_line_ends_hold(house: House) -> None:
    house.git("config", "core.autocrlf", "true")
    made = house.prepare()
    path = Path(made.path)
    assert (path / "README.md").read_bytes() == b"# Project\r\n"
    (path / "README.md").write_bytes(b"# Project\r\n\r\nMore\r\n")
    assert house.conclude(made).changed == ("README.md",)
    assert house.git("show", "task/T1:README.md") == "# Project\n\nMore"


def test_a_filter_of_the_persons_own_is_used_both_ways(house: House) -> None:
    commit(house.root, "Attributes", {".gitattributes": "*.up filter=upper\n", "a.up": "text\n"})
    git(house.root, "config", "--global", "filter.upper.smudge", "tr a-z A-Z")
    git(house.root, "config", "--global", "filter.upper.clean", "tr A-Z a-z")
    made = house.prepare()
    path = Path(made.path)
    assert (path / "a.up").read_text() == "TEXT\n"
    (path / "b.up").write_text("MORE\n")
    assert house.conclude(made).changed == ("b.up",)
    assert house.git("cat-file", "blob", "task/T1:b.up") == "more"


def test_what_the_person_ignores_everywhere_is_not_committed(house: House, hermetic: Path) -> None:
    write(hermetic, {"ignored": "*.swp\n"})
    git(house.root, "config", "--global", "core.excludesFile", "~/ignored")
    write(house.root / ".git", {"info/exclude": "/mine\n"})
    made = house.prepare()
    write(Path(made.path), {"a.swp": "x", "mine": "x", "b.txt": "x"})
    assert house.conclude(made).changed == ("b.txt",)


def test_the_folder_is_the_configured_one(house: House, tmp_path: Path) -> None:
    house.set(folder=str(tmp_path / "elsewhere"))
    made = house.prepare()
    assert Path(made.path).parent.parent == tmp_path / "elsewhere"
    house.set(folder="")
    write(Path(made.path), {"a.txt": "1"})
    assert house.conclude(made).commits == 1
    assert house.port.release(made) == ""


def test_without_a_home_it_lies_beside_the_state(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    made = house.prepare()
    assert Path(made.path).is_relative_to(house.root / ".git" / "orchestrator" / "worktrees")
    house.conclude(made)
    assert house.port.release(made) == ""


def test_two_repositories_of_one_name_do_not_meet(tmp_path: Path) -> None:
    paths = set()
    for folder in ("one", "two"):
        root = tmp_path / folder / "project"
        root.mkdir(parents=True)
        git(root, "init", "-q")
        commit(root, "Begin", {"a.txt": "1"})
        paths.add(House(root).prepare().path)
    assert len(paths) == 2


def test_copied_files_are_there_and_never_committed(house: House, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    write(house.root, {".env.test": "KEY=1\n", "conf/local [1].ini": "x\n"})
    (house.root / "linked").symlink_to(tmp_path)
    (house.root / "link.env").symlink_to(tmp_path / "secret")
    house.set(copy=(".env.test", "conf/local [1].ini", "absent.env", "linked/secret", "link.env", "../x", "README.md"))
    made = house.prepare()
    path = Path(made.path)
    assert (path / ".env.test").read_text() == "KEY=1\n"
    assert [line.split(": ")[1] for line in house.told] == [
        "absent.env",
        "linked/secret",
        "link.env",
        "../x",
        "README.md",
    ]
    assert not os.path.lexists(path / "linked")
    write(path, {".env.test": "KEY=2\n", "a.txt": "1"})
    shown = house.conclude(made)
    assert (shown.changed, shown.kept) == (("a.txt",), "")
    assert house.port.release(made) == ""


def test_a_copied_file_that_the_tool_commits_is_named(house: House) -> None:
    write(house.root, {".env.test": "KEY=1\n"})
    house.set(copy=(".env.test",))
    made = house.prepare()
    commit(Path(made.path), "All of it", {"a.txt": "1"})
    shown = house.conclude(made)
    assert shown.problems == (".env.test: was copied in, and the tool committed it; look before you push",)


def test_folders_without_permission_to_write_are_removed(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    write(path, {"build/deep/er/file": "x"})
    for folder in ("build/deep/er", "build/deep", "build"):
        (path / folder).chmod(0o500)
    house.conclude(made)
    assert house.port.release(made) == ""
    assert not list(path.parent.iterdir())


def test_a_submodule_that_was_filled_keeps_the_worktree(house: House, tmp_path: Path) -> None:
    other = tmp_path / "library"
    other.mkdir()
    git(other, "init", "-q")
    commit(other, "Begin", {"lib.txt": "1"})
    house.git("submodule", "--quiet", "add", str(other), "lib")
    house.git("commit", "-q", "-m", "Library")
    made = house.prepare()
    write(Path(made.path), {"a.txt": "1"})
    assert house.conclude(made).kept == ""
    git(Path(made.path), "submodule", "--quiet", "update", "--init")
    shown = house.conclude(made)
    assert shown.changed == ("a.txt",)
    assert shown.kept.endswith("lib is a submodule in use")
    assert "lib is a submodule in use" in house.port.release(made)


def test_the_persons_checkout_and_branches_are_never_touched(house: House) -> None:
    write(house.root, {"README.md": "half written", "new.txt": "x"})
    house.git("add", "new.txt")
    before = house.git("status", "--porcelain=v2", "--branch")
    made = house.prepare()
    write(Path(made.path), {"a.txt": "1"})
    house.conclude(made)
    house.port.release(made)
    assert house.git("status", "--porcelain=v2", "--branch") == before
    config = subprocess.run(["git", "config", "--local", "--list"], cwd=house.root, check=True, capture_output=True)
    assert b"task/T1" not in config.stdout


def test_a_repository_that_is_a_submodule_itself(house: House, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    git(above, "init", "-q")
    git(above, "submodule", "--quiet", "add", str(house.root), "inner")
    inner = House(above / "inner")
    made = inner.prepare()
    write(Path(made.path), {"a.txt": "1"})
    assert inner.conclude(made).changed == ("a.txt",)
    assert inner.port.release(made) == ""
    assert git(above / "inner", "status", "--porcelain") == ""


def test_a_full_disk_is_waited_for_and_no_refusal(house: House) -> None:
    with pytest.raises(OSError, match="No space left") as raised, disk_troubles_raised("here"):
        raise GitError(["add"], 128, "fatal: cannot write: No space left on device")
    assert raised.value.errno == errno.ENOSPC
    with pytest.raises(GitError, match="bad object"), disk_troubles_raised("here"):
        raise GitError(["add"], 128, "fatal: bad object")


def test_what_git_refuses_to_make_is_the_reason(house: House) -> None:
    made = house.prepare()
    tree = house.git("rev-parse", "HEAD^{tree}")
    house.conclude(made)
    house.port.release(made)
    (house.root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert "no worktree for T1" in house.refused().why


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_committed(house: House) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    made = house.prepare()
    write(Path(made.path), {"closed.txt": "x", "open.txt": "x"})
    (Path(made.path) / "closed.txt").chmod(0)
    shown = house.conclude(made)
    assert shown.changed == ("open.txt",)
    assert "closed.txt" in shown.kept
