"""`orchestrator budget`: what is gone of each limit, corrections of it; and what `exec` says about money."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cli_world import SECONDS, Template, World, daemon
from exec_terminal import at_terminal, read

from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.place import find
from orchestrator.wiring import act
from orchestrator.wiring.budgeting import limit_lines
from orchestrator.wiring.opening import open_workspace, recover

TOOLS = """
tools:
  paid:
    binary: sh
    command: ["{binary}", "-c", "echo the answer; : {model}"]
    models: [small, large]
    billing: api
  gratis: {binary: sh, command: ["{binary}", "-c", "echo for nothing"], billing: free}
  absent: {binary: no-such-program-anywhere, command: ["{binary}"]}
"""
MODELS = """
models:
  small: {provider: here, price: {input_mtok: 1, output_mtok: 5}, aliases: [s]}
  large: {provider: here, price: {input_mtok: 3, output_mtok: 15}}
"""
AGENTS = """
agents:
  dev: {preferred_tool: paid, preferred_model: large}
  spare: {preferred_tool: paid, preferred_model: large, fallback_chain: [gratis]}
  stuck: {preferred_tool: paid, preferred_model: large, fallback_chain: [absent]}
  rich: {preferred_tool: paid, preferred_model: large, policy: other}
"""
POLICIES = """
policies:
  default:
    limits:
      - {period: day, max_usd: 10, threshold_percent: 80}
      - {period: task, max_usd: 0.5}
      - {period: month, max_usd: 4, type: soft, scope: {agent: dev}}
  other:
    timezone: Pacific/Kiritimati
    limits: [{period: day, max_usd: 100}]
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with tools that cost money, and limits."""
    files = {"tools": TOOLS, "models": MODELS, "agents": AGENTS, "policies": POLICIES}
    return Template(tmp_path_factory.mktemp("made"), files)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """One of the test's own."""
    return template.copy(tmp_path / "repo")


def limits(world: World) -> dict[tuple[str, str], Any]:
    """What `budget show --json` tells, by policy and period; in this process, which is quicker."""
    return {(one.policy, one.limit.period.value): one.plain() for one in limit_lines(find(world.root))}


def spent(world: World, period: str = "day", policy: str = "default") -> int:
    """Micro-dollars of that limit."""
    found = limits(world)[policy, period]["spent_microusd"]
    assert isinstance(found, int)
    return found


def adjust(world: World, amount: str, **more: str) -> Any:
    """A correction, as the command has it carried out."""
    return act(find(world.root), "budget-adjust", {"amount": amount, "reason": "a test", **more})


def ask(world: World, agent: str = "dev", *words: str) -> Any:
    """An exec."""
    return world("exec", "--agent", agent, "--prompt", "x", *words)


# --- show ----------------------------------------------------------------------------------------------------------


def test_every_limit_of_every_policy_is_shown_and_nothing_is_made_by_showing(world: World) -> None:
    ended = world.well("budget", "show")
    rows = [line.split("  ") for line in ended.out.splitlines()]
    assert "policy default, UTC" in ended.out
    assert "policy other, Pacific/Kiritimati" in ended.out
    assert any("hard limit a day" in " ".join(row) and "$10.00" in " ".join(row) for row in rows)
    assert "hard limit of each task" in ended.out
    assert "soft limit a month for agent dev" in ended.out
    assert "no ledger yet" in ended.err
    assert not list((world.root / ".git" / "orchestrator").glob("ledger*"))


def test_windows_are_those_of_the_policys_own_zone(world: World) -> None:
    data = world.well("budget", "show", "--json").data
    assert data["unit"] == "microusd"
    shown = limits(world)
    assert data["limits"] == list(shown.values())
    assert shown["default", "day"]["window"]["end"].endswith("T00:00:00.000000Z")
    assert shown["other", "day"]["window"]["end"].endswith("T10:00:00.000000Z")
    assert shown["default", "task"]["window"] is None
    assert shown["default", "month"]["scope"] == {"agent": "dev"}


def test_a_run_is_counted_by_the_limits_that_bind_it(world: World) -> None:
    assert ask(world).code == 0
    shown = limits(world)
    assert shown["default", "day"]["spent_microusd"] == 500_000
    assert shown["default", "month"]["percent"] == 12
    assert (shown["default", "day"]["held_microusd"], shown["default", "day"]["left_microusd"]) == (0, 9_500_000)


def test_without_a_limit_it_says_so(world: World) -> None:
    world.configure({"policies": "policies: {default: {}, other: {}}\n"})
    ended = world.well("budget", "show")
    assert ended.out == ""
    assert "no policy has a limit" in ended.err


def test_a_damaged_ledger_is_told_anew_from_the_events_and_left_as_it_is(world: World) -> None:
    adjust(world, "8.10")
    ledger = world.root / ".git" / "orchestrator" / "ledger.db"
    ledger.write_bytes(b"this is no database, and it is longer than a header of one would be" * 20)
    before = ledger.read_bytes()
    assert spent(world) == 8_100_000
    assert ledger.read_bytes() == before


