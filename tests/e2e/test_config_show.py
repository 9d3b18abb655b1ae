"""`orchestrator config show`, `--set`, and the layers of the configuration as a person meets them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cli_world import SECONDS, World, repository, wait_until

from orchestrator.adapters.place import find
from orchestrator.adapters.settings_cache import NAME
from orchestrator.core.settings import Settings
from orchestrator.wiring.configuring import read_settings, user_folder

FILES = {
    "agents": "agents:\n  writer: {preferred_tool: one, preferred_model: none}\n",
    "tools": (
        "tools:\n"
        '  one: {binary: "true", models: [none], billing: free, capabilities: [silent], env: {KEY: "${MY_KEY}"}}\n'
        '  two: {binary: "true", models: [none], billing: free, capabilities: [silent]}\n'
    ),
    "models": "models:\n  none: {price: free}\n",
    "policies": "policies:\n  default:\n    max_parallel: 3\n    review: none\n",
}
VARIABLE = "ORCHESTRATOR_POLICIES__DEFAULT__MAX_PARALLEL"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository with a configuration."""
    made = repository(tmp_path / "repo")
    (made.root / "config").mkdir()
    made.configure(FILES)
    return made


@pytest.fixture
def user(hermetic: Path) -> Path:
    """The folder of the user's own files."""
    folder = hermetic / ".config" / "orchestrator"
    folder.mkdir(parents=True)
    return folder


def test_all_of_it_is_shown_as_yaml_that_reads_back_as_the_same_configuration(world: World, tmp_path: Path) -> None:
    shown = world.well("config", "show").out
    again = repository(tmp_path / "again")
    (again.root / "config").mkdir()
    parts: dict[str, list[str]] = {}
    for line in shown.splitlines():
        if not line.startswith(" "):
            section = line.partition(":")[0]
        file = section if section in {"agents", "tools", "models"} else "policies"
        parts.setdefault(file, []).append(line)
    again.configure({name: "\n".join(lines) + "\n" for name, lines in parts.items()})
    assert again.well("config", "show").out == shown
    first, second = (read_settings(find(one.root)) for one in (world, again))
    assert first == second


def test_each_key_tells_where_its_value_came_from(world: World, user: Path) -> None:
    (user / "policies.yaml").write_text("policies:\n  default:\n    review: merge\n    on_exceeded: wait\n")
    shown = world("--set", "policies.default.estimate_usd=2", "config", "show", "--origin", env={VARIABLE: "7"})
    rows = {row[0]: row[1:] for row in (line.split() for line in shown.out.splitlines())}
    assert rows["KEY"] == ["ORIGIN", "VALUE"]
    assert rows["policies.default.max_parallel"] == [VARIABLE, "7"]
    assert rows["policies.default.review"] == ["config/policies.yaml:4", "none"]
    assert rows["policies.default.on_exceeded"] == [f"{user}/policies.yaml:4", "wait"]
    assert rows["policies.default.estimate_usd"] == ["--set", "2"]
    assert rows["policies.default.privacy"] == ["default", "metadata"]
    assert rows["tools.one.timeout"] == ["default", "30m"]


def test_a_key_shows_what_is_below_it_and_a_single_value_alone(world: World) -> None:
    assert world.well("config", "show", "policies.default.max_parallel").out == "3\n"
    assert world.well("config", "show", "models").out == "none:\n  price: free\n"
    assert world.well("config", "show", "tools.one.models[0]").out == "none\n"
    assert world.well("config", "show", "tools.one.max_parallel").out == "null\n"
    rows = world.well("config", "show", "trail", "--origin").out.splitlines()
    assert [row.split()[0] for row in rows] == ["KEY", "trail.mode", "trail.branch", "trail.publish_every"]


def test_names_with_dots_are_found_and_shown_in_quotes(world: World) -> None:
    world.configure(
        {"models": "models:\n  gpt-6.1: {price: {input_mtok: 2, output_mtok: 10}}\n  none: {price: free}\n"}
    )
    for key in ('models."gpt-6.1".price.input_mtok', "models.gpt-6.1.price.input_mtok"):
        assert world.well("config", "show", key).out == "2\n"
    assert '\nmodels."gpt-6.1".price.input_mtok ' in world.well("config", "show", "--origin").out


