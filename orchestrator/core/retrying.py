"""What follows a run that failed: the same again later, another candidate, a stronger one, or nothing. Pure.

Every answer but `GiveUp` is one more run, and runs of one task are counted: at most `retries.max` more of each
candidate and `MOST_RUNS` altogether, whatever fails how. So nothing can go round for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from orchestrator.core.routing import Candidate, Refusal, Rejected, Route, RouteReason
from orchestrator.core.settings import Retries
from orchestrator.core.types import ErrorKind

MOST_RUNS = 20  # of one task, by itself: a person may always start it again
LONGEST_BACKOFF = timedelta(minutes=15)

_NOT_NOW = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED})  # the same may do it later
_NOT_THIS_TOOL = frozenset({ErrorKind.AUTH, ErrorKind.NO_TOOL})  # no other model of it can help
_BY_CHANCE = frozenset({ErrorKind.TIMEOUT, ErrorKind.BAD_OUTPUT, ErrorKind.CRASHED})
_WHY_NOT = {
    ErrorKind.DENIED: "what was denied to one tool is not for another to do",
    ErrorKind.BUDGET: "there is no money left for another run",
    ErrorKind.CANCELLED: "it was cancelled",
    ErrorKind.INTERNAL: "the mistake is ours, and another tool would meet it too",
    ErrorKind.LOST: "it was lost with the daemon, which says nothing of the tool",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of the task that failed."""

    tool: str
    model: str
    kind: ErrorKind

    @property
    def way(self) -> tuple[str, str]:
        """What was tried."""
        return self.tool, self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The same candidate once more, not before that time."""

    candidate: Candidate
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nobody can do it now: it is planned anew at that time, and `left` says who may still run."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCandidate:
    """Another one, at once."""

    candidate: Candidate
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """A stronger one, as the checks did not pass."""

    candidate: Candidate
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The task is an error."""

    why: str


Next = Retry | Wait | NextCandidate | Escalate | GiveUp


def decide(
    failed: Candidate,
    history: Sequence[Attempt],
    route: Route | Refusal,
    retries: Retries,
    *,
    now: datetime,
    chance: float,
    come_back: datetime | None = None,
) -> Next:
    """What follows the last attempt in `history`, which `failed` made.

    `route`: planned anew after the cooldown was noted, so that nobody is asked who is left alone. `come_back`: when the
    tool said so (`cooldowns.come_back`). `chance`: in [0, 1), for the jitter.
    """
    kind = history[-1].kind
    if kind in _WHY_NOT:
        return GiveUp(why=_WHY_NOT[kind])
    if len(history) >= MOST_RUNS:
        return GiveUp(why=f"it was run {len(history)} times; `orchestrator retry` starts it anew")
    failure = f"{_named(failed)}: {_said(kind)}"
    jitter = backoff(retries, 1, chance)
    if kind is ErrorKind.VERIFY_FAILED:
        return _stronger(failure, history, route, jitter)
    if kind in _BY_CHANCE and (again := _again(failed, history, retries, now, chance)):
        return again
    others = [one for one in left(history, _candidates(route), retries) if one.key != failed.key]
    if others:
        return NextCandidate(candidate=others[0], why=f"{failure}; {others[0].why}")
    waits: list[Retry | Wait] = []
    if kind in _NOT_NOW and (again := _again(failed, history, retries, max(now, come_back or now), chance)):
        waits.append(again)
    waits += [
        Wait(at=one.until + jitter, why=f"{failure}; {one.tool}: {one.why}")
        for one in left(history, route.rejected, retries)
        if one.until is not None and one.key != failed.key
    ]
    if waits:
        return min(waits, key=lambda wait: wait.at)
    return GiveUp(why=f"{failure}, and no other candidate is left")


_Way = TypeVar("_Way", Candidate, Rejected)


def left(history: Sequence[Attempt], ways: Sequence[_Way], retries: Retries) -> list[_Way]:
    """Those that may still run for a task with these failures: first what was not tried, then what only said "not now".

    Whoever plans a task anew that has failed before takes the first of these, not the route's.
    """
    useless = {one.tool for one in history if one.kind in _NOT_THIS_TOOL}
    fresh, again = [], []
    for one in ways:
        kinds = _failures(history, one.key)
        if one.key[0] in useless:
            continue
        if not kinds:
            fresh.append(one)
        elif len(kinds) <= retries.max and all(kind in _NOT_NOW and kind in retries.on for kind in kinds):
            again.append(one)
    return fresh + again


def backoff(retries: Retries, failures: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row: anything up to a bound that doubles, so that a thousand tasks
    that failed together do not come back together."""
    return min(min(retries.backoff, LONGEST_BACKOFF) * (1 << min(max(failures - 1, 0), 16)), LONGEST_BACKOFF) * chance


def _again(
    failed: Candidate, history: Sequence[Attempt], retries: Retries, not_before: datetime, chance: float
) -> Retry | None:
    kind = history[-1].kind
    failures = len(_failures(history, failed.key))
    if kind not in retries.on or failures > retries.max:
        return None
    at = not_before + backoff(retries, failures, chance)
    return Retry(candidate=failed, at=at, why=f"{_named(failed)}: {_said(kind)}; retry {failures} of {retries.max}")


def _stronger(
    failure: str, history: Sequence[Attempt], route: Route | Refusal, jitter: timedelta
) -> Escalate | Wait | GiveUp:
    """Only what stands behind all that was tried: a cheaper one that was left alone for a while proves nothing now."""
    tried = {one.way for one in history}
    useless = {one.tool for one in history if one.kind in _NOT_THIS_TOOL}
    everyone: list[Candidate | Rejected] = [*_candidates(route), *route.rejected]
    behind = max((one.place for one in everyone if one.key in tried), default=-1)
    for one in sorted(everyone, key=lambda one: one.place):
        if one.reason is not RouteReason.ESCALATION or one.place <= behind or one.key[0] in useless:
            continue
        if isinstance(one, Candidate):
            return Escalate(candidate=one, why=f"{failure}; escalation to {_named(one)}")
        if one.until is not None:
            return Wait(at=one.until + jitter, why=f"{failure}; {one.tool}: {one.why}")
    return GiveUp(why=f"{failure}, and no stronger candidate is left")


def _failures(history: Sequence[Attempt], way: tuple[str, str]) -> list[ErrorKind]:
    """How its runs failed; a run that was lost with the daemon says nothing of it."""
    return [one.kind for one in history if one.way == way and one.kind is not ErrorKind.LOST]


def _candidates(route: Route | Refusal) -> tuple[Candidate, ...]:
    return route.candidates if isinstance(route, Route) else ()


def _named(candidate: Candidate) -> str:
    return f"{candidate.tool.name} with {candidate.model}" if candidate.model else candidate.tool.name


def _said(kind: ErrorKind) -> str:
    return str(kind).replace("_", " ")
