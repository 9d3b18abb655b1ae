"""The one place that runs git."""

import os
import time
from pathlib import Path

import pytest

from orchestrator.adapters import process_table
from orchestrator.adapters.git import Git, GitError, scrubbed


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    git = Git(tmp_path)
    git.raw("init", "--quiet")
    (tmp_path / "a b\n.txt").write_text("one\n")
    git.raw("add", ".")
    git.raw("commit", "--quiet", "-m", "first")
    return git


def test_what_git_says_is_given_as_text_as_bytes_and_as_names(repository: Git) -> None:
    assert repository.text("log", "--format=%s") == "first"
    assert repository.raw("show", "HEAD:a b\n.txt") == b"one\n"
    assert repository.zlist("ls-files", "-z") == ["a b\n.txt"]
    assert repository.succeeds("diff", "--quiet")
    assert not repository.succeeds("rev-parse", "--verify", "--quiet", "no-such-branch")


def test_an_error_carries_gits_own_words_and_its_code(repository: Git) -> None:
    with pytest.raises(GitError, match=r"git show nothing: exit 128: .*nothing") as refused:
        repository.raw("show", "nothing")
    assert refused.value.code == 128
    assert "nothing" in refused.value.stderr


def test_a_tip_is_a_commit_or_nothing_and_never_an_option(repository: Git) -> None:
    tip = repository.tip("HEAD")
    assert len(tip) == 40
    assert repository.tip("refs/heads/main") == tip
    assert repository.tip("refs/heads/other") == ""
    assert repository.tip("--all") == ""


def test_the_callers_git_variables_do_not_reach_it(repository: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook exports these, and git in it would work on another repository."""
    tip = repository.tip("HEAD")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "alias.log")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "!false")
    assert repository.tip("HEAD") == tip


def test_who_commits_and_where_their_configuration_is_stays() -> None:
    kept = {"GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_EMAIL": "b@c", "GIT_CONFIG_GLOBAL": "/g", "PATH": "/bin"}
    clean = scrubbed({**kept, "GIT_DIR": "x", "GIT_WORK_TREE": "y", "GIT_EXTERNAL_DIFF": "z"})
    assert {name: clean[name] for name in kept} == kept
    assert {name for name in clean if name.startswith("GIT_")} - set(kept) == {
        "GIT_TERMINAL_PROMPT",
        "GIT_OPTIONAL_LOCKS",
    }


def test_nothing_of_a_persons_setup_runs_on_our_behalf(repository: Git, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    repository.raw("config", "core.fsmonitor", f"touch {ran}; false")
    repository.raw("config", "core.pager", f"touch {ran}; cat")
    repository.raw("config", "commit.gpgSign", "true")
    (tmp_path / "b").write_text("two")
    repository.raw("add", "b")
    repository.raw("commit", "--quiet", "-m", "second")
    repository.raw("status")
    repository.raw("--paginate", "log", "-1")
    assert not ran.exists()


def test_stdin_is_what_is_given_and_never_the_callers(repository: Git) -> None:
    assert repository.text("hash-object", "--stdin", stdin=b"x") == repository.text(
        "hash-object", "--stdin", stdin=b"x"
    )
    assert repository.text("hash-object", "--stdin") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_a_missing_git_and_a_missing_folder_are_told_apart(
    repository: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GitError, match="no folder"):
        Git(tmp_path / "gone").raw("status")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed"):
        repository.raw("status")


def test_a_git_that_does_not_answer_is_ended(repository: Git) -> None:
    with pytest.raises(GitError, match="no answer after") as refused:
        repository.raw("-c", "alias.wait=!exec sleep 60", "wait", seconds=0.2)
    assert refused.value.code == 124


def test_names_that_are_no_utf_8_survive(repository: Git, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.txt")
    (tmp_path / name).write_text("x")
    assert repository.zlist("ls-files", "-z", "--others") == [name]


def test_what_git_started_ends_with_it_when_its_time_is_up(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.raw("init", "--quiet")
    ours = tmp_path / "pid"
    git.raw("config", "alias.hang", f"!echo $$ > '{ours}'; exec sleep 600")
    with pytest.raises(GitError, match="no answer after"):
        git.raw("hang", seconds=3)
    pid = int(ours.read_text())
    deadline = time.monotonic() + 10
    while (found := process_table.entry(pid)) is not None and not found.zombie:  # killed, and dying
        assert time.monotonic() < deadline
        time.sleep(0.01)
