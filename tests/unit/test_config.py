"""What the configuration files say is what Settings holds."""

import re
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from orchestrator import resources
from orchestrator.config import ConfigRefused, load
from orchestrator.core.pointers import Pointers
from orchestrator.core.prices import FREE, Price, Rates
from orchestrator.core.settings import CostOptimization, PromptBy, Retries, Settings, TrailMode, WorkspaceKind
from orchestrator.core.types import AgentKey, ErrorKind

AGENTS = """
agents:
  backend-dev:
    profile: doctrine/agents/backend-dev.agent.md   # optional
    aliases: [backend-benny]
    preferred_tool: claude
    preferred_model: sonnet
    fallback_chain: [claude:claude-opus-5-5, codex:gpt-6-1-sol]
    task_types: {coding: sonnet, review: claude-opus-5-5}
    policy: default
  person:
    manual: true
  idle:
"""
TOOLS = """
tools:
  claude:
    binary: claude
    command: ["{binary}", "-p", "--output-format", "stream-json", "--verbose", "--model", "{model}",
              "--max-budget-usd", "{budget_usd}", "--permission-mode", "{permission_mode}"]
    prompt: stdin
    output: claude-stream-json
    models: [claude-haiku-5-5, sonnet, claude-opus-5-5]
    capabilities: [edits_files, long_context]
    workspace: worktree
    timeout: 30m
    env: {ANTHROPIC_API_KEY: "${ANTHROPIC_API_KEY}"}
    env_required: [ANTHROPIC_API_KEY]
    env_pass: [HOME, LANG]
    options: {permission_mode: acceptEdits}
    max_parallel: 2
    rate_limit: {per_minute: 20, per_hour: 200}
    billing: api
  codex:
    platforms: {linux: codex, macos: /opt/codex/bin/codex}
    command: "{binary} exec --note 'two words' -"
    output: {text: /message, cost_usd: /usage/cost}
    models: [gpt-6-1-sol]
"""
MODELS = """
models:
  claude-sonnet-5-5:
    provider: anthropic
    price: {input_mtok: 2, output_mtok: 10, cache_read_mtok: 0.1, cache_write_mtok: 2.5}
    context_window: 200000
    task_suitability: [coding, editing]
    aliases: [sonnet]
  gpt-6-1-sol: {cost_per_1k_tokens: {input: 0.003, output: 0.015}}
  local: {price: free}
"""
POLICIES = """
policies:
  default:
    timezone: Europe/Brussels
    limits:
      - {period: day,   max_usd: 10,  type: hard, threshold_percent: 80}
      - {period: month, max_usd: 200, type: soft}
      - {period: task,  max_usd: 2.000001,   type: hard}
      - {period: day,   max_usd: 4,   type: hard, scope: {agent: backend-dev, model: sonnet}}
    on_exceeded: block
    justification_over_usd: 5
    max_parallel: 4
    retries: {max: 2, backoff: 10s, on: [rate_limited, overloaded, crashed]}
    cost_optimization: {simple_task_threshold_tokens: 1500, simple_task_models: [sonnet]}
    escalation: [claude:claude-haiku-5-5, claude:sonnet, claude:claude-opus-5-5]
    tasks_may_choose: [model]
    unpriced: refuse
    privacy: metadata
    review: branch
checks:
  tests: {command: [pytest, -q], timeout: 10m}
retention: {archive_after: 30d, output_logs: 14d}
trail: {mode: own, branch: orchestrator/work, remote: origin}
intake: {branch: main, paths: [tasks/, more/tasks]}
"""
PROFILE = "---\nname: Benny the backend developer\ntools: [read]\n---\n\nYou are careful.\n"


def configured(root: Path, **files: str) -> Path:
    """A repository with the configuration above, where `files` does not give another text (or '' for no file)."""
    texts = {"agents": AGENTS, "tools": TOOLS, "models": MODELS, "policies": POLICIES} | files
    for name, text in texts.items():
        path = root / "config" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text)
    profile = root / "doctrine/agents/backend-dev.agent.md"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(PROFILE)
    return root


def settings_of(root: Path, platform: str = "linux", **environ: str) -> Settings:
    return load(root / "config", repository=root, environ=environ, platform=platform)


