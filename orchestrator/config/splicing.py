"""One entry of a configuration file put in or taken out by splicing its text: no other byte changes.

The entry becomes the last one of its section. What is taken out is the entry, the comments inside it and directly
below it at its depth, and one blank line above; a comment above an entry is never taken: it may speak of several. So an
entry that was put in and taken out again leaves the file as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.errors import OrchestratorError
from orchestrator.strictyaml import Document, Node, YamlRefused, read
from orchestrator.strictyaml.emit import cleaned, flow, flow_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """An entry as somebody wrote it."""

    name: str
    lines: tuple[str, ...]  # what stands under its key, as a block at column 0, comments and all
    value: object  # what that says


def put_in(document: Document, section: str, stanzas: tuple[Stanza, ...]) -> str:
    """The text with these entries added. Raises OrchestratorError where other lines would have to change."""
    for stanza in stanzas:
        wanted = _plain(document)
        entries = wanted.get(section)
        wanted[section] = {**(entries if isinstance(entries, dict) else {}), stanza.name: stanza.value}
        document = _first_that_says(wanted, _additions(document, section, stanza), document.path, stanza.name)
    return document.text


def take_out(document: Document, section: str, name: str) -> str:
    """The text without that entry, which is there. Raises as `put_in`."""
    wanted = _plain(document)
    entries = wanted.get(section)
    assert isinstance(entries, dict)  # whoever calls has found the entry
    left = {key: value for key, value in entries.items() if key != name}
    wanted[section] = left
    return _first_that_says(wanted, _removals(document, section, name), document.path, name).text


def _first_that_says(wanted: dict[str, object], candidates: Iterator[str], path: str, name: str) -> Document:
    """The first text that reads as exactly that."""
    for text in candidates:
        try:
            document = read(text, path=path)
        except YamlRefused:
            continue
        if _same(_normal(_plain(document)), _normal(wanted)):
            return document
    raise OrchestratorError(f"{path}: {name} cannot be spliced without changing other lines; edit the file by hand")


def _plain(document: Document) -> dict[str, object]:
    plain = document.root.plain()
    return dict(plain) if isinstance(plain, dict) else {}


def _normal(plain: dict[str, object]) -> dict[str, object]:
    """A section that holds nothing is the same as an empty one."""
    return {key: {} if value is None else value for key, value in plain.items()}


def _same(one: object, other: object) -> bool:
    """Equal, of the same types and in the same order throughout: to people 1 and true are two things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


class Lines:
    """The lines of a text by number, from 0. The end of a line belongs to none: a file may lack the last one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
        self.end = "\r\n" if "\r\n" in text else "\n"

    def stop(self, number: int) -> int:
        """The offset behind its last character."""
        stop = self.starts[number + 1] - 1 if number + 1 < len(self.starts) else len(self.text)
        return stop - 1 if self.text[self.starts[number] : stop].endswith("\r") else stop

    def line(self, number: int) -> str:
        return self.text[self.starts[number] : self.stop(number)] if number < len(self.starts) else ""

    def is_blank(self, number: int) -> bool:
        return 0 <= number < len(self.starts) and not self.line(number).strip()

    def last_of(self, node: Node) -> int:
        """The last line of a value that is not blank; a text in a block ends with blank ones."""
        start = node.key_span.start if node.key_span else node.span.start
        return self.text.count("\n", 0, start + len(self.text[start : node.span.end].rstrip()))

    def past_comments(self, number: int, indent: int) -> int:
        """That line, or the last of the comments directly below it that stand deeper than `indent`."""
        while (below := self.line(number + 1)).lstrip().startswith("#") and len(below) - len(below.lstrip()) > indent:
            number += 1
        return number

    def with_lines(self, after: int, lines: list[str]) -> str:
        at = self.stop(after)
        return self.text[:at] + "".join(self.end + line for line in lines) + self.text[at:]

    def without(self, first: int, last: int) -> str:
        if first == 0:
            rest = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.text)
            return self.text[rest:]
        return self.text[: self.stop(first - 1)] + self.text[self.stop(last) :]


def _additions(document: Document, section: str, stanza: Stanza) -> Iterator[str]:
    """Texts with the entry, the best first."""
    node = document.at(section)
    lines = Lines(document.text)
    if node is None:
        if document.root.value is None:
            last = len(lines.starts) - 1
            at = last - 1 if last and not lines.line(last) else last
            head = [f"{section}:", *_block(stanza, 2)]
            yield lines.with_lines(at, head) if document.text.strip() else lines.end.join([*head, ""])
        return
    if node.style == "flow":
        yield _flow_addition(document, node, stanza)
        return
    assert node.key_span is not None  # a section has its key
    if not isinstance(node.value, dict) or not node.value:
        indent = node.key_span.column + 1
        yield lines.with_lines(lines.past_comments(node.key_span.line - 1, indent), _block(stanza, indent))
        return
    entry = next(reversed(node.value.values()))
    assert entry.key_span is not None
    indent = entry.key_span.column - 1
    block = _block(stanza, indent)
    last = lines.last_of(entry)
    yield lines.with_lines(lines.past_comments(last, indent), ["", *block])
    while lines.is_blank(last + 1) and last + 2 < len(lines.starts):  # blank lines that a text above keeps
        last += 1
    yield lines.with_lines(lines.past_comments(last, indent), block)


def _block(stanza: Stanza, indent: int) -> list[str]:
    pad = " " * indent
    return [f"{pad}{flow(stanza.name)}:", *(f"{pad}  {line}" if line else "" for line in stanza.lines)]


def _flow_addition(document: Document, section: Node, stanza: Stanza) -> str:
    entries = section.value if isinstance(section.value, dict) else {}
    written = f"{flow(stanza.name)}: {flow_json(cleaned(stanza.value))}"
    text = document.text
    if not entries:
        at = section.span.start + 1
        return f"{text[:at]}{written}{text[at:]}"
    at = next(reversed(entries.values())).span.end
    return f"{text[:at]}, {written}{text[at:]}"


def _removals(document: Document, section: str, name: str) -> Iterator[str]:
    """Texts without the entry, the best first."""
    holder = document.at(section)
    assert holder is not None
    assert isinstance(holder.value, dict)
    names = list(holder.value)
    place = names.index(name)
    node = holder.value[name]
    assert node.key_span is not None
    if holder.style == "flow":
        yield from _flow_removals(document.text, holder.value, place)
        return
    lines = Lines(document.text)
    first = node.key_span.line - 1
    last = lines.past_comments(lines.last_of(node), node.key_span.column - 1)
    if place and lines.is_blank(first - 1):
        yield lines.without(first - 1, last)
    if not place and len(names) > 1 and lines.is_blank(last + 1):
        yield lines.without(first, last + 1)
    yield lines.without(first, last)


def _flow_removals(text: str, entries: dict[str, Node], place: int) -> Iterator[str]:
    nodes = list(entries.values())
    node = nodes[place]
    assert node.key_span is not None
    rest = text[node.span.end :]
    if place:
        yield text[: nodes[place - 1].span.end] + rest
        return
    if len(nodes) > 1:
        following = nodes[1].key_span
        assert following is not None
        yield text[: node.key_span.start] + text[following.start :]
        return
    yield text[: node.key_span.start] + rest
    yield text[: node.key_span.start] + rest.lstrip().removeprefix(",")  # one that ended with a comma
