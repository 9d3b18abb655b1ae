"""What one task may cost at most: the cap that a tool is given where it takes one."""

from decimal import Decimal

from orchestrator.core.settings import Agent, Limit, Policy
from orchestrator.core.task import Task
from orchestrator.core.types import MicroUsd


def cap(task: Task, agent: Agent, policy: Policy, *, tool: str, model: str) -> MicroUsd | None:
    """The smallest of the task's own cap and the policy's hard limits for a task; None where there is neither."""
    about = {"agent": agent.key, "tool": tool, "model": model}
    caps = [limit.max_usd for limit in policy.limits if limit.period == "task" and limit.hard and _covers(limit, about)]
    if task.budget is not None:
        caps.append(task.budget)
    return min(caps) if caps else None


def _covers(limit: Limit, about: dict[str, str]) -> bool:
    """A scope by provider or run is not known here, and binds all the same: a cap may be too small, never too large."""
    return all(about.get(name, value) == value for name, value in limit.scope.items())


def in_usd(amount: MicroUsd) -> str:
    """As tools take it: 2 or 0.25."""
    return f"{(Decimal(amount) / 1_000_000).normalize():f}"
