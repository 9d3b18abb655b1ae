"""One value of a configuration file set or taken out by splicing its text: no other byte changes.

Every text is read again before it is given: it says what it said before, with that one change, or it is refused.
"""

from collections.abc import Iterator

from orchestrator.config.places import At, alike, dotted, with_value
from orchestrator.config.placing_text import (
    block_lines,
    in_flow,
    indent_step,
    is_json,
    spellings,
    wrapped,
)
from orchestrator.config.remarks import holds_remarks, remark_beside
from orchestrator.config.rereading import reread, size
from orchestrator.config.splicing import Lines
from orchestrator.config.taking import removed
from orchestrator.config.wording import Step
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.strictyaml import Document, Node, read


def placed(document: Document, at: At, value: object, *, written: str = "") -> Document:
    """The document with that value there; `written` is how a person wrote it, kept where it fits.

    Raises UsageError where `at` leads through what is no mapping or list, OrchestratorError where other bytes would
    have to change.
    """
    node = document.at(*at)
    if node is None:
        return _added(document, at, value, written)
    if alike(node.plain(), value):
        return document
    if _can_merge(document, node, value):
        return _merged(document, at, node, value, written)
    wanted = with_value(document.root.plain(), at, value)
    return reread(document, _replacements(document, at, node, value, written), at, (wanted,))


def rekeyed(document: Document, at: At, name: str) -> Document:
    """The document with another name for that key."""
    node = document.at(*at)
    assert node is not None
    assert node.key_span is not None
    holder = document.root.plain() if len(at) == 1 else getattr(document.at(*at[:-1]), "plain", dict)()
    assert isinstance(holder, dict)
    renamed = {name if key == at[-1] else key: value for key, value in holder.items()}
    wanted = with_value(document.root.plain(), at[:-1], renamed) if len(at) > 1 else renamed
    start, end = node.key_span.start, node.key_span.end
    text = document.text
    quote = text[start] if text[start] in "'\"" else ""
    return reread(document, iter([f"{text[:start]}{quote}{name}{quote}{text[end:]}"]), at, (wanted,))


def _can_merge(document: Document, node: Node, value: object) -> bool:
    """Whether the value goes in piece by piece: what stands there is of its kind, and cannot be written anew whole."""
    if not value or not node.value or type(node.value) is not type(value) or isinstance(value, str):
        return False
    return isinstance(value, dict | list) and (node.style == "block" or holds_remarks(document, node))


def _merged(document: Document, at: At, node: Node, value: object, written: str) -> Document:
    """Piece by piece, each as it was written."""
    said = read(written, path="") if written else None

    def put(document: Document, step: Step, child: object) -> Document:
        source = said.at(step) if said else None
        return placed(document, (*at, step), child, written=said.source(source) if said and source else "")

    if isinstance(value, dict):
        gone = [key for key in node.value if key not in value] if isinstance(node.value, dict) else []
        for key, child in value.items():
            document = put(document, key, child)
        for key in gone:
            document = removed(document, (*at, key))
        return document
    assert isinstance(value, list)
    old = node.plain()
    assert isinstance(old, list)
    first, behind = _same_ends(old, value)
    for index in range(first, len(value) - behind):
        document = put(document, index, value[index])
    for index in reversed(range(len(value) - behind, len(old) - behind)):
        document = removed(document, (*at, index))
    return document


def _same_ends(old: list[object], new: list[object]) -> tuple[int, int]:
    """How many items at the beginning and at the end stay as they are. Nothing can be put in between: then none do."""
    first = 0
    while first < min(len(old), len(new)) and alike(old[first], new[first]):
        first += 1
    if len(new) > len(old):
        return first, 0
    behind = 0
    while behind < len(new) - first and alike(old[-1 - behind], new[-1 - behind]):
        behind += 1
    return first, behind


# ---- what stands there is replaced


def _replacements(document: Document, at: At, node: Node, value: object, written: str) -> Iterator[str]:
    if node.style == "block" and holds_remarks(document, node):
        raise OrchestratorError(
            f"{document.path}: {dotted(at)} holds comments, which would be lost; edit the file by hand"
        )
    for spelled in spellings(value, written, quote=node.style, as_json=is_json(document)):
        yield _replaced(document, node, spelled)


def _replaced(document: Document, node: Node, spelled: str) -> str:
    text, lines = document.text, Lines(document.text)
    start, end = node.span.start, node.span.end
    if node.style == "block" and node.key_span is not None:
        colon = text.index(":", node.key_span.end) + 1
        head = lines.stop(node.key_span.line - 1)
        return f"{text[:colon]} {spelled}{text[colon:head]}{text[start + len(text[start:end].rstrip()) :]}"
    if node.style in {"|", ">", "block"}:
        remark = remark_beside(text, start) if node.style != "block" else ""
        return f"{text[:start]}{spelled}{remark}{text[start + len(text[start:end].rstrip()) :]}"
    if start == end:  # an empty value: behind its colon or dash, or behind a key without one
        before = text[:start].rstrip()
        lead = " " if text[start - 1 : start] in {":", "-"} else ""
        return (
            f"{text[:start]}{lead}{spelled}{text[end:]}" if before[-1:] in ":-" else f"{before}: {spelled}{text[end:]}"
        )
    return f"{text[:start]}{spelled}{text[end:]}"


