"""What follows a run that failed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.retrying import (
    LONGEST_BACKOFF,
    MOST_RUNS,
    Attempt,
    Escalate,
    GiveUp,
    Next,
    NextCandidate,
    Retry,
    Wait,
    backoff,
    decide,
    left,
)
from orchestrator.core.routing import Candidate, Refusal, Rejected, Route, RouteReason
from orchestrator.core.settings import Retries, Tool
from orchestrator.core.types import ErrorKind

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EVERY = frozenset(ErrorKind)


def way(name: str, reason: RouteReason = RouteReason.FALLBACK) -> Candidate:
    tool, _, model = name.partition(":")
    return Candidate(tool=Tool(name=tool, binary=tool, command=(tool,)), model=model, reason=reason, why=f"to {name}")


def tried(*failures: str) -> list[Attempt]:
    """`claude:small crashed` is one attempt."""
    return [
        Attempt(tool=name.partition(":")[0], model=name.partition(":")[2], kind=ErrorKind(kind))
        for name, kind in (failure.split() for failure in failures)
    ]


def waiting(name: str, seconds: int | None, reason: RouteReason = RouteReason.FALLBACK) -> Rejected:
    """Cannot run now, but in so many seconds."""
    tool, _, model = name.partition(":")
    until = None if seconds is None else NOW + timedelta(seconds=seconds)
    return Rejected(tool=tool, model=model, reason=reason, why="left alone", until=until)


def route_of(*ways: Candidate | Rejected) -> Route | Refusal:
    """As it was planned, in that order."""
    placed = [replace(one, place=place) for place, one in enumerate(ways)]
    candidates = tuple(one for one in placed if isinstance(one, Candidate))
    rejected = tuple(one for one in placed if isinstance(one, Rejected))
    return Route(candidates=candidates, rejected=rejected) if candidates else Refusal(why="none", rejected=rejected)


def after(
    *failures: str,
    further: Sequence[str | Rejected] = (),
    retries: Retries | None = None,
    come_back: datetime | None = None,
    chance: float = 0.5,
) -> Next:
    return decide(
        way(failures[-1].split()[0]),
        tried(*failures),
        route_of(*(way(name) if isinstance(name, str) else name for name in further)),
        retries or Retries(),
        now=NOW,
        chance=chance,
        come_back=come_back,
    )


def short(found: Next) -> str:
    match found:
        case GiveUp():
            return "give up"
        case Wait():
            return f"wait {(found.at - NOW).total_seconds():.0f}"
        case _:
            return f"{type(found).__name__} {':'.join(filter(None, found.candidate.key))}"


@pytest.mark.parametrize("kind", ["rate_limited", "overloaded", "auth", "no_tool", "timeout", "bad_output"])
def test_what_another_tool_may_do_goes_to_the_next_candidate(kind: str) -> None:
    found = after(f"claude:small {kind}", further=("claude:small", "codex:sol", "brief"))
    assert short(found) == "NextCandidate codex:sol"


@pytest.mark.parametrize("kind", ["auth", "no_tool"])
def test_who_cannot_log_in_cannot_with_another_model_either(kind: str) -> None:
    assert short(after(f"claude:small {kind}", further=("claude:large", "codex:sol"))) == "NextCandidate codex:sol"
    assert short(after(f"claude:small {kind}", further=("claude:large",))) == "give up"


@pytest.mark.parametrize("kind", ["denied", "budget", "cancelled", "internal", "lost"])
def test_what_is_no_fault_of_the_tool_has_no_fallback(kind: str) -> None:
    found = after(f"claude {kind}", further=("codex",), retries=Retries(on=EVERY))
    assert isinstance(found, GiveUp)
    assert found.why


def test_every_kind_of_failure_has_an_answer() -> None:
    answers = {kind: short(after(f"claude {kind}", further=("codex",))) for kind in ErrorKind}
    assert set(answers) == set(ErrorKind)


def test_a_crash_is_tried_again_by_the_policy_and_then_goes_on() -> None:
    crash, again = "claude crashed", Retries(on=EVERY)
    assert short(after(crash, further=("codex",), retries=again)) == "Retry claude"
    assert short(after(crash, crash, further=("codex",), retries=again)) == "Retry claude"
    assert short(after(crash, crash, crash, further=("codex",), retries=again)) == "NextCandidate codex"
    assert short(after(crash, crash, crash, retries=again)) == "give up"
    assert short(after(crash, further=("codex",))) == "NextCandidate codex"
    assert short(after(crash)) == "give up"
    assert short(after(crash, further=("codex",), retries=Retries(max=0))) == "NextCandidate codex"


def test_a_rate_limit_is_waited_out_only_where_nobody_else_is_left() -> None:
    limited = "claude rate_limited"
    told = NOW + timedelta(hours=5)
    found = after(limited, further=("claude",), come_back=told, chance=0.0)
    assert isinstance(found, Retry)
    assert found.at == told
    assert "rate limited; retry 1 of 2" in found.why
    assert short(after(limited, further=("codex",), come_back=told)) == "NextCandidate codex"
    assert short(after(limited, limited, limited)) == "give up"
    assert short(after(limited, retries=Retries(on=frozenset()))) == "give up"


def test_those_who_come_back_at_a_told_time_do_not_come_at_once() -> None:
    told = NOW + timedelta(hours=1)
    times = {
        found.at
        for chance in (0.1, 0.5, 0.9)
        if isinstance(found := after("c overloaded", come_back=told, chance=chance), Retry)
    }
    assert len(times) == 3
    assert min(times) > told


def test_who_was_only_told_not_now_is_asked_again_once_nobody_else_is_left() -> None:
    failures = ("claude rate_limited", "codex timeout")
    assert short(after(*failures, further=("claude", "codex", "brief"))) == "NextCandidate brief"
    assert short(after(*failures, further=("claude", "codex"))) == "NextCandidate claude"
    assert short(after(*failures, further=(waiting("claude", 300), "codex"), chance=0)) == "wait 300"
    assert short(after(*failures, further=(waiting("claude", None), "codex"))) == "give up"
    worn_out = ("claude rate_limited",) * 3
    assert short(after(*worn_out, "codex timeout", further=("claude", waiting("codex", 5)))) == "give up"


def test_of_several_waits_the_first_to_end_is_taken() -> None:
    told = NOW + timedelta(seconds=600)
    limited = "claude rate_limited"
    assert short(after(limited, further=(waiting("codex", 60),), come_back=told, chance=0)) == "wait 60"
    assert short(after(limited, further=(waiting("codex", 900),), come_back=told, chance=0)) == "Retry claude"


def test_a_run_that_was_lost_with_the_daemon_is_not_held_against_the_tool() -> None:
    lost = ("claude lost", "claude lost")
    assert short(after(*lost, "claude crashed", retries=Retries(on=EVERY))) == "Retry claude"
    assert short(after(*lost, "codex timeout", further=("claude", "codex"))) == "NextCandidate claude"


def test_who_plans_anew_takes_one_that_is_left() -> None:
    ways = [way(name) for name in ("claude:small", "claude:large", "codex", "gemini", "brief")]
    history = tried("codex auth", "claude:small rate_limited", "gemini timeout")
    assert [one.key[0] + ":" + one.key[1] for one in left(history, ways, Retries())] == [
        "claude:large",
        "brief:",
        "claude:small",
    ]


ESCALATION = [f"claude:{name}" for name in ("small", "middle", "large")]


def checked(*failures: str, route: Route | Refusal) -> Next:
    return decide(way(failures[-1].split()[0]), tried(*failures), route, Retries(), now=NOW, chance=0)


def test_a_failed_check_goes_to_the_next_of_the_escalation_and_to_nobody_else() -> None:
    route = route_of(*(way(name, RouteReason.ESCALATION) for name in ESCALATION), way("codex"))
    found = checked("claude:middle verify_failed", route=route)  # small was left alone before
    assert isinstance(found, Escalate)
    assert found.candidate.model == "large"
    assert short(checked("claude:small verify_failed", "claude:middle verify_failed", route=route)) == (
        "Escalate claude:large"
    )
    found = checked(*(f"{name} verify_failed" for name in ESCALATION), route=route)
    assert isinstance(found, GiveUp)
    assert "no stronger" in found.why


def test_a_stronger_one_that_is_left_alone_is_waited_for() -> None:
    small, middle, large = ESCALATION
    route = route_of(
        waiting(small, 10, RouteReason.ESCALATION),
        way(middle, RouteReason.ESCALATION),
        waiting(large, 90, RouteReason.ESCALATION),
        way("codex"),
    )
    assert short(checked(f"{middle} verify_failed", route=route)) == "wait 90"


def test_the_wait_doubles_is_capped_and_is_anything_up_to_it() -> None:
    retries = Retries(backoff=timedelta(seconds=10))
    bounds = [backoff(retries, failures, 1.0) for failures in range(1, 10)]
    assert [bound.total_seconds() for bound in bounds] == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert backoff(retries, 3, 0.0) == timedelta(0)
    assert backoff(retries, 3, 0.25) == timedelta(seconds=10)
    assert backoff(Retries(backoff=timedelta.max), 10**9, 1.0) == LONGEST_BACKOFF


KINDS = st.sampled_from(list(ErrorKind))


@settings(max_examples=200)
@given(
    kinds=st.lists(KINDS, min_size=1, max_size=60),
    ways=st.lists(st.sampled_from(["a:x", "a:y", "b:x", "c", "d:z"]), min_size=1, max_size=5, unique=True),
    escalating=st.booleans(),
    most=st.integers(0, 100),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_no_storm_whatever_fails_how(
    kinds: list[ErrorKind], ways: list[str], escalating: bool, most: int, chance: float
) -> None:
    """Runs are bounded, never before their time, never of a tool that cannot, and no kind without a remedy goes on."""
    reason = RouteReason.ESCALATION if escalating else RouteReason.FALLBACK
    ordered = [way(name, reason) for name in ways]
    route = route_of(*ordered)
    retries = Retries(max=most, on=EVERY)
    history: list[Attempt] = []
    now, candidate = NOW, ordered[0]
    for run in range(1, 200):
        kind = kinds[run % len(kinds)]
        history.append(Attempt(tool=candidate.tool.name, model=candidate.model, kind=kind))
        found = decide(candidate, history, route, retries, now=now, chance=chance)
        if isinstance(found, GiveUp):
            break
        assert kind not in {ErrorKind.DENIED, ErrorKind.BUDGET, ErrorKind.CANCELLED, ErrorKind.INTERNAL}
        if isinstance(found, Retry):
            assert found.candidate is candidate
            assert now <= found.at <= now + LONGEST_BACKOFF
            now = found.at
        else:
            assert isinstance(found, NextCandidate | Escalate)
            earlier = {one.kind for one in history if one.way == found.candidate.key}
            assert earlier <= {ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED}
            assert found.candidate.key != candidate.key
        candidate = found.candidate
    assert len(history) <= min(MOST_RUNS, (most + 1) * len(ways))
