"""Which time a report is of: days, weeks and months of the calendar in a named zone, or what a person writes."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from orchestrator.core.durations import parse_duration
from orchestrator.core.settings import Period

_YEARS = range(1970, 9000)  # as those of events


def current(period: Period, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The day, week (from Monday) or month around `now`: its beginning, and that of the next, in UTC."""
    first, past = _days(period, now.astimezone(zone).date())
    midnight = [datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, past)]
    return midnight[0], midnight[1]


def _days(period: Period, today: date) -> tuple[date, date]:
    match period:
        case Period.DAY:
            return today, today + timedelta(days=1)
        case Period.WEEK:
            monday = today - timedelta(days=today.weekday())
            return monday, monday + timedelta(days=7)
        case Period.MONTH:
            first = today.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1)
        case Period.TASK | Period.TOTAL:
            raise ValueError(f"{period} has no dates")


def moment(text: str, now: datetime, zone: tzinfo, *, is_end: bool) -> datetime:
    """What a person writes as a time: 2026-02-12, 2026-02-12T11:00, or 7d for so long ago. The end of a span that is
    a day has that day in it. Raises ValueError, whose text says how to write one."""
    written = text.strip()
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        try:
            return now - parse_duration(written)
        except ValueError:
            raise ValueError(f'"{text}" is no time; write e.g. 2026-02-12, 2026-02-12T11:00 or 7d') from None
    if when.year not in _YEARS:
        raise ValueError(f'"{text}" is outside of the calendar of events; write e.g. 2026-02-12')
    if is_end and len(written) <= len("2026-02-12"):
        when += timedelta(days=1)
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
