"""What a run used and cost, told in its event and read again by a later one."""

from datetime import UTC, datetime

import pytest

from orchestrator.core.accounts import last_session, told
from orchestrator.core.events import Event, EventKind, decode, encode
from orchestrator.core.types import CostSource, MicroUsd, Tokens
from orchestrator.core.verdict import Ending, Ran, Reported

TOKENS = Tokens(input=1000, cache_read=20, cache_write=3, output=200)
REPORTED = Reported(session_id="s-1", tokens=TOKENS, cost=MicroUsd(8000), version="2.1.329")


def finished(invocation: str, tool: str, ran: Ran) -> Event:
    event = Event(
        event_id="E1",
        ts=datetime(2026, 2, 12, tzinfo=UTC),
        event=EventKind.EXECUTION_FINISHED,
        invocation_id=invocation,
        tool=tool,
        details=told(ran),
    )
    again = decode(encode(event))
    assert again is not None
    return again


def ran(session: str = "s-1", reported: Reported | None = REPORTED) -> Ran:
    return Ran(
        ending=Ending.EXITED,
        tokens=TOKENS,
        cost=MicroUsd(4000),
        cost_source=CostSource.REPORTED,
        session_id=session,
        turns=2,
        reported=reported,
    )


def test_what_a_run_cost_survives_its_event() -> None:
    event = finished("I1", "claude", ran())
    assert event.details["tokens"] == {"input": 1000, "cache_read": 20, "cache_write": 3, "output": 200}
    assert (event.details["cost_microusd"], event.details["cost_source"], event.details["turns"]) == (
        4000,
        "reported",
        2,
    )
    assert last_session([event], "claude") == REPORTED


def test_a_run_that_told_nothing_has_nothing_in_its_event() -> None:
    assert told(Ran(ending=Ending.EXITED)) == {}


def test_only_the_same_tool_and_what_ended_before_that_run_count() -> None:
    first, other, own = (
        finished("I1", "claude", ran()),
        finished("I2", "codex", ran("t-2")),
        finished("I3", "claude", ran("s-3")),
    )
    started = Event(event_id="E", ts=first.ts, event=EventKind.EXECUTION_STARTED, invocation_id="I3", tool="claude")
    found = last_session([first, other, started, own], "claude", before="I3")
    assert found is not None
    assert found.session_id == "s-1"
    assert last_session([first, other, started, own], "gemini") is None


@pytest.mark.parametrize("session", ["--dangerously-skip-permissions", "", "a b", "x" * 300, "-"])
def test_a_session_that_could_be_an_option_is_none(session: str) -> None:
    assert last_session([finished("I1", "claude", ran(session))], "claude") is None
