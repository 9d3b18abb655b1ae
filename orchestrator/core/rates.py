"""How often something may be started: rolling windows of a minute and of an hour, and how many at once. Pure.

A window rolls: what counts are the starts of the last 60 seconds, whatever the clock's minute is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.cooldowns import tool_scope
from orchestrator.core.hindrance import Hindrance, together
from orchestrator.core.settings import RateLimit, Tool

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LOOK_AGAIN = timedelta(seconds=5)  # nobody knows when a run ends: until then nothing is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """Something with a limit, by the name that people read: "tool claude", "provider anthropic"."""

    what: str
    limit: RateLimit


def limited(tool: Tool, provider: str, providers: Mapping[str, RateLimit]) -> tuple[Limited, ...]:
    """What limits the starts of a tool on a model of that provider; nothing where nothing is limited."""
    found = [Limited(what=tool_scope(tool.name), limit=tool.rate_limit)]
    if provider in providers:
        found.append(Limited(what=f"provider {provider}", limit=providers[provider]))
    return tuple(one for one in found if one.limit != RateLimit())


def hindrance(
    what: str, limit: RateLimit, starts: Sequence[datetime], *, running: int, now: datetime
) -> Hindrance | None:
    """Why no more of `what` (e.g. "tool claude") may start now, or None. `starts`: those of the last hour, any order.

    A start that lies ahead, as the clock was set back, counts as of now.
    """
    return together(
        [
            _at_once(what, limit.max_parallel, running, now),
            _in_window(what, "a minute", limit.per_minute, starts, window=MINUTE, now=now),
            _in_window(what, "an hour", limit.per_hour, starts, window=HOUR, now=now),
        ]
    )


def _at_once(what: str, most: int | None, running: int, now: datetime) -> Hindrance | None:
    if most is None or running < most:
        return None
    if most <= 0:
        return Hindrance(why=f"{what} may never run: its max_parallel is {most}")
    return Hindrance(why=f"{what} runs {running} times, and may {most} times at once", until=now + LOOK_AGAIN)


def _in_window(
    what: str, per: str, most: int | None, starts: Sequence[datetime], *, window: timedelta, now: datetime
) -> Hindrance | None:
    if most is None:
        return None
    if most <= 0:
        return Hindrance(why=f"{what} may never start: its limit is {most} {per}")
    within = sorted(min(start, now) for start in starts if start > now - window)
    if len(within) < most:
        return None
    until = within[-most] + window  # then fewer than `most` are left in the window
    return Hindrance(why=f"{what} was started {len(within)} times within {per}, and may {most} times", until=until)
