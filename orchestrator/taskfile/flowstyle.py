"""Edits of a mapping written between braces, which is how JSON is written too."""

from orchestrator.strictyaml import Document, Node
from orchestrator.strictyaml.emit import flow_json
from orchestrator.taskfile.splices import Splices


class FlowMapping:
    """The fields of a file between braces. Every value is written as JSON."""

    def __init__(self, document: Document) -> None:
        assert isinstance(document.root.value, dict)
        self._nodes = document.root.value
        self._source = document.text
        self._splices = Splices(document.text)
        self._removed: set[str] = set()
        self._added: list[str] = []
        self._root = document.root

    def text(self) -> str:
        """The text with all edits made."""
        if self._removed or self._added:
            self._rebuild()
        return self._splices.text()

    def add(self, name: str, value: object) -> None:
        """Write a new field behind the last one."""
        self._added.append(f"{flow_json(name)}: {flow_json(value)}")

    def remove(self, name: str) -> None:
        """Take a field away."""
        self._removed.add(name)

    def replace(self, node: Node, value: object) -> None:
        """Write another value for a field."""
        start, end = node.span.start, node.span.end
        written = flow_json(value)
        if start == end:  # an empty value: behind its colon, or behind a key without one
            space = " " if self._source[start - 1 : start] == ":" else ""
            written = f"{space}{written}" if self._source[:start].rstrip().endswith(":") else f": {written}"
        self._splices.put(start, end, written)

    def _rebuild(self) -> None:
        """Remove and add so that commas stand between fields and nowhere else."""
        names = list(self._nodes)
        starts = [node.key_span.start for node in self._nodes.values() if node.key_span]
        ends = [node.span.end for node in self._nodes.values()]
        kept = [index for index, name in enumerate(names) if name not in self._removed]
        for index in range(len(names)):
            if index in kept:
                continue
            if any(other < index for other in kept):  # with the comma before it
                self._splices.put(ends[index - 1], ends[index], "")
            else:  # with the comma behind it
                self._splices.put(starts[index], starts[index + 1] if index + 1 < len(names) else ends[index], "")
        if not self._added:
            return
        gap = self._gap(starts)
        at = ends[kept[-1]] if kept else self._root.span.start + 1
        lines = f",{gap}".join(self._added)
        self._splices.put(at, at, f",{gap}{lines}" if kept else lines)

    def _gap(self, starts: list[int]) -> str:
        """What stands between a comma and the next key: a space, or the line end and indentation in use."""
        start = self._source.rfind("\n", 0, starts[-1]) if starts else -1
        before = self._source[start + 1 : starts[-1]] if starts else ""
        if start < self._root.span.start or before.strip():
            return " "
        return ("\r\n" if self._source[start - 1 : start] == "\r" else "\n") + before
