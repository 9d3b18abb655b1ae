"""Which tool and model may do a task: a Route with its reason, or a Refusal that says why not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.arguments import model_fault
from orchestrator.core.settings import Agent, Settings, Tool
from orchestrator.core.task import Task


class RouteReason(StrEnum):
    """Why a candidate is where it is."""

    PREFERRED = "preferred"
    TASK_TYPE = "task_type"
    REQUESTED = "requested"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to do it."""

    tool: Tool
    model: str
    reason: RouteReason
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The candidates that can run, the first one first."""

    candidates: tuple[Candidate, ...]

    @property
    def first(self) -> Candidate:
        """What runs."""
        return self.candidates[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing can run: one sentence for each candidate."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What a person at the command line wants it done with; empty: as the agent prefers. Never from a task file."""

    tool: str = ""
    model: str = ""


_NOTHING_REQUESTED = Requested()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    tool: str
    model: str
    reason: RouteReason


def plan(
    task: Task,
    agent: Agent,
    settings: Settings,
    unavailable: Callable[[Tool], str],
    requested: Requested = _NOTHING_REQUESTED,
) -> Route | Refusal:
    """The route of a task for its agent. `unavailable` says why a tool cannot be started here, or ''."""
    candidates: list[Candidate] = []
    refused: list[str] = []
    for wish in _wishes(task, agent, settings, requested):
        tool = settings.tools.get(wish.tool)
        why_not = f"no tool {wish.tool!r} in config/tools.yaml" if tool is None else _why_not(tool, wish, unavailable)
        if tool is None or why_not:
            refused.append(f"{wish.tool or 'no tool'}: {why_not}")
            continue
        why = f"{wish.reason} {tool.name}" if not refused else f"{wish.reason} {tool.name} ({'; '.join(refused)})"
        candidates.append(Candidate(tool=tool, model=wish.model, reason=wish.reason, why=why))
    if candidates:
        return Route(candidates=tuple(candidates))
    reasons = "; ".join(refused) or f"agent {agent.key} names no tool: set preferred_tool in config/agents.yaml"
    return Refusal(why=f"no available tool for {agent.key}: {reasons}")


def _wishes(task: Task, agent: Agent, settings: Settings, requested: Requested) -> list[_Wish]:
    may_choose = settings.policy(agent.policy).tasks_may_choose
    tool, model, reason = agent.preferred_tool, agent.preferred_model, RouteReason.PREFERRED
    if task.task_type and (typed := agent.task_types.get(task.task_type)):
        model, reason = typed, RouteReason.TASK_TYPE
    if task.tool and "tool" in may_choose:
        tool, reason = task.tool, RouteReason.REQUESTED
    if task.model and "model" in may_choose:
        model, reason = task.model, RouteReason.REQUESTED
    if requested.tool:
        model = model if requested.tool == tool else _model_for(settings.tools.get(requested.tool), model)
        tool, reason = requested.tool, RouteReason.REQUESTED
    if requested.model:
        model, reason = requested.model, RouteReason.REQUESTED
    wishes = [_Wish(tool=tool, model=model, reason=reason)] if tool else []
    for link in agent.fallback_chain:
        link_tool, _, link_model = link.partition(":")
        wishes.append(_Wish(tool=link_tool, model=link_model, reason=RouteReason.FALLBACK))
    return wishes


def _model_for(tool: Tool | None, preferred: str) -> str:
    """On another tool than the one that the model was preferred with: that model where it is listed, else its first."""
    models = tool.models if tool is not None else ()
    return preferred if preferred in models else models[0] if models else ""


def _why_not(tool: Tool, wish: _Wish, unavailable: Callable[[Tool], str]) -> str:
    if tool.env_missing:
        return f"needs {', '.join(tool.env_missing)} in the environment of the daemon"
    if wish.model and (fault := model_fault(wish.model)):
        return fault
    if wish.model and tool.models and wish.model not in tool.models:
        return f"does not list the model {wish.model}"
    return unavailable(tool)
