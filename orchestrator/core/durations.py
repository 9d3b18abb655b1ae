"""Durations as people write them in task files and in the configuration: 90s, 10m, 2h, 1h30m, 30d."""

from datetime import timedelta

from orchestrator.core.pattern import late

_DURATION = late(
    r"(?:(?P<days>[0-9]{1,6})d)?(?:(?P<hours>[0-9]{1,7})h)?(?:(?P<minutes>[0-9]{1,8})m)?(?:(?P<seconds>[0-9]{1,9})s)?"
)
_LONGEST = timedelta(days=3650)
# The same for a JSON Schema: some digit is not zero, there is no end of a line and no group with a name.
IN_JSON_SCHEMA = r"^\s*(?=[^1-9]*[1-9])(?=[0-9])(?:[0-9]{1,6}d)?(?:[0-9]{1,7}h)?(?:[0-9]{1,8}m)?(?:[0-9]{1,9}s)?\s*$"


def parse_duration(text: str) -> timedelta:
    """The duration that the text says. Raises ValueError, whose text says what is wrong and how to write one."""
    written = text.strip()
    found = _DURATION.fullmatch(written)
    if not found or not written:
        raise ValueError(f'"{text}" is not a duration; use e.g. 90s, 10m, 2h or 1h30m')
    parts = {unit: int(number) for unit, number in found.groupdict(default="0").items()}
    duration = timedelta(**parts)
    if not duration:
        raise ValueError(f'"{text}" is no time at all; use e.g. 10m')
    if duration > _LONGEST:
        raise ValueError(f'"{text}" is longer than ten years; use e.g. 30d')
    return duration
