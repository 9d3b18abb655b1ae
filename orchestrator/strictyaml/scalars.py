"""What a plain scalar means: the core schema of YAML 1.2, less its surprises."""

import re
from math import isfinite

from orchestrator.core.pattern import late

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
# A leading zero makes it text: 007 is a name, and so is 2026-02-12.
_INTEGER = late(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_BASED = late(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = late(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL = late(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
MAYBE = frozenset("0123456789+-.~tTfFnN")
_MOST_DIGITS = 100


class ScalarRefusedError(ValueError):
    """A plain scalar that is a number to YAML and could not be what anybody meant."""


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar. Raises ScalarRefusedError with what is wrong."""
    if text and text[0] not in MAYBE:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _BASED.fullmatch(text):
        return _integer(text, 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not isfinite(number):
            raise ScalarRefusedError(f"{_short(text)} is a number too large to hold")
        return number
    if _SPECIAL.fullmatch(text):
        raise ScalarRefusedError(f"{text} is not a number that anything can be done with")
    return text


def single_quoted(text: str) -> str:
    """The text as YAML between single quotes, on one line; what a person is told to paste."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _integer(text: str, base: int) -> int:
    if len(text) > _MOST_DIGITS:
        raise ScalarRefusedError(f"a number of {len(text):,} digits is too large")
    return int(text, base)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