# --- adjust --------------------------------------------------------------------------------------------------------


def test_a_correction_is_an_event_with_its_reason_a_commit_and_no_task(world: World) -> None:
    done = world.well("budget", "adjust", "8.10", "--reason", "runs by hand", "--json").data
    assert (done["amount_microusd"], done["counted_by"]) == (8_100_000, ["default: day, $10.00", "other: day, $100.00"])
    event = json.loads((world.root / "work" / done["path"]).read_text())
    assert (event["event"], event["amount_microusd"], event["why"]) == ("budget_adjusted", 8_100_000, "runs by hand")
    assert event["event_id"] == done["event_id"]
    message = world.git("log", "-1", "--format=%B", "orchestrator/work")
    assert message.startswith("budget: adjusted by $8.10\n\nruns by hand\n")
    assert f"Event-Id: {done['event_id']}" in message
    assert world.git("-C", "work", "status", "--porcelain") == ""
    assert "inbox 0 · assigned 0 · done 0" in world.well("status").out
    world.well("index", "rebuild")
    assert "inbox 0 · assigned 0 · done 0" in world.well("status").out
    assert adjust(world, "1")["path"] == done["path"]
    assert spent(world) == 9_100_000


def test_an_amount_below_zero_gives_room_again(world: World) -> None:
    adjust(world, "9.90")
    assert ask(world).code == 1
    assert "-$2.50" in world.well("budget", "adjust", "-2.5", "--reason", "a test").out
    assert spent(world) == 7_400_000
    assert ask(world).code == 0


def test_it_counts_for_limits_of_everything_and_of_what_is_named(world: World) -> None:
    assert adjust(world, "1", agent="dev")["scope"] == {"agent": "dev"}
    assert (spent(world), spent(world, "month")) == (1_000_000, 1_000_000)
    adjust(world, "2", model="s", tool="paid", provider="here")
    assert (spent(world), spent(world, "month")) == (3_000_000, 1_000_000)


def test_with_a_period_it_counts_in_one_window_for_that_scope_alone(world: World) -> None:
    done = adjust(world, "3", period="month", agent="dev")
    assert done["counted_by"] == ["default: month, $4.00, of agent dev"]
    assert (spent(world), spent(world, "month")) == (0, 3_000_000)
    done = adjust(world, "2", period="day", policy="other")
    assert done["counted_by"] == ["other: day, $100.00"]
    assert (spent(world), spent(world, policy="other")) == (0, 2_000_000)


def test_a_running_daemon_does_it_and_goes_by_it_at_once(world: World) -> None:
    with daemon(world):
        world.well("budget", "adjust", "9.80", "--reason", "a test")
        assert spent(world) == 9_800_000
        ended = ask(world)
        assert ended.code == 1
        assert "($10.30 / $10.00)" in ended.err
        assert ask(world, "dev", "--force", "--justification", "it cannot wait").code == 0
    assert spent(world) == 10_300_000


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["0"], 2, "changes nothing"),
        (["nan"], 2, "is no amount"),
        (["1e308"], 2, "is no amount"),
        (["--", "--1"], 2, "is no amount"),
        (["0.0000001"], 2, "finer than a millionth"),
        (["1", "--agent", "nobody"], 4, 'no agent is called "nobody"'),
        (["1", "--tool", "hammer"], 4, "no tool 'hammer'"),
        (["1", "--period", "week"], 2, "no limit of the period week"),
        (["1", "--period", "day"], 2, "name one with --policy"),
        (["1", "--period", "task"], 2, "--task ID"),
        (["1", "--task", "../x"], 2, "is no id of a task"),
        (["1", "--policy", "other"], 2, "give both"),
        (["1", "--period", "day", "--policy", "none"], 4, "no policy 'none'"),
    ],
)
def test_words_that_are_off_change_nothing(template: Template, words: list[str], code: int, says: str) -> None:
    ended = template.world("budget", "adjust", "--reason", "a test", *words)
    assert (ended.code, says in ended.err) == (code, True), ended
    assert not list((template.world.root / "work" / "telemetry").rglob("_budget*"))


def test_a_correction_without_a_reason_is_refused(template: Template) -> None:
    assert template.world("budget", "adjust", "1").code == 2
    assert template.world("budget", "adjust", "1", "--reason", " ").code == 2


def test_a_correction_that_was_told_before_a_crash_is_entered_and_committed_at_the_next_start(world: World) -> None:
    adjust(world, "1")
    place = find(world.root)
    file = next((world.root / "work" / "telemetry").rglob("_budget-*.jsonl"))
    line = json.loads(file.read_text())
    line |= {"event_id": "01M7ZEYD9VJY7AESD158SE8DWK", "amount_microusd": 2_000_000}
    with file.open("a") as more:
        more.write(json.dumps(line) + "\n")
    opened = open_workspace(place)
    try:
        recover(opened)
        recover(opened)
    finally:
        opened.close()
    assert spent(world) == 3_000_000
    assert world.git("-C", "work", "status", "--porcelain") == ""


