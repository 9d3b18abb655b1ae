"""A push to a bare repository with our hooks in it: bad task files never land, and good ones are taken in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Ended, World, repository
from hooks_world import BAD, FILES, GOOD, SECRET, WAYS, commit, need, record, run, scripts, snapshot, tip, write

_INTAKE = "\nintake: {branch: main, paths: [tasks/]}\n"


_MADE: dict[str, Path] = {}


class Server:
    """A bare repository that takes tasks in, and a clone of it."""

    def __init__(self, folder: Path) -> None:
        self.bare = World(folder / "server.git")
        self.clone = folder / "clone"

    @property
    def folder(self) -> Path:
        """Where both are."""
        return self.clone.parent

    def make(self, way: str) -> None:
        """Anew, with a first commit on main."""
        subprocess.run(["git", "init", "-q", "--bare", str(self.bare.root)], check=True)
        self.bare.well("init", "--no-hooks")
        policies = self.bare.root / "orchestrator-config" / "policies.yaml"
        policies.write_text(policies.read_text() + _INTAKE)
        self.bare.well("hooks", "install", "--as", way)
        repository(self.clone)
        self.git("remote", "add", "origin", "../server.git")
        assert self.push().code == 0

    def copied(self, folder: Path) -> "Server":
        """The same at another place."""
        shutil.copytree(self.folder, folder, symlinks=True)
        copy = Server(folder)
        state = copy.bare.root / "orchestrator"
        (state / "settings.json").unlink(missing_ok=True)  # a cache, of the files at the first place
        for file in (
            copy.bare.root / "work" / ".git",
            copy.bare.root / "worktrees" / "work" / "gitdir",
            state / "trail.hidden",
        ):
            if file.exists():
                file.write_text(file.read_text().replace(str(self.folder), str(folder)))
        return copy

    def git(self, *arguments: str) -> str:
        """Git in the clone."""
        return World(self.clone).git(*arguments)

    def commit(self, path: str, text: str) -> None:
        """One file."""
        write(self.clone, path, text)
        assert commit(self.clone, "-m", f"Write {path}").code == 0

    def push(self, *arguments: str) -> Ended:
        """To main, or where it is said."""
        return run(self.clone, "git", "push", "-q", "origin", *(arguments or ("HEAD:main",)))

    def take_nothing_in(self) -> None:
        """Without post-receive, which would go on from what was pushed."""
        for way in WAYS:
            (scripts(self.bare.root, way) / "post-receive").unlink(missing_ok=True)

    def tip(self, ref: str = "main") -> str:
        """What the server has."""
        return tip(self.bare.root, ref)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How the hooks were installed."""
    need(request.param)
    return str(request.param)


@pytest.fixture
def server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, way: str) -> Server:
    """One of the test's own, with a first commit on main."""
    if way not in _MADE:
        made = Server(tmp_path_factory.mktemp("server"))
        made.make(way)
        _MADE[way] = made.folder
    return Server(_MADE[way]).copied(tmp_path / "place")


def test_only_what_a_push_needs_is_installed_in_a_bare_repository_and_removed_again(server: Server, way: str) -> None:
    folder = scripts(server.bare.root, way)
    installed = snapshot(folder)
    hooks = server.bare.well("hooks", "status", "--json").data["hooks"]
    state = "installed" if way == FILES else "installed, by git's configuration"
    assert [(hook["event"], hook["state"]) for hook in hooks] == [("pre-receive", state), ("post-receive", state)]
    server.bare.well("hooks", "remove")
    left = snapshot(folder)
    assert "orchestrator" not in server.bare.git("config", "--list", "--name-only", "--local")
    assert sorted(set(installed) - set(left)) == [
        "orchestrator-check",
        "orchestrator-nudge",
        "post-receive",
        "pre-receive",
    ]


