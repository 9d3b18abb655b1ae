"""Times and amounts as people say them."""

from datetime import UTC, datetime


def span(seconds: float) -> str:
    """How long: 0.4 s, 42 s, 3 min, 2 h 5 min, 4 days."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = max(int(seconds // 60), 1)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def ago(when: datetime | None, now: datetime) -> str:
    """How long ago, e.g. `3 min ago`; '' where nobody knows."""
    return f"{span((now - when).total_seconds())} ago" if when else ""


def moment(text: str) -> datetime | None:
    """An ISO 8601 time with its zone (none: UTC), or None."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def clock(when: datetime | None) -> str:
    """That time as people read it, in their own zone: 2026-02-12 11:01:00."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if when else ""


def count(number: int, noun: str, plural: str = "") -> str:
    """1 task, 2 tasks."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def money(micro_usd: int) -> str:
    """$0.42, with more digits where it is less than a cent."""
    dollars = micro_usd / 1_000_000
    return f"${dollars:.2f}" if dollars >= 0.01 or not micro_usd else f"${dollars:.4f}"