def test_json_has_the_value_and_each_key_with_its_origin(world: World) -> None:
    data = world.well("config", "show", "policies.default", "--json").data
    assert data["key"] == "policies.default"
    assert data["value"]["max_parallel"] == 3
    keys = {one["key"]: one for one in data["keys"]}
    assert keys["policies.default.max_parallel"] == {
        "key": "policies.default.max_parallel",
        "value": 3,
        "origin": "config/policies.yaml:3",
        "layer": "project",
    }
    assert keys["policies.default.timezone"]["layer"] == "default"


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ("policies.default.max_paralel", 4, "did you mean policies.default.max_parallel?"),
        ("polices", 4, "the configuration has no 'polices'; did you mean policies?"),
        ("tools.three", 4, "tools has no 'three'; "),
        ("tools.one.models[4]", 4, "tools.one.models[4]: nothing is there"),
        ("policies.default.max_parallel.x", 4, "policies.default.max_parallel.x: nothing is there"),
        ("..", 2, "this is no key"),
    ],
)
def test_a_key_that_there_is_not_is_told_with_the_nearest_one(world: World, key: str, code: int, said: str) -> None:
    ended = world("config", "show", key)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_secrets_are_never_shown(world: World, user: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    (user / "tools.yaml").write_text(f"tools:\n  one: {{env: {{TOKEN: {token}, DB_PASSWORD: Xk92-qpLm7}}}}\n")
    given = {"MY_KEY": "sk-of-the-environment", "ORCHESTRATOR_TOOLS__ONE__ENV__PLAIN": "of-a-variable"}
    for form in ((), ("--origin",), ("--json",)):
        ended = world("config", "show", "tools.one.env", *form, env=given)
        assert ended.code == 0
        assert "${MY_KEY}" in ended.out
        for secret in (token, "Xk92-qpLm7", "sk-of-the-environment", "of-a-variable"):
            assert secret not in ended.out + ended.err
        assert ended.out.count("[redacted:") >= 3


def test_a_configuration_with_problems_is_not_shown_but_they_are(world: World) -> None:
    world.configure({"policies": "policies:\n  default: {max_paralel: 3}\n"})
    ended = world("config", "show")
    assert (ended.code, ended.out) == (78, "")
    assert "config/policies.yaml:2:13: policies.default.max_paralel" in ended.err


@pytest.mark.parametrize("pair", ["policies.default.max_parallel", "=3", ""])
def test_a_flag_without_key_or_value_is_a_slip_in_the_call(world: World, pair: str) -> None:
    ended = world("--set", pair, "status")
    assert ended.code == 2
    assert "write KEY=VALUE" in ended.err


def test_a_flag_after_the_command_is_told_where_it_stands(world: World) -> None:
    ended = world("daemon", "--set", "orphan_grace=1m")
    assert (ended.code, "--set stands before the command: orchestrator --set" in ended.err) == (2, True)


def test_a_flag_that_means_nothing_is_shown_with_a_caret(world: World) -> None:
    ended = world("--set", "tools.tow.timeout=3m", "tool", "list")
    assert ended.code == 78
    assert '--set:1:7: tools has no "tow"; did you mean two?' in ended.err
    assert "tools.tow.timeout=3m\n      |       ^^^" in ended.err


def test_an_edit_of_the_project_is_checked_with_all_layers_and_touches_its_own_file_alone(
    world: World, user: Path
) -> None:
    mine = "tools:\n  brief: {timeout: 9m}\n  own: {command: [cat]}\n"
    (user / "tools.yaml").write_text(mine)
    refused = world("tool", "list")
    assert refused.code == 78  # of `brief` nothing else is said yet
    (user / "tools.yaml").write_text(mine.replace("{timeout", '{binary: "true", timeout'))
    world.well("tool", "add", "brief")
    assert "  brief:" in (world.root / "config" / "tools.yaml").read_text()
    assert world.well("config", "show", "tools.brief.timeout").out == "2m\n"
    ended = world("tool", "add", "brief")
    assert (ended.code, "has a tool brief already" in ended.err) == (1, True)
    world.configure({"agents": "agents:\n  writer: {preferred_tool: brief}\n"})
    world.well("tool", "remove", "brief")  # the user's own takes its place
    assert world.well("config", "show", "tools.brief.timeout").out == "9m\n"
    ended = world("tool", "remove", "own")
    assert (ended.code, "config show tools.own --origin" in ended.err) == (4, True)
    assert (user / "tools.yaml").read_text().count("\n") == 3


def test_doctor_reads_all_layers(world: World, user: Path) -> None:
    (user / "tools.yaml").write_text("tools:\n  own: {command: [cat]}\n")
    assert world("doctor", "--json").data["findings"]
    assert "agents 1, tools 3, models 1" in world("doctor").out
    (user / "tools.yaml").write_text("tools:\n  own: {comand: [cat]}\n")
    assert f"{user}/tools.yaml:2:" in world("doctor").out


# The cache


def seen(world: World, *flags: str) -> Settings:
    return read_settings(replace(find(world.root), flags=flags))


def test_every_layer_is_seen_at_once_though_the_configuration_is_cached(
    world: World, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.well("init")
    cache = find(world.root).state / NAME

    def parallel(*flags: str) -> int:
        return seen(world, *flags).policies["default"].max_parallel

    assert parallel() == 3
    assert cache.exists()
    kept = cache.read_bytes()
    assert parallel("policies.default.max_parallel=5") == 5
    monkeypatch.setenv(VARIABLE, "6")
    assert (parallel(), parallel("policies.default.max_parallel=5")) == (6, 5)
    monkeypatch.delenv(VARIABLE)
    assert cache.read_bytes() == kept  # nothing of a variable or a flag is ever kept
    world.configure({"policies": "policies: {default: {review: none}}\n"})
    (user / "policies.yaml").write_text("policies: {default: {max_parallel: 8}}\n")
    assert parallel() == 8
    assert (parallel(), cache.read_bytes() != kept) == (8, True)
    (user / "policies.yaml").write_text("policies: {default: {max_parallel: 9}}\n")
    assert parallel() == 9
    (user / "policies.yaml").unlink()
    assert parallel() == 4


def test_a_variable_of_the_users_own_tools_is_filled_in_from_the_cache_too(
    world: World, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.well("init")
    (user / "tools.yaml").write_text("tools:\n  one: {env: {OTHER: '${OTHER_KEY:-none}'}}\n")
    assert seen(world).tools["one"].env == {"OTHER": "none"}
    monkeypatch.setenv("OTHER_KEY", "a-value-of-mine")
    monkeypatch.setenv("MY_KEY", "mine")
    assert seen(world).tools["one"].env == {"KEY": "mine", "OTHER": "a-value-of-mine"}
    assert b"a-value-of-mine" not in (find(world.root).state / NAME).read_bytes()


@pytest.mark.parametrize(
    ("environ", "platform", "wanted"),
    [
        ({"HOME": "/h"}, "linux", "/h/.config/orchestrator"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Application Support/orchestrator"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "linux", "/x/orchestrator"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "darwin", "/x/orchestrator"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}, "linux", "/h/.config/orchestrator"),
        ({"HOME": "", "XDG_CONFIG_HOME": ""}, "linux", None),
        ({}, "linux", None),
    ],
)
def test_the_users_own_files_are_where_the_platform_has_them(
    environ: dict[str, str], platform: str, wanted: str | None
) -> None:
    assert user_folder(environ, platform) == (Path(wanted) if wanted else None)


# The daemon


@contextmanager
def daemon_with(world: World, *flags: str) -> Iterator[int]:
    """One that runs with those flags; its process id."""
    process = world.begin(*flags, "daemon")
    try:
        wait_until(lambda: world("status", "--json").data["daemon"]["running"], "the daemon runs")
        yield process.pid
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_what_a_daemon_was_started_with_holds_when_it_reads_the_files_again(
    world: World, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.well("init")
    name = "ORCHESTRATOR_AGENTS__WRITER__PREFERRED_TOOL"
    flags = ("--set", "agents.writer.preferred_tool=two") if how == "flag" else ()
    monkeypatch.setenv("MY_KEY", "x")  # without it `one` cannot run
    if how == "variable":
        monkeypatch.setenv(name, "two")
    with daemon_with(world, *flags) as pid:
        monkeypatch.delenv(name, raising=False)
        world.drop("first.yaml", "agent: writer\ntitle: a\n")
        wait_until(lambda: done(world, "first"), "the first is done")
        world.configure({"agents": FILES["agents"] + "  later: {preferred_tool: one, preferred_model: none}\n"})
        os.kill(pid, signal.SIGHUP)
        world.drop("second.yaml", "agent: later\ntitle: b\n")
        wait_until(lambda: done(world, "second"), "the files are read again")
        world.drop("third.yaml", "agent: writer\ntitle: c\n")
        wait_until(lambda: done(world, "third"), "the third is done")
        ended = world("--set", "orphan_grace=1m", "submit", "--agent", "writer", "--title", "No")
        assert (ended.code, "start the daemon with --set" in ended.err) == (2, True)
    for task, tool in (("first", "two"), ("second", "one"), ("third", "two")):
        assert {event["tool"] for event in world.events_of(task) if event.get("tool")} == {tool}


def done(world: World, task: str) -> bool:
    return bool(list((world.root / "work").rglob(f"done/**/{task}.yaml")))
