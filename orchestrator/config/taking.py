"""One value of a configuration file taken out by splicing its text: no other byte changes."""

from collections.abc import Iterator

from orchestrator.config.places import At, dotted, with_value, without
from orchestrator.config.remarks import holds_remarks, remarks, remarks_in
from orchestrator.config.rereading import reread, size
from orchestrator.config.splicing import Lines
from orchestrator.errors import OrchestratorError
from orchestrator.strictyaml import Document, Node


def removed(document: Document, at: At) -> Document:
    """The document without what is there; what is left empty below an entry goes with it. Raises as `placed`."""
    while (
        (len(at) > 3 or isinstance(at[-1], int)) and (parent := document.at(*at[:-1])) is not None and size(parent) == 1
    ):
        at = at[:-1]
    holder = document.at(*at[:-1])
    assert holder is not None  # whoever calls has found the value
    plain = document.root.plain()
    wanted = [without(plain, at)]
    if size(holder) == 1:
        nothing: tuple[object, ...] = ({}, None, [])
        wanted = [with_value(plain, at[:-1], empty) for empty in nothing] if len(at) > 1 else list(nothing)
    return reread(document, _removals(document, holder, at), at, tuple(wanted))


def removed_keeping_remarks(document: Document, at: At, *, but: str = "") -> Document:
    """The document without what is there; the comments in it stay, on lines of their own, `but` one."""
    node, holder = document.at(*at), document.at(*at[:-1])
    assert node is not None
    assert holder is not None
    kept = [one for one in remarks_in(document, *_whole_lines(document, node)) if one != but.strip()]
    if holder.style == "flow":
        if holds_remarks(document, node):
            raise OrchestratorError(f"{document.path}: {dotted(at)} holds comments between brackets; edit it by hand")
        return removed(document, at)
    lines = Lines(document.text)
    first, last = (node.key_span or node.span).line - 1, lines.last_of(node)
    pad = " " * (holder.span.column - 1)
    stay = lines.end.join(pad + one for one in kept)
    text = f"{document.text[: lines.starts[first]]}{stay}{document.text[lines.stop(last) :]}"
    plain = without(document.root.plain(), at)
    wanted = (plain, *(with_value(plain, at[:-1], empty) for empty in (None,) if size(holder) == 1))
    return reread(document, iter([text if kept else lines.without(first, last)]), at, wanted)


def _whole_lines(document: Document, node: Node) -> tuple[int, int]:
    lines = Lines(document.text)
    return start_of(node), lines.stop(lines.last_of(node))


def _removals(document: Document, holder: Node, at: At) -> Iterator[str]:
    nodes = list(holder.value.values()) if isinstance(holder.value, dict) else holder.value
    assert isinstance(nodes, list)
    place = list(holder.value).index(str(at[-1])) if isinstance(holder.value, dict) else int(at[-1])
    if holder.style == "flow":
        yield from _flow_removals(document, nodes, place)
        return
    node, lines = nodes[place], Lines(document.text)
    first = (node.key_span or node.span).line - 1
    last = lines.past_comments(lines.last_of(node), holder.span.column - 1)
    if place and lines.is_blank(first - 1) and (place == len(nodes) - 1 or lines.is_blank(last + 1)):
        yield lines.without(first - 1, last)
    yield lines.without(first, last)
    if place + 1 < len(nodes):  # the first of an entry of a list: its line has the dash
        start, end = start_of(node), start_of(nodes[place + 1])
        if not remarks(document, start, end):
            yield document.text[:start] + document.text[end:]


def start_of(node: Node) -> int:
    return (node.key_span or node.span).start


def _flow_removals(document: Document, nodes: list[Node], place: int) -> Iterator[str]:
    """Without the entry and one comma beside it. Comments around them stay."""
    text, node = document.text, nodes[place]
    start, end = start_of(node), node.span.end
    if place + 1 < len(nodes):
        following = start_of(nodes[place + 1])
        if not remarks(document, end, following):
            yield text[:start] + text[following:]
        yield text[:start] + _uncommad(document, end, following) + text[following:]
    if place:
        before = nodes[place - 1].span.end
        if not remarks(document, before, start):
            yield text[:before] + text[end:]
        yield text[:before] + _uncommad(document, before, start) + text[end:]
    yield text[:start] + text[end:].lstrip().removeprefix(",")
    yield text[:start] + text[end:]


def _uncommad(document: Document, start: int, end: int) -> str:
    """That stretch between two entries without the comma in it, which no comment holds."""
    taken = {at for first, last in remarks(document, start, end) for at in range(first, last)}
    comma = next((at for at in range(start, end) if document.text[at] == "," and at not in taken), None)
    return document.text[start:end] if comma is None else document.text[start:comma] + document.text[comma + 1 : end]
