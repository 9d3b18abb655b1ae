"""`orchestrator config validate` and `config schema`, called as people and workflows call them."""

import json
import re
from pathlib import Path

import pytest
from cli_world import World, repository
from jsonschema import Draft202012Validator

from orchestrator import strictyaml
from orchestrator.wiring import schemas

BAD = {
    "agents": "agents:\n  writer:\n    preferred_tool: clade\n    policy: default\n",
    "tools": "tools:\n  claude:\n    binary: claude\n    timeout: 50%, really\n",
    "models": "models: {}\n",
    "policies": "policies:\n  spare: {}\n",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository with the configuration that `init` makes."""
    made = repository(tmp_path / "repo")
    made.well("init")
    return made


def test_a_good_configuration_is_called_so_with_what_was_looked_at(world: World) -> None:
    ended = world.well("config", "validate")
    assert re.search(r"^Configuration valid \(4 files; \d+ agents?, \d+ tools?, \d+ models?, ", ended.out, re.MULTILINE)
    assert ended.err == ""


def test_every_problem_is_shown_at_once_with_its_line_and_a_caret(world: World) -> None:
    world.configure(BAD)
    ended = world("config", "validate")
    assert ended.code == 1
    assert ended.out.splitlines() == [
        'config/agents.yaml:3:21: agents.writer.preferred_tool: there is no tool "clade"; did you mean claude?',
        "    3 |     preferred_tool: clade",
        "      |                     ^^^^^",
        'config/tools.yaml:4:14: tools.claude.timeout: "50%, really" is not a duration; use e.g. 90s, 10m, 2h or 1h30m',
        "    4 |     timeout: 50%, really",
        "      |              ^^^^^^^^^^^",
    ]
    assert ended.err.splitlines()[0] == "2 problems in 2 files; no daemon starts on this"


def test_a_warning_is_shown_and_leaves_the_exit_code_at_0(world: World) -> None:
    policies = (world.root / "config" / "policies.yaml").read_text()
    world.configure({"policies": policies.replace("policies:\n", "policies:\n  spare: {}\n", 1)})
    ended = world.well("config", "validate")
    assert "warning: config/policies.yaml:" in ended.out
    assert "policies.spare: no agent uses it" in ended.out
    assert "Configuration valid" in ended.out


def test_a_variable_that_is_not_set_is_named_with_its_tool(world: World) -> None:
    tools = (world.root / "config" / "tools.yaml").read_text()
    world.configure({"tools": tools + '  paid: {binary: paid, env: {KEY: "${NO_SUCH_KEY}"}}\n'})
    missing = world.well("config", "validate").out
    assert "NO_SUCH_KEY is not set here; without it the tool paid is not available" in missing
    there = world("config", "validate", env={"NO_SUCH_KEY": "secret-value"})
    assert "is not set" not in there.out
    assert "secret-value" not in there.out + there.err


def test_json_has_the_problems_as_data(world: World) -> None:
    world.configure(BAD)
    ended = world("config", "validate", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["schema"] == "orchestrator.config-validate/1"
    data = ended.data
    assert (data["valid"], data["exit_code"], data["counts"]["agents"]) == (False, 1, 1)
    assert data["problems"][0] == {
        "path": "config/agents.yaml",
        "line": 3,
        "column": 21,
        "length": 5,
        "key": "agents.writer.preferred_tool",
        "message": 'there is no tool "clade"',
        "hint": "did you mean claude?",
        "source": "    preferred_tool: clade",
    }


def test_json_of_a_good_one_says_so(world: World) -> None:
    data = world.well("config", "validate", "--json").data
    assert (data["valid"], data["problems"], data["counts"]["files"]) == (True, [], 4)


def test_github_gets_annotations_with_every_sign_escaped_that_it_would_misread(world: World) -> None:
    world.configure(BAD)
    ended = world("config", "validate", "--github")
    assert ended.code == 1
    lines = [line for line in ended.out.splitlines() if line.startswith("::")]
    assert len(lines) == 2
    assert lines[0].startswith("::error file=config/agents.yaml,")
    assert ",line=3,col=21,endColumn=25::" in lines[0]
    assert lines[1].endswith(
        '::tools.claude.timeout: "50%25, really" is not a duration; use e.g. 90s, 10m, 2h or 1h30m'
    )
    assert world("config", "validate", "--github", "--json").code == 2


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    bare = repository(tmp_path / "repo")
    ended = bare("config", "validate")
    assert ended.code == 1
    assert "config/agents.yaml: the file is missing; make it with: orchestrator init" in ended.out
    bare.well("init")
    bare.well("config", "validate")


def test_outside_of_a_repository_it_says_what_to_do(tmp_path: Path) -> None:
    ended = World(tmp_path)("config", "validate")
    assert ended.code == 4
    assert "git init" in ended.err


def test_the_cached_settings_are_never_asked(world: World) -> None:
    world.well("agent", "list")  # they are kept now
    world.configure(BAD)
    assert world("config", "validate").code == 1


def test_schemas_are_listed_printed_and_written_with_their_modelines(world: World) -> None:
    assert [line.split()[0] for line in world.well("config", "schema").out.splitlines()] == [
        "agents", "tools", "models", "policies", "task", "run", "specification",
    ]  # fmt: skip
    agents = json.loads(world.well("config", "schema", "agents").out)
    Draft202012Validator.check_schema(agents)
    ended = world.well("config", "schema", "--write", "config/schemas")
    assert "config/agents.yaml: # yaml-language-server: $schema=schemas/agents.schema.json" in ended.err
    folder = world.root / "config" / "schemas"
    assert json.loads((folder / "agents.schema.json").read_text()) == agents
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert len(before) == 7
    assert (
        "as it was: config/schemas/task.schema.json" in world.well("config", "schema", "--write", "config/schemas").out
    )
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    world.well("config", "validate")  # a folder beside the files is nobody's configuration


@pytest.mark.parametrize("template", ["quick-start", "claude-only", "cost-optimized", "development"])
def test_what_init_makes_is_valid_and_let_in_by_the_schemas(tmp_path: Path, template: str) -> None:
    made = repository(tmp_path / "repo")
    made.well("init", "--template", template)
    made.well("config", "validate")
    for name in schemas.CONFIGURATION:
        text = (made.root / "config" / f"{name}.yaml").read_text()
        value = strictyaml.read(text, path=name).root.plain()
        schema = json.loads(schemas.schema_text(name))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(value)] == []


def test_an_unknown_schema_ends_with_4_and_the_nearest_name(world: World) -> None:
    ended = world("config", "schema", "polices")
    assert ended.code == 4
    assert "did you mean policies?" in ended.err
    assert world("config", "schema", "agents", "--write", "x").code == 2
