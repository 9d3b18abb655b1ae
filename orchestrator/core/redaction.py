"""Takes secrets out of texts and values before they are written where others read them (docs/explanation/privacy.md).

What is known is looked for first: the values that tools were given. Then what has the shape of a token, then what
a name beside it calls a secret. What is found becomes `[redacted:KIND]`, and the rest keeps every character.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import chain

from orchestrator.core import redaction_views as views
from orchestrator.core.pattern import late
from orchestrator.core.redaction_keys import beside_names, is_secret_name, names_secret
from orchestrator.core.redaction_known import Known, passed_secrets
from orchestrator.core.redaction_shapes import Secret, shaped

__all__ = ["Redactor", "Secret", "passed_secrets"]

_MARK = late(r"[\[(]redacted:[A-Za-z0-9_.-]{1,200}[\])]")
_MOST_ROUNDS = 8  # what is taken away uncovers what stood against it
_LOOK_BACK = 300  # characters, by which is told what a mark stands in
_DEEPEST = 150  # levels of a value; a task file has at most 100
_PLAIN_SCALAR = late(r"(?:^|\n)[ \t]*(?:- +)*(?:(?:\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'|[\w.-]{1,80}):[ \t]+|- +)$")
_FLOW_KEY = late(r"[{,][ \t]*(?:\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'|[\w.-]{1,80}):[ \t]+$")
_IN_FLOW = late(r"[{,\[][ \t]*[\w.-]{1,80}:[ \t][^\"'{}\[\]\n]*$")
_REST_OF_LINE = late(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|$)")


class Redactor:
    """Takes out the secrets of one configuration. Safe to use from several threads."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """`values`: what tools are given in their environment, by name, as `passed_secrets` chose it."""
        self._known = Known(values or {})

    def text(self, text: str) -> str:
        """The text without its secrets; the same object where there is none. Doing it again changes nothing."""
        for _ in range(_MOST_ROUNDS):
            found = self.found(text)
            if not found:
                break
            text = _replaced(text, found)
        return text

    def data(self, value: object) -> object:
        """A value as JSON has it, without the secrets in its texts; a key says what its value is."""
        return self._data(value, "", 0)

    def found(self, text: str) -> list[Secret]:
        """Where the secrets stand, in order, none overlapping another."""
        if len(text) < 6:
            return []
        marks = [match.span() for match in _MARK.finditer(text)] if "redacted:" in text else []
        return _apart(text, chain(*self._readings(text)), marks)

    def certain(self, text: str) -> list[Secret]:
        """Those that cannot well be anything else: values that were passed, and tokens of a maker's shape."""
        return _apart(text, chain(self._known.whole(text), shaped(text)), [])

    def _readings(self, text: str) -> Iterator[Iterator[Secret]]:
        seen = text
        if views.has_unseen(text):
            seen = views.blanked(text)
            bare = views.without(text, views.unseen(text))
            yield _across(bare, self._all(bare.text))
            yield _across(bare, self._known.torn(bare.text))
        yield self._all(seen)
        yield self._known.torn(seen)
        if "\n" in seen and (breaks := views.torn(seen)):
            yield self._over_lines(seen, breaks)

    def _all(self, text: str) -> Iterator[Secret]:
        yield from self._known.whole(text)
        yield from shaped(text)
        yield from beside_names(text)

    def _over_lines(self, text: str, breaks: Sequence[tuple[int, int]]) -> Iterator[Secret]:
        """Those that line ends tear."""
        number = 0
        for start, end in views.neighbourhoods(text, breaks):
            here = []
            while number < len(breaks) and breaks[number][0] < end:
                here.append((breaks[number][0] - start, breaks[number][1] - start))
                number += 1
            view = views.without(text[start:end], here)
            for secret in _across(view, chain(shaped(view.text), beside_names(view.text))):
                yield Secret(start=start + secret.start, end=start + secret.end, kind=secret.kind)

    def _data(self, value: object, name: str, depth: int) -> object:
        if depth > _DEEPEST:
            return "[redacted:too-deep]"
        match value:
            case Enum() | bool() | None:
                return value
            case str():
                return self._named(value, name)
            case bytes():
                return self.text(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
            case int():
                is_hidden = abs(value) >= 1_000_000 and "passw" in name.lower() and is_secret_name(name)
                return "[redacted:secret]" if is_hidden else value
            case Mapping():
                return {
                    self.text(key) if isinstance(key, str) else key: self._data(item, str(key), depth + 1)
                    for key, item in value.items()
                }
            case list() | tuple():
                names = [name, *(_flag(item) or name for item in value[:-1])] if value else []
                items = [self._data(item, of, depth + 1) for item, of in zip(value, names, strict=True)]
                return items if isinstance(value, list) else tuple(items)
            case _:
                return value

    def _named(self, text: str, name: str) -> str:
        if name and names_secret(name, text):
            return "[redacted:secret]"
        return self.text(text)


def _flag(item: object) -> str:
    """The name of an option in a list of arguments: what follows is its value."""
    return item if isinstance(item, str) and item.startswith("--") and "=" not in item else ""


def _across(view: views.View, secrets: Iterator[Secret]) -> Iterator[Secret]:
    """Those in which something was left out, where they stand in the text itself."""
    for secret in secrets:
        if view.crosses(secret.start, secret.end):
            yield Secret(start=view.origin(secret.start), end=view.origin(secret.end - 1) + 1, kind=secret.kind)


def _apart(text: str, secrets: Iterator[Secret], marks: Sequence[tuple[int, int]]) -> list[Secret]:
    """In order; those that overlap as one, by the name of the first told; none in a mark that stands there already."""
    ranked = sorted(enumerate(secrets), key=lambda entry: (entry[1].start, -entry[1].end))
    merged: list[tuple[int, Secret]] = []
    for rank, secret in ranked:
        if merged and secret.start < merged[-1][1].end:
            other, last = merged[-1]
            kind = last.kind if other <= rank else secret.kind
            merged[-1] = min(other, rank), Secret(start=last.start, end=max(last.end, secret.end), kind=kind)
        else:
            merged.append((rank, secret))
    found, at = [], 0
    for _, secret in merged:
        while at < len(marks) and marks[at][1] <= secret.start:
            at += 1
        if at < len(marks) and marks[at][0] < secret.end:
            continue
        if (fitted := _fitted(text, secret)) is not None:
            found.append(fitted)
    return found


def _fitted(text: str, secret: Secret) -> Secret | None:
    """Never half of an escape: `\\n` at its start stays, and so does a backslash that belongs to what follows."""
    start, end = secret.start, secret.end
    slashes = _slashes_before(text, start)
    if slashes % 2 and text[start] in "nrtbfu\"'\\/":
        start += 1
    if _slashes_before(text, end) % 2:
        end -= 1
    return Secret(start=start, end=end, kind=secret.kind) if start < end else None


def _slashes_before(text: str, at: int) -> int:
    count = 0
    while count < at and count < 64 and text[at - count - 1] == "\\":
        count += 1
    return count


def _replaced(text: str, found: Sequence[Secret]) -> str:
    pieces, at, before = [], 0, ""
    for secret in found:
        pieces.append(text[at : secret.start])
        before = (before + pieces[-1])[-_LOOK_BACK:]
        pieces.append(_mark(text, secret, before) + _kept(text, secret))
        before += pieces[-1]
        at = secret.end
    pieces.append(text[at:])
    return "".join(pieces)


def _mark(text: str, secret: Secret, before: str) -> str:
    """`[redacted:KIND]`; where YAML would take that for a list, the same in quotes or in round brackets."""
    mark, round_mark = f"[redacted:{secret.kind}]", f"(redacted:{secret.kind})"
    if before.endswith((" ", "\t")):
        is_all = _REST_OF_LINE.match(text, secret.end) is not None
        if _FLOW_KEY.search(before) is not None and text[secret.end : secret.end + 1] in {",", "}"}:
            return f'"{mark}"'
        if _PLAIN_SCALAR.search(before) is not None:
            return f'"{mark}"' if is_all else round_mark
    return round_mark if ":" in before and _IN_FLOW.search(before) is not None else mark


def _kept(text: str, secret: Secret) -> str:
    """What stood within it and is none of it: colours and the ends of lines that tore it, but not those of a key."""
    if secret.kind == "private-key":
        return ""
    inside = text[secret.start : secret.end]
    kept = "".join(inside[start:end] for start, end in views.unseen(inside)) if views.has_unseen(inside) else ""
    lines = inside.split("\n")
    for line in lines[1:]:
        rest = line.lstrip(" \t>|│┃║")
        kept += "\n" + line[: len(line) - len(rest)]
    return kept
