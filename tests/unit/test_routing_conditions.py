"""What a route looks at besides the order: size, price, context window, rates, cooldowns, money; and when it waits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.core.hindrance import Hindrance
from orchestrator.core.prices import FREE, Price, Rates
from orchestrator.core.routing import Ask, Conditions, Refusal, Requested, Route, plan
from orchestrator.core.settings import (
    Agent,
    CostOptimization,
    Limit,
    Model,
    OnExceeded,
    Period,
    Policy,
    Settings,
    Tool,
)
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, MicroUsd, TaskId

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TASK = Task(id=TaskId("x"), prompt="do it")


def priced(output: str) -> Price:
    return Price(rates=Rates(input=Decimal(1), output=Decimal(output)))


MODELS = {
    "haiku": Model(name="haiku", price=priced("0.5"), context_window=2_000, aliases=("small",)),
    "sonnet": Model(name="sonnet", price=priced("10")),
    "opus": Model(name="opus", price=priced("20")),
    "sol": Model(name="sol", price=priced("5")),
    "own": Model(name="own", price=FREE),
}
TOOLS = {
    "claude": Tool(
        name="claude", binary="claude", command=("claude",), models=("haiku", "sonnet", "opus"), billing="api"
    ),
    "codex": Tool(name="codex", binary="codex", command=("codex",), models=("sol", "new"), billing="api"),
    "ollama": Tool(name="ollama", binary="ollama", command=("ollama",), models=("own",), billing="api"),
}
AGENT = Agent(
    key=AgentKey("dev"), preferred_tool="claude", preferred_model="sonnet", fallback_chain=("codex:sol", "ollama:own")
)
LIMIT = Limit(period=Period.DAY, max_usd=MicroUsd(10_000_000))
POLICY = Policy(name="default", limits=(LIMIT,))
CHEAP = CostOptimization(threshold_tokens=1500, models=("haiku",))
CHAIN = ("claude:haiku", "claude:sonnet", "claude:opus")


def planned(
    task: Task = TASK,
    agent: Agent = AGENT,
    policy: Mapping[str, Any] | None = None,
    requested: Requested | None = None,
    models: Mapping[str, Model] = MODELS,
    **conditions: Any,
) -> Route | Refusal:
    known = Settings(agents={}, tools=TOOLS, models=models, policies={"default": replace(POLICY, **(policy or {}))})
    now = Conditions(unavailable=lambda tool: "", prompt_tokens=conditions.pop("tokens", None))
    return plan(task, agent, known, replace(now, **conditions), requested or Requested())


def ways(route: Route | Refusal) -> list[str]:
    assert isinstance(route, Route), route
    return [f"{one.tool.name}:{one.model} {one.reason}" for one in route.candidates]


def refusing(why: str, *keys: str, until: datetime | None = None) -> Ask:
    """Refuses those tools, or tool:model."""
    return lambda tool, model: (
        Hindrance(why=why, until=until) if {tool.name, f"{tool.name}:{model.name}"} & set(keys) else None
    )


def test_a_small_prompt_goes_to_the_cheap_model_and_the_preferred_one_stands_behind() -> None:
    route = planned(policy={"cost_optimization": CHEAP}, tokens=800)
    assert ways(route)[:2] == ["claude:haiku cost_optimization", "claude:sonnet preferred"]
    assert isinstance(route, Route)
    assert route.first.why == "cost_optimization claude (a prompt of about 800 tokens, the threshold is 1,500)"


@pytest.mark.parametrize(("tokens", "reason"), [(1500, "cost_optimization"), (1501, "above_threshold")])
def test_the_threshold_itself_is_small(tokens: int, reason: str) -> None:
    assert ways(planned(policy={"cost_optimization": CHEAP}, tokens=tokens))[0].endswith(reason)


def test_a_large_prompt_goes_to_the_preferred_model() -> None:
    route = planned(policy={"cost_optimization": CHEAP}, tokens=3000)
    assert ways(route)[0] == "claude:sonnet above_threshold"
    assert not any("haiku" in one for one in ways(route))


def test_how_large_a_prompt_is_is_estimated_where_nobody_says() -> None:
    policy = {"cost_optimization": CHEAP}
    assert ways(planned(replace(TASK, prompt="word " * 800), policy=policy))[0] == "claude:haiku cost_optimization"
    assert ways(planned(replace(TASK, prompt="word " * 3000), policy=policy))[0] == "claude:sonnet above_threshold"


def test_a_cheap_model_that_no_tool_of_the_agent_lists_is_left_out() -> None:
    cheap = CostOptimization(threshold_tokens=1500, models=("elsewhere", "own"))
    route = planned(policy={"cost_optimization": cheap}, tokens=800)
    assert ways(route) == ["ollama:own cost_optimization", "claude:sonnet preferred", "codex:sol fallback"]


def test_a_task_with_checks_climbs_the_escalation() -> None:
    policy = {"escalation": CHAIN, "cost_optimization": CHEAP}
    assert ways(planned(replace(TASK, verify=("tests",)), policy=policy)) == [
        "claude:haiku escalation",
        "claude:sonnet escalation",
        "claude:opus escalation",
        "codex:sol fallback",
        "ollama:own fallback",
    ]
    assert ways(planned(policy={"escalation": CHAIN}))[0] == "claude:sonnet preferred"


def test_a_persons_word_comes_alone() -> None:
    policy = {"escalation": CHAIN, "cost_optimization": CHEAP}
    task = replace(TASK, verify=("tests",))
    assert ways(planned(task, policy=policy, requested=Requested(model="opus"), tokens=10)) == [
        "claude:opus requested",
    ]


@pytest.mark.parametrize(
    ("requested", "first"),
    [
        (Requested(model="sol"), "codex:sol"),  # the tool of the agent that lists it
        (Requested(model="small"), "claude:haiku"),  # by its alias
        (Requested(tool="codex"), "codex:sol"),  # its first model, as it does not list the preferred one
        (Requested(tool="claude"), "claude:sonnet"),
        (Requested(tool="codex", model="new"), "codex:new"),
    ],
)
def test_what_a_person_left_open_is_filled_in(requested: Requested, first: str) -> None:
    route = planned(policy={"unpriced_allowed": True}, requested=requested)
    assert ways(route)[0] == f"{first} requested"


def test_a_chain_that_names_itself_stands_once() -> None:
    agent = replace(AGENT, fallback_chain=("claude:sonnet", "codex:sol", "claude:sonnet", "codex:sol"))
    assert ways(planned(agent=agent)) == ["claude:sonnet preferred", "codex:sol fallback"]


def test_a_prompt_that_does_not_fit_the_context_window_is_refused_for_that_model_alone() -> None:
    cheap = CostOptimization(threshold_tokens=10_000, models=("haiku",))
    route = planned(policy={"cost_optimization": cheap}, tokens=2_500)
    assert ways(route)[0] == "claude:sonnet preferred"
    assert isinstance(route, Route)
    (passed,) = route.rejected
    assert (passed.tool, passed.model, passed.until) == ("claude", "haiku", None)
    # the newer tokenizer of Claude makes more of it
    assert passed.why == "the prompt is about 3,250 tokens, and haiku takes 2,000"


def test_a_model_without_a_price_is_refused_with_what_to_do_where_the_policy_has_limits() -> None:
    agent = replace(AGENT, preferred_tool="codex", preferred_model="new", fallback_chain=())
    refusal = planned(agent=agent)
    assert isinstance(refusal, Refusal)
    assert "what new costs is not known: set its price in config/models.yaml, or `unpriced: allow`" in refusal.why
    assert refusal.until is None
    assert ways(planned(agent=agent, policy={"unpriced_allowed": True})) == ["codex:new preferred"]
    assert ways(planned(agent=agent, policy={"limits": ()})) == ["codex:new preferred"]


def test_a_tool_that_would_choose_its_model_itself_has_no_known_price() -> None:
    refusal = planned(agent=replace(AGENT, preferred_model="", fallback_chain=()))
    assert isinstance(refusal, Refusal)
    assert "no model is named" in refusal.why


@pytest.mark.parametrize("condition", ["rate", "cooling", "money"])
def test_what_cannot_run_now_is_passed_over_and_told(condition: str) -> None:
    route = planned(**{condition: refusing("not now", "claude")})
    assert ways(route)[0] == "codex:sol fallback"
    assert isinstance(route, Route)
    assert route.first.why == "fallback codex (claude: not now)"


def test_one_model_cools_and_another_of_the_same_tool_runs() -> None:
    agent = replace(AGENT, fallback_chain=("claude:opus",))
    assert ways(planned(agent=agent, cooling=refusing("429", "claude:sonnet"))) == ["claude:opus fallback"]


def test_where_all_wait_the_task_waits_for_the_first() -> None:
    later, soon = NOON + timedelta(hours=1), NOON + timedelta(minutes=5)

    def cooling(tool: Tool, _model: Model) -> Hindrance:
        return Hindrance(why="left alone", until=soon if tool.name == "codex" else later)

    refusal = planned(cooling=cooling)
    assert isinstance(refusal, Refusal)
    assert refusal.until == soon
    assert [(one.tool, one.model, one.until) for one in refusal.rejected] == [
        ("claude", "sonnet", later),
        ("codex", "sol", soon),
        ("ollama", "own", later),
    ]
    assert refusal.why.endswith("the first is looked at again at 2026-11-21 12:05:00 UTC")


def test_of_several_waits_of_one_candidate_the_longest_counts_and_one_that_never_ends_is_no_wait() -> None:
    soon, later = NOON + timedelta(minutes=1), NOON + timedelta(minutes=9)
    everyone = ("claude", "codex", "ollama")
    refusal = planned(cooling=refusing("cools", *everyone, until=later), rate=refusing("often", *everyone, until=soon))
    assert isinstance(refusal, Refusal)
    assert refusal.until == later
    refusal = planned(cooling=refusing("cools", *everyone, until=later), rate=refusing("never", *everyone))
    assert isinstance(refusal, Refusal)
    assert refusal.until is None


def test_free_models_and_subscriptions_run_at_zero_left() -> None:
    everything = refusing("nothing left", *TOOLS)
    assert ways(planned(money=everything)) == ["ollama:own fallback"]
    subscribed = {name: replace(tool, billing="subscription") for name, tool in TOOLS.items()}
    known = Settings(agents={}, tools=subscribed, models=MODELS, policies={"default": POLICY})
    found = plan(TASK, AGENT, known, Conditions(unavailable=lambda tool: "", money=everything))
    assert ways(found)[0] == "claude:sonnet preferred"


@pytest.mark.parametrize(("on_exceeded", "waits"), [("block", False), ("wait", True), ("downgrade", False)])
def test_a_new_window_is_waited_for_only_where_the_policy_says_so(on_exceeded: str, waits: bool) -> None:
    midnight = NOON + timedelta(hours=12)
    agent = replace(AGENT, fallback_chain=())
    refusal = planned(
        agent=agent,
        policy={"on_exceeded": OnExceeded(on_exceeded)},
        money=refusing("nothing left", "claude", until=midnight),
    )
    assert isinstance(refusal, Refusal)
    assert refusal.until == (midnight if waits else None)


def test_downgrade_takes_the_cheapest_that_fits_and_only_then() -> None:
    agent = replace(AGENT, preferred_model="opus", fallback_chain=("claude:sonnet", "codex:sol", "claude:haiku"))
    policy = {"on_exceeded": OnExceeded.DOWNGRADE}
    money = refusing("nothing left", "claude:opus")
    assert [one.split()[0] for one in ways(planned(agent=agent, policy=policy, money=money))] == [
        "claude:haiku",
        "codex:sol",
        "claude:sonnet",
    ]
    assert ways(planned(agent=agent, policy=policy))[0] == "claude:opus preferred"


def test_a_tool_is_asked_once_whether_it_is_there() -> None:
    asked: list[str] = []

    def unavailable(tool: Tool) -> str:
        asked.append(tool.name)
        return "is not on PATH"

    refusal = planned(replace(TASK, verify=("tests",)), policy={"escalation": CHAIN}, unavailable=unavailable)
    assert isinstance(refusal, Refusal)
    assert asked == ["claude", "codex", "ollama"]
    assert refusal.why.count("claude: is not on PATH") == 1
