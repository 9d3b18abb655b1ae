"""Which tool and model may do a task, and why not."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.routing import Conditions, Refusal, Route, RouteReason, plan
from orchestrator.core.settings import Agent, Policy, Settings, Tool
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, TaskId

TOOLS = {
    name: Tool(name=name, binary=name, command=(name,), models=models)
    for name, models in {"claude": ("small", "large"), "codex": ("sol",), "brief": ()}.items()
}
AGENT = Agent(
    key=AgentKey("dev"),
    preferred_tool="claude",
    preferred_model="small",
    fallback_chain=("codex:sol", "brief"),
    task_types={"review": "large"},
)


def planned(
    task: Task | None = None,
    agent: Agent = AGENT,
    missing: tuple[str, ...] = (),
    choose: tuple[str, ...] = (),
    **tools: Any,
) -> Route | Refusal:
    settings = Settings(
        agents={},
        tools={name: replace(tool, **tools.get(name, {})) for name, tool in TOOLS.items()},
        policies={"default": Policy(name="default", tasks_may_choose=choose)},
    )
    return plan(
        task or Task(id=TaskId("x")),
        agent,
        settings,
        Conditions(unavailable=lambda tool: f"{tool.binary} is not on PATH" if tool.name in missing else ""),
    )


def ways(route: Route | Refusal) -> list[tuple[str, str, str]]:
    assert isinstance(route, Route)
    return [(one.tool.name, one.model, one.reason.value) for one in route.candidates]


def test_the_preferred_tool_goes_first_and_the_fallbacks_follow_in_their_order() -> None:
    route = planned()
    assert ways(route) == [("claude", "small", "preferred"), ("codex", "sol", "fallback"), ("brief", "", "fallback")]
    assert isinstance(route, Route)
    assert route.first.why == "preferred claude"


def test_the_type_of_a_task_chooses_the_model() -> None:
    assert ways(planned(Task(id=TaskId("x"), task_type="review")))[0] == ("claude", "large", "task_type")
    assert ways(planned(Task(id=TaskId("x"), task_type="other")))[0] == ("claude", "small", "preferred")


@pytest.mark.parametrize(
    ("choose", "first"),
    [
        ((), ("claude", "small", "preferred")),
        (("model",), ("claude", "large", "requested")),
        (("tool", "model"), ("claude", "large", "requested")),
    ],
)
def test_a_wish_counts_only_where_the_policy_lets_tasks_choose(
    choose: tuple[str, ...], first: tuple[str, str, str]
) -> None:
    task = Task(id=TaskId("x"), tool="claude", model="large")
    assert ways(planned(task, choose=choose))[0] == first


def test_a_tool_that_is_missing_is_passed_over_and_the_next_says_why() -> None:
    route = planned(missing=("claude",))
    assert isinstance(route, Route)
    assert route.first.tool.name == "codex"
    assert route.first.why == "fallback codex (claude: claude is not on PATH)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"env_missing": ("KEY", "OTHER")}, "needs KEY, OTHER in the environment of the daemon"),
        ({"models": ("large",)}, "does not list the model small"),
    ],
)
def test_a_tool_that_cannot_do_it_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    refusal = planned(agent=replace(AGENT, fallback_chain=()), claude=changes)
    assert isinstance(refusal, Refusal)
    assert refusal.why.startswith("no available tool for dev: claude: ")
    assert words in refusal.why


def test_a_refusal_has_a_reason_for_every_candidate() -> None:
    refusal = planned(agent=replace(AGENT, fallback_chain=("nope:m", "codex:sol")), missing=("claude", "codex"))
    assert isinstance(refusal, Refusal)
    assert refusal.why == (
        "no available tool for dev: claude: claude is not on PATH; nope: no tool 'nope' in config/tools.yaml;"
        " codex: codex is not on PATH"
    )
    assert [(one.tool, one.model, one.why) for one in refusal.rejected] == [
        ("claude", "small", "claude is not on PATH"),
        ("nope", "m", "no tool 'nope' in config/tools.yaml"),
        ("codex", "sol", "codex is not on PATH"),
    ]


def test_an_agent_without_a_tool_is_told_where_to_set_one() -> None:
    refusal = planned(agent=Agent(key=AgentKey("dev")))
    assert isinstance(refusal, Refusal)
    assert "set preferred_tool in config/agents.yaml" in refusal.why


def test_the_reasons_are_those_of_the_formats() -> None:
    assert {reason.value for reason in RouteReason} == {
        "preferred",
        "task_type",
        "requested",
        "fallback",
        "cost_optimization",
        "above_threshold",
        "escalation",
    }