def test_the_documented_example_becomes_settings(tmp_path: Path) -> None:
    settings = settings_of(configured(tmp_path), ANTHROPIC_API_KEY="secret")

    agent = settings.agents[AgentKey("backend-dev")]
    assert (agent.aliases, agent.preferred_tool) == (("backend-benny",), "claude")
    assert (agent.profile, agent.profile_name) == (
        "doctrine/agents/backend-dev.agent.md",
        "Benny the backend developer",
    )
    assert settings.agents[AgentKey("person")].manual
    assert settings.agents[AgentKey("idle")].policy == "default"

    claude = settings.tools["claude"]
    assert claude.command[:2] == ("{binary}", "-p")
    assert (claude.prompt, claude.workspace, claude.timeout) == (
        PromptBy.STDIN,
        WorkspaceKind.WORKTREE,
        timedelta(minutes=30),
    )
    assert (claude.env, claude.env_missing) == ({"ANTHROPIC_API_KEY": "secret"}, ())
    assert (claude.options, claude.rate_limit.max_parallel, claude.billing) == (
        {"permission_mode": "acceptEdits"},
        2,
        "api",
    )
    assert settings.tools["codex"].command == ("{binary}", "exec", "--note", "two words", "-")
    assert (claude.output, settings.tools["codex"].output) == (
        "claude-stream-json",
        Pointers(text="/message", cost_usd="/usage/cost"),
    )

    policy = settings.policy("default")
    assert [(limit.period, limit.max_usd, limit.hard) for limit in policy.limits] == [
        ("day", 10_000_000, True),
        ("month", 200_000_000, False),
        ("task", 2_000_001, True),
        ("day", 4_000_000, True),
    ]
    assert policy.justification_over == 5_000_000
    kinds = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED, ErrorKind.CRASHED})
    assert policy.retries == Retries(max=2, backoff=timedelta(seconds=10), on=kinds)
    assert settings.checks["tests"].command == ("pytest", "-q")
    assert (settings.trail.mode, settings.trail.remote) == (TrailMode.OWN, "origin")
    assert settings.intake.paths == ("tasks/", "more/tasks/")
    assert settings.retention.output_logs == timedelta(days=14)


def test_an_alias_of_a_model_becomes_its_name_wherever_it_stands(tmp_path: Path) -> None:
    settings = settings_of(configured(tmp_path))
    agent, policy = settings.agents[AgentKey("backend-dev")], settings.policy("default")
    assert agent.preferred_model == "claude-sonnet-5-5"
    assert agent.task_types["coding"] == "claude-sonnet-5-5"
    assert settings.tools["claude"].models == ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
    assert policy.escalation == ("claude:claude-haiku-5-5", "claude:claude-sonnet-5-5", "claude:claude-opus-5-5")
    assert policy.cost_optimization == CostOptimization(threshold_tokens=1500, models=("claude-sonnet-5-5",))
    assert policy.limits[3].scope == {"agent": "backend-dev", "model": "claude-sonnet-5-5"}


def test_prices_are_decimals_per_million_tokens_in_every_spelling(tmp_path: Path) -> None:
    models = settings_of(configured(tmp_path)).models
    rates = Rates(input=Decimal(2), output=Decimal(10), cache_read=Decimal("0.1"), cache_write=Decimal("2.5"))
    assert models["claude-sonnet-5-5"].price == Price(rates=rates, source="config/models.yaml")
    old = models["gpt-6-1-sol"].price
    assert old is not None
    assert old.rates == Rates(input=Decimal(3), output=Decimal(15))
    assert models["local"].price is FREE


@pytest.mark.parametrize(
    ("platform", "binary"),
    [("linux", "codex"), ("darwin", "/opt/codex/bin/codex"), ("win32", "")],
    ids=["linux", "macos", "a platform that the tool does not name"],
)
def test_the_binary_is_that_of_the_platform(tmp_path: Path, platform: str, binary: str) -> None:
    assert settings_of(configured(tmp_path), platform=platform).tools["codex"].binary == binary


def test_the_binary_python_is_this_interpreter(tmp_path: Path) -> None:
    tools = 'tools: {claude: {binary: "{python}"}, codex: {binary: "true"}, plain: {command: [echo, hello]}}'
    agents = "agents: {backend-dev: {preferred_tool: claude}}"
    settings = settings_of(configured(tmp_path, tools=tools, agents=agents, policies=""))
    assert settings.tools["claude"].binary == sys.executable
    assert settings.tools["codex"].command == ("{binary}",)
    assert settings.tools["plain"].binary == "echo"


def test_variables_are_filled_in_and_missing_ones_make_the_tool_unavailable_and_nothing_else(tmp_path: Path) -> None:
    tools = """
tools:
  claude:
    binary: x
    env:
      GIVEN: "${ONE}-${ONE}"
      DEFAULTED: "${TWO:-two}/${EMPTY:-full}"
      EMPTY: "${EMPTY}"
      LITERAL: "$ONE costs $5"
      NESTED: "${HOLDS}"
      LACKING: "a${THREE}b"
    env_required: [FOUR, ONE]
    env_pass: [LANG]
"""
    agents, policies = "agents: {a: {preferred_tool: claude}}", "policies: {}"
    root = configured(tmp_path, tools=tools, agents=agents, policies=policies)
    tool = settings_of(root, ONE="1", EMPTY="", HOLDS="${ONE}").tools["claude"]
    assert tool.env == {
        "GIVEN": "1-1",
        "DEFAULTED": "two/full",
        "EMPTY": "",
        "LITERAL": "$ONE costs $5",
        "NESTED": "${ONE}",  # what a variable holds is never expanded again
    }
    assert tool.env_missing == ("THREE", "FOUR")
    assert tool.env_pass == ("LANG", "FOUR", "ONE")  # what a tool requires, it may see


