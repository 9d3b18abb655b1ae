"""Money and routes with the program itself: tools that print what Claude Code prints, limits, a ledger that is real."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_world import Template, World, daemon, wait_until

# As Claude Code 2 prints it with --output-format json; the fields that the reader reads.
ANSWER = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "the answer",
    "session_id": "9d414e1f-bee1-4655-8e71-c912bbc795a7",
    "num_turns": 1,
    "total_cost_usd": 0.42,
    "usage": {"input_tokens": 1000, "output_tokens": 200},
    "modelUsage": {"large": {"inputTokens": 1000, "outputTokens": 200, "costUSD": 0.42}},
    "permission_denials": [],
    "terminal_reason": "completed",
}
REFUSED = {
    "type": "result",
    "subtype": "success",
    "is_error": True,
    "api_error_status": 429,
    "api_error_type": "rate_limit_error",
    "result": "API Error: Request rejected (429) · slow down",
    "session_id": "9d414e1f-bee1-4655-8e71-c912bbc795a8",
    "num_turns": 1,
    "total_cost_usd": 0,
    "usage": {"input_tokens": 0, "output_tokens": 0},
    "modelUsage": {},
    "permission_denials": [],
    "terminal_reason": "api_error",
}
TOOLS = """
tools:
  claude:                   # paid by use, and says what it cost
    binary: sh
    command: ["{binary}", "-c", "cat >/dev/null; cat answer.json"]
    output: claude-json
    models: [large]
    billing: api
  limited:
    binary: sh
    command: ["{binary}", "-c", "cat >/dev/null; cat refused.json; exit 1"]
    output: claude-json
    models: [large]
    billing: api
  counted:                  # tells tokens, and no cost
    binary: sh
    command: ["{binary}", "-c", "cat >/dev/null; cat counted.json"]
    output: {text: /text, tokens: {input: /in, output: /out}}
    models: [large]
    billing: api
  patient:                  # ends when it is told to
    binary: sh
    command: ["{binary}", "-c", "cat >/dev/null; touch begun; while [ ! -e go ]; do sleep 0.02; done; cat answer.json"]
    output: claude-json
    models: [large]
    billing: api
  broken: {binary: sh, command: ["{binary}", "-c", "exit 3"], models: [large], billing: free}
  dreaming:                 # tells more tokens than its one turn can have read
    binary: sh
    command: ["{binary}", "-c", "cat >/dev/null; cat dreamt.json"]
    output: {text: /text, turns: /turns, tokens: {input: /in, output: /out}}
    models: [narrow]
    billing: api
"""
MODELS = """
models:
  narrow: {provider: here, context_window: 200000, price: {input_mtok: 2, output_mtok: 10}}
  large: {provider: here, price: {input_mtok: 2, output_mtok: 10}}
"""
AGENTS = """
agents:
  dev: {preferred_tool: claude, preferred_model: large}
  stopped: {preferred_tool: limited, preferred_model: large, fallback_chain: ["claude:large"]}
  unlucky: {preferred_tool: broken, preferred_model: large, fallback_chain: ["patient:large"], policy: loose}
  counter: {preferred_tool: counted, preferred_model: large}
  waiter: {preferred_tool: patient, preferred_model: large}
  dreamer: {preferred_tool: dreaming, preferred_model: narrow}
"""
POLICIES = """
policies:
  default:
    max_parallel: 1
    limits: [{period: day, max_usd: 1, type: hard}, {period: task, max_usd: 0.5, type: hard}]
  loose: {}
trail: {mode: own}
"""
CONFIGURATION = {"tools": TOOLS, "models": MODELS, "agents": AGENTS, "policies": POLICIES}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with a dollar a day."""
    return Template(tmp_path_factory.mktemp("made"), CONFIGURATION)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """One of the test's own, and what its tools print."""
    made = template.copy(tmp_path / "repo")
    (made.root / "answer.json").write_text(json.dumps(ANSWER))
    (made.root / "refused.json").write_text(json.dumps(REFUSED, ensure_ascii=False))
    (made.root / "counted.json").write_text('{"text": "counted", "in": 1500, "out": 800}')
    return made


def drop(world: World, task_id: str, agent: str = "dev") -> None:
    """A task into the inbox."""
    world.drop(f"{task_id}.yaml", f"id: {task_id}\nagent: {agent}\ntitle: Do it\n")


