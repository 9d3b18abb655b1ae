"""`orchestrator stats` and `orchestrator simulate`: what is printed, for people and for programs."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cli_world import World, daemon, repository
from past_runs import MODELS, Past, fifty, workspace


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace that nothing ran in yet."""
    return workspace(tmp_path / "repo")


def test_fifty_runs_of_a_day_make_the_daily_report(world: World) -> None:
    noon = datetime.now(ZoneInfo("Europe/Berlin")).replace(hour=12)
    past = Past(world)
    fifty(past, noon)
    past.run(noon - timedelta(days=1), cost=9_000_000)
    page = world.well("stats", "--daily").out
    assert "50 runs, 48 of 50 well (96 %), 40 % by fallback" in page
    assert "$3.45, $0.069 a run" in page
    agents, models = ([line.split() for line in part.splitlines()] for part in page.split("\n\n")[1:])
    assert agents[0] == ["By", "agent"]
    assert agents[2][:11] == ["coder", "20", "$2.10", "60.9", "%", "$0.105", "90", "%", "100", "%", "22,000"]
    assert agents[3][:8] == ["writer", "30", "$1.35", "39.1", "%", "$0.045", "100", "%"]
    assert [row[0] for row in models[2:]] == ["sonnet", "haiku"]
    assert "█" not in page  # bars are for terminals


def test_the_same_as_json_has_every_figure(world: World) -> None:
    past = Past(world)
    fifty(past, datetime(2026, 2, 12, 9, tzinfo=UTC))
    data = world.well("stats", "--since", "2026-02-12", "--until", "2026-02-12", "--by", "model", "--json").data
    assert (data["since"], data["until"]) == ("2026-02-11T23:00:00.000000Z", "2026-02-12T23:00:00.000000Z")
    total, (sonnet, haiku) = data["total"], data["by"]["model"]
    assert (total["invocations"], total["cost_microusd"], total["average_microusd"]) == (50, 3_450_000, 69_000)
    assert (total["success_rate"], total["fallback_rate"]) == (0.96, 0.4)
    assert (sonnet["name"], sonnet["cost_percent"], haiku["cost_percent"]) == ("sonnet", 60.87, 39.13)
    assert (haiku["latency_p50_ms"], haiku["latency_p90_ms"], haiku["latency_p99_ms"]) == (15_000, 27_000, 30_000)
    assert (haiku["tokens_input"], haiku["tokens_output"]) == (450_000, 180_000)
    # On sonnet those tokens cost 0.45 * 3 + 0.18 * 15 = $4.05, and $1.35 was paid.
    assert (haiku["saved_microusd"], haiku["saved_compared"]) == (2_700_000, 30)
    assert (sonnet["saved_microusd"], sonnet["saved_compared"]) == (0, 0)


def test_csv_has_a_head_a_total_and_each_line(world: World) -> None:
    past = Past(world)
    past.run(datetime(2026, 2, 12, 9, tzinfo=UTC), agent='odd,"agent"\x1b')
    rows = list(csv.DictReader(io.StringIO(world.well("stats", "--csv", "--by", "agent").out)))
    assert [(row["by"], row["name"], row["cost_microusd"]) for row in rows] == [
        ("total", "", "1000"),
        ("agent", 'odd,"agent"\\x1b', "1000"),
    ]


def test_days_are_those_of_the_default_policys_time_zone(world: World) -> None:
    past = Past(world)
    past.run(datetime(2026, 3, 28, 22, 59, tzinfo=UTC))
    past.run(datetime(2026, 3, 28, 23, 0, tzinfo=UTC))
    past.run(datetime(2026, 3, 29, 21, 59, tzinfo=UTC))
    past.run(datetime(2026, 3, 29, 22, 0, tzinfo=UTC))  # the day had 23 hours
    data = world.well("stats", "--by", "day", "--json").data
    days = [(line["name"], line["invocations"]) for line in data["by"]["day"]]
    assert days == [("2026-03-28", 1), ("2026-03-29", 2), ("2026-03-30", 1)]


