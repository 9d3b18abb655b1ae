"""What templates do to texts that they did not write: none of them can break out of its place in a page."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime

from orchestrator.core.pattern import late

# C0 and C1 controls but tab and newline, bidirectional overrides, and the marks that hide text.
_UNPRINTABLE = late("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_FENCES = late(r"`{3,}")
_MARKDOWN = late(r"([\\`*\[\]<>|~])")
_PLAIN = late(r"[A-Za-z_/][^\x00-\x1f:#\[\]{}&*!|>'\"%@`,]*(?<! )")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
_DEEPEST = 20  # a task can nest 100 levels; nobody reads the 21st


def printable(text: object) -> str:
    """The text with line ends made plain and every character that could deceive a reader replaced."""
    plain = str(text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("\ufffd", plain)


def oneline(text: object, limit: int = 200) -> str:
    """The text on one line of at most `limit` characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def cell(text: object, limit: int = 160) -> str:
    """The text as one line of Markdown that means nothing but itself, in a table as well."""
    return _MARKDOWN.sub(r"\\\1", oneline(text, limit))


def code(text: object, limit: int = 200) -> str:
    """The text as a code span, for ids, paths and names; a dash where there is none."""
    flat = oneline(text, limit).replace("`", "'").replace("|", "¦")
    return f"`{flat}`" if flat else "-"


def fenced(text: object, info: str = "text") -> str:
    """The text in a fence that is longer than any within it."""
    plain = printable(text).strip("\n")
    longest = max((len(run) for run in _FENCES.findall(plain)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{plain}\n{fence}"


def when(moment: datetime | None) -> str:
    """A moment for people: UTC, to the second."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lasted(milliseconds: int) -> str:
    """A duration for people: 3 min 12 s, 1.2 s, 15 ms."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def yamlish(value: object, skip: Collection[str] = ()) -> str:
    """A value as people would write it in YAML, in the order in which it came. For reading, not for parsing."""
    if isinstance(value, Mapping):
        value = {key: item for key, item in value.items() if key not in skip}
    return "\n".join(_lines(value, 0))


def _lines(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield "…"
    elif isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entry(f"{_scalar(key)}:", item, depth)
    elif isinstance(value, list | tuple) and value:
        for item in value:
            yield from _entry("-", item, depth)
    else:
        yield _scalar(value)


def _entry(lead: str, item: object, depth: int) -> Iterator[str]:
    nested = isinstance(item, Mapping | list | tuple) and bool(item)
    if isinstance(item, str) and "\n" in item.strip("\n"):
        yield f"{lead} |"
        yield from (f"  {line}" if line else "" for line in printable(item).strip("\n").split("\n"))
    elif nested and lead == "-":
        first, *rest = _lines(item, depth + 1)
        yield f"- {first}"
        yield from (f"  {line}" if line else "" for line in rest)
    elif nested:
        yield lead
        yield from (f"  {line}" if line else "" for line in _lines(item, depth + 1))
    else:
        yield f"{lead} {_scalar(item)}"


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            text = printable(value).strip("\n")
            safe = _PLAIN.fullmatch(text) and text.casefold() not in _WORDS
            return text if safe else json.dumps(text, ensure_ascii=False)
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            return printable(value)


FILTERS: Mapping[str, Callable[..., str]] = {
    "cell": cell,
    "code": code,
    "fenced": fenced,
    "lasted": lasted,
    "oneline": oneline,
    "printable": printable,
    "when": when,
    "yamlish": yamlish,
}
