"""What a strict read gives: values that know where they stand in the text, and how to say what is wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from orchestrator.core.problem import Problem, render
from orchestrator.errors import OrchestratorError
from orchestrator.strictyaml.characters import unprintable

Value: TypeAlias = "str | int | float | bool | dict[str, Node] | list[Node] | None"


# A tuple, not a dataclass: a file has some sixty of them and is read several times on its way; these cost a quarter.
class Span(NamedTuple):
    """A stretch of the text. Lines and columns are 1-based and count characters; `start` and `end` are offsets."""

    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, init=False)
class Node:
    """A value and its place. The span of a block collection ends with its last value."""

    value: Value
    span: Span
    key_span: Span | None = None  # the key that leads here, in a mapping
    style: str = ""  # of a scalar: '' (plain), ', ", | or >; of a collection: block or flow

    def __init__(self, value: Value, span: Span, key_span: Span | None = None, style: str = "") -> None:
        """As the dataclass would write it, at half the price: there are ten thousands of them in a large file."""
        _put_value(self, value)
        _put_span(self, span)
        _put_key_span(self, key_span)
        _put_style(self, style)

    def plain(self) -> object:
        """The value as ordinary Python values. Recursion is bounded by the depth that was read."""
        value = self.value
        if isinstance(value, dict):
            return {key: child.plain() for key, child in value.items()}
        if isinstance(value, list):
            return [child.plain() for child in value]
        return value


def _slot(name: str) -> Callable[[Node, object], None]:
    put: Callable[[Node, object], None] = vars(Node)[name].__set__
    return put


# Each attribute's own slot, past the __setattr__ that keeps others from changing it.
_put_value, _put_span = _slot("value"), _slot("span")
_put_key_span, _put_style = _slot("key_span"), _slot("style")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that was read, with its root."""

    path: str
    text: str
    root: Node

    def line(self, number: int) -> str:
        """The line of that 1-based number without its end; empty where there is none."""
        return line_of(self.text, number)

    def source(self, node: Node) -> str:
        """The node as it is written, quotes and all."""
        return self.text[node.span.start : node.span.end]

    def at(self, *keys: str | int) -> Node | None:
        """The node under these keys and indices, or None where there is none."""
        node = self.root
        for key in keys:
            value = node.value
            if isinstance(value, dict) and isinstance(key, str) and key in value:
                node = value[key]
                continue
            if not (isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value)):
                return None
            node = value[key]
        return node


class YamlRefused(OrchestratorError):  # noqa: N818 - a refusal is an expected answer, and is named as one
    """A text that is not strict YAML, with every reason that could be found in one reading."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(render(problem) for problem in problems))
        self.problems = problems


def line_of(text: str, number: int) -> str:
    """The line of that 1-based number without its end; empty where there is none."""
    start = 0
    for _ in range(number - 1):
        start = text.find("\n", start) + 1
        if not start:
            return ""
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)].rstrip("\r")


def place_of(text: str, offset: int) -> tuple[int, int]:
    """The 1-based line and column of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def problem_in(path: str, text: str, offset: int, message: str, hint: str = "", *, length: int = 1) -> Problem:
    """A problem at an offset of a text that could not be read as a whole."""
    line, column = place_of(text, offset)
    source = unprintable(line_of(text, line))  # a message must not carry what it warns of
    return Problem(path=path, message=message, hint=hint, line=line, column=column, length=length, source=source)


def problem_at(
    document: Document, place: Node | Span, message: str, hint: str = "", key: str = "", *, at_key: bool = False
) -> Problem:
    """A problem at a node, at its key (`at_key`), or at a span."""
    span = place.span if isinstance(place, Node) else place
    if at_key and isinstance(place, Node):
        span = place.key_span or span
    source = unprintable(document.line(span.line))
    end = span.end_column if span.end_line == span.line else len(source) + 1
    return Problem(
        path=document.path,
        message=message,
        hint=hint,
        line=span.line,
        column=span.column,
        length=max(1, end - span.column),
        source=source,
        key=key,
    )