def test_a_broken_configuration_hides_no_past(world: World) -> None:
    Past(world).run(datetime(2026, 2, 12, 9, tzinfo=UTC))
    world.configure({"policies": "policies: [\n"})
    ended = world.well("stats")
    assert "1 run" in ended.out
    assert "the configuration cannot be read" in ended.err


def test_without_a_run_it_says_so_and_a_wrong_time_is_refused(world: World) -> None:
    assert "no run of a tool began in that time" in world.well("stats").out
    ended = world("stats", "--since", "yesterdayish")
    assert ended.code == 2
    assert '--since: "yesterdayish" is no time; write e.g. 2026-02-12' in ended.err
    assert world("stats", "--daily", "--since", "7d").code == 2
    assert world("stats", "--csv", "--json").code == 2


def test_prometheus_reads_a_sample_of_each_figure(world: World) -> None:
    past = Past(world)
    past.run(datetime(2026, 2, 12, 9, tzinfo=UTC), agent='a"b', took=1_500)
    past.run(datetime(2026, 2, 12, 9, tzinfo=UTC), agent='a"b', took=2_500)
    lines = world.well("stats", "--prometheus").out.splitlines()
    labels = 'agent="a\\"b",tool="claude",model="haiku"'
    assert f"orchestrator_invocations_total{{{labels}}} 2" in lines
    assert f"orchestrator_cost_usd_total{{{labels}}} 0.002000" in lines
    assert f'orchestrator_tokens_total{{{labels},token_type="input"}} 2000' in lines
    assert f'orchestrator_invocation_duration_seconds{{{labels},quantile="0.5"}} 1.5' in lines
    assert f"orchestrator_invocation_duration_seconds_sum{{{labels}}} 4.000" in lines
    assert f"orchestrator_invocation_duration_seconds_count{{{labels}}} 2" in lines


def test_what_really_ran_is_counted_at_once(tmp_path: Path) -> None:
    made = repository(tmp_path / "repo")
    made.well("init")
    tools = 'tools:\n  claude: {binary: sh, command: ["{binary}", "-c", "echo done"], models: [haiku], billing: free}\n'
    agents = "agents:\n  writer: {preferred_tool: claude, preferred_model: haiku}\n"
    made.configure({"tools": tools, "agents": agents, "models": MODELS, "policies": "policies: {}\n"})
    made.well("exec", "--agent", "writer", "--prompt", "Say done")
    by = [part for kind in ("agent", "tool", "model", "provider", "reason") for part in ("--by", kind)]
    data = made.well("stats", *by, "--json").data
    assert {kind: [line["name"] for line in lines] for kind, lines in data["by"].items()} == {
        "agent": ["writer"],
        "tool": ["claude"],
        "model": ["haiku"],
        "provider": ["anthropic"],
        "reason": ["preferred"],
    }
    assert (data["total"]["invocations"], data["total"]["succeeded"], data["total"]["cost_microusd"]) == (1, 1, 0)


def test_it_works_beside_a_daemon(tmp_path: Path) -> None:
    made = repository(tmp_path / "repo")
    made.well("init")
    Past(made).run(datetime(2026, 2, 12, 9, tzinfo=UTC), agent="writer")
    with daemon(made):
        assert made.well("stats", "--json").data["total"]["invocations"] == 1


def test_what_if_replays_a_policys_escalation_on_checked_runs(world: World) -> None:
    past = Past(world)
    at = datetime(2026, 2, 12, 9, tzinfo=UTC)
    for number in range(8):  # haiku does six of eight; sonnet mends the other two
        failed = "verify_failed" if number < 2 else ""
        past.run(at, task=f"t{number}", cost=10_000, checked=True, error_kind=failed)
        if failed:
            past.run(at, task=f"t{number}", model="sonnet", cost=100_000, checked=True, reason="escalation")
    past.run(at, task="unchecked", cost=990_000)
    past.run(at, task="t7", cost=990_000, error_kind="rate_limited", checked=True)  # not the model's fault
    ended = world.well("stats", "--what-if", "cheap", "--json")
    data = ended.data
    assert (data["tasks"], data["filled"], data["chain"]) == (8, 6, ["haiku", "sonnet"])
    assert (data["cost"], data["against_cost"], data["solved"]) == (35_000, 100_000, 1.0)
    assert data["saving"]["value"] == pytest.approx(65)
    page = world.well("stats", "--what-if", "cheap")
    assert "on 8 tasks; 6 runs that nobody made are taken at their model's average" in page.out
    assert "mostly asked where a cheaper one had failed" in page.err
    assert "has no `escalation`" in world("stats", "--what-if", "plain").err
    assert world("stats", "--what-if", "none").code == 4