def test_a_good_task_lands_and_is_taken_in(server: Server) -> None:
    server.commit("tasks/one.yaml", GOOD)
    ended = server.push()
    assert ended.code == 0
    assert "remote: orchestrator: 1 task taken in from main" in ended.err
    assert server.tip() == tip(server.clone)
    assert (server.bare.root / "work/collaboration/inbox/one.yaml").read_text() == GOOD


def test_a_bad_one_is_refused_with_its_place_and_nothing_lands(server: Server) -> None:
    before = server.tip()
    server.commit("tasks/one.yaml", BAD)
    ended = server.push()
    assert ended.code == 1
    assert 'remote: main:tasks/one.yaml:2:9: status: "donne" is not a status' in ended.err
    assert "pre-receive hook declined" in ended.err
    assert server.tip() == before
    assert not (server.bare.root / "work/collaboration/inbox/one.yaml").exists()


def test_what_a_later_commit_of_the_same_push_mends_is_fine(server: Server) -> None:
    server.commit("tasks/one.yaml", BAD)
    server.commit("tasks/one.yaml", GOOD)
    assert server.push().code == 0


def test_a_branch_that_no_task_is_taken_from_is_not_looked_at_until_it_is_merged(server: Server) -> None:
    called = record(server.bare, server.folder, code=1)
    server.git("checkout", "-qb", "topic")
    server.commit("tasks/one.yaml", BAD)
    server.take_nothing_in()
    assert server.push("topic").code == 0
    assert called.lines == []
    server.bare.git("config", "orchestrator.program", str(Path(sys.executable).with_name("orchestrator")))
    assert server.push("topic:main").code == 1


def test_where_no_file_of_ours_is_pushed_nothing_is_started(server: Server) -> None:
    server.take_nothing_in()
    called = record(server.bare, server.folder)
    server.commit("src/a.py", "pass\n")
    assert server.push().code == 0
    assert called.lines == []
    server.commit("tasks/one.yaml", GOOD)
    assert server.push().code == 0
    assert called.lines[0].startswith("args: hook pre-receive ")
    assert not [line for line in called.lines if line.startswith(("GIT_DIR", "GIT_OBJECT", "GIT_ALTERNATE"))]


def test_a_branch_that_is_new_and_one_that_is_forced_are_checked_for_what_is_new(server: Server) -> None:
    server.commit("tasks/old.yaml", GOOD)
    assert server.push().code == 0
    assert server.push(":main").code != 0 or server.tip() == ""  # a server may refuse to lose its main branch
    server.bare.git("update-ref", "-d", "refs/heads/main")
    server.commit("tasks/one.yaml", BAD)
    assert server.push().code == 1
    server.git("reset", "-q", "--hard", "HEAD~2")
    server.commit("tasks/two.yaml", GOOD)
    assert server.push("+HEAD:main").code == 0
    server.git("commit", "-q", "--amend", "-m", "Otherwise")
    server.commit("tasks/three.yaml", BAD)
    assert server.push("+HEAD:main").code == 1


def test_several_refs_are_refused_or_land_together(server: Server) -> None:
    before = server.tip()
    server.commit("tasks/one.yaml", BAD)
    ended = server.push("HEAD:main", "HEAD:other")
    assert ended.code == 1
    assert (server.tip(), server.tip("other")) == (before, "")


def test_a_secret_is_refused_and_not_sent_back(server: Server) -> None:
    server.commit("tasks/one.yaml", f"{GOOD}notes: {SECRET}\n")
    ended = server.push()
    assert ended.code == 1
    assert "secret" in ended.err
    assert SECRET not in ended.err


def test_hostile_names_are_refused_and_told_on_one_line(server: Server) -> None:
    (server.clone / "tasks").mkdir()
    names = ["a\nb.yaml", "-x.yaml", "\"q'.yaml", os.fsdecode(b"\xff.yaml")]
    for name in names:
        (server.clone / "tasks" / name).write_text(GOOD)
    server.git("add", "tasks")
    assert commit(server.clone, "-m", "Names").code == 0
    ended = server.push()
    assert ended.code == 1
    assert len([line for line in ended.err.splitlines() if "cannot be a task's id" in line]) == len(names)


