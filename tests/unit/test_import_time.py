"""What a command that only reads may load: it has 60 ms for everything, and the heavy libraries cost more than that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"pydantic", "git", "asyncio", "rich", "jinja2", "watchfiles", "yaml", "subprocess", "tempfile", "shutil"}
HEAVY |= {"importlib.metadata", "logging", "difflib", "socket"}
LIGHT_ARGUMENTS = [
    ["--help"],
    ["version"],
    ["version", "--json"],
    ["status"],
    ["status", "--json"],
    ["show", "some-task"],
    ["show", "some-task", "--events"],
    ["help", "exit-codes"],
    ["completion", "bash"],
]


def loaded(folder: Path, module: str, arguments: list[str], env: dict[str, str] | None = None) -> set[str]:
    """The modules that this call imports, by name."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", module, *arguments],
        cwd=folder,
        env=os.environ | (env or {}),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def heavy(modules: set[str]) -> set[str]:
    return {name for name in modules if name in HEAVY or name.partition(".")[0] in HEAVY}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace without git, with one task in it."""
    for arguments in (["init"], ["submit", "--agent", "writer", "--title", "x", "--name", "some-task"]):
        subprocess.run(
            [sys.executable, "-m", "orchestrator", "--no-git", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            timeout=60,
        )
    subprocess.run(
        [sys.executable, "-m", "orchestrator", "status"], cwd=tmp_path, check=True, capture_output=True, timeout=60
    )  # where there is no index yet, the first look makes one
    return tmp_path


def test_commands_that_only_read_load_nothing_heavy(workspace: Path) -> None:
    found = {" ".join(arguments): heavy(loaded(workspace, "orchestrator", arguments)) for arguments in LIGHT_ARGUMENTS}
    assert {call: modules for call, modules in found.items() if modules} == {}


def test_completion_loads_nothing_heavy(workspace: Path) -> None:
    env = {"_ORCHESTRATOR_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    for words in ("orchestrator show so", "orchestrator status --w", "orchestrator help ex"):
        assert heavy(loaded(workspace, "orchestrator", [], env | {"COMP_WORDS": words})) == set()


def test_the_console_script_is_as_light(workspace: Path) -> None:
    assert heavy(loaded(workspace, "orchestrator.cli.main", ["status"])) == set()


def test_this_test_would_see_a_heavy_library(workspace: Path) -> None:
    modules = loaded(workspace, "orchestrator", ["submit", "--agent", "writer", "--title", "y"])
    assert {"yaml", "asyncio"} <= heavy(modules)