def event(world: World, task_id: str, kind: str) -> Any:
    """The last event of that kind."""
    return [one for one in world.events_of(task_id) if one["event"] == kind][-1]


def charged(world: World) -> list[tuple[str, int, str]]:
    """What the ledger was told to charge, in its order."""
    connection = sqlite3.connect(world.root / ".git" / "orchestrator" / "ledger.db")
    try:
        rows = connection.execute("SELECT task, spent, source FROM entries WHERE kind = 'settle' ORDER BY number")
        return rows.fetchall()
    finally:
        connection.close()


def spend(world: World) -> None:
    """Two tasks, and the day's money is gone but for 16 cents."""
    drop(world, "a")
    drop(world, "b")
    world.well("daemon", "--until-idle")


def test_a_hard_limit_lets_as_many_run_as_fit_and_blocks_the_next_with_the_words(world: World) -> None:
    for task_id in ("a", "b", "c"):
        drop(world, task_id)
    world.well("daemon", "--until-idle")
    status = {task_id: world.events_of(task_id)[-1]["status"] for task_id in ("a", "b", "c")}
    assert status == {"a": "done", "b": "done", "c": "blocked"}
    why = event(world, "c", "task_blocked")["why"]
    assert "Over budget: hard limit a day ($1.34 / $1.00): $0.84 spent, $0.50 estimated for this run." in why
    assert [(task, spent, source) for task, spent, source in charged(world)] == [
        ("a", 420_000, "reported"),
        ("b", 420_000, "reported"),
    ]
    assert "execution_started" not in [one["event"] for one in world.events_of("c")]


def test_the_result_of_a_task_says_what_it_cost_and_who_says_so(world: World) -> None:
    data = world.well("exec", "--agent", "dev", "--prompt", "Do it", "--json").data
    text = (world.root / "work" / data["paths"]["task"]).read_text()
    assert "0.420000" in next(line for line in text.splitlines() if "cost_usd:" in line)
    assert "cost_source: reported" in text
    started = event(world, data["id"], "execution_started")
    assert (started["reserved_microusd"], started["provider"]) == (500_000, "here")
    message = world.git("log", "-1", "--format=%B", "orchestrator/work")
    assert "Cost-USD: 0.420000" in message
    assert "Cost-Source: reported" in message


def test_what_reports_tokens_alone_is_charged_by_the_price(world: World) -> None:
    data = world.well("exec", "--agent", "counter", "--prompt", "Do it", "--json").data
    finished = event(world, data["id"], "execution_finished")
    assert (finished["cost_microusd"], finished["cost_source"]) == (1500 * 2 + 800 * 10, "computed")
    assert charged(world) == [(data["id"], 11_000, "computed")]


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"turns": 1, "in": 200_001, "out": 5}, "200001 tokens of input do not fit into a context of 200000"),
        ({"turns": 2, "in": 500_000, "out": 5}, "500000 tokens of input do not fit into 2 of 200000 tokens"),
        ({"turns": 1, "in": 10**15, "out": 5}, "no run uses so many; it is in another unit"),
    ],
    ids=["more than the context", "more than the context in all turns", "in another unit"],
)
def test_usage_that_cannot_be_true_is_charged_the_hold_and_counted_nowhere(
    world: World, told: dict[str, int], fault: str
) -> None:
    (world.root / "dreamt.json").write_text(json.dumps({"text": "Done."} | told))
    data = world.well("exec", "--agent", "dreamer", "--prompt", "Do it", "--json").data
    finished = event(world, data["id"], "execution_finished")
    assert charged(world) == [(data["id"], 500_000, "estimated")]
    assert fault in finished["cost_note"]
    assert "tokens" not in finished


def test_usage_that_fits_into_the_context_of_its_turns_is_believed(world: World) -> None:
    (world.root / "dreamt.json").write_text(json.dumps({"text": "Done.", "turns": 2, "in": 200_001, "out": 5}))
    data = world.well("exec", "--agent", "dreamer", "--prompt", "Do it", "--json").data
    assert charged(world) == [(data["id"], 200_001 * 2 + 5 * 10, "computed")]


def test_exec_over_the_limit_runs_nothing_and_says_why(world: World) -> None:
    spend(world)
    ended = world("exec", "--agent", "dev", "--prompt", "Do it")
    assert ended.code == 1
    assert "($1.34 / $1.00)" in ended.err
    assert "$0.84 spent, $0.50 estimated" in " ".join(ended.err.split())
    assert ended.out == ""
    assert len(charged(world)) == 2


