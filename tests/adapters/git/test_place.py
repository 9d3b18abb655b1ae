"""Where a workspace is, found by looking at files."""

import os
from pathlib import Path

import pytest

from orchestrator.adapters.git import Git
from orchestrator.adapters.place import WORK_MARKER, find, registered_work
from orchestrator.errors import NotFoundError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "the root"
    made.mkdir()
    git = Git(made)
    git.raw("init", "--quiet")
    git.raw("commit", "--quiet", "--allow-empty", "-m", "first")
    return made


def own_work(root: Path, work: Path) -> None:
    """A work folder as own mode registers it."""
    Git(root).raw("worktree", "add", "--quiet", "--detach", str(work))
    for registered in (root / ".git" / "worktrees").iterdir():
        if str(work) in (registered / "gitdir").read_text():
            (registered / WORK_MARKER).touch()


@pytest.mark.parametrize("inside", [".", "src/deep"])
def test_a_repository_is_found_from_anywhere_in_it(root: Path, inside: str) -> None:
    (root / inside).mkdir(parents=True, exist_ok=True)
    place = find(root / inside)
    assert place.root == root
    assert place.work == root / "work"
    assert place.config == root / "config"
    assert place.git_dir == place.common_dir == root / ".git"
    assert place.state == root / ".git" / "orchestrator"
    assert not place.bare


def test_from_inside_the_work_folder_the_workspace_around_it_is_found(root: Path) -> None:
    own_work(root, root / "work")
    assert find(root / "work" / ".").root == root
    assert find(root).work == root / "work"


def test_every_worktree_of_a_repository_finds_the_same_work_folder_and_state(root: Path, tmp_path: Path) -> None:
    own_work(root, root / "work")
    Git(root).raw("worktree", "add", "--quiet", "--detach", str(tmp_path / "other"))
    there, here = find(tmp_path / "other"), find(root)
    assert (there.work, there.state, there.config) == (here.work, here.state, here.config)
    assert there.git_dir == root / ".git" / "worktrees" / "other"


def test_a_work_folder_of_a_repository_that_was_moved_is_not_the_old_one(root: Path, tmp_path: Path) -> None:
    own_work(root, root / "work")
    moved = tmp_path / "elsewhere"
    root.rename(moved)
    place = find(moved)
    assert place.root == moved
    assert place.work == moved / "work"


def test_a_work_folder_that_was_taken_away_is_still_where_it_was_registered(root: Path, tmp_path: Path) -> None:
    own_work(root, root / "work")
    (root / "work" / ".git").unlink()
    (root / "work").rmdir()
    assert registered_work(root / ".git") == root / "work"


def test_a_bare_repository_is_its_own_root(tmp_path: Path) -> None:
    Git(tmp_path).raw("init", "--quiet", "--bare", "server.git")
    place = find(tmp_path / "server.git" / "refs")
    assert place.bare
    assert place.root == place.git_dir == tmp_path / "server.git"


def test_a_submodule_is_a_repository_of_its_own(root: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    Git(inner).raw("init", "--quiet")
    Git(inner).raw("commit", "--quiet", "--allow-empty", "-m", "inner")
    Git(root).raw("submodule", "--quiet", "add", str(inner), "sub")
    place = find(root / "sub")
    assert place.root == root / "sub"
    assert place.state == root / ".git" / "modules" / "sub" / "orchestrator"


def test_a_link_to_a_repository_leads_to_the_repository(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert find(tmp_path / "link").root == root


def test_without_a_repository_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"run `git init` first, or use --no-git"):
        find(tmp_path)


@pytest.mark.parametrize("junk", ["not a gitdir", "gitdir: /nowhere", "\0"])
def test_a_git_file_that_leads_nowhere_is_no_repository(tmp_path: Path, junk: str) -> None:
    (tmp_path / ".git").write_text(junk)
    with pytest.raises(NotFoundError):
        find(tmp_path)


def test_without_git_the_folder_is_the_root_and_is_found_from_below(tmp_path: Path) -> None:
    assert find(tmp_path, use_git=False).root == tmp_path
    (tmp_path / ".orchestrator").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    place = find(below, use_git=False)
    assert (place.root, place.state) == (tmp_path, tmp_path / ".orchestrator")
    assert place.git_dir is None
    assert os.listdir(below) == []
