"""What a person is told before their own task runs: why none can, what is passed over, which limit it nears."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator import affording
from orchestrator.core import budget_words
from orchestrator.core.budgets import Over
from orchestrator.core.hindrance import told_time
from orchestrator.core.routing import Candidate, Refusal, Rejected, Route
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, Status
from orchestrator.executing import Order
from orchestrator.world import World

if TYPE_CHECKING:
    from orchestrator.core.settings import Tool

NO_TOOLS = "No available tools in fallback chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is said before it runs."""

    warnings: tuple[str, ...] = ()  # of limits on money whose threshold is reached with it
    unavailable: str = ""  # the first tool in question, where it cannot be started here


def ahead(world: World, task: Task, agent: AgentKey, route: Route) -> Ahead:
    """What is to be said of that route. Blocking."""
    warnings = warnings_of(world, task, agent, route.first)
    first = next((one for one in route.rejected if one.place == 0), None)
    if first is None or _can_start(world, first):
        return Ahead(warnings=warnings)
    return Ahead(warnings=warnings, unavailable=first.tool)


def warnings_of(world: World, task: Task, agent: AgentKey, candidate: Candidate) -> tuple[str, ...]:
    """The limits whose threshold is reached with its run, or that it goes over by force, in sentences. Blocking."""
    tool, model = candidate.tool, world.settings().model(candidate.model)
    if not affording.costs_money(tool, model):
        return ()
    outlook = affording.outlook(world, task, agent, tool, model)
    decided, amount = outlook.decided, outlook.estimate.amount
    if isinstance(decided, Over):
        return (budget_words.refusal(decided),)
    return tuple(budget_words.warning(one, amount) for one in decided.crossings if affording.is_news(one))


def no_way(world: World, task: Task, agent: AgentKey, refusal: Refusal) -> str:
    """Why nothing can do it: the limit with its ways out where money is what the first choice lacks, else each tool.

    Blocking.
    """
    overs = [(one, over) for one in refusal.rejected if (over := over_of(world, task, agent, one)) is not None]
    if overs and overs[0][0].place == 0:
        others = [one for one in refusal.rejected if one.place != 0 and one not in {each for each, _ in overs}]
        also = [f"  {_told(one)}" for one in others]
        return "\n".join([budget_words.explained(overs[0][1]), *(["What else could do it:", *also] if also else [])])
    if not refusal.rejected:
        return f"{NO_TOOLS}: {refusal.why}"
    lines = [f"{NO_TOOLS} of {agent}:", *(f"  {n}. {_told(one)}" for n, one in enumerate(refusal.rejected, 1))]
    if overs:
        lines += ["What can be done about the money:", *(f"  {way}" for way in budget_words.ways_out(overs[0][1]))]
    return "\n".join(lines)


def reply(order: Order, route: Route, said: Ahead) -> dict[str, object]:
    """What whoever waits for it hears before it runs."""
    first = route.first
    return {
        "id": order.task.id,
        "status": str(Status.NEW),
        "path": order.path,
        "agent": order.agent,
        "tool": first.tool.name,
        "model": first.model,
        "reason": str(first.reason),
        "why": first.why,
        "unavailable": said.unavailable,
        "warnings": list(said.warnings),
        "follows": order.details.get("follows", []),
        "message": f"asked for {order.task.id}",
    }


def _told(one: Rejected) -> str:
    name = " ".join(filter(None, (one.tool or "no tool", one.model)))
    return f"{name}: {one.why}" + (f"; until {told_time(one.until)}" if one.until is not None else "")


def _can_start(world: World, one: Rejected) -> bool:
    tool = world.settings().tools.get(one.tool)
    return tool is not None and not tool.env_missing and not world.engine.unavailable(tool.binary)


def over_of(world: World, task: Task, agent: AgentKey, one: Rejected) -> Over | None:
    """The limits that it does not fit, where that is why it was refused. Blocking."""
    tool: Tool | None = world.settings().tools.get(one.tool)
    if tool is None or not affording.costs_money(tool, world.settings().model(one.model)):
        return None
    decided = affording.outlook(world, task, agent, tool, world.settings().model(one.model)).decided
    return decided if isinstance(decided, Over) and budget_words.refusal(decided) in one.why else None