def test_a_ledger_that_was_taken_away_comes_back_with_its_corrections(world: World) -> None:
    adjust(world, "2", period="month", agent="dev")
    assert ask(world).code == 0
    before = limits(world)
    state = world.root / ".git" / "orchestrator"
    for file in state.glob("ledger.db*"):
        file.unlink()
    adjust(world, "1", period="day", policy="other")
    after = limits(world)
    for key in (("default", "day"), ("default", "month")):
        assert after[key]["spent_microusd"] == before[key]["spent_microusd"]
    ledger = Ledger.open(state)
    try:
        assert ledger.faults() == []
    finally:
        ledger.close()


# --- exec ----------------------------------------------------------------------------------------------------------


def test_over_a_hard_limit_it_says_the_three_ways_out_and_leaves_no_task(world: World) -> None:
    adjust(world, "9.80")
    ended = ask(world)
    assert (ended.code, ended.out) == (1, "")
    lines = ended.err.splitlines()
    assert lines[0].startswith("orchestrator: Over budget: hard limit a day ($10.30 / $10.00): $9.80 spent, $0.50")
    assert [line.lstrip()[:2] for line in lines[1:4]] == ["1.", "2.", "3."]
    assert "--force --justification" in lines[3]
    assert not list((world.root / "work").rglob("exec-*"))


def test_force_with_a_reason_goes_over_and_stands_in_event_and_commit(world: World) -> None:
    adjust(world, "9.80")
    done = ask(world, "dev", "--force", "--justification", "the release", "--json")
    assert done.code == 0
    submitted = world.events_of(done.data["id"])[0]
    assert (submitted["forced"], submitted["justification"]) == (True, "the release")
    assert "($10.30 / $10.00)" in submitted["budget_warnings"][0]
    assert "Forced: the release" in world.git("log", "--format=%B", "orchestrator/work")
    assert spent(world) == 10_300_000
    assert ask(world, "dev", "--force").code == 2


def test_a_dear_run_wants_a_reason_where_the_policy_says_so(world: World) -> None:
    policies = POLICIES.replace("  default:\n", "  default:\n    justification_over_usd: 0.4\n")
    world.configure({"policies": policies})
    ended = ask(world)
    assert ended.code == 1
    assert "it may cost $0.50, and above $0.40 policy default wants a reason" in ended.err
    assert ask(world, "dev", "--justification", "it is worth it").code == 0


def test_what_costs_nothing_runs_at_zero_left_and_its_primary_is_not_called_unavailable(world: World) -> None:
    adjust(world, "10")
    ended = ask(world, "spare")
    assert (ended.code, ended.out) == (0, "for nothing\n")
    assert "unavailable" not in ended.err
    assert "Over budget" in ended.err


def test_where_money_and_tools_lack_both_are_named(world: World) -> None:
    adjust(world, "10")
    ended = ask(world, "stuck")
    assert ended.code == 1
    assert "Over budget: hard limit a day" in ended.err
    assert "absent: no-such-program-anywhere: not found on PATH" in ended.err


def test_without_a_terminal_the_warning_is_printed_and_recorded_and_nobody_is_asked(world: World) -> None:
    adjust(world, "8.10")
    ended = ask(world, "dev", "--json")
    assert ended.code == 0
    warned = "Budget 81 % used ($8.10 / $10.00): hard limit a day. This run is estimated at $0.50"
    assert warned in ended.err
    assert "[y/N]" not in ended.err
    assert world.events_of(ended.data["id"])[0]["budget_warnings"][0].startswith(warned)


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1), (b"no\n", 1)])
def test_at_a_terminal_it_asks_and_only_yes_goes_on(world: World, answer: bytes, code: int) -> None:
    adjust(world, "8.10")
    with at_terminal(world, "--agent", "dev", "--prompt", "x") as (process, fd):
        asked = read(fd, b"[y/N] ")
        assert "Budget 81 % used ($8.10 / $10.00)" in asked
        assert "estimated at $0.50, with it 86 % ($8.60 / $10.00)" in asked
        assert not list((world.root / "work").rglob("exec-*"))
        os.write(fd, answer)
        rest = read(fd)
        assert process.wait(SECONDS) == code
    assert rest.count("Budget 81 %") == 0  # said once
    ran = list((world.root / "work" / "telemetry").rglob("exec-*.jsonl"))
    assert len(ran) == (1 if code == 0 else 0)
    if ran:
        assert json.loads(ran[0].read_text().splitlines()[0])["confirmed"] is True
    else:
        assert "nothing was run" in rest


def test_yes_goes_on_at_a_terminal_and_below_the_threshold_nobody_is_asked(world: World) -> None:
    with at_terminal(world, "--agent", "dev", "--prompt", "x") as (process, fd):
        assert "[y/N]" not in read(fd)
        assert process.wait(SECONDS) == 0
    adjust(world, "7.60")
    with at_terminal(world, "--agent", "dev", "--prompt", "x", "--yes") as (process, fd):
        shown = read(fd)
        assert process.wait(SECONDS) == 0
    assert "Budget 81 % used" in shown
    assert "[y/N]" not in shown