@pytest.mark.parametrize(
    ("policy", "limits"),
    [
        ("daily_budget_usd: 10", [("day", 10, True, 80)]),
        ("{daily_budget_usd: 10, monthly_budget_usd: 90.5}", [("day", 10, True, 80), ("month", 90.5, True, 80)]),
        ("{daily_budget_usd: 10, block_over_budget: false}", [("day", 10, False, 80)]),
        ("{daily_budget_usd: 10, alert_threshold_percent: 50}", [("day", 10, True, 50)]),
        ("{daily_budget_usd: 10, limit: {type: soft, threshold_percent: 70}}", [("day", 10, False, 70)]),
        ("{limit: {period: week, max_usd: 3, type: soft}}", [("week", 3, False, 80)]),
        (
            "{limits: [{period: total, max_usd: 1}], daily_budget_usd: 10}",
            [("total", 1, True, 80), ("day", 10, True, 80)],
        ),
    ],
    ids=[
        "daily",
        "daily and monthly",
        "warn only",
        "threshold",
        "limit shapes the budget",
        "limit by itself",
        "both spellings",
    ],
)
def test_an_older_spelling_is_the_limit_that_it_means(
    tmp_path: Path, policy: str, limits: list[tuple[str, float, bool, int]]
) -> None:
    text = policy if policy.startswith("{") else f"{{{policy}}}"
    settings = settings_of(configured(tmp_path, policies=f"policies: {{default: {text}}}"))
    assert [
        (limit.period, limit.max_usd / 1_000_000, limit.hard, limit.threshold_percent)
        for limit in settings.policy("default").limits
    ] == limits


def test_models_and_policies_may_be_absent_or_hold_only_comments(tmp_path: Path) -> None:
    agents = "agents: {a: {preferred_tool: claude, preferred_model: claude-opus-5-5}}"
    for root, text in ((tmp_path / "absent", ""), (tmp_path / "empty", "# nothing yet\n")):
        settings = settings_of(configured(root, agents=agents, models=text, policies=text))
        assert (settings.models, settings.policies, settings.checks) == ({}, {}, {})
        assert settings.policy("default").max_parallel == 4
        assert settings.trail.branch == "orchestrator/work"
        assert settings.intake.branch == ""


def test_a_configuration_is_found_outside_the_repository_as_well(tmp_path: Path) -> None:
    root = configured(tmp_path / "elsewhere", agents="agents: {a: {preferred_tool: nope}}")
    with pytest.raises(ConfigRefused) as refused:
        load(root / "config", repository=tmp_path / "repository", environ={}, platform="linux")
    assert refused.value.problems[0].path == str(root / "config/agents.yaml")


def test_the_shipped_configuration_has_a_tool_for_every_agent_that_is_no_person(tmp_path: Path) -> None:
    settings = load(resources.folder("config"), repository=tmp_path, environ={}, platform=sys.platform)
    assert {agent.preferred_tool for agent in settings.agents.values() if not agent.manual} == {"brief"}
    assert [key for key, agent in settings.agents.items() if agent.manual] == ["person"]
    brief = settings.tools["brief"]
    assert brief.binary == sys.executable
    assert {"{task_file}", "{workspace}", "{work_folder}"} < set(brief.command)
    assert (brief.prompt, brief.billing, brief.env_missing) == (PromptBy.STDIN, "free", ())
    assert settings.models["embedded"].price is FREE


def test_what_the_shipped_configuration_has_in_comments_can_be_uncommented(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    uncommented = 0
    for file in resources.folder("config").iterdir():
        lines = []
        for line in file.read_text().splitlines():
            example = re.fullmatch(r"( *)#( *)((?:- |[a-z_-]+:).*)", line)
            prose = example is None or re.match(r"[a-z]+: (it|what) ", example[3]) or " `" in line
            uncommented += not prose
            lines.append(line if prose else f"{example[1]}{example[2][1:]}{example[3]}")
        (tmp_path / "config" / file.name).write_text("\n".join(lines).replace("checks: {}", "checks:"))
    profile = tmp_path / "agents/backend-dev.agent.md"
    profile.parent.mkdir()
    profile.write_text("You are careful.\n")
    settings = settings_of(tmp_path)
    assert uncommented > 20
    assert {"my-tool", "brief"} == set(settings.tools)
    assert settings.intake.branch == "main"


def test_every_profile_of_a_real_project_can_be_read(tmp_path: Path) -> None:
    profiles = Path(__file__).parents[2].parent / "shared/corpus/agents"
    if not profiles.is_dir():
        pytest.skip("the corpus of agent profiles is not beside this checkout")
    agents = "".join(f"  {file.name.split('.')[0]}: {{profile: {file.name}}}\n" for file in profiles.iterdir())
    (tmp_path / "config").mkdir()
    (tmp_path / "config/agents.yaml").write_text(f"agents:\n{agents}")
    (tmp_path / "config/tools.yaml").write_text("tools: {}")
    settings = load(tmp_path / "config", repository=profiles, environ={}, platform="linux")
    assert len(settings.agents) > 20
    assert all(agent.profile_name for agent in settings.agents.values())
