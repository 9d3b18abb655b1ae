"""The whole path with real files and processes and without git: what people drop, and what they find."""

import json
import os
from pathlib import Path

import pytest
from cli_world import World

AGENTS = """
agents:
  dev: {aliases: [benny], preferred_tool: echo}
  writer: {preferred_tool: echo}
  breaker: {preferred_tool: break}
  sleeper: {preferred_tool: sleep}
  mute: {preferred_tool: silent}
  lost: {preferred_tool: nowhere}
  handing: {preferred_tool: hand}
  person: {manual: true}
"""
TOOLS = """
tools:
  echo: {binary: cat, command: ["{binary}", "{prompt_file}"], prompt: file, workspace: none}
  break: {binary: sh, command: ["{binary}", "-c", "echo half; echo the last words >&2; exit 3"], workspace: none}
  sleep: {binary: sh, command: ["{binary}", "-c", "sleep 60"], workspace: none, timeout: 1s}
  silent: {binary: "true", command: ["{binary}"], workspace: none}
  nowhere: {binary: no-such-program-here, command: ["{binary}"], workspace: none}
  hand:
    binary: printf
    command: ["{binary}", "```yaml\\nresult: {summary: made, next_agent: writer, next_task_title: Go on}\\n```\\n"]
    workspace: none
"""
POLICIES = """
policies:
  default: {max_parallel: 4, privacy: full}
trail: {mode: none}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A folder without git, configured."""
    made = World(tmp_path)
    config = tmp_path / "config"
    config.mkdir()
    for name, text in {"agents": AGENTS, "tools": TOOLS, "models": "models: {}\n", "policies": POLICIES}.items():
        (config / f"{name}.yaml").write_text(text)
    made.well("--no-git", "init")
    return made


def drop(world: World, name: str, agent: str, *lines: str) -> None:
    world.drop(f"{name}.yaml", "\n".join([f"agent: {agent}", f"title: Do {name}", *lines, ""]))


def lying(world: World) -> set[str]:
    """The task files, without the days of their folders."""
    top = world.root / "work" / "collaboration"
    paths = (path.relative_to(top) for pattern in ("*.yaml", "*.yml") for path in top.rglob(pattern))
    return {f"{path.parts[0]}/{path.parts[1] if len(path.parts) > 2 else ''}/{path.name}" for path in paths}


def text_of(world: World, name: str) -> str:
    [path] = (world.root / "work" / "collaboration").rglob(f"{name}.yaml")
    return path.read_text()


