"""Which tools and models come into question for a task, in what order and why. Whether they can run: `routing`.

What a person asked for comes alone. Else the order: what the task asks for where its policy lets it, else what the
agent has for this type of task; then the policy's escalation where the task can be checked, or the cheap models where
it is small; then what the agent prefers, and its fallback chain.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.settings import Agent, Settings
from orchestrator.core.task import Task


class RouteReason(StrEnum):
    """Why a candidate is where it is."""

    PREFERRED = "preferred"
    TASK_TYPE = "task_type"
    COST_OPTIMIZATION = "cost_optimization"
    ABOVE_THRESHOLD = "above_threshold"  # preferred, as the prompt is too large for the cheap models
    ESCALATION = "escalation"
    REQUESTED = "requested"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What a person at the command line wants it done with; empty: as the agent prefers. Never from a task file."""

    tool: str = ""
    model: str = ""
    justification: str = ""  # why it may go over a hard limit; empty: it may not


NOTHING_REQUESTED = Requested()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A tool and a model that come into question."""

    tool: str
    model: str
    reason: RouteReason
    note: str = ""  # what led to it


def wishes(
    task: Task, agent: Agent, settings: Settings, requested: Requested, prompt_tokens: Callable[[], int]
) -> Iterator[Wish]:
    """Every (tool, model) that comes into question, each once. `prompt_tokens` is asked only where the size matters."""
    seen: set[tuple[str, str]] = set()
    for wish in _Wishes(task, agent, settings, requested, prompt_tokens).all():
        if (wish.tool, wish.model) not in seen:
            seen.add((wish.tool, wish.model))
            yield wish


class _Wishes:
    def __init__(
        self, task: Task, agent: Agent, settings: Settings, requested: Requested, prompt_tokens: Callable[[], int]
    ) -> None:
        self._task = task
        self._agent = agent
        self._settings = settings
        self._requested = requested
        self._prompt_tokens = prompt_tokens
        self._policy = settings.policy(agent.policy)
        self._links = [_parted(link) for link in agent.fallback_chain]

    def all(self) -> Iterator[Wish]:
        """In their order; some more than once."""
        requested = self._requested
        chosen = self._chosen(requested)
        if chosen is not None:
            yield chosen
        if requested.tool or requested.model:
            return  # a person's word is no wish: nothing else is done in its place
        escalation = self._policy.escalation if self._task.verify else ()
        for link in escalation:
            tool, model = _parted(link)
            yield Wish(tool=tool, model=model, reason=RouteReason.ESCALATION)
        if chosen is not None:
            # Behind a choice the preferred one is what is fallen back to; and how small the task is was not asked.
            yield from self._preferred(RouteReason.FALLBACK)
        elif escalation:
            yield from self._preferred(RouteReason.PREFERRED)
        else:
            yield from self._by_size()
        for tool, model in self._links:
            yield Wish(tool=tool, model=model, reason=RouteReason.FALLBACK)

    def _preferred(self, reason: RouteReason, note: str = "") -> Iterator[Wish]:
        agent = self._agent
        if agent.preferred_tool:
            yield Wish(tool=agent.preferred_tool, model=agent.preferred_model, reason=reason, note=note)

    def _by_size(self) -> Iterator[Wish]:
        cheap = self._policy.cost_optimization
        if cheap is None:
            yield from self._preferred(RouteReason.PREFERRED)
            return
        size = self._prompt_tokens()
        note = f"a prompt of about {size:,} tokens, the threshold is {cheap.threshold_tokens:,}"
        if size > cheap.threshold_tokens:
            yield from self._preferred(RouteReason.ABOVE_THRESHOLD, note)
            return
        tools = self._settings.tools
        listed = [(name, frozenset(tools[name].models)) for name in self._own_tools() if name in tools]
        for model in cheap.models:
            for name, models in listed:
                if model in models:
                    yield Wish(tool=name, model=model, reason=RouteReason.COST_OPTIMIZATION, note=note)
        yield from self._preferred(RouteReason.PREFERRED)

    def _chosen(self, requested: Requested) -> Wish | None:
        """What a person asked for, else the task, else what the agent has for this type of task."""
        task, may_choose = self._task, self._policy.tasks_may_choose
        tool = requested.tool or (task.tool if "tool" in may_choose else "")
        wished = task.model if "model" in may_choose else ""
        typed = self._agent.task_types.get(task.task_type, "") if task.task_type else ""
        if requested.tool or requested.model:
            return self._asked(tool, requested.model, usual=wished or typed)
        if tool or wished:
            return self._asked(tool, wished, usual=typed)
        if typed and self._agent.preferred_tool:
            return Wish(tool=self._agent.preferred_tool, model=typed, reason=RouteReason.TASK_TYPE)
        return None

    def _asked(self, tool: str, model: str, usual: str) -> Wish:
        """With what was left open: the agent's tool that lists the model; the model that the tool would be given."""
        model = self._canonical(model)
        if not tool:
            tool = self._lister_of(model)
        if not model:
            usual = self._canonical(usual) or self._agent.preferred_model
            model = usual if tool == self._agent.preferred_tool else self._model_on(tool, usual)
        return Wish(tool=tool, model=model, reason=RouteReason.REQUESTED)

    def _own_tools(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self._agent.preferred_tool, *(tool for tool, _ in self._links))))

    def _lister_of(self, model: str) -> str:
        preferred = self._settings.tools.get(self._agent.preferred_tool)
        if preferred is None or not preferred.models or model in preferred.models:
            return self._agent.preferred_tool
        tools = self._settings.tools
        listing = (name for name in self._own_tools() if name in tools and model in tools[name].models)
        return next(listing, self._agent.preferred_tool)

    def _model_on(self, name: str, usual: str) -> str:
        tool = self._settings.tools.get(name)
        models = tool.models if tool is not None else ()
        return usual if usual in models else models[0] if models else ""

    def _canonical(self, model: str) -> str:
        models = self._settings.models
        if not model or model in models:
            return model
        return next((name for name, one in models.items() if model in one.aliases), model)


def _parted(link: str) -> tuple[str, str]:
    tool, _, model = link.partition(":")
    return tool, model
