"""`orchestrator init` in real folders: what it writes, what it leaves alone, and that what it names next works."""

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Ended, World, repository

FILES = ["agents.yaml", "models.yaml", "policies.yaml", "tools.yaml"]
SETS = ["quick-start", "claude-only", "cost-optimized", "development"]


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file below it with its content, but git's own; folders with None."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if ".git" not in path.relative_to(root).parts[:1]
    }


def install(folder: Path, name: str, says: str) -> dict[str, str]:
    """A program of that name; the environment in which it is found."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{says}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def following(ended: Ended) -> list[str]:
    """The words of the command that it names next."""
    import shlex

    line = next(line for line in ended.err.splitlines() if line.startswith("next: orchestrator "))
    return shlex.split(line.removeprefix("next: orchestrator "))


@pytest.mark.parametrize("name", SETS)
def test_each_set_is_valid_and_the_command_that_is_named_next_works_with_no_key(name: str, tmp_path: Path) -> None:
    world = repository(tmp_path)
    ended = world.well("init", "--template", name)
    assert sorted(os.listdir(tmp_path / "config")) == FILES
    assert f"configuration: {name}" in ended.out
    validated = world.well("config", "validate")
    assert "warning" not in validated.out + validated.err
    world.well(*following(ended))
    if name in {"quick-start", "claude-only"}:  # the others name the same agents
        assert "1 in done" in world.well("daemon", "--until-idle").out
    assert world.git("status", "--porcelain") == "?? config/\n"


def test_a_set_that_needs_a_tool_that_is_not_here_says_so_and_how_to_get_it(tmp_path: Path) -> None:
    ended = repository(tmp_path).well("init", "--template", "claude-only")
    assert "claude is not on PATH" in ended.err.replace("works with claude: it is", "claude is")
    assert "npm install -g @anthropic-ai/claude-code" in ended.err


def test_a_tool_that_is_here_and_logged_in_is_used_and_no_key_is_ever_shown(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", "claude", "echo 2.1.329") | {"ANTHROPIC_API_KEY": "hush-hush-4711"}
    world = repository(tmp_path / "repo")
    ended = world("init", env=env)
    assert ended.code == 0, ended
    assert "2.1.329" in ended.out
    assert "ANTHROPIC_API_KEY" in ended.out
    assert "all agents but the scout" in ended.out
    written = b"".join(content or b"" for content in tree(tmp_path / "repo").values())
    for text in (ended.out, ended.err, written.decode(errors="replace")):
        assert "hush-hush" not in text
    agents = (tmp_path / "repo/config/agents.yaml").read_text()
    assert "preferred_tool: claude" in agents
    assert following(ended)[:3] == ["submit", "--agent", "scout"]
    shown = json.loads(world("init", "--json", "--force", env=env).out)["data"]
    assert "hush-hush" not in json.dumps(shown)
    assert [tool["use"] for tool in shown["found"]["tools"][:2]] == ["the scout", "all agents but the scout"]


def test_a_tool_without_a_key_is_left_out_and_can_be_added_later(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", "codex", "echo codex-cli 0.169.0")
    world = repository(tmp_path / "repo")
    ended = world("init", env=env)
    assert ended.code == 0, ended
    assert "codex is here and was left out: no key and no log-in was found" in ended.err
    assert "  codex:" not in (tmp_path / "repo/config/tools.yaml").read_text()
    assert "to have it: orchestrator tool add codex" in ended.err
    assert world("tool", "add", "codex", env=env).code == 0
    assert "codex" in world("tool", "list").out


def test_what_is_there_stays_and_it_says_so(tmp_path: Path) -> None:
    world = repository(tmp_path)
    world.well("init")
    (tmp_path / "config/agents.yaml").write_text("agents: {mine: {preferred_tool: brief}}\n")
    before = tree(tmp_path)
    ended = world.well("init", "--template", "claude-only")
    assert "everything was there already" in ended.out
    assert "orchestrator init --force --template claude-only" in ended.err
    assert tree(tmp_path) == before
    assert following(ended)[:3] == ["submit", "--agent", "mine"]


def test_only_the_files_that_are_missing_are_written(tmp_path: Path) -> None:
    world = repository(tmp_path)
    world.well("init")
    for name in ("models.yaml", "policies.yaml"):
        (tmp_path / "config" / name).unlink()
    (tmp_path / "config/agents.yaml").write_text("agents: {mine: {preferred_tool: brief}}\n")
    made = world.well("init", "--json").data
    assert made["made"] == ["config/models.yaml", "config/policies.yaml"]
    assert made["kept"] == ["agents.yaml", "tools.yaml"]
    assert (tmp_path / "config/agents.yaml").read_text().startswith("agents: {mine")


def test_what_is_there_and_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    world = repository(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/agents.yaml").write_text("agents:\n  mine: {preferred_tool: brife}\n")
    before = tree(tmp_path)
    ended = world("init")
    assert ended.code == 78
    assert "config/agents.yaml:2:" in ended.err
    assert "brief" in ended.err
    assert tree(tmp_path) == before
    assert not (tmp_path / ".git/orchestrator").exists()


def test_with_force_it_is_written_anew_and_what_was_there_is_kept(tmp_path: Path) -> None:
    world = repository(tmp_path)
    world.well("init")
    mine = b"agents: {mine: {preferred_tool: brief}}\n"
    (tmp_path / "config/agents.yaml").write_bytes(mine)
    (tmp_path / "config/agents.yaml").chmod(0o600)
    made = world.well("init", "--force", "--template", "development", "--json").data
    kept = [path for path in made["made"] if path.startswith("config/agents.yaml.")]
    assert len(kept) == 1
    assert (tmp_path / kept[0]).read_bytes() == mine
    assert b"tester" in (tmp_path / "config/agents.yaml").read_bytes()
    assert (tmp_path / "config/agents.yaml").stat().st_mode & 0o777 == 0o600
    assert "bak" not in world.git("status", "--porcelain", "--untracked-files=all")


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(tmp_path: Path) -> None:
    world = repository(tmp_path)
    before = tree(tmp_path)
    ended = world.well("init", "--dry-run", "--hooks")
    assert "would make config/agents.yaml" in ended.out
    assert "would make work/" in ended.out
    shown = world.well("init", "--dry-run", "--json").data
    assert sorted(shown["contents"]) == [f"config/{name}" for name in FILES]
    assert tree(tmp_path) == before
    assert not (tmp_path / ".git/orchestrator").exists()
    world.well("init")
    assert {f"config/{name}": (tmp_path / "config" / name).read_text() for name in FILES} == shown["contents"]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    world = repository(tmp_path / "repo")
    (tmp_path / "repo/config").mkdir()
    (tmp_path / "elsewhere.yaml").write_text("agents: {}\n")
    (tmp_path / "repo/config/agents.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    ended = world("init", "--force")
    assert ended.code == 1
    assert "config/agents.yaml is a link" in ended.err
    assert (tmp_path / "elsewhere.yaml").read_text() == "agents: {}\n"
    assert os.listdir(tmp_path / "repo/config") == ["agents.yaml"]


def test_a_file_where_the_folder_goes_is_left_and_named(tmp_path: Path) -> None:
    world = repository(tmp_path)
    (tmp_path / "config").write_text("mine")
    ended = world("init")
    assert ended.code == 1
    assert "config is no folder" in ended.err
    assert (tmp_path / "config").read_text() == "mine"
    assert not (tmp_path / ".git/orchestrator").exists()
    assert not (tmp_path / "work").exists()


def test_in_a_bare_repository_the_configuration_has_a_folder_of_its_own(tmp_path: Path) -> None:
    World(tmp_path).git("init", "--quiet", "--bare", "server.git")
    world = World(tmp_path / "server.git")
    made = world.well("init", "--json").data
    assert made["found"]["repository"]["is_bare"]
    assert "orchestrator-config/agents.yaml" in made["made"]
    assert not any(".gitignore" in path for path in made["made"])
    world.well("submit", "--agent", made["next"].split()[3], "--title", "x")
    assert "1 in done" in world.well("daemon", "--until-idle").out


def test_without_git_the_tools_work_in_the_folder_itself(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", "claude", "echo 2.1.329") | {"ANTHROPIC_API_KEY": "x"}
    world = World(tmp_path / "plain")
    world.root.mkdir()
    ended = world("--no-git", "init", env=env)
    assert ended.code == 0, ended
    assert "workspace: checkout" in (world.root / "config/tools.yaml").read_text()
    assert "workspace: worktree\n" not in (world.root / "config/tools.yaml").read_text()
    assert following(ended)[:2] == ["--no-git", "submit"]
    assert not (world.root / ".gitignore").exists()


def test_without_a_history_git_is_told_to_ignore_what_is_made(tmp_path: Path) -> None:
    world = repository(tmp_path)
    (tmp_path / ".gitignore").write_bytes(b"*.o\r\n")
    world.well("--no-git", "init")
    assert (tmp_path / ".gitignore").read_bytes().startswith(b"*.o\r\n\r\n# of the orchestrator\r\n/work/\r\n")
    assert world.git("status", "--porcelain") == "?? .gitignore\n?? config/\n"
    again = (tmp_path / ".gitignore").read_bytes()
    world.well("--no-git", "init", "--force")
    assert (tmp_path / ".gitignore").read_bytes().startswith(again)


def test_from_anywhere_with_root(tmp_path: Path) -> None:
    repository(tmp_path / "a place")
    outside = World(tmp_path)
    ended = outside.well("--root", str(tmp_path / "a place"), "init")
    outside.well(*following(ended))
    assert "1 in done" in outside.well("--root", str(tmp_path / "a place"), "daemon", "--until-idle").out


def test_the_checks_of_the_project_are_in_the_policies(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", "cargo", "true")
    world = repository(tmp_path / "repo")
    (world.root / "Cargo.toml").write_text("")
    assert world("init", "--template", "development", env=env).code == 0
    assert "  tests: {command: [cargo, test], timeout: 10m}\n" in (world.root / "config/policies.yaml").read_text()


def test_hooks_are_installed_only_where_that_was_asked_for(tmp_path: Path) -> None:
    world = repository(tmp_path)
    hooks = tmp_path / ".git/hooks"
    before = sorted(os.listdir(hooks))
    world.well("init")
    assert sorted(os.listdir(hooks)) == before
    assert not world.well("hooks", "status", "--json").data["complete"]
    ended = world.well("init", "--hooks")
    assert "made hooks in" in ended.out
    assert world.well("hooks", "status", "--json").data["complete"]


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path: Path) -> None:
    ended = repository(tmp_path)("init", stdin="2\ny\n")
    assert ended.code == 0
    assert "[y/N]" not in ended.err
    assert "configuration: quick-start" in ended.out


def test_on_a_disk_without_room_nothing_is_left_behind(tmp_path: Path) -> None:
    """No file may grow beyond 1 kB: agents.yaml cannot be written."""
    world = repository(tmp_path)
    before, git_before = tree(tmp_path), sorted(os.listdir(tmp_path / ".git"))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    process = subprocess.run(
        [sys.executable, "-m", "orchestrator", "init"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=no_room,
    )
    assert process.returncode == 1, process.stderr
    assert "File too large" in process.stderr
    assert tree(tmp_path) == before
    assert sorted(os.listdir(tmp_path / ".git")) == git_before
    assert world.git("branch", "--list", "orchestrator/*") == ""
    world.well("init")


def in_a_mount(script: str, root: Path) -> "subprocess.CompletedProcess[str]":
    """Runs a script with mounts of its own; skips where this machine lets nobody mount."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare(1) here")
    argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(root), sys.executable]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    if "mount" in ended.stderr and "permission denied" in ended.stderr.lower():
        pytest.skip("nobody may mount here")
    return ended


