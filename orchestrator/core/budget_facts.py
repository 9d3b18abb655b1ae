"""What events tell about money: the ledger is rebuilt from these alone.

`execution_started` carries `reserved_microusd`, `reserved_at`, `provider`, `task_type` and `billing` (`told_at_start`),
`execution_finished` carries `cost_microusd` and `cost_source`, `budget_adjusted` carries what `told_of` says.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from orchestrator.core.budget_amounts import LARGEST, Settlement, settle_at
from orchestrator.core.budgets import NO_TASK, SCOPES, Held, Subject
from orchestrator.core.events import Event, EventKind, format_ts
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId

ADJUSTED = EventKind.BUDGET_ADJUSTED
_LONGEST = 366 * 86_400_000  # milliseconds; a longer run is a slip


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A person's correction of what is counted as spent. Below zero: there is more to spend again.

    It counts as a run would of which just `scope` is known: for limits that ask for nothing else, in every window in
    which `at` lies. With `start` and `end` it counts for limits of exactly that scope in that one window.
    """

    key: str  # names it: the id of its event
    amount: MicroUsd
    reason: str
    at: datetime
    scope: Mapping[str, str]
    task_id: TaskId = NO_TASK  # of the period task
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that ended. `about` and `at` matter where nothing tells of its beginning."""

    invocation_id: InvocationId
    about: Subject
    at: datetime
    cost: object  # as it was written; `settle` judges it
    source: str

    def settle(self, hold: MicroUsd, billing: str) -> Settlement:
        """What it is charged."""
        return settle_at(hold, self.cost, self.source, billing)


Fact = Held | Ended | Adjustment


def fact_of(event: Event, provider_of: Callable[[str], str] = lambda _model: "") -> Fact | None:
    """What the event tells about money, or None. `provider_of` is asked for events that do not name the provider."""
    if event.event == ADJUSTED:
        return _adjustment(event)
    if not event.invocation_id or event.event not in {EventKind.EXECUTION_STARTED, EventKind.EXECUTION_FINISHED}:
        return None
    about = Subject(
        agent=event.agent,
        tool=event.tool,
        model=event.model,
        provider=_text(event.details.get("provider")) or provider_of(event.model),
        run=event.run_id,
        task_id=TaskId(event.task_id),
        task_type=_text(event.details.get("task_type")),
        billing=_text(event.details.get("billing")) or "api",
    )
    invocation = InvocationId(event.invocation_id)
    if event.event == EventKind.EXECUTION_FINISHED:
        source = _text(event.details.get("cost_source"))
        cost = event.details.get("cost_microusd")
        began = event.ts - timedelta(milliseconds=min(max(0, event.duration_ms), _LONGEST))
        return Ended(invocation_id=invocation, about=about, at=began, cost=cost, source=source)
    if "reserved_microusd" not in event.details:
        return None  # nothing was held: written before there were budgets, or by a person's own `start`
    amount = _amount(event.details.get("reserved_microusd"))
    at = _moment(event.details.get("reserved_at")) or event.ts
    return Held(invocation_id=invocation, about=about, at=at, amount=MicroUsd(max(0, amount)))


def told_at_start(held: Held) -> dict[str, object]:
    """The fields of an `execution_started` about its hold."""
    fields: dict[str, object] = {"reserved_microusd": int(held.amount), "reserved_at": format_ts(held.at)}
    if held.about.provider:
        fields["provider"] = held.about.provider
    if held.about.task_type:
        fields["task_type"] = held.about.task_type
    if held.about.billing != "api":
        fields["billing"] = held.about.billing
    return fields


def told_of(adjustment: Adjustment) -> dict[str, object]:
    """The fields of a `budget_adjusted`; its event has the adjustment's key for its id."""
    fields: dict[str, object] = {"amount_microusd": int(adjustment.amount), "adjusted_at": format_ts(adjustment.at)}
    if adjustment.task_id:
        fields["for_task"] = adjustment.task_id
    if adjustment.scope:
        fields["scope"] = dict(adjustment.scope)
    if adjustment.start is not None and adjustment.end is not None:
        fields["window"] = [format_ts(adjustment.start), format_ts(adjustment.end)]
    return fields


class Fate(StrEnum):
    """What the events tell about an open hold at start-up, when its run is known not to go on."""

    NEVER_BEGAN = "never_began"  # no event announced it: it is released
    SILENT = "silent"  # it began, and nothing tells its end: `told_for_silent` ends it
    ENDED = "ended"  # its end is told: the ledger takes the events in


def fate_of(held: Held, events: Iterable[Event]) -> Fate:
    """What became of a run whose hold is open. `events`: those of its task."""
    told = {event.event for event in events if event.invocation_id == held.invocation_id}
    if EventKind.EXECUTION_FINISHED in told:
        return Fate.ENDED
    return Fate.SILENT if EventKind.EXECUTION_STARTED in told else Fate.NEVER_BEGAN


def told_for_silent(held: Held) -> dict[str, object]:
    """The fields about money of an `execution_finished` for a run that died without a word: it is charged its hold."""
    return {"cost_microusd": int(held.amount), "cost_source": CostSource.ESTIMATED.value}


def _adjustment(event: Event) -> Adjustment:
    scope = event.details.get("scope")
    window = event.details.get("window")
    start, end = map(_moment, window) if isinstance(window, list) and len(window) == 2 else (None, None)
    return Adjustment(
        key=event.event_id,
        amount=MicroUsd(_amount(event.details.get("amount_microusd"))),
        reason=event.why or event.reason,
        at=_moment(event.details.get("adjusted_at")) or event.ts,
        scope={name: str(scope[name]) for name in SCOPES if name in scope} if isinstance(scope, Mapping) else {},
        task_id=TaskId(_text(event.details.get("for_task"))),
        start=start,
        end=end,
    )


def _amount(raw: object) -> int:
    """A line that a person wrote must not break the sums; what cannot be money counts as nothing."""
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) <= LARGEST else 0


def _text(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def _moment(raw: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
