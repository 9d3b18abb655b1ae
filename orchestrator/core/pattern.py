"""Regular expressions that are compiled when they are first used: a program that starts needs few of those it knows."""

import re
from typing import AnyStr, cast


class _Late:
    """Stands for a pattern until something of it is asked for."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        found: object = getattr(re.compile(self._source, self._flags), name)  # `re` keeps what it compiled
        setattr(self, name, found)  # from the second time on it is found without us
        return found


def late(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, but at its first use. A pattern that is wrong is found out then, so use it in a test."""
    return cast("re.Pattern[AnyStr]", _Late(source, flags))
