"""`orchestrator task list`: what the index knows with what lies in the inbox, narrowed, in order and in pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Ended, Template, World

AGENTS = """
agents:
  writer: {aliases: [scribe], preferred_tool: brief, preferred_model: embedded}
  dev: {preferred_tool: brief, preferred_model: embedded}
  person: {manual: true}
  stuck: {preferred_tool: absent}
"""
TOOLS = """
tools:
  brief: {binary: sh, command: ["{binary}", "-c", "echo an answer"], models: [embedded], billing: free}
  absent: {binary: no-such-program-anywhere, command: ["{binary}"]}
"""
TASKS = {
    "done-w": "agent: writer\ntitle: Done by the writer\npriority: high\nrun: RUN-1\n",
    "done-d": "agent: dev\ntitle: Done by the developer\nrun: RUN-2\n",
    "mine": "agent: person\ntitle: For a person\npriority: high\n",
    "blocked": "agent: stuck\ntitle: It cannot run\n",
    "frozen": "agent: dev\ntitle: Put aside\n",
    "broken": "agent: dev\ntitle: a: b\n",
}


def list_of(world: World, *words: str) -> list[str]:
    return [task["id"] for task in world.well("task", "list", "--json", *words).data["tasks"]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with a task of every kind."""
    return Template(tmp_path_factory.mktemp("made"), {"agents": AGENTS, "tools": TOOLS})


@pytest.fixture(scope="module")
def history(template: Template) -> list[World]:
    """Where the workspace is kept that the tests share: made once, in the first of them."""
    return []


@pytest.fixture
def world(template: Template, history: list[World], tmp_path_factory: pytest.TempPathFactory) -> World:
    """A workspace with a task of every kind, which no test changes."""
    if not history:
        made = template.copy(tmp_path_factory.mktemp("history") / "repo")
        for name, text in TASKS.items():
            made.drop(f"{name}.yaml", text)
            os.utime(made.root / "work" / "collaboration" / "inbox" / f"{name}.yaml", (1_600_000_000, 1_600_000_000))
        made.well("freeze", "frozen", "--reason", "not now")
        made.well("daemon", "--until-idle")
        made.drop("waits.yaml", "agent: scribe\ntitle: It waits\npriority: low\nrun: RUN-1\n")
        history.append(made)
    return history[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), {"waits", "done-w", "done-d", "mine", "blocked", "frozen"}),
        (("--status", "done"), {"done-w", "done-d"}),
        (("--status", "new"), {"waits"}),
        (("--status", "assigned"), {"mine"}),
        (("--status", "blocked", "--status", "done"), {"blocked", "done-w", "done-d"}),
        (("--status", "frozen"), {"frozen"}),
        (("--status", "rejected"), {"broken"}),
        (("--status", "error"), set()),
        (("--agent", "writer"), {"waits", "done-w"}),
        (("--agent", "Scribe", "--status", "new"), {"waits"}),
        (("--priority", "high"), {"done-w", "mine"}),
        (("--priority", "low"), {"waits"}),
        (("--run", "RUN-1"), {"waits", "done-w"}),
        (("--run", "RUN-1", "--agent", "writer", "--status", "done"), {"done-w"}),
    ],
)
def test_it_is_narrowed_by_what_is_asked(world: World, words: tuple[str, ...], expected: set[str]) -> None:
    data = world.well("task", "list", "--json", *words).data
    found = [task["id"] for task in data["tasks"]]
    assert (set(found), len(found), data["total"], data["more"]) == (expected, len(expected), len(expected), 0)


def test_the_newest_comes_first_and_the_rest_is_counted(world: World) -> None:
    every = list_of(world)
    assert every[0] == "waits"
    assert list_of(world, "--limit", "3") == every[:3]
    ended = world.well("task", "list", "--limit", "3")
    assert len(ended.out.splitlines()) == 4
    assert ended.err.startswith("and 3 more; --limit shows more")


def test_a_table_says_who_and_what(world: World) -> None:
    lines = world.well("task", "list", "--status", "done", "--status", "frozen", "--agent", "dev").out.splitlines()
    assert lines[0].split() == ["ID", "STATUS", "AGENT", "PRIORITY", "AGE", "TITLE"]
    rows = {line.split()[0]: line for line in lines[1:]}
    assert rows.keys() == {"done-d", "frozen"}
    assert rows["done-d"].split()[1:4] == ["done", "dev", "normal"]
    assert rows["done-d"].endswith("Done by the developer")
    assert rows["frozen"].split()[1] == "frozen"


def test_nothing_that_fits_is_no_failure_and_nobody_of_that_name_is(world: World) -> None:
    assert world("task", "list", "--run", "RUN-9") == Ended(0, "", "no task fits\n")
    assert world.well("task", "list", "--run", "RUN-9", "--json").data == {"tasks": [], "total": 0, "more": 0}
    ended = world("task", "list", "--agent", "wrter")
    assert (ended.code, ended.out) == (4, "")
    assert 'no agent is called "wrter"; did you mean "writer"?' in ended.err


def test_where_nothing_waits_nothing_heavy_is_loaded(template: Template, tmp_path: Path) -> None:
    world = template.copy(tmp_path / "repo")
    world.well("task", "list")  # the first look makes the index
    command = [sys.executable, "-X", "importtime", "-m", "orchestrator", "task", "list", "--json"]
    ended = subprocess.run(command, cwd=world.root, check=True, capture_output=True, text=True, timeout=60)
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "orchestrator.query_list" in loaded
    assert not loaded & {"pydantic", "yaml", "asyncio", "git", "jinja2", "difflib", "subprocess", "logging"}


def test_a_new_workspace_says_how_to_begin(template: Template, tmp_path: Path) -> None:
    ended = template.copy(tmp_path / "repo")("task", "list")
    assert (ended.code, ended.out) == (0, "")
    assert "no tasks yet; next: orchestrator task new\n" in ended.err


def test_a_file_of_the_inbox_that_cannot_be_read_yet_is_listed_by_its_name(template: Template, tmp_path: Path) -> None:
    world = template.copy(tmp_path / "repo")
    world.drop("half.yaml", "agent: writer\ntitle: a: b\n")
    (task,) = world.well("task", "list", "--json").data["tasks"]
    assert (task["id"], task["status"], task["title"]) == ("half", "new", "")
    assert list_of(world, "--agent", "writer") == []
