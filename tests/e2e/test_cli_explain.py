"""`orchestrator explain`: the plan of a task, its reasons and its money, with nothing run and nothing written."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_world import Template, World, daemon

from orchestrator.adapters.rates import SharedRates, folder
from orchestrator.core.cooldowns import tool_scope

TOOLS = """
tools:
  paid: {binary: sh, command: ["{binary}", "-c", "echo paid {model}"], models: [small, large], billing: api}
  gratis: {binary: sh, command: ["{binary}", "-c", "echo for nothing"], billing: free}
  absent: {binary: no-such-program-anywhere, command: ["{binary}"]}
"""
MODELS = """
models:
  small: {provider: here, price: {input_mtok: 1, output_mtok: 5}}
  large: {provider: here, price: {input_mtok: 3, output_mtok: 15}}
"""
AGENTS = """
agents:
  dev: {preferred_tool: absent, fallback_chain: ["paid:large", gratis]}
  payer: {preferred_tool: paid, preferred_model: large}
  waits: {preferred_tool: paid, preferred_model: large, policy: waiting}
  thrifty: {preferred_tool: paid, preferred_model: large, fallback_chain: ["paid:small", gratis], policy: thrifty}
  stuck: {preferred_tool: absent}
  person: {manual: true}
"""
POLICIES = """
policies:
  default:
    limits:
      - {period: day, max_usd: 10, threshold_percent: 80}
      - {period: month, max_usd: 400, type: soft, scope: {agent: dev}}
  waiting: {on_exceeded: wait, timezone: Europe/Brussels, limits: [{period: day, max_usd: 10}]}
  thrifty: {on_exceeded: downgrade, limits: [{period: day, max_usd: 5, scope: {model: large}}]}
checks: {}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with tools that cost money, one that costs none, and one that is not there."""
    files = {"tools": TOOLS, "models": MODELS, "agents": AGENTS, "policies": POLICIES}
    return Template(tmp_path_factory.mktemp("made"), files)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """One of the test's own."""
    return template.copy(tmp_path / "repo")


@pytest.fixture
def kept(template: Template) -> World:
    """One for all tests that change nothing in it."""
    return template.world


def task(tmp_path: Path, agent: str, more: str = "") -> str:
    """A task file outside of any workspace."""
    file = tmp_path / "fares-page.yaml"
    file.write_text(f"id: fares-page\nagent: {agent}\ntitle: Explain the winter fares\n{more}")
    return str(file)


def told(world: World, *words: str, code: int = 0) -> Any:
    """The data of its envelope."""
    ended = world("explain", *words, "--json")
    assert ended.code == code, ended
    return ended.data


def all_files(world: World) -> dict[str, tuple[int, int]]:
    """Every file of the repository, by size and time."""
    skipped = ("settings.json", "index.db-shm", "index.db-wal")
    found = (path for path in world.root.rglob("*") if path.is_file() and path.name not in skipped)
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def test_candidates_come_in_order_with_reasons_and_those_that_cannot_run_where_they_stood(
    kept: World, tmp_path: Path
) -> None:
    ended = kept.well("explain", task(tmp_path, "dev"))
    lines = [line.strip() for line in ended.out.splitlines()]
    assert lines[0].startswith("fares-page: for dev, policy default, at ")
    heads = [line for line in lines if line.startswith(("no ", "1. ", "2. "))]
    assert heads == ["no absent (preferred)", "1. paid large (fallback)", "2. gratis (fallback)"]
    assert any("not found on PATH" in line for line in lines)
    assert "holds $0.50: the policy's estimate: too few runs like it are known" in lines
    assert any(line.startswith("hard limit a day") and "$10.00" in line for line in lines)
    assert any(line.startswith("soft limit a month for agent dev") for line in lines)


def test_as_json_every_candidate_has_its_hold_its_basis_and_its_limits(kept: World, tmp_path: Path) -> None:
    data = told(kept, task(tmp_path, "dev", "budget_usd: 0.2\n"))
    assert [(one["tool"], one["reason"]) for one in data["route"]] == [("paid", "fallback"), ("gratis", "fallback")]
    paid, gratis = data["route"]
    assert (paid["hold_microusd"], paid["basis"]) == (200_000, "cap")
    assert [one["period"] for one in paid["limits"]] == ["day", "month"]
    assert {"spent_microusd", "held_microusd", "left_microusd", "max_microusd"} <= paid["limits"][0].keys()
    assert (gratis["hold_microusd"], gratis["basis"], gratis["limits"]) == (0, "no_money", [])
    assert (data["refused"][0]["tool"], data["refused"][0]["until"]) == ("absent", None)


def test_nothing_is_run_and_nothing_is_written_by_it(world: World, tmp_path: Path) -> None:
    before = all_files(world)
    told(world, task(tmp_path, "dev"), "--spent", "3", "--at", "2027-01-01T00:00")
    told(world, task(tmp_path, "stuck"), code=1)
    assert all_files(world) == before


