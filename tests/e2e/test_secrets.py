"""What a tool prints of the secrets that it was given is in no file that git has."""

import subprocess
from pathlib import Path

import pytest
from cli_world import World, repository

VALUE = "q7Vd-9xTz_Wm4Rb2Lk8Hs"
TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"  # put together here, so that nothing takes it for a leak
CONFIG = {
    "tools": f"""
tools:
  leaky:
    binary: sh
    command: ["{{binary}}", "-c", "echo the key is $MY_API_KEY; echo {TOKEN[:4]}''{TOKEN[4:]}; echo $MY_API_KEY >&2"]
    env_pass: [MY_API_KEY]
  failing:
    binary: sh
    command: ["{{binary}}", "-c", "echo cannot use $MY_API_KEY >&2; exit 3"]
    env_pass: [MY_API_KEY]
  honest:
    binary: sh
    command: ["{{binary}}", "-c", "echo all is well"]
""",
    "agents": """
agents:
  dev: {preferred_tool: leaky}
  sad: {preferred_tool: failing}
  fine: {preferred_tool: honest}
""",
    "models": "models: {}\n",
    "policies": """
policies:
  default: {privacy: full}
checks:
  prints: {command: [sh, -c, 'echo $MY_API_KEY; exit 1'], env_pass: [MY_API_KEY]}
""",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace."""
    world = repository(tmp_path / "repo")
    world.well("init")
    world.configure(CONFIG)
    return world


def test_no_secret_gets_into_an_event_a_log_a_task_file_or_a_commit(world: World) -> None:
    world.drop("one.yaml", "agent: dev\ntitle: Leak\n")
    world.drop("two.yaml", "agent: sad\ntitle: Fail\n")
    world.drop("three.yaml", "agent: fine\ntitle: Check\nverify: [prints]\n")
    ended = world("daemon", "--until-idle", env={"MY_API_KEY": VALUE})
    assert ended.code == 0, ended
    history = subprocess.run(
        ["git", "log", "-p", "--all", "--format=%B"], cwd=world.root, check=True, capture_output=True, text=True
    ).stdout
    files = [path for path in (world.root / "work").rglob("*") if path.is_file()]
    written = history + "".join(path.read_text(errors="replace") for path in files)
    for secret in (VALUE, TOKEN):
        assert secret not in written
    assert "[redacted:MY_API_KEY]" in written
    assert "[redacted:github-token]" in written
    assert "cannot use [redacted:MY_API_KEY]" in written
    assert "all is well" in written