def test_a_done_task_of_the_trail_is_never_brought_back(server: Server) -> None:
    trail = "refs/heads/orchestrator/work"
    server.bare.git("config", "receive.denyCurrentBranch", "ignore")
    server.take_nothing_in()
    server.git("fetch", "-q", "origin", trail)
    server.git("checkout", "-q", "--detach", "FETCH_HEAD")
    server.commit("collaboration/done/analyst/2026-02-12/one.yaml", f"{GOOD}status: done\n")
    server.commit("collaboration/assigned/stranger/two.yaml", "agent: stranger\ntitle: x\nstatus: assigned\n")
    assert server.push(f"HEAD:{trail}").code == 0  # another machine has agents of its own
    server.commit("collaboration/done/analyst/2026-02-12/one.yaml", f"{GOOD}status: error\n")
    ended = server.push(f"HEAD:{trail}")
    assert ended.code == 1
    assert "done is final" in ended.err


# --- a server that cannot check ---


@pytest.mark.parametrize("code", [1, 70, 127])
def test_a_server_that_cannot_check_says_so_and_takes_the_push(server: Server, code: int) -> None:
    server.take_nothing_in()
    record(server.bare, server.folder, code=code)
    server.commit("tasks/one.yaml", BAD)
    ended = server.push()
    assert ended.code == 0
    assert "remote: orchestrator: this push was not checked, and goes on: " in ended.err
    assert server.tip() == tip(server.clone)


def test_a_strict_one_refuses_it(server: Server) -> None:
    record(server.bare, server.folder, code=70)
    server.bare.git("config", "orchestrator.hooks.strict", "true")
    server.commit("tasks/one.yaml", GOOD)
    ended = server.push()
    assert ended.code == 1
    assert "remote: orchestrator: this push is refused because it could not be checked: " in ended.err


def test_a_server_whose_configuration_is_broken_says_so(server: Server) -> None:
    server.take_nothing_in()
    (server.bare.root / "orchestrator-config" / "agents.yaml").write_text("agents: [\n")
    server.commit("tasks/one.yaml", BAD)
    ended = server.push()
    assert ended.code == 0
    assert "orchestrator config validate" in ended.err
    assert "remote: orchestrator: this push was not checked, and goes on: " in ended.err
    server.bare.git("config", "orchestrator.hooks.strict", "true")
    server.commit("tasks/two.yaml", BAD)
    assert server.push().code == 1


def test_an_intake_that_is_configured_later_is_looked_at_from_then_on(server: Server) -> None:
    policies = server.bare.root / "orchestrator-config" / "policies.yaml"
    policies.write_text(policies.read_text().replace("paths: [tasks/]", "paths: [asks/]"))
    os.utime(policies, ns=(2**61, 2**61))
    server.commit("asks/one.yaml", BAD)
    assert server.push().code == 1


def test_a_former_hook_of_the_server_is_given_the_refs_and_may_refuse(server: Server, way: str) -> None:
    server.bare.well("hooks", "remove")
    for name in ("pre-receive", "post-receive"):
        hook = server.bare.root / "hooks" / name
        hook.write_text(f'#!/bin/sh\ncat >>"{server.folder}/{name}"\n[ ! -e "{server.folder}/stop" ]\n')
        hook.chmod(0o755)
    server.bare.well("hooks", "install", "--as", way)
    server.commit("a.txt", "a\n")
    before = server.tip()
    assert server.push().code == 0
    expected = f"{before} {server.tip()} refs/heads/main\n"
    assert (server.folder / "pre-receive").read_text() == expected
    assert (server.folder / "post-receive").read_text() == expected
    (server.folder / "stop").touch()
    server.commit("b.txt", "b\n")
    assert server.push().code == 1
