"""Sizes as people write them in the configuration: 64MiB, 1GiB, 500MB, or a whole number of bytes."""

import re
from decimal import Decimal

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)")
_UNITS = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_LARGEST = 1 << 50


def parse_size(text: str) -> int:
    """The bytes that the text says. Raises ValueError, whose text says what is wrong and how to write one."""
    found = _SIZE.fullmatch(text.strip())
    unit = found[2].casefold() if found else ""
    if not found or not (unit or found[1].isdigit()):
        raise ValueError(f'"{text}" is not a size; use e.g. 64MiB, 1GiB, 500MB or a number of bytes')
    if unit and unit not in _UNITS:
        meant = f"{unit.upper()}iB" if f"{unit}ib" in _UNITS else ""
        hint = f"write {found[1]}{meant} or {found[1]}{unit.upper()}B" if meant else "use e.g. 64MiB, 1GiB or 500MB"
        raise ValueError(f'"{text}" is not a size; {hint}')
    size = int(Decimal(found[1]) * _UNITS.get(unit, 1))
    if not size:
        raise ValueError(f'"{text}" is no room at all; use e.g. 64MiB')
    if size > _LARGEST:
        raise ValueError(f'"{text}" is more than a thousand terabytes; use e.g. 1GiB')
    return size
