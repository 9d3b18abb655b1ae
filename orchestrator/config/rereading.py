"""Texts of a changed file are read again before they are believed: what they say is compared with what was wanted."""

from collections.abc import Iterator

from orchestrator.config.places import At, alike, dotted, with_value, without
from orchestrator.errors import OrchestratorError
from orchestrator.strictyaml import Document, Node, YamlRefused, read


def first_that_says(document: Document, candidates: Iterator[str], at: At, value: object) -> Document:
    """The first of these texts that says what the document says, with that value there (None: without it)."""
    plain = document.root.plain()
    return reread(document, candidates, at, (without(plain, at) if value is None else with_value(plain, at, value),))


def reread(document: Document, candidates: Iterator[str], at: At, wanted: tuple[object, ...]) -> Document:
    """The first of these texts that reads as one of these. Raises OrchestratorError where none does."""
    for text in candidates:
        try:
            found = read(text, path=document.path)
        except YamlRefused:
            continue
        plain = found.root.plain()
        if any(alike(plain, one) for one in wanted):
            return found
    raise OrchestratorError(
        f"{document.path}: {dotted(at)} cannot be changed without changing other lines; edit the file by hand"
    )


def size(node: Node) -> int:
    """How many entries it has."""
    return len(node.value) if isinstance(node.value, dict | list) else 0
