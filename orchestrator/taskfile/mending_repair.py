"""One thing that was mended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What was done, for people. `line` is 1-based; 0 means the whole file."""

    what: str
    line: int = 0
