"""Which tool and model may do a task: a Route with its reasons, or a Refusal that says why not. Pure.

`wishes` has the order; here each is looked at: can it run now, does the prompt fit, is its price known, is there money.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core import token_estimate
from orchestrator.core.arguments import model_fault
from orchestrator.core.hindrance import Hindrance, together, told_time
from orchestrator.core.settings import Agent, Model, OnExceeded, Policy, Settings, Tool
from orchestrator.core.task import Task
from orchestrator.core.wishes import NOTHING_REQUESTED, Requested, RouteReason, Wish, wishes

__all__ = [
    "Candidate",
    "Conditions",
    "Refusal",
    "Rejected",
    "Requested",
    "Route",
    "RouteReason",
    "plan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to do it."""

    tool: Tool
    model: str
    reason: RouteReason
    why: str
    place: int = 0  # among all that came into question

    @property
    def key(self) -> tuple[str, str]:
        """What names it: tool and model."""
        return self.tool.name, self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A candidate that cannot run now."""

    tool: str
    model: str
    reason: RouteReason
    why: str
    until: datetime | None = None  # it only waits, until then; None: waiting does not help
    place: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What names it: tool and model."""
        return self.tool, self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The candidates that can run, the first one first, and those that were passed over."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...] = ()

    @property
    def first(self) -> Candidate:
        """What runs."""
        return self.candidates[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing can run: one sentence for each candidate."""

    why: str
    rejected: tuple[Rejected, ...] = ()

    @property
    def until(self) -> datetime | None:
        """When the first of them can run again: the task waits for it. None: a person has to do something."""
        return min((one.until for one in self.rejected if one.until is not None), default=None)


Unavailable = Callable[[Tool], str]
Ask = Callable[[Tool, Model], Hindrance | None]


def _free(_tool: Tool, _model: Model) -> Hindrance | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How things stand now, asked only of those that come into question. The model may be one without a name."""

    unavailable: Unavailable  # why a tool cannot be started here, or ''
    rate: Ask = _free  # the rate limits of the tool and of the model's provider
    cooling: Ask = _free
    money: Ask = _free  # whether a run fits what is left; asked only where it costs money
    prompt_tokens: int | None = None  # None: estimated from the task


def plan(
    task: Task,
    agent: Agent,
    settings: Settings,
    conditions: Conditions,
    requested: Requested = NOTHING_REQUESTED,
) -> Route | Refusal:
    """The route of a task for its agent."""
    examiner = _Examiner(task, agent, settings, conditions)
    candidates: list[Candidate] = []
    rejected: list[Rejected] = []
    for place, wish in enumerate(wishes(task, agent, settings, requested, examiner.prompt_tokens)):
        found = examiner.look_at(wish)
        if isinstance(found, Tool):
            candidates.append(replace(_candidate(wish, found, rejected), place=place))
        else:
            rejected.append(replace(found, place=place))
    if candidates:
        if examiner.wants_cheapest(rejected):
            candidates.sort(key=examiner.dearness)
        return Route(candidates=tuple(candidates), rejected=tuple(rejected))
    reasons = _told(rejected) or f"agent {agent.key} names no tool: set preferred_tool in config/agents.yaml"
    refusal = Refusal(why=f"no available tool for {agent.key}: {reasons}", rejected=tuple(rejected))
    if refusal.until is None:
        return refusal
    return replace(refusal, why=f"{refusal.why}; the first is looked at again at {told_time(refusal.until)}")


def _candidate(wish: Wish, tool: Tool, before: Sequence[Rejected]) -> Candidate:
    notes = "; ".join(filter(None, (wish.note, _told(before))))
    why = f"{wish.reason} {tool.name}" + (f" ({notes})" if notes else "")
    return Candidate(tool=tool, model=wish.model, reason=wish.reason, why=why)


def _told(rejected: Sequence[Rejected]) -> str:
    return "; ".join(dict.fromkeys(f"{one.tool or 'no tool'}: {one.why}" for one in rejected))


class _Examiner:
    """What stands in the way of each wish."""

    def __init__(self, task: Task, agent: Agent, settings: Settings, conditions: Conditions) -> None:
        self._task = task
        self._settings = settings
        self._conditions = conditions
        self._policy: Policy = settings.policy(agent.policy)
        self._estimated = conditions.prompt_tokens
        self._unavailable: dict[str, str] = {}
        self._short_of_money = False

    def prompt_tokens(self) -> int:
        """About how large the prompt is."""
        if self._estimated is None:
            self._estimated = token_estimate.of_task(self._task)
        return self._estimated

    def look_at(self, wish: Wish) -> Tool | Rejected:
        """The tool, where it can run now."""
        tool = self._settings.tools.get(wish.tool)
        if tool is None:
            found: Hindrance | None = Hindrance(why=f"no tool {wish.tool!r} in config/tools.yaml")
        elif why := self._why_never(tool, wish.model):
            found = Hindrance(why=why)
        else:
            found = self._hindrance(tool, self._model(wish.model))
        if tool is not None and found is None:
            return tool
        assert found is not None
        return Rejected(tool=wish.tool, model=wish.model, reason=wish.reason, why=found.why, until=found.until)

    def _model(self, name: str) -> Model:
        return self._settings.model(name)

    def _why_never(self, tool: Tool, model: str) -> str:
        if tool.env_missing:
            return f"needs {', '.join(tool.env_missing)} in the environment of the daemon"
        if model and (fault := model_fault(model)):
            return fault
        if model and tool.models and model not in tool.models:
            return f"does not list the model {model}"
        if tool.name not in self._unavailable:
            self._unavailable[tool.name] = self._conditions.unavailable(tool)
        return self._unavailable[tool.name] or self._too_large_for(model) or self._unpriced(tool, model)

    def _too_large_for(self, model: str) -> str:
        window = self._model(model).context_window
        if window is None:
            return ""
        size = token_estimate.for_model(self.prompt_tokens(), model)
        return f"the prompt is about {size:,} tokens, and {model} takes {window:,}" if size > window else ""

    def _unpriced(self, tool: Tool, model: str) -> str:
        """What a policy with limits refuses: a cost that is not known is not zero."""
        policy = self._policy
        if (
            tool.billing != "api"
            or policy.unpriced_allowed
            or not policy.limits
            or self._model(model).price is not None
        ):
            return ""
        if not model:
            return f"no model is named, so what it costs is not known: write {tool.name}:MODEL in config/agents.yaml"
        return (
            f"what {model} costs is not known: set its price in config/models.yaml, or `unpriced: allow` in policy "
            f"{policy.name}"
        )

    def _hindrance(self, tool: Tool, model: Model) -> Hindrance | None:
        ask = self._conditions
        return together([ask.cooling(tool, model), ask.rate(tool, model), self._money(tool, model)])

    def _money(self, tool: Tool, model: Model) -> Hindrance | None:
        """Whether its run fits. Free ones run at zero left; a new window is waited for where the policy says so."""
        if tool.billing != "api" or (model.price is not None and model.price.is_free):
            return None
        found = self._conditions.money(tool, model)
        if found is None:
            return None
        self._short_of_money = True
        return found if self._policy.on_exceeded is OnExceeded.WAIT else replace(found, until=None)

    def wants_cheapest(self, rejected: Sequence[Rejected]) -> bool:
        """Whether the cheapest goes first now: there was no money for one of them, and the policy says `downgrade`."""
        return bool(rejected) and self._short_of_money and self._policy.on_exceeded is OnExceeded.DOWNGRADE

    def dearness(self, candidate: Candidate) -> tuple[bool, float]:
        """By what a token that it writes costs: free ones first, unknown prices last."""
        price = self._model(candidate.model).price
        if candidate.tool.billing != "api" or (price is not None and price.is_free):
            return False, 0.0
        return price is None, float(price.rates.output) if price is not None else 0.0
