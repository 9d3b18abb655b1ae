"""Stanzas: entries of tools.yaml and models.yaml in files of their own, as the catalogue and people keep them."""

import re
from collections.abc import Mapping

from orchestrator.config.fields import nearest
from orchestrator.config.schema import (
    ToolEntry,
)
from orchestrator.config.splicing import Stanza
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.strictyaml import Document, Node, decode, read
from orchestrator.strictyaml.emit import block, cleaned, flow
from orchestrator.taskfile.splices import Splices

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")
_SETTABLE = ("binary", "billing", "max_parallel", "timeout", "workspace")


def stanza_in(
    raw: bytes, *, name: str, path: str, section: str = "tools", chosen: Mapping[str, str] | None = None
) -> Stanza:
    """The stanza of that name in a file: under `tools:`, at the top, or the file is its keys alone.

    `chosen` sets options of it, and the keys in _SETTABLE. Raises YamlRefused, NotFoundError, UsageError.
    """
    document = read(decode(raw, path=path), path=path)
    node = _find(document, name, section)
    if chosen:
        document = read(_with_values(document, node, name, chosen), path=path)
        node = _find(document, name, section)
    lines = _comment_above(document, node) + _body(document, node)
    return Stanza(name=name, lines=tuple(lines), value=node.plain())


def names_in(raw: bytes, *, path: str) -> tuple[str, ...]:
    """The names of the entries at the top of a file."""
    root = read(decode(raw, path=path), path=path).root.value
    return tuple(root) if isinstance(root, dict) else ()


def _find(document: Document, name: str, section: str) -> Node:
    root = document.root.value
    if isinstance(root, dict):
        for keys in ((section, name), (name,)):
            if (node := document.at(*keys)) is not None and isinstance(node.value, dict):
                return node
        if section == "tools" and ("binary" in root or "command" in root):
            return document.root
        held = root[section].value if section in root else root
        known = ", ".join(held) if isinstance(held, dict) else ""
        raise NotFoundError(f"{document.path} has no stanza {name!r}; it holds: {known or 'nothing'}")
    raise NotFoundError(f"{document.path} has no stanza {name!r}; write `{name}:` with its keys under it")


def _comment_above(document: Document, node: Node) -> list[str]:
    """The comment directly above its key: in the file that it goes to, it stands inside the entry."""
    if node.key_span is None:
        return []
    above: list[str] = []
    number = node.key_span.line - 1
    while number >= 1 and document.line(number).lstrip().startswith("#"):
        above.insert(0, document.line(number).strip())
        number -= 1
    return above


def _body(document: Document, node: Node) -> list[str]:
    """What stands under the key, at column 0."""
    if node.style == "flow":
        written = block(cleaned(node.plain()), indent=0)
        return list(written[1]) if written else []
    indent = node.span.column - 1
    text = document.text[: node.span.end].rstrip()
    lines = []
    head = node.key_span.line if node.key_span else 0
    for number in range(head + 1, text.count("\n") + 2):
        line = document.line(number)
        lines.append(line[min(indent, len(line) - len(line.lstrip(" "))) :] if line.strip() else "")
    return lines


def _with_values(document: Document, node: Node, name: str, chosen: Mapping[str, str]) -> str:
    """The file's text with other values for options, and for the keys that may be chosen."""
    splices = Splices(document.text)
    keys = node.value
    assert isinstance(keys, dict)  # _find gives mappings only
    options = keys["options"].value if "options" in keys else {}
    settable = (*(options if isinstance(options, dict) else {}), *_SETTABLE)
    for key, value in chosen.items():
        if isinstance(options, dict) and key in options:
            splices.put(options[key].span.start, options[key].span.end, flow(cleaned(value)))
        elif key in _SETTABLE and key in ToolEntry.model_fields:
            written = value if _PLAIN.fullmatch(value) else flow(cleaned(value))
            if key in keys:
                splices.put(keys[key].span.start, keys[key].span.end, written)
            else:
                _put_key(node, splices, f"{key}: {written}")
        else:
            near = nearest(key, settable)
            hint = f"did you mean {near}?" if near else f"it has {', '.join(settable)}"
            raise UsageError(f"--set {key}: {name} has no such option; {hint}")
    return splices.text()


def _put_key(node: Node, splices: Splices, written: str) -> None:
    if node.style == "flow":
        splices.put(node.span.start + 1, node.span.start + 1, f"{written}, ")
    else:
        splices.put(node.span.start, node.span.start, f"{written}\n{' ' * (node.span.column - 1)}")