# ---- what is not there yet


def _added(document: Document, at: At, value: object, written: str) -> Document:
    number, holder = 0, document.root
    while number < len(at) and (below := document.at(*at[: number + 1])) is not None:
        number, holder = number + 1, below
    rest = at[number:]
    _refuse_no_way(at, number, holder)
    wanted = with_value(document.root.plain(), at, value)
    return reread(document, _additions(document, at[:number], holder, rest, value, written), at, (wanted,))


def _refuse_no_way(at: At, number: int, holder: Node) -> None:
    """Where the value that is there cannot hold the next step."""
    step, where = at[number], dotted(at[:number]) or "the file"
    if holder.value is None or (isinstance(holder.value, dict | list) and not holder.value):
        fits = isinstance(step, str) or step == 0
    elif isinstance(step, str):
        fits = isinstance(holder.value, dict)
    else:
        fits = isinstance(holder.value, list) and step == len(holder.value)
    if fits and all(one == 0 for one in at[number + 1 :] if isinstance(one, int)):
        return
    if isinstance(holder.value, list):
        raise UsageError(
            f"{dotted(at)}: {where} is a list of {len(holder.value)}; the next one is {where}[{len(holder.value)}]"
        )
    what = "no list" if isinstance(step, int) else "no mapping"
    raise UsageError(f"{dotted(at)}: {where} is {what}; set it as a whole, or take it out first with --unset")


def _additions(document: Document, at: At, holder: Node, rest: At, value: object, written: str) -> Iterator[str]:
    as_json = is_json(document)
    for spelled in spellings(value, written, as_json=as_json):
        if holder.style == "flow" and size(holder):
            yield _into_flow(document, holder, rest, spelled)
        elif holder.style == "flow":
            inside = holder.span.start + 1
            yield f"{document.text[:inside]}{wrapped(rest, spelled, as_json=as_json)[1:-1]}{document.text[inside:]}"
        elif in_flow(document, at) or (holder.value is None and at and holder.span.start != holder.span.end):
            yield _replaced(document, holder, wrapped(rest, spelled, as_json=as_json))
        else:
            yield from _into_block(document, at, holder, rest, spelled)


def _into_flow(document: Document, holder: Node, rest: At, spelled: str) -> str:
    """Behind the last entry between brackets, on a line of its own where that has one."""
    text = document.text
    nodes = list(holder.value.values()) if isinstance(holder.value, dict) else holder.value
    assert isinstance(nodes, list)
    last = nodes[-1]
    start = (last.key_span or last.span).start
    as_json = text[start] == '"' and isinstance(rest[0], str)
    entry = wrapped(rest, spelled, as_json=as_json or is_json(document))[1:-1]
    line = text.rfind("\n", 0, start) + 1
    own_line = line > holder.span.start and not text[line:start].strip()
    gap = Lines(text).end + text[line:start] if own_line else " "
    return f"{text[: last.span.end]},{gap}{entry}{text[last.span.end :]}"


def _into_block(document: Document, at: At, holder: Node, rest: At, spelled: str) -> Iterator[str]:
    lines, step = Lines(document.text), indent_step(document)
    if not at and holder.value is None:
        yield _at_the_end(document.text, lines, block_lines(rest, spelled, 0, step))
        return
    if not size(holder):
        assert holder.key_span is not None
        indent = holder.key_span.column - 1 + step
        below = lines.past_comments(holder.key_span.line - 1, holder.key_span.column - 1)
        yield lines.with_lines(below, block_lines(rest, spelled, indent, step))
        return
    nodes = list(holder.value.values()) if isinstance(holder.value, dict) else holder.value
    assert isinstance(nodes, list)
    indent = holder.span.column - 1
    written = block_lines(rest, spelled, indent, step)
    last = lines.last_of(nodes[-1])
    if len(nodes) > 1 and all(_is_apart(lines, node) for node in nodes[1:]):
        yield lines.with_lines(lines.past_comments(last, indent), ["", *written])
    yield lines.with_lines(lines.past_comments(last, indent), written)
    while lines.is_blank(last + 1) and last + 2 < len(lines.starts):  # blank lines that a text above keeps
        last += 1
    yield lines.with_lines(lines.past_comments(last, indent), written)


def _is_apart(lines: Lines, node: Node) -> bool:
    """Whether a blank line stands above an entry and its comments."""
    above = (node.key_span or node.span).line - 2
    while lines.line(above).lstrip().startswith("#"):
        above -= 1
    return lines.is_blank(above)


def _at_the_end(text: str, lines: Lines, written: list[str]) -> str:
    if not text.strip():
        return text + lines.end.join([*written, ""])
    last = len(lines.starts) - 1
    return lines.with_lines(last - 1 if last and not lines.line(last) else last, written)