def test_where_nothing_can_run_it_ends_with_1_and_says_why(kept: World, tmp_path: Path) -> None:
    ended = kept("explain", task(tmp_path, "stuck"))
    assert ended.code == 1
    assert "no available tool for stuck: absent: no-such-program-anywhere" in ended.err


def test_what_if_money_is_spent_besides_on_every_limit(kept: World, tmp_path: Path) -> None:
    assert told(kept, task(tmp_path, "payer"), "--spent", "9.50")["route"][0]["limits"][0]["percent"] == 95
    data = told(kept, task(tmp_path, "payer"), "--spent", "9.51", code=1)
    assert "($10.01 / $10.00)" in data["refused"][0]["why"]
    assert told(kept, task(tmp_path, "dev"), "--spent", "10")["route"][0]["tool"] == "gratis"


def test_one_that_only_waits_says_until_when_by_the_policys_own_clock(kept: World, tmp_path: Path) -> None:
    data = told(kept, task(tmp_path, "waits"), "--spent", "10", "--at", "2027-06-01T12:00", code=1)
    assert data["refused"][0]["until"] == "2027-06-01T22:00:00+00:00"
    shown = kept("explain", task(tmp_path, "waits"), "--spent", "10", "--at", "2027-06-01T12:00")
    assert "not before 2027-06-01 22:00:00 UTC" in shown.out


def test_with_downgrade_the_cheapest_goes_first(kept: World, tmp_path: Path) -> None:
    plain = told(kept, task(tmp_path, "thrifty"))
    assert [one["model"] for one in plain["route"]] == ["large", "small", ""]
    dear = told(kept, task(tmp_path, "thrifty"), "--spent", "5")
    assert [one["tool"] for one in dear["route"]] == ["gratis", "paid"]
    assert dear["refused"][0]["model"] == "large"


def test_as_of_a_later_time_windows_and_cooldowns_are_those_of_then(world: World, tmp_path: Path) -> None:
    world.well("budget", "adjust", "9.80", "--reason", "a test")
    rates = SharedRates(folder(os.environ, world.root))
    rates.cool(tool_scope("gratis"), told=datetime.now(UTC) + timedelta(hours=1), why="rate limited")
    rates.close()
    now = told(world, task(tmp_path, "dev"), code=1)
    assert {one["tool"] for one in now["refused"]} == {"absent", "paid", "gratis"}
    later = told(world, task(tmp_path, "dev"), "--at", "2199-01-01T08:00+01:00")
    assert [one["tool"] for one in later["route"]] == ["paid", "gratis"]
    assert later["route"][0]["limits"][0]["window"]["key"] == "2199-01-01"
    assert later["at"] == "2199-01-01T08:00:00+01:00"
    again = told(world, task(tmp_path, "dev"), code=1)  # to look ahead forgets nothing
    assert [one["why"] for one in again["refused"]] == [one["why"] for one in now["refused"]]


def test_a_task_of_the_workspace_is_found_wherever_it_is_also_beside_a_daemon(world: World) -> None:
    world.drop("waiting.yaml", "id: waiting\nagent: payer\ntitle: x\n")
    assert told(world, "waiting")["task"] == "waiting"
    world.drop("mine.yaml", "id: mine\nagent: person\ntitle: x\n")
    done = json.loads(world.well("exec", "--agent", "payer", "--prompt", "x", "--model", "small", "--json").out)["data"]
    again = told(world, done["id"])
    assert [(one["model"], one["reason"]) for one in again["route"]] == [("small", "requested")]
    with daemon(world):
        assert told(world, done["id"][:-2])["task"] == done["id"]
    assert "a person's role" in world("explain", "mine").err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nobody"], 4, "no such task or file"),
        (["../../x"], 4, "no such task or file"),
        (["x", "--at", "tomorrow"], 2, "--at"),
        (["x", "--spent", "-1"], 2, "cannot be negative"),
        (["x", "--spent", "1e308"], 2, "not an amount of money"),
    ],
)
def test_words_that_are_off_are_refused(kept: World, words: list[str], code: int, says: str) -> None:
    ended = kept("explain", *words)
    assert (ended.code, says in ended.err) == (code, True), ended


def test_a_file_with_a_mistake_or_an_unknown_agent_is_refused_with_the_place(kept: World, tmp_path: Path) -> None:
    unknown = kept("explain", task(tmp_path, "nobody"))
    assert (unknown.code, 'no agent is called "nobody"' in unknown.err) == (4, True)
    broken = kept("explain", task(tmp_path, "dev", "priority: soon\n"))
    assert broken.code == 1
    assert "fares-page.yaml:4" in broken.err


def test_a_check_that_nobody_declared_stands_in_the_way(kept: World, tmp_path: Path) -> None:
    data = told(kept, task(tmp_path, "payer", "verify: [tests]\n"), code=1)
    assert "does not declare" in data["why"]
