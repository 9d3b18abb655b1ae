"""`orchestrator doctor`, as people call it."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cli_world import World, repository

from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.core.finding import Finding, Topic
from orchestrator.errors import OrchestratorError
from orchestrator.wiring.examining import together

SECRET = "do-not-show-me-4711"
TOOLS = """\
tools:
  good:
    binary: good-tool
    command: ["{binary}"]
    models: [none]
    version_command: ["{binary}", --version]
    tested_versions: ["1.2.3"]
    env_required: [GOOD_KEY]
  gone:
    binary: gone-tool
    command: ["{binary}"]
    models: [none]
    install: ask the gone people
"""
AGENTS = """\
agents:
  writer: {preferred_tool: good, preferred_model: none}
  careful: {preferred_tool: gone, preferred_model: none, fallback_chain: ["good:none"]}
  person: {manual: true}
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A workspace with a tool that is there and one that is not."""
    tool = tmp_path / "bin" / "good-tool"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho "good 1.2.3, with $GOOD_KEY"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GOOD_KEY", SECRET)
    world = repository(tmp_path / "project")
    world.well("init")
    (world.root / "config" / "tools.yaml").write_text(TOOLS)
    (world.root / "config" / "agents.yaml").write_text(AGENTS)
    (world.root / "config" / "models.yaml").write_text("models: {none: {price: free}}\n")
    return world


def marks(world: World, *arguments: str) -> dict[str, str]:
    """What was looked at, and how it stands."""
    ended = world("doctor", "--json", *arguments)
    assert ended.code == (0 if ended.data["well"] else 1)
    assert SECRET not in ended.out + ended.err
    return {f"{one['topic']}/{one['what']}": one["mark"] for one in ended.data["findings"]}


def test_a_workspace_that_has_all_that_its_agents_need_is_well(world: World) -> None:
    ended = world.well("doctor")
    lines = ended.out.splitlines()
    assert SECRET not in ended.out + ended.err
    assert "ok: tools: good: version: 1.2.3: its output is known" in lines
    assert "ok: agents: by good: writer" in lines
    assert any(line.startswith("warning: agents: careful: fallback good (gone: gone-tool: not") for line in lines)
    assert any(line.endswith("; do: ask the gone people") for line in lines)
    assert any(line.startswith("ok: workspace: work folder: ") for line in lines)
    assert "failed" not in lines[-1]


def test_it_changes_nothing(world: World) -> None:
    def picture() -> dict[str, int]:
        files = [path for path in world.root.rglob("*") if path.is_file()]
        # The cache of the configuration is this machine's own, and made again by whoever reads it.
        return {str(path): path.lstat().st_mtime_ns for path in files if path.name != "settings.json"}

    before = picture()
    world.well("doctor")
    assert picture() == before
    assert world.git("-C", "work", "status", "--porcelain") == ""


def test_an_agent_without_any_tool_fails(world: World) -> None:
    found = marks(World(world.root), "good")
    assert found["agents/by good"] == "ok"
    ended = world("doctor", "--json", env={"GOOD_KEY": ""})
    assert ended.code == 1
    failed = [one for one in ended.data["findings"] if one["mark"] == "failed"]
    assert [one["what"] for one in failed] == ["writer", "careful"]
    assert "needs GOOD_KEY in the environment" in failed[0]["found"]
    assert failed[0]["todo"]


def test_only_the_named_tools_are_examined(world: World) -> None:
    found = marks(world, "gone")
    assert found["tools/gone"] == "warning"
    assert "tools/good" not in found
    assert found["agents/careful"] == "warning"
    assert "agents/by good" not in found
    ended = world("doctor", "god")
    assert ended.code == 4
    assert "no tool 'god' in config/tools.yaml; did you mean 'good'?" in ended.err


def test_a_configuration_with_errors_is_told_with_the_first_of_them(world: World) -> None:
    (world.root / "config" / "tools.yaml").write_text(f"{TOOLS}  bad: {{command: [x], colour: red, size: 2}}\n")
    ended = world("doctor")
    assert ended.code == 1
    line = next(line for line in ended.out.splitlines() if line.startswith("failed: configuration"))
    assert "2 errors, the first at config/tools.yaml:14:23: " in line
    assert "tools/good" not in ended.out
    assert world("doctor", "good").code == 4


def test_a_work_folder_on_another_branch_fails_with_the_command_that_mends_it(world: World) -> None:
    world.git("-C", "work", "switch", "-q", "-c", "mine")
    ended = world("doctor")
    assert ended.code == 1
    assert f"has mine checked out, not orchestrator/work; do: git -C {world.root}/work switch" in ended.out
    (world.root / "work" / ".git").unlink()
    assert marks(world)["workspace/work folder"] == "warning"


def test_outside_of_a_workspace_the_machine_is_examined_and_the_rest_left_out(tmp_path: Path) -> None:
    plain = repository(tmp_path / "plain").root
    (plain / "config").mkdir()
    for root, why in (
        (tmp_path, "no git repository here or above"),
        (plain, "is no workspace yet; make it one: orchestrator init"),
    ):
        ended = World(root).well("doctor")
        assert "ok: program: python: " in ended.out
        assert "ok: git: version: " in ended.out
        assert "\nleft out: workspace, configuration, tools and agents: " in ended.out
        assert why in ended.out
        for words in (("claude",), ("--conformance",)):
            refused = World(root)("doctor", *words)
            assert refused.code == 4
            assert "no tool can be examined: " in refused.err
        assert not (root / ".git" / "orchestrator").exists()


def test_a_workspace_without_git_is_examined(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.well("--no-git", "init")
    found = marks(world)
    assert found["workspace/work folder"] == "ok"
    assert found["disk/state: rename"] == "ok"
    assert "git/identity" not in found


ASKING = """\
import json, os, sys, urllib.error, urllib.request
body = json.dumps({"model": "m", "messages": [{"role": "user", "content": sys.stdin.read()}]}).encode()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
request = urllib.request.Request(os.environ["OPENAI_API_BASE"] + "/chat/completions", body)
request.add_header("Content-Type", "application/json")
try:
    print(json.load(opener.open(request))["choices"][0]["message"]["content"])
