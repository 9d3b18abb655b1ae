"""Values to YAML text that reads back as the same value, here and in readers of YAML 1.1."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite

from orchestrator.core.pattern import late
from orchestrator.strictyaml.characters import unprintable
from orchestrator.strictyaml.scalars import ScalarRefusedError, resolve

_PLAIN = late(r"[^\W_][\w ./@()+;'-]*", re.UNICODE)  # no sign that YAML gives a meaning anywhere within a line
_OLD_WORDS = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null"})
# What YAML 1.1 takes for a date, a number with underscores or one in base 60.
_OLD_NUMBER = late(r"[-+]?[0-9][0-9_,.:eExobA-Fa-f+-]*|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt ].*)?")

_LARGEST = 1e99  # the reader takes a hundred digits
_LONGEST_KEY = 500  # YAML looks for a key's colon within 1,024 characters


def cleaned(value: object) -> object:
    """The value as it can be written: times as ISO text, tuples as lists, hidden characters as U+FFFD.

    Raises ValueError for what has no place in a file.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return unprintable(str(value))
    if isinstance(value, int | float):
        if not isfinite(value) or abs(value) > _LARGEST:
            raise ValueError(f"a number beyond {_LARGEST:.0e} cannot be written to a file")
        return value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return {_cleaned_key(key): cleaned(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(child) for child in value]
    raise ValueError(f"a {type(value).__name__} cannot be written to a file")


def _cleaned_key(key: object) -> str:
    text = unprintable(str(key))
    if len(text) > _LONGEST_KEY:
        raise ValueError(f"a key of {len(text):,} characters cannot be written to a file")
    return text


def iso(moment: datetime) -> str:
    """A moment as people read it: UTC, to the second. Raises ValueError for one without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be written to a file")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def flow(value: object, *, quote: str = "") -> str:
    """A cleaned value on one line. `quote` ('single' sign or double) is kept for text that can bear it."""
    if isinstance(value, str):
        return _text(value, quote)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{flow(key)}: {flow(child)}" for key, child in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow(child) for child in value)}]"
    return _atom(value)


def flow_json(value: object) -> str:
    """A cleaned value on one line as JSON, which is YAML too: for files that are written as JSON."""
    return _escaped(value)


def block(value: object, *, indent: int) -> tuple[str, tuple[str, ...]] | None:
    """A cleaned value as a block: what stands on the key's line, and the lines below it. None: it fits one line."""
    pad = " " * indent
    if isinstance(value, str):
        return _literal(value, pad)
    if isinstance(value, Mapping) and value:
        lines: list[str] = []
        for key, child in value.items():
            lines += _entry(f"{pad}{flow(key)}:", child, indent)
        return "", tuple(lines)
    if isinstance(value, list) and value:
        lines = []
        for child in value:
            lines += _item(pad, child, indent)
        return "", tuple(lines)
    return None


def _entry(head: str, value: object, indent: int) -> list[str]:
    below = block(value, indent=indent + 2)
    if below is None:
        return [f"{head} {flow(value)}"]
    first, lines = below
    return [f"{head} {first}" if first else head, *lines]


def _item(pad: str, value: object, indent: int) -> list[str]:
    if isinstance(value, Mapping) and value:
        lines = [line for key, child in value.items() for line in _entry(f"{pad}  {flow(key)}:", child, indent + 2)]
        return [f"{pad}- {lines[0][indent + 2 :]}", *lines[1:]]
    if isinstance(value, list):
        return [f"{pad}- {flow(value)}"]
    return _entry(f"{pad}-", value, indent)


def _literal(text: str, pad: str) -> tuple[str, tuple[str, ...]] | None:
    """Text of several lines as it stands; None where only quotes can keep it."""
    body = text.removesuffix("\n")
    lines = body.split("\n")
    if len(lines) < 2 or "\r" in text or not body.strip() or body.endswith("\n"):
        return None
    if any(line and not line.strip() for line in lines) or next(line for line in lines if line)[0] in " \t":
        return None
    return "|" if text.endswith("\n") else "|-", tuple(f"{pad}{line}" if line else "" for line in lines)


def _text(text: str, quote: str) -> str:
    if "\n" in text or "\r" in text or "\t" in text:
        return _escaped(text)
    if quote == '"':
        return _escaped(text)
    if quote == "'" or not _is_plain(text):
        return "'" + text.replace("'", "''") + "'"
    return text


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or text.endswith(" ") or text.lower() in _OLD_WORDS or _OLD_NUMBER.fullmatch(text):
        return False
    try:
        return resolve(text) == text
    except ScalarRefusedError:
        return False


def _escaped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _atom(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
