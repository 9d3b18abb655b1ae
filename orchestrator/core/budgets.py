"""Which limits on money bind a run, in which window each counts, and whether an amount still fits. Pure.

A limit counts everything within its scope, whatever policy the money was spent under: two policies that both limit
"everything" a day in one zone look at one sum, each against its own maximum.

A run belongs to the windows in which it began, however late it ends: its hold and its settlement are counted there.
Each run of a task is counted where that run began, so that a task that waited for the next window can run in it. The
period `task` counts all runs of one task, whenever they were: retries, fallbacks and escalations share it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.core.settings import Limit, Period, Policy
from orchestrator.core.types import InvocationId, MicroUsd, TaskId
from orchestrator.errors import OrchestratorError

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)  # the end of a window that has none
SCOPES = ("agent", "tool", "model", "provider", "run")
_DAY = timedelta(days=1)
NO_TASK = TaskId("")
_NOTHING = MicroUsd(0)


class LedgerUnusable(OrchestratorError):  # noqa: N818  # reads as what is said of it
    """The ledger is missing, damaged, or not of this version: no money can be held, so nothing that costs may run."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the ledger of money cannot be used: {reason}; it is rebuilt from the events at the next start"
        )
        self.reason = reason


class UnknownZoneError(OrchestratorError):
    """A zone that this machine does not know. Configuration refuses it; time zone data may vanish after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span in which a limit counts: from `start`, before `end`, both UTC."""

    start: datetime
    end: datetime
    key: str  # for people and events: 2026-02-12, 2026-W07, 2026-02, total, task

    def holds(self, at: datetime) -> bool:
        """Whether that moment is in it."""
        return self.start <= at < self.end

    @property
    def ends(self) -> bool:
        """Whether waiting for its end makes sense."""
        return self.end != NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a run is about, as far as money is counted by it."""

    agent: str = ""
    tool: str = ""
    model: str = ""
    provider: str = ""
    run: str = ""
    task_id: TaskId = NO_TASK
    task_type: str = ""  # no scope: costs are known by it
    billing: str = "api"  # of the tool; `free` too where the model's price is free. Only api costs money


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A limit that binds a run, with the window in which it counts it."""

    limit: Limit
    window: Window
    zone: str
    task_id: TaskId = NO_TASK  # for the period task: whose runs are counted

    @property
    def scope(self) -> Mapping[str, str]:
        """What it counts."""
        return self.limit.scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How much of a limit is gone."""

    applied: Applied
    spent: MicroUsd = _NOTHING
    held: MicroUsd = _NOTHING  # for runs that are under way

    @property
    def used(self) -> int:
        """Spent, and held for others."""
        return self.spent + self.held

    @property
    def left(self) -> MicroUsd:
        """What may still be held; never below zero."""
        return MicroUsd(max(0, self.applied.limit.max_usd - self.used))

    def percent(self, more: int = 0) -> int:
        """Of the limit, rounded down, with `more` on top."""
        return (self.used + more) * 100 // self.applied.limit.max_usd

    def fits(self, amount: int) -> bool:
        """Whether the amount may be held. Nothing always fits: free models run at zero left."""
        return amount <= 0 or self.used + amount <= self.applied.limit.max_usd

    def crosses(self, amount: int) -> bool:
        """Whether with the amount the threshold is reached, so that a person is to hear of it."""
        limit = self.applied.limit
        return amount > 0 and (self.used + amount) * 100 >= limit.threshold_percent * limit.max_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """It fits. `crossings`: limits whose threshold is reached with it, as they stood before it."""

    amount: MicroUsd
    crossings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """It does not fit."""

    amount: MicroUsd
    standings: tuple[Standing, ...]  # of every hard limit that it does not fit, as the policy orders them
    clock_behind: timedelta = timedelta(0)  # by which the newest run that is known of began after now

    @property
    def first(self) -> Standing:
        """The one to name."""
        return self.standings[0]

    @property
    def until(self) -> datetime | None:
        """When every window that is full has ended; None: waiting does not help."""
        ends = [standing.applied.window.end for standing in self.standings]
        return None if NEVER in ends else max(ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Money that is held for a run: all that its settlement needs, even where the ledger was lost in between."""

    invocation_id: InvocationId
    about: Subject
    at: datetime  # when the run began, as its windows see it: never before a run that is known of
    amount: MicroUsd
    crossings: tuple[Standing, ...] = ()
    warned: tuple[Standing, ...] = field(default=())  # those of `crossings` of which nobody was told in this window


def decide(standings: Iterable[Standing], amount: MicroUsd) -> Granted | Over:
    """Whether the amount fits every hard limit; a soft one only warns."""
    every = tuple(standings)
    full = tuple(one for one in every if one.applied.limit.hard and not one.fits(amount))
    if full:
        return Over(amount=amount, standings=full)
    return Granted(amount=amount, crossings=tuple(one for one in every if one.crosses(amount)))


def chain(policy: Policy, about: Subject, at: datetime) -> tuple[Applied, ...]:
    """The limits of the policy that bind a run, as the policy orders them, each with its window at that moment.

    Raises:
        UnknownZoneError
    """
    return tuple(
        Applied(
            limit=limit,
            window=window(limit.period, policy.timezone, at),
            zone=policy.timezone,
            task_id=about.task_id if limit.period is Period.TASK else NO_TASK,
        )
        for limit in policy.limits
        if covers(limit.scope, about)
    )


def at_time(applied: Sequence[Applied], at: datetime) -> tuple[Applied, ...]:
    """The same limits with their windows at another moment."""
    return tuple(
        one
        if one.window.holds(at)
        else Applied(limit=one.limit, window=window(one.limit.period, one.zone, at), zone=one.zone, task_id=one.task_id)
        for one in applied
    )


def covers(scope: Mapping[str, str], about: Subject) -> bool:
    """Whether a limit of that scope counts the run."""
    return all(getattr(about, name) == value for name, value in scope.items())


# --- windows -----------------------------------------------------------------------------------------------------


def window(period: Period, zone: str, at: datetime) -> Window:
    """The window of that period, by the calendar of the zone, in which the moment lies.

    A day lasts from the first 00:00 of its date to the first of the next, in whatever time that takes: 23, 24 or 25
    hours. Where a clock change leaves 00:00 out, the day begins with the change.

    Raises:
        UnknownZoneError: this machine knows no zone of that name.
    """
    if period is Period.TASK or period is Period.TOTAL:
        return Window(start=BEGINNING, end=NEVER, key=period.value)
    place = _zone(zone)
    first = _first(period, at.astimezone(place).date())
    start, end = _midnight(first, place), _midnight(_next(period, first), place)
    while end <= at:  # the clock was set back over midnight: the date is yesterday's again, and the window stays
        first = _next(period, first)
        start, end = end, _midnight(_next(period, first), place)
    return Window(start=start, end=end, key=_key(period, first))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZoneError(
            f"config/policies.yaml: timezone: this machine knows no zone {name!r}; use e.g. Europe/Berlin or UTC"
        ) from error


def _midnight(day: date, place: ZoneInfo) -> datetime:
    # fold=0: the first of two midnights; of a midnight that is left out, the moment of the change.
    return datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)


def _first(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def _next(period: Period, first: date) -> date:
    if period is Period.WEEK:
        return first + 7 * _DAY
    if period is Period.MONTH:
        return (first + 31 * _DAY).replace(day=1)
    return first + _DAY


def _key(period: Period, first: date) -> str:
    if period is Period.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return f"{first:%Y-%m}" if period is Period.MONTH else first.isoformat()
