"""Whatever a tool did to branch, HEAD and `.git`: its work is kept, and the person is told."""

import os
import shutil
import socket
from pathlib import Path

import pytest
from conftest import House, commit, git, write


def test_a_detached_head_with_commits_moves_the_branch(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    git(path, "switch", "-q", "--detach")
    own = commit(path, "Detached", {"a.txt": "1"})
    write(path, {"b.txt": "2"})
    shown = house.conclude(made)
    assert shown.commits == 2
    assert house.git("rev-parse", "task/T1~1") == own
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/task/T1"
    assert (shown.problems, shown.kept) == ((), "")


def test_commits_on_a_branch_that_the_tool_made_are_on_the_tasks_branch(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    git(path, "switch", "-q", "-c", "feature")
    own = commit(path, "On a feature branch", {"a.txt": "1"})
    shown = house.conclude(made)
    assert shown.head == own == house.git("rev-parse", "feature")
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/task/T1"


def test_an_amended_commit_leaves_only_its_last_form(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    commit(path, "First form", {"a.txt": "1"})
    write(path, {"a.txt": "2"})
    git(path, "commit", "-q", "-a", "--amend", "-m", "Last form")
    shown = house.conclude(made)
    assert (shown.commits, shown.problems) == (1, ())


def test_two_lines_of_work_are_both_kept(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    first = commit(path, "First", {"a.txt": "1"})
    git(path, "switch", "-q", "--detach", made.base)
    second = commit(path, "Second", {"b.txt": "1"})
    shown = house.conclude(made)
    assert shown.head == second == house.git("rev-parse", "task/T1")
    assert house.git("rev-parse", "task/T1.1") == first
    assert any("task/T1.1" in problem for problem in shown.problems)
    assert house.conclude(made) == shown
    assert house.git("for-each-ref", "refs/heads/task/T1.2") == ""


def test_work_that_does_not_follow_the_base_is_kept_beside_and_named(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    git(path, "reset", "-q", "--hard", "HEAD~1")
    other = commit(path, "On something older", {"a.txt": "1"})
    shown = house.conclude(made)
    assert (shown.head, shown.commits) == (made.base, 0)
    assert house.git("rev-parse", "task/T1.1") == other
    assert any("task/T1.1" in problem for problem in shown.problems)
    again = house.conclude(made)
    assert again == shown
    assert house.port.release(made) == ""
    assert house.git("rev-parse", "task/T1.1") == other


def test_a_look_at_an_older_commit_undoes_nothing(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    own = commit(path, "Work", {"a.txt": "1"})
    git(path, "checkout", "-q", made.base)
    shown = house.conclude(made)
    assert (shown.head, shown.commits, shown.problems) == (own, 1, ())


def test_a_branch_that_the_tool_deleted_comes_back_with_its_work(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    git(path, "switch", "-q", "--detach")
    own = commit(path, "Work", {"a.txt": "1"})
    git(path, "branch", "-q", "-D", "task/T1")
    assert house.conclude(made).head == own == house.git("rev-parse", "task/T1")


@pytest.mark.parametrize("instead", ["nothing", "a repository", "a link", "nonsense"])
def test_a_lost_git_file_loses_no_work(house: House, instead: str, tmp_path: Path) -> None:
    made = house.prepare()
    path = Path(made.path)
    own = commit(path, "Work", {"a.txt": "1"})
    (path / ".git").unlink()
    if instead == "a repository":
        git(path, "init", "-q")
    elif instead == "a link":
        (path / ".git").symlink_to(tmp_path)
    elif instead == "nonsense":
        (path / ".git").write_text("gitdir: /nowhere\n")
    write(path, {"b.txt": "2"})
    shown = house.conclude(made)
    assert shown.changed == ("a.txt", "b.txt")
    assert house.git("rev-parse", "task/T1~1") == own
    assert git(path, "status", "--porcelain") == ""
    assert house.port.release(made) == ""


def test_a_worktree_that_the_tool_took_off_gits_list_loses_no_work(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    write(path, {"b.txt": "2"})
    shutil.rmtree(house.root / ".git" / "worktrees" / "T1")
    assert house.conclude(made).changed == ("b.txt",)
    assert house.port.release(made) == ""
    assert not path.exists()


def test_an_unfinished_merge_is_over_once_committed(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    commit(path, "Ours", {"README.md": "ours\n"})
    git(path, "switch", "-q", "-c", "side", made.base)
    commit(path, "Theirs", {"README.md": "theirs\n"})
    git(path, "switch", "-q", "task/T1")
    with pytest.raises(Exception, match="exit status 1"):
        git(path, "merge", "side")
    shown = house.conclude(made)
    assert shown.commits == 2
    assert "<<<<<<<" in house.git("show", "task/T1:README.md")
    assert git(path, "status", "--porcelain=v1", "--branch") == "## task/T1"


def test_a_link_to_somewhere_else_is_refused_and_named(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    (path / "src" / "main.py").unlink()
    (path / "src" / "main.py").symlink_to("/etc/passwd")
    (path / "up").symlink_to("../../elsewhere")
    (path / "hooks").symlink_to(".git/hooks")
    (path / "fine").symlink_to("src/other.py")
    shown = house.conclude(made, "src/main.py")
    assert shown.changed == ("fine",)
    assert shown.missing == ("src/main.py",)
    assert [problem.partition(":")[0] for problem in shown.problems] == ["hooks", "src/main.py", "up"]
    assert "is a link to /etc/passwd" in shown.kept
    assert house.git("show", "task/T1:src/main.py") == "print(1)"
    assert str(path) in house.port.release(made)
    assert path.exists()


def test_a_link_that_the_tool_committed_itself_is_named(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    (path / "up").symlink_to("../../elsewhere")
    commit(path, "A link", {})
    shown = house.conclude(made)
    assert shown.commits == 1
    assert "the tool committed it" in shown.problems[0]


def test_a_file_too_large_is_refused_and_the_rest_is_committed(house: House) -> None:
    house.set(max_file=1000)
    made = house.prepare()
    path = Path(made.path)
    write(path, {"large.bin": "x" * 2000, "small.txt": "x"})
    with (path / "huge.bin").open("wb") as file:
        file.truncate(1 << 30)  # 1 GiB, and takes no room
    shown = house.conclude(made)
    assert shown.changed == ("small.txt",)
    assert shown.problems[0] == "huge.bin: has 1024 MiB; at most 0 MiB are committed"
    assert shown.kept.startswith(f"{path}: huge.bin has 1024 MiB")
    assert house.port.release(made).startswith(f"{path}: huge.bin is not committed")
    (path / "huge.bin").unlink()
    (path / "large.bin").unlink()
    assert house.port.release(made) == ""


@pytest.mark.parametrize("with_commit", [True, False])
def test_a_repository_in_the_worktree_is_refused_and_named(house: House, with_commit: bool) -> None:
    made = house.prepare()
    path = Path(made.path)
    (path / "sub").mkdir()
    git(path / "sub", "init", "-q")
    write(path, {"sub/in.txt": "x", "beside.txt": "x"})
    if with_commit:
        commit(path / "sub", "Inside", {})
    shown = house.conclude(made)
    assert shown.changed == ("beside.txt",)
    assert shown.problems == ("sub/: is a repository of its own; move its files out of it, or delete its .git",)
    assert "sub/" in house.port.release(made)
    assert (path / "sub" / "in.txt").exists()


def test_a_tracked_file_that_became_a_pipe_or_a_socket_is_named(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    (path / "README.md").unlink()
    os.mkfifo(path / "README.md")
    (path / "src" / "main.py").unlink()
    here = Path.cwd()
    os.chdir(path / "src")  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("main.py")
    finally:
        os.chdir(here)
    shown = house.conclude(made)
    assert shown.problems == ("README.md: is no regular file", "src/main.py: is no regular file")
    assert shown.changed == ()


def test_folders_become_files_and_files_folders(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    shutil.rmtree(path / "src")
    (path / "README.md").unlink()
    write(path, {"src": "a file now", "README.md/inside": "a folder now"})
    shown = house.conclude(made)
    assert shown.changed == ("README.md", "README.md/inside", "src", "src/main.py", "src/other.py")
    assert git(path, "status", "--porcelain") == ""


def test_names_that_are_no_utf8_are_committed_and_escaped(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    for name in (b"caf\xe9.txt", b"two\nlines", b"-rf", b'quo"te\t', b":(exclude)x", b"git~1", b"a\\b"):
        (path / os.fsdecode(name)).write_text("x")
    shown = house.conclude(made)
    assert "caf\\xe9.txt" in shown.changed
    assert "two\nlines" in shown.changed
    assert shown.changed_count + len(shown.problems) == 7
    for problem in shown.problems:
        assert "git refuses it" in problem


def test_ten_thousand_changed_files_are_counted_and_the_first_hundred_named(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    for folder in range(100):
        (path / f"d{folder:02}").mkdir()
        for number in range(100):
            (path / f"d{folder:02}" / f"f{number:02}").write_bytes(b"%d %d" % (folder, number))
    shown = house.conclude(made, "d99/f99", "d50", "d77/absent")
    assert shown.changed_count == 10_000
    assert shown.changed == tuple(f"d00/f{number:02}" for number in range(100))
    assert shown.missing == ("d77/absent",)
    assert house.port.release(made) == ""


def test_artefacts_count_only_where_they_are_files_of_the_worktree(house: House, tmp_path: Path) -> None:
    made = house.prepare()
    path = Path(made.path)
    write(path, {"real.txt": "x", "folder/in.txt": "x", "build/report.txt": "x"})
    (path / "empty").mkdir()
    (path / "link.txt").symlink_to("real.txt")
    (path / "linked").symlink_to("folder")
    outside = tmp_path / "outside.txt"
    outside.write_text("x")
    shown = house.conclude(
        made,
        "real.txt",
        "./real.txt",
        "folder",
        "folder/",
        "empty",
        "link.txt",
        "linked/in.txt",
        str(outside),
        "../x",
        "",
        "build/report.txt",
    )
    assert shown.missing == ("empty", "link.txt", "linked/in.txt", str(outside), "../x", "")
    assert any(problem.startswith("build/report.txt: is there, and not committed") for problem in shown.problems)
    assert "build/report.txt" in shown.kept


def test_a_worktree_that_vanished_under_the_tool_is_said(house: House) -> None:
    made = house.prepare()
    own = commit(Path(made.path), "Work", {"a.txt": "1"})
    shutil.rmtree(made.path)
    shown = house.conclude(made, "a.txt")
    assert shown.head == own
    assert shown.missing == ("a.txt",)
    assert "is gone" in shown.problems[0]
    assert house.port.release(made) == ""
    assert house.git("rev-parse", "task/T1") == own
    assert len(house.git("worktree", "list").splitlines()) == 1


def test_a_worktree_that_became_a_link_is_not_followed(house: House, tmp_path: Path) -> None:
    made = house.prepare()
    treasure = tmp_path / "treasure"
    write(treasure, {"gold.txt": "x"})
    shutil.rmtree(made.path)
    Path(made.path).symlink_to(treasure)
    shown = house.conclude(made)
    assert shown.changed == ()
    assert "became a link" in shown.problems[0]
    assert "left alone" in house.port.release(made)
    assert (treasure / "gold.txt").exists()
