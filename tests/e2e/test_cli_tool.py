"""`orchestrator tool`: looked for, added, removed, checked; and the files of the configuration afterwards."""

import os
import stat
from pathlib import Path

import pytest
from cli_world import World, daemon, repository

from orchestrator.adapters.place import find
from orchestrator.errors import BusyError
from orchestrator.wiring import tooling
from orchestrator.wiring.tooling import EditedFile

CONFIG = ("agents.yaml", "tools.yaml", "models.yaml", "policies.yaml")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace."""
    made = repository(tmp_path / "a repository")
    made.well("init")
    return made


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH, for programs of the test."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def configuration(world: World) -> dict[str, bytes]:
    return {name: (world.root / "config" / name).read_bytes() for name in CONFIG}


def test_a_tool_of_the_catalogue_is_added_with_its_models_and_taken_out_without_a_trace(world: World) -> None:
    before = configuration(world)
    tools = world.root / "config/tools.yaml"
    tools.chmod(0o640)
    added = world.well("tool", "add", "codex", "--set", "sandbox=read-only")
    assert "added codex to config/tools.yaml and config/models.yaml" in added.out
    assert "preferred_tool: codex" in added.err
    now = configuration(world)
    assert {name for name in CONFIG if now[name] != before[name]} == {"tools.yaml", "models.yaml"}
    assert set(before["tools.yaml"].splitlines()) <= set(now["tools.yaml"].splitlines())
    assert stat.S_IMODE(tools.stat().st_mode) == 0o640
    state = world.well("tool", "show", "codex", "--json").data["state"]
    assert state["options"]["sandbox"] == "read-only"
    assert b"gpt-6.1-sol:" in now["models.yaml"]

    world.well("tool", "remove", "codex")
    assert configuration(world) == {**before, "models.yaml": now["models.yaml"]}
    assert sorted(path.name for path in (world.root / "config").iterdir()) == sorted(CONFIG)


def test_models_that_are_declared_already_stay_as_they_are(world: World) -> None:
    models = world.root / "config/models.yaml"
    models.write_bytes(
        b"\xef\xbb\xbf" + b"models:\r\n  big: {aliases: [claude-opus-5-5]}\r\n  embedded: {price: free}\r\n"
    )
    added = world.well("tool", "add", "claude", "--json").data
    assert added["models"] == ["claude-sonnet-5-5", "claude-haiku-5-5"]
    assert models.read_bytes().startswith(b"\xef\xbb\xbfmodels:\r\n  big: {aliases: [claude-opus-5-5]}\r\n")
    assert b"\n" not in models.read_bytes().replace(b"\r\n", b"")
    assert world.well("tool", "list", "--json").data["tools"][1]["models"] == [
        "claude-sonnet-5-5",
        "big",
        "claude-haiku-5-5",
    ]


def test_a_stanza_of_a_file_is_added_and_one_that_cannot_work_is_refused_with_its_line(world: World) -> None:
    before = configuration(world)
    refused = world(
        "tool", "add", "mine", "--from", "-", stdin='mine:\n  binary: wc\n  command: ["{binary}", "{promt}"]\n'
    )
    assert refused.code == 78
    assert "tools.mine.command[1]: unknown placeholder {promt}; did you mean {prompt}?" in refused.err
    assert '    command: ["{binary}", "{promt}"]' in refused.err
    assert configuration(world) == before

    (world.root / "mine.yaml").write_text("mine:\n  # Counts words.\n  binary: wc\n  billing: free\n")
    world.well("tool", "add", "mine", "--from", "mine.yaml", "--set", "timeout=1m")
    assert "# Counts words." in world.well("tool", "show", "mine").out
    again = world("tool", "add", "mine", "--from", "mine.yaml")
    assert (again.code, "has a tool mine already" in again.err) == (1, True)


CALLS = {
    "a tool that the catalogue has not": (("add", "clude"), 4, "the catalogue has no tool 'clude'; it has aider,"),
    "an option that the stanza has not": (("add", "codex", "--set", "sandbx=x"), 2, "did you mean sandbox?"),
    "an option without a value": (("add", "codex", "--set", "sandbox"), 2, "--set sandbox: write option=value"),
    "a file that is not there": (("add", "x", "--from", "no.yaml"), 2, "--from no.yaml: No such file or directory"),
    "a stanza that is not in the file": (
        ("add", "x", "--from", "config/tools.yaml"),
        4,
        "no stanza 'x'; it holds: brief",
    ),
    "a tool to take out that is not there": (
        ("remove", "nope"),
        4,
        "config/tools.yaml has no tool 'nope'; it has brief",
    ),
    "a tool to show that is nowhere": (("show", "nope"), 4, "there is no tool 'nope'; there are brief, aider"),
    "a tool to check that is not there": (("check", "nope"), 4, "config/tools.yaml has no tool 'nope'; it has brief"),
    "a tool that agents use": (("remove", "brief"), 1, "brief is used by analyst (preferred_tool); architect"),
}


def test_what_cannot_be_done_is_told_and_changes_nothing(world: World) -> None:
    before = configuration(world)
    for case, (arguments, code, message) in CALLS.items():
        ended = world("tool", *arguments)
        assert (ended.code, ended.out) == (code, ""), case
        assert message in ended.err, case
        assert configuration(world) == before, case


def test_a_tool_of_a_fallback_chain_and_one_of_a_policy_stay(world: World) -> None:
    world.well("tool", "add", "codex")
    agents, policies = world.root / "config/agents.yaml", world.root / "config/policies.yaml"
    agents.write_text("agents:\n  writer: {preferred_tool: brief, fallback_chain: ['codex:gpt-6-luna']}\n")
    assert "codex is used by writer (fallback_chain)" in world("tool", "remove", "codex").err
    agents.write_text("agents:\n  writer: {preferred_tool: brief}\n")
    policies.write_text("policies:\n  default: {limits: [{period: day, max_usd: 1, scope: {tool: codex}}]}\n")
    refused = world("tool", "remove", "codex")
    assert refused.code == 78
    assert 'policies.default.limits[0].scope.tool: there is no tool "codex"' in refused.err
    assert world.well("tool", "show", "codex").out.startswith("  codex:\n")


def test_a_configuration_that_is_a_link_is_left_to_its_owner(world: World, tmp_path: Path) -> None:
    tools = world.root / "config/tools.yaml"
    tools.rename(tmp_path / "elsewhere.yaml")
    tools.symlink_to(tmp_path / "elsewhere.yaml")
    refused = world("tool", "add", "llm")
    assert (refused.code, "is a link" in refused.err) == (1, True)
    assert tools.is_symlink()


def test_many_additions_at_once_are_all_there(world: World) -> None:
    names = ["claude", "codex", "gemini", "llm", "goose", "aider"]
    running = [world.begin("tool", "add", name) for name in names]
    ended = [process.communicate(timeout=60) for process in running]
    failed = [err for process, (_, err) in zip(running, ended, strict=True) if process.returncode]
    assert failed == []
    listed = [tool["name"] for tool in world.well("tool", "list", "--json").data["tools"]]
    assert sorted(listed) == sorted(["brief", *names])


def test_check_finds_asks_and_names_what_is_lacking(world: World, programs: Path) -> None:
    program(programs, "codex", 'test "$*" = --version && test -z "$SECRET" && echo "codex-cli 0.169.0"')
    program(programs, "claude", 'cat; echo "9.0.1 (Claude Code)"')
    program(programs, "llm", "exit 3")
    for name in ("codex", "claude", "llm", "goose"):
        world.well("tool", "add", name)
    tools = world.root / "config/tools.yaml"
    tools.write_text(tools.read_text() + "  keyed: {binary: sh, env_required: [NO_SUCH_KEY]}\n")
    checked = world("tool", "check", "--json", env={"SECRET": "x"})
    assert checked.code == 0
    states = {state["name"]: state for state in checked.data["tools"]}
    assert states["codex"]["found"] == str(programs / "codex")
    assert (states["codex"]["version"], states["codex"]["version_note"]) == ("0.169.0", "tested")
    assert (states["claude"]["version"], states["claude"]["version_note"]) == (
        "9.0.1",
        "not among the tested ones: 2.1.329",
    )
    assert states["llm"]["version_note"] == "does not tell its version: exit code 3"
    assert (states["goose"]["available"], states["goose"]["why_not"]) == (False, "goose: not found on PATH")
    assert states["keyed"]["why_not"] == "needs NO_SUCH_KEY in the environment of the daemon"
    assert states["brief"]["preferred_by"]

    said = world.well("tool", "check", "goose").out
    assert "install: see https://block.github.io/goose" in said
    assert "agents: none" in said


def test_check_ends_with_1_where_an_agent_prefers_what_cannot_run(world: World) -> None:
    world.well("tool", "add", "goose")
    agents = world.root / "config/agents.yaml"
    agents.write_text("agents:\n  writer: {preferred_tool: brief, fallback_chain: [goose]}\n")
    assert world("tool", "check").code == 0
    agents.write_text("agents:\n  writer: {preferred_tool: goose, fallback_chain: [brief]}\n")
    checked = world("tool", "check", "--json")
    assert (checked.code, checked.data["well"]) == (1, False)


def test_a_running_daemon_is_named_with_the_way_to_tell_it(world: World) -> None:
    with daemon(world) as running:
        added = world.well("tool", "add", "llm")
        assert f"kill -HUP {running.pid}" in added.err


def test_the_catalogue_can_be_listed_and_shown(world: World) -> None:
    listed = [one["name"] for one in world.well("tool", "list", "--catalogue", "--json").data["stanzas"]]
    assert len(listed) == 11
    for name in listed:
        shown = world.well("tool", "show", name, "--json").data
        assert shown["file"] == ("config/tools.yaml" if name == "brief" else "the catalogue")
        assert f"{name}:" in shown["stanza"]


TELLER = """\
printf '%s\\n' "$@" > "$JOURNAL.args"; env > "$JOURNAL.env"; cat > "$JOURNAL.stdin"; echo "It is all told."
"""
STANZA = """\
tools:
  {name}:
    binary: teller
    command: ["{{binary}}", --mode, "{{mode}}", --none, "{{session_id}}", {prompted}]
    prompt: {prompt}
    options: {{mode: "two words; $(id)"}}
    env: {{JOURNAL: "${{JOURNAL_FOLDER}}/{name}", REGION: "${{NO_REGION:-eu}}"}}
    env_required: [TELLER_KEY]
    env_pass: [HOME]
    billing: free
