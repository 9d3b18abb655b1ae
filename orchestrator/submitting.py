"""What can be said of a task that is to be submitted, before a workspace is opened for it: light, and reads no file."""

from collections.abc import Mapping
from datetime import datetime

from orchestrator import taskfile
from orchestrator.core import layout
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.claims import slug
from orchestrator.core.settings import Agent
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey
from orchestrator.errors import NotFoundError, UsageError


def new_id(now: datetime, agent: str, title: str) -> str:
    """The id of a task that somebody makes now."""
    return f"{now:%Y-%m-%dT%H%M%S}-{slug(agent)}-{slug(title)}"


def task_of(raw: bytes, name: str) -> Task:
    """What the file asks. Raises UsageError for its name, TaskFileRefused for what it says."""
    if not layout.is_task_name(name) or "/" in name:
        raise UsageError(f"{name!r} is no name for a task file; it must end in .yaml or .yml, without a folder")
    return taskfile.parse(raw, name=name, path=name).task


def agent_of(task: Task, name: str, agents: Mapping[AgentKey, Agent]) -> AgentKey:
    """Of whom it is asked. Raises NotFoundError where there is no such agent."""
    agent = resolve(task.agent, agents)
    if isinstance(agent, Unknown):
        raise NotFoundError(f"{name}: agent: {agent.why}")
    return agent
