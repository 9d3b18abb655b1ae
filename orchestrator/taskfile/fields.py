"""Fields of a task file as the types that a Task needs; what does not fit becomes a Problem and reading goes on."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orchestrator.core.durations import parse_duration
from orchestrator.strictyaml import Document, Node, problem_at
from orchestrator.taskfile.rules import id_fault, parse_usd, path_fault, without_remark, without_suffix

if TYPE_CHECKING:
    from orchestrator.core.problem import Problem


_MOST_PROBLEMS = 20


class Fields:
    """The mapping of one file while it is read. Names that nobody asked for are its extras."""

    def __init__(self, document: Document) -> None:
        value = document.root.value
        self._document = document
        self._nodes: dict[str, Node] = value if isinstance(value, dict) else {}
        self._used: set[str] = set()
        self.problems: list[Problem] = []

    def find(self, *names: str) -> tuple[str, Node] | None:
        """The first of these names that the file has, today's spelling first; None where all are absent or empty."""
        for name in names:
            node = self._nodes.get(name)
            if node is not None:
                self._used.add(name)
                if node.value is not None:
                    return name, node
        return None

    def extras(self) -> dict[str, object]:
        """Every field that was not asked for."""
        return {name: node.plain() for name, node in self._nodes.items() if name not in self._used}

    def refuse(self, name: str, node: Node, message: str, hint: str) -> None:
        """Note a problem at the field's value; of very many the first will do."""
        if len(self.problems) >= _MOST_PROBLEMS:
            return
        place = node if node.value is not None or node.span.start != node.span.end else node.key_span or node
        self.problems.append(problem_at(self._document, place, message, hint, name))

    def source(self, node: Node) -> str:
        """The value as it is written: what a number was meant as where text is wanted."""
        return self._document.source(node)

    def text(self, *names: str) -> str:
        """Text; a number or a truth value stands for its own spelling."""
        found = self.find(*names)
        return self._as_text(*found) if found else ""

    def word(self, *names: str) -> str:
        """Text without the space around it."""
        return self.text(*names).strip()

    def items(self, *names: str) -> list[tuple[str, Node]]:
        """A list of texts with their places. One text alone is a list of one."""
        found = self.find(*names)
        if not found:
            return []
        name, node = found
        if isinstance(node.value, dict):
            self.refuse(name, node, "must be a list", f"write each entry below `{name}:` on a line of its own: - entry")
            return []
        entries = node.value if isinstance(node.value, list) else [node]
        texts = [(self._as_text(name, entry).strip(), entry) for entry in entries if entry.value is not None]
        return [(text, entry) for text, entry in texts if text]

    def ids(self, name: str) -> tuple[str, ...]:
        """A list of task ids; a file's name stands for its id."""
        ids: list[str] = []
        for text, node in self.items(name):
            fault = id_fault(without_suffix(text))
            if fault:
                self.refuse(
                    name, node, f'"{text}" is not a task id: {fault}', "write the name of its file without .yaml"
                )
            else:
                ids.append(without_suffix(text))
        return tuple(dict.fromkeys(ids))

    def paths(self, *names: str) -> tuple[str, ...]:
        """A list of paths within the repository. A remark in brackets at the end is left out: `docs/a.md (new)`."""
        return self.checked_paths(names[0], self.items(*names))

    def checked_paths(self, name: str, items: list[tuple[str, Node]]) -> tuple[str, ...]:
        """The paths among texts that were found already."""
        paths: list[str] = []
        for text, node in items:
            path = without_remark(text)
            fault = path_fault(path)
            if fault:
                self.refuse(name, node, f'"{path}" {fault}', "write a path relative to the repository, e.g. docs/a.md")
            else:
                paths.append(path)
        return tuple(dict.fromkeys(paths))

    def moment(self, name: str, *legacy: str) -> datetime | None:
        """A time in UTC; one without a zone is taken as UTC. An odd one under a legacy name is left to the extras."""
        found = self.find(name)
        if found:
            moment = _moment(self._as_text(*found))
            if not moment:
                self.refuse(name, found[1], "is not a date and time", "write e.g. 2026-02-12T11:01:00Z")
            return moment
        for other in legacy:
            node = self._nodes.get(other)
            if node is not None and isinstance(node.value, str) and (moment := _moment(node.value)):
                self._used.add(other)
                return moment
        return None

    def money(self, name: str) -> int | None:
        """Micro-dollars, exact."""
        found = self.find(name)
        if not found:
            return None
        try:
            return parse_usd(self._as_text(*found).strip())
        except ValueError as error:
            self.refuse(name, found[1], str(error), "write an amount in USD, e.g. 1.50")
            return None

    def duration(self, name: str) -> timedelta | None:
        """A span of time."""
        found = self.find(name)
        if not found:
            return None
        if isinstance(found[1].value, int | float):
            self.refuse(name, found[1], "lacks a unit", f"write e.g. {self.source(found[1])}s or 10m")
            return None
        try:
            return parse_duration(self._as_text(*found))
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            self.refuse(name, found[1], message, hint)
            return None

    def flag(self, name: str) -> bool:
        """True or false; absent is false."""
        found = self.find(name)
        if found and not isinstance(found[1].value, bool):
            self.refuse(name, found[1], "must be true or false", "write true or false")
        return bool(found and found[1].value is True)

    def mapping(self, name: str, text_key: str) -> dict[str, object] | None:
        """A mapping as plain values; text alone is the mapping's `text_key`."""
        found = self.find(name)
        if not found:
            return None
        value = found[1].plain()
        return {str(key): child for key, child in value.items()} if isinstance(value, dict) else {text_key: value}

    def _as_text(self, name: str, node: Node) -> str:
        if isinstance(node.value, str):
            return node.value
        if isinstance(node.value, dict | list):
            what = "a list" if isinstance(node.value, list) else "a mapping"
            hint = "put the text between quotes, or below the key after a `|`"
            self.refuse(name, node, f"must be text and is {what}", hint)
            return ""
        return "" if node.value is None else self.source(node)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
