"""A task as a trace: a span for its turn, one for each run of a tool and each check below it. Pure; from events alone.

The ids are made of names that everybody knows (the repository, the task, the invocation), so that a tool can be told
its span before anything is exported, and what is exported twice is the same span.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from orchestrator.core.events import Event, EventKind
from orchestrator.core.metric_names import OTEL_PROVIDERS, Attribute, Metric

VARIABLE = "TRACEPARENT"  # of the W3C's trace context; what tools are told
_SPAN, _TRACE = 8, 16  # bytes
_BEGINNINGS = frozenset({EventKind.TASK_CLAIMED, EventKind.TASK_RETRIED})
ENDS = frozenset({EventKind.TASK_COMPLETED, EventKind.TASK_ERROR, EventKind.TASK_CANCELLED})

Value = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of time. `failed`: why it counts as an error, or empty."""

    trace_id: int
    span_id: int
    parent_id: int  # 0: none
    name: str
    start: datetime
    end: datetime
    attributes: Mapping[str, Value]
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one figure."""

    metric: Metric
    value: float
    attributes: Mapping[str, Value]


def trace_id(repository: str, task_id: str) -> int:
    """Of all that becomes of a task, its later turns too."""
    return _number(_TRACE, repository, task_id)


def span_id(repository: str, invocation_id: str) -> int:
    """Of a run."""
    return _number(_SPAN, repository, invocation_id)


def traceparent(repository: str, task_id: str, invocation_id: str) -> str:
    """What a tool is told, so that its own spans stand below its run's (W3C Trace Context, version 00, sampled)."""
    return f"00-{trace_id(repository, task_id):032x}-{span_id(repository, invocation_id):016x}-01"


def spans_of(repository: str, events: Sequence[Event]) -> tuple[Span, ...]:
    """The turn of a task that its last event ends, the root first; empty where that event is no end."""
    turn = _last_turn(events)
    if not turn:
        return ()
    first, last = turn[0], turn[-1]
    root = Span(
        trace_id=trace_id(repository, last.task_id),
        span_id=_number(_SPAN, repository, first.event_id),
        parent_id=0,
        name=f"invoke_agent {last.agent}",
        start=first.ts,
        end=last.ts,
        attributes=_present(
            {
                Attribute.OPERATION: "invoke_agent",
                Attribute.AGENT: last.agent,
                Attribute.TASK: last.task_id,
                Attribute.RUN: last.run_id,
                Attribute.STATUS: last.status,
                Attribute.ERROR: last.error_kind,
            }
        ),
        failed=last.error_kind,
    )
    return (root, *_below(repository, root, turn))


def samples_of(event: Event, began: Event | None) -> Iterator[Sample]:
    """The figures of a run that this event ends. `began`: its `execution_started`, where that is known."""
    if event.event != EventKind.EXECUTION_FINISHED or not event.invocation_id:
        return
    about = _about(event, began)
    failed = _failed(event)
    if failed:
        about[Attribute.ERROR] = failed
    yield Sample(metric=Metric.INVOCATIONS, value=1, attributes=about)
    if not failed:
        yield Sample(metric=Metric.SUCCEEDED, value=1, attributes=about)
    if began is not None and began.reason == "fallback":
        yield Sample(metric=Metric.FALLBACKS, value=1, attributes=about)
    yield Sample(metric=Metric.LATENCY, value=event.duration_ms / 1000, attributes=about)
    for kind, count in _by_type(_usage(event)):
        yield Sample(metric=Metric.TOKENS, value=count, attributes=about | {Attribute.TOKEN_TYPE: kind})
    if (cost := _cost(event)) is not None:
        source = _present({Attribute.COST_SOURCE: _word(event.details.get("cost_source"))})
        paid = Metric.UNPAID if event.details.get("billing") else Metric.COST
        yield Sample(metric=paid, value=cost, attributes=about | source)


def _last_turn(events: Sequence[Event]) -> Sequence[Event]:
    if not events or events[-1].event not in ENDS:
        return ()
    for place in range(len(events) - 1, -1, -1):
        if events[place].event in _BEGINNINGS:
            return events[place:]
    return events


