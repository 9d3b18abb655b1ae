"""Completion in a real shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import World, repository

ASK = """
source completion.bash
COMP_WORDS=(orchestrator {words})
COMP_CWORD={at}
_orchestrator_completion orchestrator
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace, with the program on PATH by its name, and its completion script."""
    made = repository(tmp_path)
    made.well("init")
    program = tmp_path / "bin" / "orchestrator"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestrator "$@"\n')
    program.chmod(0o755)
    (tmp_path / "completion.bash").write_text(made.well("completion", "bash").out)
    return made


def completed(world: World, *words: str) -> list[str]:
    script = ASK.format(words=" ".join(words), at=len(words))
    path = f"{world.root / 'bin'}:{os.environ['PATH']}"
    command = ["bash", "--norc", "-c", script]
    ended = subprocess.run(
        command,
        cwd=world.root,
        env=os.environ | {"PATH": path},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_and_task_ids(world: World) -> None:
    task = world.well("submit", "--agent", "writer", "--title", "Sum up", "--json").data["id"]
    assert completed(world, "sta") == ["start", "status", "stats"]
    assert "hook" not in completed(world, "''")
    assert completed(world, "status", "--wa") == ["--watch"]
    assert completed(world, "show", task[:8]) == [task]
    assert completed(world, "show", "no-such") == []
    assert "exit-codes" in completed(world, "help", "ex")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(tmp_path: Path, shell: str) -> None:
    assert "_ORCHESTRATOR_COMPLETE" in World(tmp_path).well("completion", shell).out


def test_completing_outside_a_workspace_is_silent(tmp_path: Path) -> None:
    env = {"_ORCHESTRATOR_COMPLETE": "bash_complete", "COMP_WORDS": "orchestrator show x", "COMP_CWORD": "2"}
    ended = World(tmp_path)(env=env)
    assert (ended.code, ended.out.strip(), ended.err) == (0, "", "")
