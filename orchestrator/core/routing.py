"""Which tool and model may do a task: a Route with its reason, or a Refusal that says why not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.settings import Agent, Settings, Tool, WorkspaceKind
from orchestrator.core.task import Task

READERS = ("text",)  # the readers of outputs that there are (adapters.readers)


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
class _Wish:
    tool: str
    model: str
    reason: RouteReason


def plan(task: Task, agent: Agent, settings: Settings, unavailable: Callable[[Tool], str]) -> Route | Refusal:
    """The route of a task for its agent. `unavailable` says why a tool cannot be started here, or ''."""
    candidates: list[Candidate] = []
    refused: list[str] = []
    for wish in _wishes(task, agent, settings):
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


def _wishes(task: Task, agent: Agent, settings: Settings) -> list[_Wish]:
    may_choose = settings.policy(agent.policy).tasks_may_choose
    tool, model, reason = agent.preferred_tool, agent.preferred_model, RouteReason.PREFERRED
    if task.task_type and (typed := agent.task_types.get(task.task_type)):
        model, reason = typed, RouteReason.TASK_TYPE
    if task.tool and "tool" in may_choose:
        tool, reason = task.tool, RouteReason.REQUESTED
    if task.model and "model" in may_choose:
        model, reason = task.model, RouteReason.REQUESTED
    wishes = [_Wish(tool=tool, model=model, reason=reason)] if tool else []
    for link in agent.fallback_chain:
        link_tool, _, link_model = link.partition(":")
        wishes.append(_Wish(tool=link_tool, model=link_model, reason=RouteReason.FALLBACK))
    return wishes


def _why_not(tool: Tool, wish: _Wish, unavailable: Callable[[Tool], str]) -> str:
    if tool.env_missing:
        return f"needs {', '.join(tool.env_missing)} in the environment of the daemon"
    if wish.model and tool.models and wish.model not in tool.models:
        return f"does not list the model {wish.model}"
    if tool.workspace is WorkspaceKind.WORKTREE:
        return "asks for a worktree of its own, which this version does not make yet; set workspace: checkout or none"
    if tool.output not in READERS:
        return f"its output is to be read by {tool.output!r}, which this version does not have; set output: text"
    return unavailable(tool)