def _below(repository: str, root: Span, turn: Sequence[Event]) -> Iterator[Span]:
    started = {event.invocation_id: event for event in turn if event.event == EventKind.EXECUTION_STARTED}
    for event in turn:
        if not event.invocation_id:
            continue
        ours = span_id(repository, event.invocation_id)
        if event.event == EventKind.EXECUTION_FINISHED:
            began = started.get(event.invocation_id)
            yield Span(
                trace_id=root.trace_id,
                span_id=ours,
                parent_id=root.span_id,
                name=f"run {event.tool}",
                start=began.ts if began is not None else event.ts - _duration(event),
                end=event.ts,
                attributes=_of_a_run(event, began),
                failed=_failed(event),
            )
        elif event.event == EventKind.CHECK_FINISHED:
            name = str(event.details.get("check", ""))
            yield Span(
                trace_id=root.trace_id,
                span_id=_number(_SPAN, repository, event.event_id),
                parent_id=ours,
                name=f"check {name}",
                start=event.ts - _duration(event),
                end=event.ts,
                attributes=_present({Attribute.CHECK: name}) | _exit_code(event),
                failed="" if event.details.get("passed") is True else "verify_failed",
            )


def _of_a_run(event: Event, began: Event | None) -> dict[str, Value]:
    cost = None if event.details.get("billing") else _cost(event)
    own: dict[Attribute, Value] = {
        Attribute.TASK: event.task_id,
        Attribute.INVOCATION: event.invocation_id,
        Attribute.ATTEMPT: event.attempt,
        Attribute.REASON: began.reason if began is not None else "",
        Attribute.SESSION: _word(event.details.get("session_id")),
        Attribute.ERROR: _failed(event),
        Attribute.COST_SOURCE: _word(event.details.get("cost_source")),
    }
    told = _about(event, began) | _present(own) | _usage(event) | _exit_code(event)
    return told if cost is None else told | {Attribute.COST: cost}


def _about(event: Event, began: Event | None) -> dict[str, Value]:
    """What has few values: figures are kept for each combination of them."""
    provider = _word(began.details.get("provider")) if began is not None else ""
    return _present(
        {
            Attribute.OPERATION: "invoke_agent",
            Attribute.AGENT: event.agent,
            Attribute.TOOL: event.tool,
            Attribute.MODEL: event.model,
            Attribute.PROVIDER: OTEL_PROVIDERS.get(provider, provider),
        }
    )


def _usage(event: Event) -> dict[str, int]:
    tokens = event.details.get("tokens")
    if not isinstance(tokens, Mapping):
        return {}
    known = {kind: _count(tokens.get(kind)) for kind in ("input", "cache_read", "cache_write", "output")}
    return {
        Attribute.INPUT: known["input"] + known["cache_read"] + known["cache_write"],
        Attribute.OUTPUT: known["output"],
        Attribute.CACHE_READ: known["cache_read"],
        Attribute.CACHE_WRITE: known["cache_write"],
    }


def _by_type(usage: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for kind, name in (("input", Attribute.INPUT), ("output", Attribute.OUTPUT)):
        if name in usage:
            yield kind, usage[name]


def _cost(event: Event) -> float | None:
    """In US dollars."""
    cost = event.details.get("cost_microusd")
    return cost / 1e6 if isinstance(cost, int) and not isinstance(cost, bool) and cost >= 0 else None


def _count(raw: object) -> int:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else 0


def _word(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def _failed(event: Event) -> str:
    if event.error_kind:
        return event.error_kind
    if event.reason not in {"", "exited"}:
        return event.reason
    return "exit_code" if event.exit_code else ""


def _exit_code(event: Event) -> dict[str, Value]:
    return {} if event.exit_code is None else {Attribute.EXIT_CODE: event.exit_code}


def _duration(event: Event) -> timedelta:
    return timedelta(milliseconds=max(0, event.duration_ms))


def _present(values: Mapping[Attribute, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value not in {"", 0}}


def _number(size: int, *names: str) -> int:
    """Never 0: that is no id."""
    digest = sha256("\0".join(names).encode("utf-8", "surrogateescape")).digest()[:size]
    return int.from_bytes(digest) or 1
