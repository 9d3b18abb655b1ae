"""The comments of a YAML text: where they stand, and those that stand within a value."""

import re

from orchestrator.strictyaml import Document, Node

_REMARK = re.compile(r"(?<!\S)#[^\r\n]*")


def remarks(document: Document, start: int, end: int) -> list[tuple[int, int]]:
    """The stretches of the comments between two offsets: a # within a text is none."""
    found: list[tuple[int, int]] = []
    at = start
    for first, last in [*(one for one in _texts(document) if one[1] > start and one[0] < end), (end, end)]:
        found += [match.span() for match in _REMARK.finditer(document.text, at, max(at, min(first, end)))]
        at = max(at, last)
    return found


def holds_remarks(document: Document, node: Node) -> bool:
    """Whether there is a comment within a value: between its lines, or behind one of them but the last."""
    return bool(remarks(document, node.span.start, node.span.end))


def remarks_in(document: Document, start: int, end: int) -> list[str]:
    """The comments themselves."""
    return [document.text[first:last].rstrip() for first, last in remarks(document, start, end)]


def remark_behind(document: Document, node: Node) -> str:
    """The comment behind a value on its last line, with the space before it."""
    end = node.span.end
    stop = document.text.find("\n", end)
    rest = document.text[end : stop if stop >= 0 else len(document.text)].rstrip()
    return rest if rest.lstrip(" \t,}]").startswith("#") and rest[:1] in " \t" else ""


def remark_beside(text: str, offset: int) -> str:
    """The comment behind the sign with which a text in a block begins, with the space before it."""
    stop = text.find("\n", offset)
    header = text[offset : stop if stop >= 0 else len(text)]
    at = header.find(" #")
    return header[len(header[:at].rstrip()) :].rstrip() if at >= 0 else ""


def _texts(document: Document) -> list[tuple[int, int]]:
    """Where keys and scalars stand, in the order of the text."""
    spans: list[tuple[int, int]] = []
    waiting = [document.root]
    while waiting:
        node = waiting.pop()
        if node.key_span is not None:
            spans.append((node.key_span.start, node.key_span.end))
        if isinstance(node.value, dict):
            waiting += node.value.values()
        elif isinstance(node.value, list):
            waiting += node.value
        elif node.style in {"|", ">"}:  # a comment may stand beside the sign
            below = document.text.find("\n", node.span.start)
            spans.append((below if below >= 0 else node.span.end, node.span.end))
        elif node.span.end > node.span.start:
            spans.append((node.span.start, node.span.end))
    return sorted(spans)