except urllib.error.HTTPError as error:
    print(f"litellm.BadRequestError: OpenAIException - {error}")
"""
CLIENTS = """\
tools:
  asking: {binary: "{python}", command: ["{binary}", %(asking)s], output: aider, models: [none]}
  making-up: {binary: "{python}", command: ["{binary}", -c, "print('sorry')"], output: aider, models: [none]}
  good: {binary: good-tool, command: ["{binary}"], models: [none]}
  gone: {binary: gone-tool, command: ["{binary}"], output: aider, models: [none]}
"""


def test_with_conformance_a_tool_that_departs_from_what_its_reader_expects_fails(world: World) -> None:
    script = world.root / "asking.py"
    script.write_text(ASKING)
    (world.root / "config" / "tools.yaml").write_text(CLIENTS % {"asking": script})
    ended = world("doctor", "--conformance", "--json")
    assert ended.code == 1
    found = {one["what"]: one for one in ended.data["findings"] if one["topic"] == "conformance"}
    assert {what: one["mark"] for what, one in found.items()} == {
        "asking: answer": "ok",
        "asking: HTTP 400": "ok",
        "asking: only loopback": "ok",
        "making-up: answer": "failed",
        "making-up: HTTP 400": "failed",
        "making-up: only loopback": "ok",
        "good": "not applicable",
        "gone": "not applicable",
    }
    assert "text 'sorry'; expected: no failure, text 'the answer is 42'" in found["making-up: answer"]["found"]
    assert "asking: answer: as expected\nasking: HTTP 400: as expected\n" in ended.err
    assert world("doctor", "--conformance", "asking").code == 0


def test_whoever_holds_the_workspace_is_named(world: World) -> None:
    with WorkspaceLock(world.root / ".git" / "orchestrator") as held:
        held.say("paused", "the disk is full")
        out = world.well("doctor").out
    assert f"\nok: workspace: daemon: daemon, process {os.getpid()} on " in out
    assert ", paused: the disk is full\n" in out


def test_on_a_terminal_it_is_a_table_by_topic(world: World) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "doctor"],
        cwd=world.root,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"},
    ) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:
            pass  # Linux says EIO where the other side is closed
        finally:
            os.close(ours)
        assert process.wait(60) == 0
    lines = b"".join(parts).decode().replace("\r\n", "\n").splitlines()
    assert "agents" in lines
    assert any(line.startswith("  ok       good: version") for line in lines)
    assert "           do: ask the gone people" in lines
    assert max(map(len, lines)) <= 80


def test_examinations_run_side_by_side_and_one_that_never_answers_fails_alone() -> None:
    topic = Topic(name="program")
    never, meet = threading.Event(), threading.Barrier(2)

    def well(name: str) -> list[Finding]:
        meet.wait(20)
        return [topic.ok(name, "met the other")]

    def hangs() -> list[Finding]:
        never.wait()
        return []

    def refuses() -> list[Finding]:
        raise OrchestratorError("not today")

    found = together(
        [
            (topic, "hangs", hangs),
            (topic, "one", lambda: well("one")),
            (topic, "refuses", refuses),
            (topic, "two", lambda: well("two")),
        ],
        2.0,
    )
    never.set()
    assert [(one.what, one.mark.value) for one in found] == [
        ("hangs", "failed"),
        ("one", "ok"),
        ("refuses", "failed"),
        ("two", "ok"),
    ]
    assert "no answer within 2 s" in found[0].found
    assert found[2].found == "cannot be examined: not today"
