"""`orchestrator agent list | show | validate`, as people call them."""

from pathlib import Path

import pytest
from cli_world import World, repository

REAL = Path(__file__).parents[3] / "shared" / "corpus" / "agents"
CONFIGURATION = {
    "agents": """
agents:
  backend-dev:
    profile: doctrine/backend-dev.agent.md
    aliases: [benny]
    preferred_tool: claude
    preferred_model: sonnet
    fallback_chain: [other]
    task_types: {review: claude-opus-5-5}
  captain: {manual: true}
""",
    "tools": """
tools:
  claude: {binary: claude, models: [claude-sonnet-5-5, claude-opus-5-5]}
  other: {binary: other}
""",
    "models": "models:\n  claude-sonnet-5-5: {aliases: [sonnet]}\n",
    "policies": "policies:\n  default: {}\n",
}
BODY = "\n".join(f"Line {number} of what it is told." for number in range(1, 21))
PROFILE = f"---\nname: Backend Benny\ndescription: Builds services.\ntools: Read, Edit\nmodel: inherit\n---\n\n{BODY}\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository with two agents, one of them a person."""
    made = repository(tmp_path / "repo")
    (made.root / "config").mkdir()
    (made.root / "doctrine").mkdir()
    made.configure(CONFIGURATION)
    (made.root / "doctrine" / "backend-dev.agent.md").write_text(PROFILE)
    return made


def test_agents_are_listed_with_what_they_run_on_and_their_names(world: World) -> None:
    head, benny, captain = world.well("agent", "list").out.splitlines()
    assert head.split() == ["AGENT", "NAME", "RUNS", "ON", "POLICY", "PROFILE", "ALIASES"]
    assert benny.split() == [
        "backend-dev", "Backend", "Benny", "claude:claude-sonnet-5-5", "default", "doctrine/backend-dev.agent.md",
        "benny",
    ]  # fmt: skip
    assert captain.split() == ["captain", "-", "a", "person", "default", "-", "-"]


def test_agents_are_listed_as_data(world: World) -> None:
    benny, captain = world.well("agent", "list", "--json").data["agents"]
    assert benny == {
        "key": "backend-dev",
        "name": "Backend Benny",
        "aliases": ["benny"],
        "manual": False,
        "preferred_tool": "claude",
        "preferred_model": "claude-sonnet-5-5",
        "fallback_chain": ["other"],
        "task_types": {"review": "claude-opus-5-5"},
        "policy": "default",
        "profile": "doctrine/backend-dev.agent.md",
    }
    assert (captain["manual"], captain["name"], captain["profile"]) == (True, None, None)


@pytest.mark.parametrize("name", ["backend-dev", "Backend Benny", "backend benny", "benny", "BACKEND_DEV"])
def test_an_agent_is_shown_by_any_of_its_names(world: World, name: str) -> None:
    out = world.well("agent", "show", name).out
    assert out.startswith("backend-dev\n")
    for part in ("Backend Benny", "Builds services.", "claude:claude-sonnet-5-5", "claude-opus-5-5", "Read, Edit"):
        assert part in out
    assert "  Line 12 of what it is told.\n  ... and 8 more lines in doctrine/backend-dev.agent.md\n" in out
    assert "Line 13" not in out


def test_an_agent_as_data_has_the_whole_body(world: World) -> None:
    data = world.well("agent", "show", "benny", "--json").data
    content = data["profile_content"]
    assert content == {
        "name": "Backend Benny",
        "description": "Builds services.",
        "tools": ["Read", "Edit"],
        "other": {"model": "inherit"},
        "body": BODY,
    }
    assert world.well("agent", "show", "captain", "--json").data["profile_content"] is None


def test_a_person_is_shown_as_one(world: World) -> None:
    ended = world.well("agent", "show", "captain")
    assert "nothing: a person does its tasks" in ended.out
    assert "it has no profile" in ended.err


def test_an_unknown_agent_ends_with_4_and_the_nearest_name(world: World) -> None:
    ended = world("agent", "show", "bakend-dev")
    assert ended.code == 4
    assert 'did you mean "backend-dev"?' in ended.err


def test_a_shell_completes_keys_and_aliases(world: World) -> None:
    asked = {"_ORCHESTRATOR_COMPLETE": "bash_complete", "COMP_WORDS": "orchestrator agent show b", "COMP_CWORD": "3"}
    told = world(env=asked)
    assert told.out.split() == ["plain,backend-dev", "plain,benny"]
    world.configure({"agents": "agents: [\n"})
    broken = world(env=asked)
    assert (broken.out.strip(), broken.err) == ("", "")


def test_what_a_profile_holds_cannot_move_the_cursor(world: World) -> None:
    file = world.root / "doctrine" / "backend-dev.agent.md"
    file.write_text(PROFILE.replace("Line 2 ", "Line \N{RIGHT-TO-LEFT MARK}2 "))
    assert "Line \\u200f2 of" in world.well("agent", "show", "benny").out


def test_the_profiles_of_the_configuration_are_checked(world: World) -> None:
    assert world.well("agent", "validate").out == "1 profile is good\n"
    file = world.root / "doctrine" / "backend-dev.agent.md"
    file.write_text("---\nname: 7\n---\n")
    ended = world("agent", "validate")
    assert ended.code == 1
    assert "doctrine/backend-dev.agent.md:2:7: name: 7 stands where a text is wanted" in ended.out
    assert "    2 | name: 7\n      |       ^\n" in ended.out
    file.unlink()
    ended = world("agent", "validate")
    assert ended.code == 1
    assert 'config/agents.yaml:3:14: agents.backend-dev.profile: there is no file "doctrine/backend-dev' in ended.out


def test_any_files_are_checked_where_there_is_no_workspace_at_all(tmp_path: Path) -> None:
    nowhere = World(tmp_path)
    (tmp_path / "a.agent.md").write_text("---\nname: a\ndescription: d\n---\nBody\n")
    (tmp_path / "b.agent.md").write_text("---\nname: a\ndescription: [d]\n---\n")
    (tmp_path / "c.md").write_text("Body\n")
    assert nowhere.well("agent", "validate", "a.agent.md").out == "1 profile is good\n"
    ended = nowhere("agent", "validate", "a.agent.md", "b.agent.md", "c.md", "--json")
    assert ended.code == 1
    assert [(one["path"], one["line"], one["message"]) for one in ended.data["problems"]] == [
        ("b.agent.md", 3, "a list stands where a text is wanted"),
        ("b.agent.md", 0, "the body is empty"),
    ]
    assert {one["message"] for one in ended.data["warnings"]} == {
        '"a" is the name in a.agent.md too',
        "it has no name",
        "it has no description",
        "it is not found by its name",
    }
    assert nowhere("agent", "validate", "nowhere.agent.md").code == 4


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared corpus is not here")
def test_all_real_profiles_are_good(tmp_path: Path) -> None:
    files = sorted(map(str, REAL.glob("*.agent.md")))
    assert World(tmp_path).well("agent", "validate", *files).out == "21 profiles are good\n"
