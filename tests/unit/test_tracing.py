"""A task as a trace, and the figures of its runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.core.events import Event, EventKind
from orchestrator.core.metric_names import OTEL, Metric
from orchestrator.core.tracing import Sample, Span, samples_of, span_id, spans_of, trace_id, traceparent

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENS = {"input": 100, "cache_read": 40, "cache_write": 7, "output": 20}


def event(kind: EventKind, second: int, **more: Any) -> Event:
    details = more.pop("details", {})
    known = {"task_id": "t", "agent": "writer"} | more
    return Event(event_id=f"{second:026}", ts=BEGAN + timedelta(seconds=second), event=kind, details=details, **known)


def run(number: int, at: int, *, route: str = "preferred", **ended: Any) -> list[Event]:
    about = {"invocation_id": f"I{number}", "tool": "claude", "model": "sonnet", "attempt": number}
    return [
        event(EventKind.EXECUTION_STARTED, at, reason=route, details={"provider": "google"}, **about),
        event(EventKind.EXECUTION_FINISHED, at + 3, **({"duration_ms": 3000, "exit_code": 0} | about | ended)),
    ]


HISTORY = [
    event(EventKind.TASK_CLAIMED, 0),
    *run(1, 1, error_kind="rate_limited", exit_code=1),
    *run(2, 5, route="fallback", details={"tokens": TOKENS, "cost_microusd": 420_000, "cost_source": "reported"}),
    event(
        EventKind.CHECK_FINISHED,
        9,
        invocation_id="I2",
        duration_ms=500,
        exit_code=1,
        details={"check": "tests", "passed": False},
    ),
    event(EventKind.TASK_ERROR, 10, status="error", error_kind="verify_failed", run_id="RUN-1"),
]


def named(spans: Sequence[Span], name: str) -> Span:
    (found,) = (span for span in spans if span.name == name)
    return found


def test_a_task_is_one_trace_of_its_turn_its_runs_and_its_checks() -> None:
    spans = spans_of("/repo", HISTORY)
    assert [span.name for span in spans] == ["invoke_agent writer", "run claude", "run claude", "check tests"]
    root, first, second, check = spans
    assert {span.trace_id for span in spans} == {trace_id("/repo", "t")}
    assert (root.parent_id, first.parent_id, second.parent_id) == (0, root.span_id, root.span_id)
    assert check.parent_id == second.span_id == span_id("/repo", "I2")
    assert (root.start, root.end) == (BEGAN, BEGAN + timedelta(seconds=10))
    assert (second.start, second.end) == (BEGAN + timedelta(seconds=5), BEGAN + timedelta(seconds=8))
    assert check.start == check.end - timedelta(milliseconds=500)
    assert [span.failed for span in spans] == ["verify_failed", "rate_limited", "", "verify_failed"]


def test_a_run_carries_what_it_used_by_the_names_of_the_convention() -> None:
    second = spans_of("/repo", HISTORY)[2]
    assert dict(second.attributes) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "writer",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "sonnet",
        "gen_ai.usage.input_tokens": 147,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 7,
        "orchestrator.tool": "claude",
        "orchestrator.task.id": "t",
        "orchestrator.invocation.id": "I2",
        "orchestrator.attempt": 2,
        "orchestrator.route.reason": "fallback",
        "orchestrator.cost_usd": 0.42,
        "orchestrator.cost_source": "reported",
        "process.exit.code": 0,
    }


def test_a_turn_after_a_retry_is_a_root_of_its_own_in_the_same_trace() -> None:
    again = [
        *HISTORY,
        event(EventKind.TASK_RETRIED, 20),
        *run(3, 21),
        event(EventKind.TASK_COMPLETED, 30, status="done"),
    ]
    (root, third) = spans_of("/repo", again)
    before = spans_of("/repo", HISTORY)[0]
    assert root.trace_id == before.trace_id
    assert root.span_id != before.span_id
    assert (root.start, third.name, root.failed) == (BEGAN + timedelta(seconds=20), "run claude", "")


def test_what_did_not_end_is_no_trace_yet() -> None:
    assert spans_of("/repo", HISTORY[:-1]) == ()
    assert spans_of("/repo", []) == ()


def test_what_a_tool_is_told_is_the_span_that_is_exported() -> None:
    second = spans_of("/repo", HISTORY)[2]
    assert traceparent("/repo", "t", "I2") == f"00-{second.trace_id:032x}-{second.span_id:016x}-01"
    assert traceparent("/other", "t", "I2") != traceparent("/repo", "t", "I2")


def figures(events: Sequence[Event]) -> dict[tuple[Metric, str], Sample]:
    began, ended = events
    return {(one.metric, str(one.attributes.get("gen_ai.token.type", ""))): one for one in samples_of(ended, began)}


def test_a_run_that_ended_well_is_counted_with_its_tokens_and_cost() -> None:
    found = figures(run(2, 5, route="fallback", details=HISTORY[4].details))
    assert {key: one.value for key, one in found.items()} == {
        (Metric.INVOCATIONS, ""): 1,
        (Metric.SUCCEEDED, ""): 1,
        (Metric.FALLBACKS, ""): 1,
        (Metric.LATENCY, ""): 3.0,
        (Metric.TOKENS, "input"): 147,
        (Metric.TOKENS, "output"): 20,
        (Metric.COST, ""): 0.42,
    }
    assert "orchestrator.task.id" not in found[Metric.COST, ""].attributes  # a series for each task would be too many


def test_what_no_bill_shows_is_no_cost() -> None:
    found = figures(run(1, 1, details={"cost_microusd": 5_000_000, "billing": "subscription"}))
    assert (Metric.COST, "") not in found
    assert found[Metric.UNPAID, ""].value == 5.0


@pytest.mark.parametrize(
    ("ended", "kind"),
    [
        ({"error_kind": "timeout"}, "timeout"),
        ({"reason": "cancelled"}, "cancelled"),
        ({"exit_code": 2}, "exit_code"),
    ],
)
def test_a_run_that_failed_says_of_what_kind(ended: dict[str, Any], kind: str) -> None:
    found = figures(run(1, 1, **ended))
    assert (Metric.SUCCEEDED, "") not in found
    assert found[Metric.INVOCATIONS, ""].attributes["error.type"] == kind


@pytest.mark.parametrize("odd", [{"tokens": "many"}, {"tokens": {"input": -3, "output": True}}, {"cost_microusd": -1}])
def test_what_a_person_wrote_into_an_event_breaks_nothing(odd: dict[str, Any]) -> None:
    found = figures(run(1, 1, details=odd))
    assert all(one.value >= 0 for one in found.values())
    assert (Metric.COST, "") not in found


def test_every_figure_that_a_run_tells_has_its_name() -> None:
    told = {one.metric for one in samples_of(HISTORY[4], HISTORY[3])} | {Metric.UNPAID}
    assert told == set(OTEL)
