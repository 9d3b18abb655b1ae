"""How long a tool, or a model of it, is left alone after it said "not now". Pure.

The later deadline wins: a second, shorter "come back in 5 s" never shortens what was promised before.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.core.hindrance import Hindrance, told_time
from orchestrator.core.types import ErrorKind

FIRST = timedelta(seconds=60)  # where nobody says how long; doubled with each failure in a row
LONGEST = timedelta(minutes=15)
LONGEST_TOLD = timedelta(days=8)  # a week's quota and some: what a tool says beyond it is a mistake in a unit
COOLING_KINDS = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """Left alone until then."""

    until: datetime
    since: datetime  # the last failure
    failures: int = 1  # in a row
    why: str = ""


def tool_scope(tool: str, model: str = "") -> str:
    """How a tool, or one model of it, is named here and in messages."""
    return f"tool {tool} with {model}" if model else f"tool {tool}"


def come_back(now: datetime, *, retry_after: float | None = None, resets_at: datetime | None = None) -> datetime | None:
    """When a tool said to come back, the later of the two; None where it said nothing that can be meant."""
    told: list[datetime] = []
    if retry_after is not None and retry_after > 0:  # false for NaN
        told.append(now + timedelta(seconds=min(retry_after, LONGEST_TOLD.total_seconds())))
    if resets_at is not None and resets_at > now:
        told.append(min(resets_at, now + LONGEST_TOLD))
    return max(told, default=None)


def failed(old: Cooldown | None, *, now: datetime, told: datetime | None = None, why: str = "") -> Cooldown:
    """After a failure: until the time that was told (`come_back`), else twice as long as the last time."""
    failures = old.failures + 1 if old is not None else 1
    wait = min(FIRST * 2 ** min(failures - 1, 10), LONGEST)
    until = told if told is not None and told > now else now + wait
    if old is not None:
        old = turned_back(old, now)
        why = old.why if old.until > until else why
        until = max(until, old.until)
    return Cooldown(until=until, since=now, failures=failures, why=why)


def is_of_account(kind: ErrorKind, billing: str) -> bool:
    """Whether every model of the tool is left alone, and not only the one that failed: a subscription has one limit for
    all of them, where an interface that is paid by use has one for each, and an overload is always of one."""
    return kind is ErrorKind.RATE_LIMITED and billing == "subscription"


def succeeded(old: Cooldown | None, *, began: datetime) -> Cooldown | None:
    """After a success: nothing is left of it, unless the run began before the failure and so proves nothing of now."""
    return old if old is not None and began < old.since else None


def turned_back(cooldown: Cooldown, now: datetime) -> Cooldown:
    """The same wait from now on, where the clock was set back to before it began: a day would be a day too long."""
    if cooldown.since <= now:
        return cooldown
    return replace(cooldown, until=now + (cooldown.until - cooldown.since), since=now)


def hindrance(what: str, cooldown: Cooldown | None, now: datetime) -> Hindrance | None:
    """Why `what` (e.g. "tool claude") is left alone now, or None."""
    if cooldown is None or cooldown.until <= now:
        return None
    because = f" ({cooldown.why})" if cooldown.why else ""
    return Hindrance(why=f"{what} is left alone until {told_time(cooldown.until)}{because}", until=cooldown.until)
