"""Edits of a mapping written one field a line, as people and agents write task files."""

from orchestrator.strictyaml import Document, Node
from orchestrator.strictyaml.emit import block, flow, flow_json
from orchestrator.taskfile.splices import Splices


class BlockMapping:
    """The fields of a file, each starting on a line of its own. `careful` writes every text on one line."""

    def __init__(self, document: Document, *, careful: bool) -> None:
        assert isinstance(document.root.value, dict)
        self._nodes = document.root.value
        self._source = document.text
        self._careful = careful
        self._splices = Splices(document.text)
        self._newline = "\r\n" if "\r\n" in document.text else "\n"
        self._indent = document.root.span.column - 1
        self._added: list[str] = []
        self._removed: set[str] = set()

    def text(self) -> str:
        """The text with all edits made."""
        if self._added:
            self._insert()
        text = self._splices.text()
        kept = self._kept()
        if self._removed and not self._source.endswith("\n") and kept and self._last(kept[-1]).style not in ("|", ">"):
            text = text.removesuffix("\n").removesuffix("\r")  # the last line had no end, and has none now
        return text

    def add(self, name: str, value: object) -> None:
        """Write a new field below the last one."""
        first, below = self._written(value, "")
        head = f"{' ' * self._indent}{flow(name)}:"
        self._added += [f"{head} {first}" if first else head, *below]

    def remove(self, name: str) -> None:
        """Take the lines of a field away, with the remark beside it; the lines around it stay."""
        node = self._nodes[name]
        assert node.key_span is not None
        start = self._source.rfind("\n", 0, node.key_span.start) + 1
        self._splices.put(start, self._next_line(self._content_end(node)), "")
        self._removed.add(name)

    def replace(self, node: Node, value: object) -> None:
        """Write another value for a field. A remark beside it stays where it is."""
        assert node.key_span is not None
        quote = node.style if node.style in ("'", '"') else ""
        first, below = self._written(value, quote)
        colon = self._source.index(":", node.key_span.end) + 1
        start, end = node.span.start, self._content_end(node)
        is_beside = "\n" not in self._source[colon:start] and node.style not in ("|", ">", "block")
        if is_beside and not below:
            self._splices.put(start, end, first if start > colon else f" {first}")
            return
        remark = self._remark(end) if is_beside else self._remark_of_key(node, colon)
        head = (f" {first}" if first else "") + remark
        self._splices.put(colon, self._line_end(end), self._newline.join([head, *below]))

    def _written(self, value: object, quote: str) -> tuple[str, tuple[str, ...]]:
        """What stands on the key's line, and the lines below it."""
        if self._careful:
            return flow_json(value), ()
        return block(value, indent=self._indent + 2) or (flow(value, quote=quote), ())

    def _remark(self, offset: int) -> str:
        """The remark on the rest of a line, with the space before it; empty where there is none."""
        rest = self._source[offset : self._line_end(offset)].rstrip()
        return rest if rest.lstrip().startswith("#") else ""

    def _remark_of_key(self, node: Node, colon: int) -> str:
        """The remark beside the key of a value that stands on the lines below it."""
        if node.style not in ("|", ">"):
            return self._remark(colon)
        header = self._source[node.span.start : self._line_end(node.span.start)]
        at = header.find(" #")
        return header[at:].rstrip() if at >= 0 else ""

    def _insert(self) -> None:
        lines = self._newline.join(self._added)
        kept = self._kept()
        if kept and self._is_open(kept[-1]):
            kept.pop()
        if not kept:
            start = self._source.rfind("\n", 0, next(iter(self._nodes.values())).span.start) + 1
            self._splices.put(start, start, lines + self._newline)
            return
        end = self._content_end(kept[-1], whole=True)
        if end == len(self._source) and self._source.endswith("\n"):  # a block that keeps its last line ends
            self._splices.put(end, end, lines + self._newline)
            return
        while self._is_inner_remark(self._next_line(end)):
            end = self._next_line(end)
        at = self._line_end(end)
        self._splices.put(at, at, self._newline + lines)

    def _kept(self) -> list[Node]:
        return [node for name, node in self._nodes.items() if name not in self._removed]

    def _is_open(self, node: Node) -> bool:
        """Whether this is a block of text at the end of a file without a last line end: one more would change it."""
        rest = self._source[self._content_end(node) :]
        return self._last(node).style in ("|", ">") and not rest.strip() and not self._source.endswith("\n")

    def _is_inner_remark(self, start: int) -> bool:
        """Whether the line that starts here is a remark, indented like a part of the field above it."""
        line = self._source[start : self._line_end(start)]
        text = line.lstrip(" ")
        return text.startswith("#") and len(line) - len(text) > self._indent

    def _content_end(self, node: Node, *, whole: bool = False) -> int:
        """Where a value ends: a literal block ends before the blank lines below it, unless it keeps them (`|+`)."""
        last = self._last(node)
        start, end = last.span.start, last.span.end
        if last.style not in ("|", ">"):
            return end
        header = self._source[start : self._line_end(start)].split("#", 1)[0]
        if whole and "+" in header:
            return end
        return start + len(self._source[start:end].rstrip())

    def _last(self, node: Node) -> Node:
        """The scalar or flow collection that a value ends with."""
        while node.style == "block":
            children = list(node.value.values()) if isinstance(node.value, dict) else node.value
            assert isinstance(children, list)
            node = children[-1]
        return node

    def _line_end(self, offset: int) -> int:
        """The offset of the line end (CR LF or LF) at or after this one."""
        end = self._source.find("\n", offset)
        if end < 0:
            return len(self._source)
        return end - 1 if end > offset and self._source[end - 1] == "\r" else end

    def _next_line(self, offset: int) -> int:
        """The offset at which the next line starts."""
        return self._source.find("\n", offset) + 1 or len(self._source)
