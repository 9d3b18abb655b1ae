"""The hooks, run by real git: they wake, start only what was asked for, and never stand in anybody's way."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

HOOKS = Path(__file__).parents[3] / "hooks"
# Stands for the program: writes down how it was called, and what of git's environment it was given.
RECORDER = """#!/bin/sh
{{ echo "args: $*"; pwd; env | grep ^GIT_DIR; env | grep ^GIT_INDEX; [ "$1" = daemon ] || cat; }} >"{log}.new"
mv "{log}.new" "{log}"
echo "orchestrator: 2 tasks taken in from main"
"""


class Repo:
    """A repository with the hooks copied in, and a recorder in the program's place."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        subprocess.run(("git", "init", "-q", "-b", "main", *options, str(folder)), check=True)
        self.common = folder if "--bare" in options else folder / ".git"
        shutil.copytree(HOOKS, self.common / "hooks", dirs_exist_ok=True)
        (self.common / "orchestrator" / "requests").mkdir(parents=True)
        self.nudge = self.common / "orchestrator" / "requests" / ".nudge"
        self.log = folder.parent / "called"
        program = folder.parent / "recorder"
        program.write_text(RECORDER.format(log=self.log))
        program.chmod(0o755)
        self.git("config", "orchestrator.program", str(program))

    def git(self, *args: str, folder: Path | None = None, **environ: str) -> str:
        ended = subprocess.run(
            ("git", *args),
            cwd=folder or self.folder,
            env=os.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout + ended.stderr

    def was_nudged(self) -> bool:
        try:
            self.nudge.unlink()
        except FileNotFoundError:
            return False
        return True

    def called(self) -> list[str]:
        deadline = time.monotonic() + 10
        while not self.log.exists():
            assert time.monotonic() < deadline, "the program was not called"
            time.sleep(0.01)
        return self.log.read_text().splitlines()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "with space")


def test_every_hook_is_executable_and_portable_sh() -> None:
    names = {hook.name for hook in HOOKS.iterdir()}
    assert names >= {"post-commit", "post-merge", "post-rewrite", "post-checkout", "post-receive", "orchestrator-nudge"}
    for hook in HOOKS.iterdir():
        assert os.access(hook, os.X_OK), hook
        assert hook.read_text().startswith("#!/bin/sh\n")
        subprocess.run(("sh", "-n", str(hook)), check=True)


def test_commit_amend_checkout_and_merge_each_touch_the_nudge(repo: Repo) -> None:
    repo.git("commit", "-q", "--allow-empty", "-m", "one")
    assert repo.was_nudged()
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "one again")
    assert repo.was_nudged()
    repo.git("switch", "-qc", "topic")
    assert repo.was_nudged()
    repo.git("commit", "-q", "--allow-empty", "-m", "two")
    repo.git("switch", "-q", "main")
    assert repo.was_nudged()
    repo.git("merge", "-q", "topic")
    assert repo.was_nudged()
    assert not repo.log.exists()  # nothing was started


def test_a_linked_worktree_wakes_the_same_orchestrator(repo: Repo, tmp_path: Path) -> None:
    repo.git("commit", "-q", "--allow-empty", "-m", "one")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    repo.was_nudged()
    repo.git("commit", "-q", "--allow-empty", "-m", "two", folder=tmp_path / "linked")
    assert repo.was_nudged()


def test_a_tools_own_commit_wakes_nobody(repo: Repo) -> None:
    repo.git("commit", "-q", "--allow-empty", "-m", "one", ORCHESTRATOR_INVOCATION="01J")
    assert not repo.was_nudged()


def test_a_repository_without_an_orchestrator_is_left_alone_and_quiet(repo: Repo) -> None:
    shutil.rmtree(repo.common / "orchestrator")
    assert repo.git("commit", "-q", "--allow-empty", "-m", "one") == ""
    assert not (repo.common / "orchestrator").exists()


def test_a_daemon_is_started_once_detached_with_a_clean_environment_where_it_was_asked_for(repo: Repo) -> None:
    repo.git("config", "orchestrator.hooks.run", "once")
    repo.git("commit", "-q", "--allow-empty", "-m", "one")
    assert repo.called() == ["args: daemon --once", str(repo.folder)]


def test_no_daemon_is_started_beside_a_running_one(repo: Repo) -> None:
    if shutil.which("flock") is None:
        pytest.skip("without flock a second daemon finds out by itself")
    repo.git("config", "orchestrator.hooks.run", "once")
    lock = repo.common / "orchestrator" / "daemon.lock"
    lock.touch()
    with subprocess.Popen(("flock", str(lock), "sh", "-c", "echo held; read x"), stdin=-1, stdout=-1) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        repo.git("commit", "-q", "--allow-empty", "-m", "one")
        assert repo.was_nudged()
        holder.stdin.close()
    assert not repo.log.exists()
    repo.git("commit", "-q", "--allow-empty", "-m", "two")
    assert repo.called()[0] == "args: daemon --once"


def pushing(tmp_path: Path) -> tuple[Repo, Path]:
    server = Repo(tmp_path / "server.git", "--bare")
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", str(server.folder), str(clone)), check=True, capture_output=True)
    server.git("commit", "-q", "--allow-empty", "-m", "one", folder=clone)
    return server, clone


def test_a_push_to_a_bare_repository_takes_in_at_once_and_tells_the_pusher(tmp_path: Path) -> None:
    server, clone = pushing(tmp_path)
    said = server.git("push", "origin", "HEAD:main", folder=clone)
    assert "remote: orchestrator: 2 tasks taken in from main" in said
    tip = server.git("rev-parse", "main").strip()
    assert server.called() == ["args: hook post-receive", str(server.folder), f"{'0' * 40} {tip} refs/heads/main"]
    assert server.was_nudged()


def test_a_push_to_a_repository_with_a_checkout_takes_in_from_its_top(tmp_path: Path) -> None:
    server = Repo(tmp_path / "server")
    server.git("config", "receive.denyCurrentBranch", "updateInstead")
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", str(server.folder), str(clone)), check=True, capture_output=True)
    server.git("commit", "-q", "--allow-empty", "-m", "one", folder=clone)
    server.git("push", "origin", "HEAD:main", folder=clone)
    assert server.called()[:2] == ["args: hook post-receive", str(server.folder)]


def test_a_push_succeeds_whatever_becomes_of_the_program(tmp_path: Path) -> None:
    server, clone = pushing(tmp_path)
    (tmp_path / "recorder").write_text("#!/bin/sh\necho broken >&2\nexit 70\n")
    assert "broken" in server.git("push", "origin", "HEAD:main", folder=clone)
    server.git("config", "orchestrator.program", str(tmp_path / "gone"))
    said = server.git("push", "origin", "HEAD:other", folder=clone)
    assert "git config orchestrator.program" in said
    shutil.rmtree(server.common / "orchestrator")
    assert "orchestrator" not in server.git("push", "origin", "HEAD:third", folder=clone)