def events_of(world: World, name: str) -> list[dict[str, object]]:
    [path] = (world.root / "work" / "telemetry").rglob(f"{name}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_task_ends_where_it_belongs_and_says_why(world: World) -> None:
    drop(world, "good", "Benny", "priority: HIGH   # soon", "# a remark", "nonsense: [1, on, 007]")
    drop(world, "fails", "breaker")
    drop(world, "slow", "sleeper")
    drop(world, "quiet", "mute")
    drop(world, "toolless", "lost")
    drop(world, "mine", "person")
    drop(world, "hands", "handing")
    drop(world, "after", "writer", "depends_on: [good, hands]")
    drop(world, "never", "writer", "depends_on: [ghost]")
    drop(world, "round-1", "dev", "depends_on: [round-2]")
    drop(world, "round-2", "dev", "depends_on: [round-1]")
    drop(world, "odd", "devv")
    world.drop("broken.yaml", "agent: dev\ntitle: *oops\n")
    world.drop("matter.yml", "---\nagent: dev\n---\n# Do this\n\nand that\n")
    inbox = world.root / "work" / "collaboration" / "inbox"
    (inbox / "folder.yaml").mkdir()
    os.mkfifo(inbox / "pipe.yaml")
    (inbox / "link.yaml").symlink_to(world.root / "config" / "agents.yaml")

    ended = world("--no-git", "daemon", "--until-idle")

    assert ended.code == 0, ended
    assert ended.out.startswith("ended: ")
    assert "Traceback" not in ended.err
    followers = {path for path in lying(world) if "-writer-go-on-" in path}
    assert len(followers) == 1
    assert lying(world) - followers == {
        "done/dev/good.yaml",
        "done/dev/matter.yml",
        "done/handing/hands.yaml",
        "done/writer/after.yaml",
        "assigned/breaker/fails.yaml",
        "assigned/sleeper/slow.yaml",
        "assigned/mute/quiet.yaml",
        "assigned/lost/toolless.yaml",
        "assigned/person/mine.yaml",
        "assigned/dev/round-1.yaml",
        "assigned/dev/round-2.yaml",
        "inbox//never.yaml",
        *(f"rejected//{name}.yaml" for name in ("odd", "broken", "folder", "pipe", "link")),
    }
    assert followers.pop().startswith("done/writer/")

    good = text_of(world, "good")
    assert good.startswith(
        "agent: Benny\ntitle: Do good\npriority: HIGH   # soon\n# a remark\nnonsense: [1, on, 007]\nstatus: done\n"
    )
    assert "verdict: done" in good
    for name, words in {
        "fails": ("kind: crashed", "the last words"),
        "slow": ("kind: timeout", "limit on time"),
        "quiet": ("kind: bad_output", "said nothing"),
        "toolless": ("status: blocked",),
        "mine": ("status: assigned",),
        "round-1": ("status: blocked",),
    }.items():
        assert all(word in text_of(world, name) for word in words), name
    assert "no-such-program-here" in str(events_of(world, "toolless")[-1]["why"])
    assert "round-1 → round-2 → round-1" in str(events_of(world, "round-1")[-1]["why"])
    rejected = world.root / "work" / "collaboration" / "rejected"
    assert 'did you mean "dev"' in (rejected / "odd.yaml.why.md").read_text()
    assert "broken.yaml:2:8: " in (rejected / "broken.yaml.why.md").read_text()
    assert (rejected / "link.yaml").is_symlink()
    assert [event["event"] for event in events_of(world, "good")] == [
        "task_claimed",
        "route_planned",
        "execution_started",
        "execution_finished",
        "task_completed",
    ]
    [log] = (world.root / "work" / "reports" / "logs" / "dev").rglob("good.md")
    assert "Do good" in log.read_text()
    assert not (world.root / ".orchestrator" / "crashes").exists()


def test_a_second_daemon_changes_nothing_and_a_person_goes_on_by_command(world: World) -> None:
    drop(world, "fails", "breaker")
    drop(world, "mine", "person")
    drop(world, "after", "writer", "depends_on: [mine]")
    drop(world, "toolless", "lost")
    world.well("--no-git", "daemon", "--until-idle")
    before = lying(world)
    texts = {name: text_of(world, name) for name in ("fails", "mine", "after", "toolless")}
    world.well("--no-git", "daemon", "--until-idle")
    assert lying(world) == before
    assert {name: text_of(world, name) for name in texts} == texts

    world.well("--no-git", "start", "mine")
    world.well("--no-git", "complete", "mine", "--summary", "talked to them")
    world.well("--no-git", "freeze", "toolless", "--reason", "later")
    tools = world.root / "config" / "tools.yaml"
    tools.write_text(tools.read_text().replace("exit 3", "exit 0").replace("no-such-program-here", "cat"))
    world.well("--no-git", "retry", "fails")
    refused = world("--no-git", "cancel", "mine")
    assert (refused.code, refused.out) == (1, "")
    assert "done is final" in refused.err
    world.well("--no-git", "daemon", "--until-idle")
    assert lying(world) == {
        "done/breaker/fails.yaml",
        "done/person/mine.yaml",
        "done/writer/after.yaml",
        "fridge//toolless.yaml",
    }
    assert "summary: talked to them" in text_of(world, "mine")
    assert "error:" not in text_of(world, "fails")
    world.well("--no-git", "thaw", "toolless")
    world.well("--no-git", "cancel", "toolless")
    assert "assigned/lost/toolless.yaml" in lying(world)
    assert "status: cancelled" in text_of(world, "toolless")