def test_in_a_folder_that_cannot_be_written_it_says_so_and_nothing_is_left_behind(tmp_path: Path) -> None:
    world = repository(tmp_path)
    before, git_before = tree(tmp_path), sorted(os.listdir(tmp_path / ".git"))
    script = """mount --bind "$1" "$1" && mount --bind "$1/.git" "$1/.git" && mount -o remount,ro,bind "$1" \
        && cd "$1" && "$2" -m orchestrator init"""
    ended = in_a_mount(script, tmp_path)
    assert ended.returncode == 1, ended
    assert "Read-only file system" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert tree(tmp_path) == before
    assert sorted(os.listdir(tmp_path / ".git")) == git_before
    assert world.git("branch", "--list", "orchestrator/*") == ""


def test_on_a_full_disk_it_says_so_and_nothing_is_left_behind(tmp_path: Path) -> None:
    """A disk of 160 kB, nearly full; how much room is left is tried in steps. Objects that nothing names are git's to
    clear away."""
    script = """mount -t tmpfs -o size=160k,nr_inodes=400 none "$1" && cd "$1" && git init -q . && rm -rf .git/hooks
        for room in 8 12 16 24 32 48; do
          rm -f ballast
          free=$(df -k . | tail -1 | awk '{print $4}')
          head -c $(( (free - room) * 1024 )) /dev/zero > ballast
          before=$(find . -path ./.git/objects -prune -o -print | sort)
          "$2" -m orchestrator init 2> /dev/shm/said.$$; code=$?
          after=$(find . -path ./.git/objects -prune -o -print | sort)
          if [ $code = 0 ]; then echo "well at $room"; exit 0; fi
          grep -q Traceback /dev/shm/said.$$ && { cat /dev/shm/said.$$; exit 9; }
          grep -q "this is a bug" /dev/shm/said.$$ && { cat /dev/shm/said.$$; exit 9; }
          if [ "$before" != "$after" ]; then echo "left at $room:"; cat /dev/shm/said.$$; echo "$after"; exit 8; fi
          echo "refused at $room"; rm -f /dev/shm/said.$$
        done"""
    ended = in_a_mount(script, tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "refused at 8" in ended.stdout
