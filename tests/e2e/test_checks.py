"""`verify`: declared checks prove the work of a tool in its worktree, and leave nothing behind."""

from pathlib import Path

import pytest
from cli_world import World, repository

CONFIG = {
    "tools": """
tools:
  editor:
    binary: sh
    command: ["{binary}", "-c", "echo 'ok' > answer.txt; echo did it"]
    workspace: worktree
    capabilities: [edits_files]
  breaker:
    binary: sh
    command: ["{binary}", "-c", "echo 'wrong' > answer.txt; echo did it"]
    workspace: worktree
    capabilities: [edits_files]
""",
    "agents": """
agents:
  dev: {preferred_tool: editor}
  clumsy: {preferred_tool: breaker}
""",
    "models": "models: {}\n",
    "policies": """
checks:
  answer:
    command: [sh, -c, "mkdir -p build; echo x > build/out; echo y >> readme.md; rm kept.md; grep -q ok answer.txt"]
  home: {command: [sh, -c, 'test -n "$HOME" && test -z "$SECRET_TOKEN"']}
""",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace with two files in git."""
    world = repository(tmp_path / "repo")
    (world.root / "readme.md").write_text("read me\n")
    (world.root / "kept.md").write_text("keep me\n")
    world.git("add", "readme.md", "kept.md")
    world.git("commit", "-q", "-m", "Two files")
    world.well("init")
    world.configure(CONFIG)
    return world


def test_checks_that_pass_prove_the_work_and_leave_nothing(world: World) -> None:
    world.drop("good.yaml", "agent: dev\ntitle: Answer\nverify: [answer, home]\n")
    ended = world("daemon", "--until-idle", env={"SECRET_TOKEN": "s"})
    assert ended.code == 0, ended
    closed = world.events_of("good")[-1]
    assert closed["verdict"] == "done"
    assert "2 checks passed" in closed["why"]
    assert world.git("diff", "--name-only", "main...task/good").split() == ["answer.txt"]
    assert world.well("workspace", "list", "--json").data["workspaces"][0]["path"] == ""


def test_a_check_that_fails_is_an_error_whose_branch_can_be_looked_at(world: World) -> None:
    world.drop("bad.yaml", "agent: clumsy\ntitle: Answer\nverify: [answer, home]\n")
    world.well("daemon", "--until-idle")
    closed = world.events_of("bad")[-1]
    assert (closed["event"], closed["error_kind"]) == ("task_error", "verify_failed")
    assert "these checks failed: answer (exit code 1)" in closed["why"]
    assert world.git("show", "task/bad:answer.txt") == "wrong\n"
    assert world.git("show", "task/bad:kept.md") == "keep me\n"
    log = next((world.root / "work/reports/logs").rglob("bad.md")).read_text()
    assert "- `answer`: failed: exit code 1" in log
    assert "- `home`: passed" in log
