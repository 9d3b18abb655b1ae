"""What a run used and cost, as an event tells it and a later run reads it again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from orchestrator.core.events import Event, EventKind
from orchestrator.core.pattern import late
from orchestrator.core.types import CostSource, MicroUsd, Tokens
from orchestrator.core.verdict import Ran, Reported

# A session's id comes out of a tool's output, and goes into a later command: it must never look like an option.
_SESSION = late(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")

_TURNS = frozenset({EventKind.TASK_CLAIMED, EventKind.TASK_RETRIED})


def told(ran: Ran) -> dict[str, object]:
    """The fields of an `execution_finished` about tokens, money and session; those that are not known are absent."""
    fields: dict[str, object] = {}
    if ran.tokens is not None:
        fields["tokens"] = asdict(ran.tokens)
    if ran.cost is not None:
        fields["cost_microusd"] = int(ran.cost)
    if ran.cost_source is not None:
        fields["cost_source"] = str(ran.cost_source)
    if ran.turns is not None:
        fields["turns"] = ran.turns
    if ran.session_id:
        fields["session_id"] = ran.session_id
    if ran.reported is not None:
        reported: dict[str, object] = {"tokens": asdict(ran.reported.tokens)}
        if ran.reported.cost is not None:
            reported["cost_microusd"] = int(ran.reported.cost)
        if ran.reported.version:
            reported["version"] = ran.reported.version
        fields["reported"] = reported
    return fields


def failed_before(events: Sequence[Event]) -> list[dict[str, str]]:
    """What failed in the task's present turn, the first first, for the prompt of its next run.

    Each is {tool, model, why, invocation}.
    """
    told: list[dict[str, str]] = []
    for event in events:
        if event.event in _TURNS:
            told.clear()
        elif event.event == EventKind.ATTEMPT_FAILED:
            why = str(event.details.get("failed") or event.why)
            told.append({"tool": event.tool, "model": event.model, "why": why, "invocation": event.invocation_id})
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What the runs of a task's present turn came to, those that failed before the last one included."""

    tokens: Tokens | None = None  # None: no run told
    cost: MicroUsd | None = None
    source: CostSource = CostSource.REPORTED  # of the cost: the least certain of them


def total(events: Sequence[Event], ran: Ran, invocation_id: str) -> Total:
    """The sum of a run, as it was charged, and of those before it. `events`: those of its task."""
    tokens, cost = ran.tokens, ran.cost
    sources = {ran.cost_source or CostSource.REPORTED} if cost is not None else set()
    turn = max((n for n, event in enumerate(events) if event.event in _TURNS), default=0)
    for event in events[turn:]:
        if event.event != EventKind.EXECUTION_FINISHED or event.invocation_id == invocation_id:
            continue
        raw, spent, source = (event.details.get(name) for name in ("tokens", "cost_microusd", "cost_source"))
        if isinstance(raw, Mapping):
            tokens = _sum(tokens, _tokens(raw))
        if isinstance(spent, int) and spent >= 0 and isinstance(source, str) and source in set(CostSource):
            cost = MicroUsd((cost or 0) + spent)
            sources.add(CostSource(source))
    return Total(tokens=tokens, cost=cost, source=max(sources, key=_CERTAIN_FIRST.index, default=CostSource.REPORTED))


_CERTAIN_FIRST = (CostSource.REPORTED, CostSource.COMPUTED, CostSource.ESTIMATED)


def _sum(one: Tokens | None, other: Tokens) -> Tokens:
    if one is None:
        return other
    return Tokens(**{name: count + getattr(other, name) for name, count in asdict(one).items()})


def last_session(events: Sequence[Event], tool: str, *, before: str = "") -> Reported | None:
    """What that tool's last session on this task had added up to; None where it told of none.

    Args:
        before: an invocation: only what ended before that one began counts.
    """
    found = None
    for event in events:
        if before and event.invocation_id == before:
            break
        if event.event == EventKind.EXECUTION_FINISHED and event.tool == tool:
            session = event.details.get("session_id")
            found = _reported(event) if isinstance(session, str) and _SESSION.fullmatch(session) else found
    return found


def _reported(event: Event) -> Reported:
    raw = event.details.get("reported")
    reported = raw if isinstance(raw, Mapping) else {}
    tokens = reported.get("tokens")
    cost = reported.get("cost_microusd")
    return Reported(
        session_id=str(event.details["session_id"]),
        tokens=_tokens(tokens if isinstance(tokens, Mapping) else {}),
        cost=MicroUsd(cost) if isinstance(cost, int) else None,
        version=str(reported.get("version") or ""),
    )


def _tokens(raw: Mapping[str, object]) -> Tokens:
    counted = {name: raw.get(name) for name in ("input", "cache_read", "cache_write", "output")}
    return Tokens(**{name: count for name, count in counted.items() if isinstance(count, int)})