def test_exec_forced_with_a_reason_runs_and_the_reason_is_in_event_and_commit(world: World) -> None:
    spend(world)
    asked = ("exec", "--agent", "dev", "--prompt", "Do it", "--force", "--justification", "the release is today")
    ended = world.well(*asked, "--json")
    submitted = event(world, ended.data["id"], "task_submitted")
    assert (submitted["forced"], submitted["justification"]) == (True, "the release is today")
    assert "Forced: the release is today" in world.git("log", "--format=%B", "orchestrator/work")
    assert charged(world)[-1] == (ended.data["id"], 420_000, "reported")


def test_force_without_a_reason_is_refused(world: World) -> None:
    ended = world("exec", "--agent", "dev", "--prompt", "Do it", "--force")
    assert ended.code == 2
    assert "--justification" in ended.err


def test_a_tool_that_is_rate_limited_gives_way_to_the_next_and_is_left_alone(world: World) -> None:
    drop(world, "a", agent="stopped")
    world.well("daemon", "--until-idle")
    told = [(one["event"], one.get("tool", "")) for one in world.events_of("a")]
    assert told == [
        ("task_claimed", ""),
        ("route_planned", "limited"),
        ("execution_started", "limited"),
        ("execution_finished", "limited"),
        ("attempt_failed", "limited"),
        ("route_planned", "claude"),
        ("execution_started", "claude"),
        ("execution_finished", "claude"),
        ("task_completed", "claude"),
    ]
    assert event(world, "a", "attempt_failed")["error_kind"] == "rate_limited"
    assert event(world, "a", "execution_started")["reason"] == "fallback"
    assert charged(world) == [("a", 0, "reported"), ("a", 420_000, "reported")]
    drop(world, "b", agent="stopped")
    world.well("daemon", "--until-idle")  # another process, and it knows
    started = event(world, "b", "execution_started")
    assert started["tool"] == "claude"
    assert "left alone until" in started["why"]


def test_a_ledger_that_was_taken_away_is_made_again_from_the_events(world: World) -> None:
    spend(world)
    state = world.root / ".git" / "orchestrator"
    before = charged(world)
    for file in state.glob("ledger.db*"):
        file.unlink()
    ended = world("exec", "--agent", "dev", "--prompt", "Do it")
    assert ended.code == 1
    assert "$0.84 spent" in " ".join(ended.err.split())
    assert sorted(charged(world)) == sorted(before)


def test_index_and_ledger_deleted_while_a_task_runs_lose_and_invent_no_money(world: World) -> None:
    world.configure({"policies": POLICIES.replace("max_parallel: 1", "max_parallel: 2")})
    with daemon(world):
        drop(world, "a", agent="waiter")
        wait_until((world.root / "begun").exists, "the run began")
        state = world.root / ".git" / "orchestrator"
        for file in (*state.glob("index.db*"), *state.glob("ledger.db*")):
            file.unlink()
        drop(world, "b")
        wait_until(lambda: has_event(world, "b", "task_completed"), "another task was done meanwhile")
        (world.root / "go").touch()
        wait_until(lambda: has_event(world, "a", "task_completed"), "the run ended")
        drop(world, "c")
        wait_until(lambda: has_event(world, "c", "task_blocked"), "there is no more money")
    assert "($1.34 / $1.00): $0.84 spent" in event(world, "c", "task_blocked")["why"]
    assert sorted(charged(world)) == [("a", 420_000, "reported"), ("b", 420_000, "reported")]


def test_explain_tells_of_a_task_that_is_under_way_what_failed_already(world: World) -> None:
    with daemon(world):
        drop(world, "a", agent="unlucky")
        wait_until((world.root / "begun").exists, "the second tool began")
        data = world.well("explain", "a", "--json").data
        (world.root / "go").touch()
        wait_until(lambda: has_event(world, "a", "task_completed"), "the run ended")
    assert [one["tool"] for one in data["route"]] == ["patient"]
    assert [(one["tool"], one["why"]) for one in data["refused"]] == [("broken", "it failed already: crashed")]
    anew = world.well("explain", "a", "--json").data
    assert [one["tool"] for one in anew["route"]] == ["broken", "patient"]


def has_event(world: World, task_id: str, kind: str) -> bool:
    """Whether its file tells of one."""
    try:
        return any(one["event"] == kind for one in world.events_of(task_id))
    except (FileNotFoundError, IndexError, StopIteration):
        return False
