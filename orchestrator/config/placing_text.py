"""How a value is written where it goes: as the person wrote it, as YAML, or as JSON."""

from collections.abc import Iterator

from orchestrator.config.places import At
from orchestrator.config.wording import Step
from orchestrator.strictyaml import Document, Node
from orchestrator.strictyaml.emit import cleaned, flow, flow_json


def is_json(document: Document) -> bool:
    """Whether the file is written as JSON, and is to stay so."""
    root = document.root
    if root.style != "flow" or not isinstance(root.value, dict) or not root.value:
        return False
    return all(node.key_span and document.text[node.key_span.start] == '"' for node in root.value.values())


def spellings(value: object, written: str, *, quote: str = "", as_json: bool = False) -> Iterator[str]:
    """Ways to write a value on one line, the best first. `quote` is the style of what stands there."""
    clean = cleaned(value)
    if not as_json:
        if isinstance(clean, str) and quote in {"'", '"'}:
            yield flow(clean, quote=quote)
        if written and "\n" not in written:
            yield written
        yield flow(clean)
    yield flow_json(clean)


def key_written(name: str, *, as_json: bool = False) -> str:
    """A key as it is written."""
    return flow_json(name) if as_json else flow(name)


def wrapped(rest: tuple[Step, ...], spelled: str, *, as_json: bool) -> str:
    """The value between as many braces and brackets as it needs to stand at `rest`."""
    for step in reversed(rest):
        spelled = f"[{spelled}]" if isinstance(step, int) else f"{{{key_written(step, as_json=as_json)}: {spelled}}}"
    return spelled


def block_lines(rest: tuple[Step, ...], spelled: str, indent: int, step: int) -> list[str]:
    """The lines that put the value at `rest`, one key a line."""
    lines: list[str] = []
    line = " " * indent
    for number, one in enumerate(rest):
        is_last = number == len(rest) - 1
        if isinstance(one, int):
            line += f"- {spelled}" if is_last else "- "
            indent += 2
            continue
        line += f"{key_written(one)}:"
        if is_last:
            line += f" {spelled}"
        else:
            lines.append(line)
            indent += step
            line = " " * indent
    return [*lines, line]


def in_flow(document: Document, at: At) -> bool:
    """Whether what is there, or will be, stands between brackets."""
    above = (document.at(*at[:number]) for number in range(len(at) + 1))
    return any(node is not None and node.style == "flow" for node in above)


def indent_step(document: Document) -> int:
    """By how much the file indents: that of the first mapping within another; 2 where there is none."""
    level: list[Node] = [document.root]
    while level:
        below: list[Node] = []
        for node in level:
            children = _children(node)
            for child in children:
                if node.style == "block" and child.style == "block" and isinstance(child.value, dict):
                    step = child.span.column - node.span.column
                    if isinstance(node.value, dict) and 1 <= step <= 8:
                        return step
            below += children
        level = below
    return 2


def _children(node: Node) -> list[Node]:
    if isinstance(node.value, dict):
        return list(node.value.values())
    return node.value if isinstance(node.value, list) else []