RUNS = [
    {"task": f"t{number}", "model": model, "solved": number % of != 0, "cost_usd": cost}
    for number in range(60)
    for model, of, cost in (("small", 3, 0.01), ("large", 10, 0.1))
]


def test_simulate_prints_cost_and_quality_against_the_strongest(world: World) -> None:
    (world.root / "runs.jsonl").write_text("".join(json.dumps(run) + "\n" for run in RUNS))
    page = world.well("simulate", "--runs", "runs.jsonl", "--chain", "small,large").out
    assert "small → large against always large, on 60 tasks" in page
    # 40 of 60 stay with small, which also solves four of the six that large fails at.
    assert "$0.0433 a task against $0.1000: 56.7 % less (" in page
    assert "quality  96.7 % solved against 90.0 %: 107.4 % of it (" in page


def test_simulate_takes_the_models_of_a_policy(world: World) -> None:
    runs = [run | {"model": {"small": "haiku", "large": "sonnet"}[str(run["model"])]} for run in RUNS]
    (world.root / "runs.jsonl").write_text("".join(json.dumps(run) + "\n" for run in runs))
    data = world.well("simulate", "--runs", "runs.jsonl", "--policy", "cheap", "--json").data
    assert (data["chain"], data["tasks"]) == (["haiku", "sonnet"], 60)
    assert world("simulate", "--runs", "runs.jsonl", "--policy", "cheap", "--chain", "a,b").code == 2


def test_simulate_reads_csv_and_gives_the_same_for_the_same_seed(world: World) -> None:
    text = "task,model,solved,cost_usd\n" + "".join(
        f"{run['task']},{run['model']},{str(run['solved']).lower()},{run['cost_usd']}\n" for run in RUNS
    )
    asked = ("simulate", "--runs", "-", "--chain", "small,large", "--false-accept", "0.5", "--json")
    first, second = (world.well(*asked, stdin=text).out for _ in range(2))
    assert first == second
    data = json.loads(first)["data"]
    assert data["saving"]["low"] < data["saving"]["value"] < data["saving"]["high"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task,model,solved\n", "runs:1: the head lacks cost_usd"),
        ("task,model,solved,cost_usd\na,small,maybe,1\n", 'runs:2: solved is "maybe"; write true or false'),
        ("task,model,solved,cost_usd\na,small,true,-1\n", 'runs:2: cost_usd is "-1"; write US dollars'),
        ("task,model,solved,cost_usd\na,small,true,nan\n", 'runs:2: cost_usd is "nan"'),
        ("task,model,solved,cost_usd\na,small,true,1e308\n", 'runs:2: cost_usd is "1e308"'),
        ("task,model,solved,cost_usd\n,small,true,1\n", "runs:2: task is missing"),
        ('{"task": 1\n', "runs:1: this is no JSON object on one line"),
        ("task,model,solved,cost_usd\na,small,true,1\n", "no task that every model of the chain was tried on"),
    ],
)
def test_simulate_says_what_is_wrong_with_a_file_and_where(world: World, text: str, said: str) -> None:
    (world.root / "runs").write_text(text)
    ended = world("simulate", "--runs", "runs", "--chain", "small,large")
    assert ended.code == 1
    assert said in ended.err


def test_simulate_wants_a_chain_or_a_policy(world: World) -> None:
    (world.root / "runs").write_text("")
    assert world("simulate", "--runs", "runs").code == 2
    assert world("simulate", "--runs", "runs", "--chain", "a,,b").code == 2
    assert world("simulate", "--runs", "missing", "--chain", "a,b").code == 4
