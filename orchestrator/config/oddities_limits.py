"""Limits of a policy of which one makes another pointless."""

from collections.abc import Iterator

from orchestrator.config.book import Book
from orchestrator.config.limitcheck import Stated, stated, usd
from orchestrator.config.schema import PolicyEntry
from orchestrator.config.wording import Finding

_SPANS = ("task", "day", "week", "month", "total")  # each within the next


def odd_limits(book: Book) -> Iterator[Finding]:
    """What is odd in the limits of each policy, at most one finding for each limit."""
    for name, policy in book.policies.items():
        limits = list(stated(name, policy))
        for index, one in enumerate(limits):
            message = _twice(one, limits[:index]) or _never_reached(one, limits) or _nothing_starts(one, limits, policy)
            if message:
                yield Finding(at=one.at, message=message, hint="drop or change one of the two")
        yield from _never_asked(name, policy, limits)


def _twice(one: Stated, above: list[Stated]) -> str:
    return f"{one.told} is there twice" if any(other.about == one.about for other in above) else ""


def _never_reached(one: Stated, limits: list[Stated]) -> str:
    """Where a hard limit of the same money is lower and spans as much or more, this one is never reached."""
    for other in limits:
        wider = _SPANS.index(other.period) >= _SPANS.index(one.period)
        binds = other.hard and other.scope in (one.scope, ())
        if other is not one and wider and binds and other.about != one.about and other.micro < one.micro:
            if one.hard and one.period == "task":
                most = f"each run holds {usd(one.micro)} USD, more than {other.told}"
                return f"{most}: what costs money never begins, unless its task has a lower `budget_usd`"
            return f"{usd(one.micro)} is never reached: {other.told} stops before"
        same = other.hard and not one.hard and (other.period, other.scope) == (one.period, one.scope)
        if same and other.micro == one.micro:
            return f"{one.told} says nothing: {other.told} stops there"
    return ""


def _nothing_starts(one: Stated, limits: list[Stated], policy: PolicyEntry) -> str:
    """A run of which nothing is known holds the estimate, where no limit for a task says less."""
    if not one.hard or one.period == "task" or one.micro >= policy.estimate_usd:
        return ""
    if any(other.period == "task" and other.hard and other.micro <= one.micro for other in limits):
        return ""
    taken = f"a run of which nothing is known is taken to cost {usd(policy.estimate_usd)} USD (estimate_usd)"
    return f"{usd(one.micro)} is less than that: {taken}, so that what costs money may never begin"


def _never_asked(name: str, policy: PolicyEntry, limits: list[Stated]) -> Iterator[Finding]:
    over = policy.justification_over_usd
    caps = [one for one in limits if one.hard and one.period == "task" and not one.scope]
    if over is not None and caps and over >= min(one.micro for one in caps):
        message = f"nobody is ever asked for a reason: {caps[0].told} stops before"
        at = ("policies", name, "justification_over_usd")
        yield Finding(at=at, message=message, hint="write less than that limit, or remove the key")