"""
WAYS = {"stdin": '"-"', "argument": '"--", "{prompt}"', "file": '"--file", "{prompt_file}"'}


def test_a_tool_is_given_its_prompt_options_and_variables_and_nothing_else(
    world: World, programs: Path, tmp_path: Path
) -> None:
    program(programs, "teller", TELLER)
    agents = "agents:\n"
    for way, prompted in WAYS.items():
        text = STANZA.format(name=way, prompt=way, prompted=prompted)
        world.well("tool", "add", way, "--from", "-", stdin=text)
        agents += f"  {way}: {{preferred_tool: {way}}}\n"
    (world.root / "config/agents.yaml").write_text(agents + "  writer: {preferred_tool: brief}\n")
    for way in WAYS:
        world.drop(f"{way}.yaml", f"agent: {way}\ntitle: Tell\nprompt: |\n  - first {{model}}\n  - second 'it'\n")
    variables = {"JOURNAL_FOLDER": str(tmp_path), "TELLER_KEY": "k3y", "SECRET": "no"}
    ended = world("daemon", "--until-idle", env=variables)
    assert ended.code == 0, ended
    args = {way: (tmp_path / f"{way}.args").read_text() for way in WAYS}
    assert args["stdin"] == "--mode\ntwo words; $(id)\n-\n"
    assert args["argument"].startswith("--mode\ntwo words; $(id)\n--\n- first {model}\n- second 'it'\n")
    assert args["file"].startswith("--mode\ntwo words; $(id)\n--file\n")
    given = {way: (tmp_path / f"{way}.stdin").read_text() for way in WAYS}
    assert given["stdin"].startswith("- first {model}\n- second 'it'\n")
    assert (given["argument"], given["file"]) == ("", "")
    for way in WAYS:
        seen = dict(line.split("=", 1) for line in (tmp_path / f"{way}.env").read_text().splitlines() if "=" in line)
        assert (seen["TELLER_KEY"], seen["REGION"], "HOME" in seen) == ("k3y", "eu", True)
        assert not {"SECRET", "JOURNAL_FOLDER", "NO_REGION"} & set(seen)

    without = world("tool", "check", "stdin", "brief", "--json", env={"JOURNAL_FOLDER": str(tmp_path)})
    assert [(one["name"], one["missing"]) for one in without.data["tools"]] == [
        ("stdin", ["TELLER_KEY"]),
        ("brief", []),
    ]


def test_a_file_that_somebody_changed_meanwhile_is_left_as_it_is(world: World) -> None:
    place = find(world.root)
    edited = EditedFile(place, "tools.yaml")
    edited.text += "# ours\n"
    theirs = b"# theirs\n" + edited.raw
    edited.file.write_bytes(theirs)
    with pytest.raises(BusyError, match=r"config/tools\.yaml was changed meanwhile, and is left as it is"):
        edited.write()
    assert edited.file.read_bytes() == theirs


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_added_and_removed_leaves_the_very_bytes(world: World, mark: bytes, end: bytes) -> None:
    tools = world.root / "config/tools.yaml"
    before = mark + tools.read_bytes().rstrip().replace(b"\n", end)
    tools.write_bytes(before)
    place = find(world.root)
    tooling.add(place, tooling.stanza_of("gemini", None, path="", chosen={"approval_mode": "plan"}))
    assert tools.read_bytes() != before
    tooling.remove(place, "gemini")
    assert tools.read_bytes() == before
