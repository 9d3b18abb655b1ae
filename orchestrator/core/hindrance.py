"""Why something cannot start now, and from when on it can."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """What stands in the way of a tool and model."""

    why: str
    until: datetime | None = None  # when it is worth looking again; None: not by waiting


def together(found: Iterable[Hindrance | None]) -> Hindrance | None:
    """All of them as one: what does not pass by waiting is told alone, else the longest wait counts. None: free."""
    all_of_them = [one for one in found if one is not None]
    lasting = [one for one in all_of_them if one.until is None]
    if not all_of_them:
        return None
    why = "; ".join(dict.fromkeys(one.why for one in lasting or all_of_them))
    until = None if lasting else max(one.until for one in all_of_them if one.until is not None)
    return Hindrance(why=why, until=until)


def told_time(at: datetime) -> str:
    """As people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S} {at:%Z}".rstrip()
