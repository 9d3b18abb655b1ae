"""Events to nodes, with a stack of our own: no text can nest deep enough to end the process."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from orchestrator.strictyaml.characters import hidden_in, name_of
from orchestrator.strictyaml.document import Document, Node, Span, Value, YamlRefused, place_of, problem_at
from orchestrator.strictyaml.hints import explain
from orchestrator.strictyaml.scalars import MAYBE, ScalarRefusedError, resolve, single_quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.core.problem import Problem

_MOST_PROBLEMS = 20
_MOST_VALUES = 50_000  # a mebibyte can hold ten times as many, for a quarter of a gigabyte of memory
_FAST: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # without libyaml the same events come slower


def compose(text: str, *, path: str, max_depth: int, loader: type = _FAST) -> Document:
    """The one document of a text whose characters were checked. Raises YamlRefused."""
    composer = _Composer(path, text, max_depth)
    try:
        parser = loader(text)
        try:
            composer.run(parser)
        finally:
            parser.dispose()
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: escapes in the loader without libyaml
        composer.syntax_error(error)
    if composer.problems:
        raise YamlRefused(tuple(composer.problems[:_MOST_PROBLEMS]))
    return Document(path=path, text=text, root=composer.root)


@dataclass(slots=True)
class _Frame:
    """A collection that is still open."""

    value: dict[str, Node] | list[Node]
    span: Span  # of its first event
    style: str
    in_key: bool  # it stands where a key should
    key: str | None = None  # of the value that comes next
    key_span: Span | None = None
    end: Span | None = None  # of its last value


class _EndOfReadingError(Exception):
    """What follows would only repeat the problem."""


_tuple = tuple.__new__  # what a NamedTuple does, less one call for each of ten thousands


def _span(event: Any) -> Span:  # the stubs have marks that may be None; those of a parser never are
    start, end = event.start_mark, event.end_mark
    return _tuple(Span, (start.line + 1, start.column + 1, end.line + 1, end.column + 1, start.index, end.index))


_ODD_KEYS = frozenset({"", "<<"})
_NOWHERE = Span(line=1, column=1, end_line=1, end_column=1, start=0, end=0)


class _Composer:
    def __init__(self, path: str, text: str, max_depth: int) -> None:
        self.problems: list[Problem] = []
        self.root = Node(None, _NOWHERE)
        self._blank = Document(path=path, text=text, root=self.root)
        self._max_depth = max_depth
        self._frames: list[_Frame] = []
        self._documents = 0
        self._values = 0

    def run(self, parser: Any) -> None:  # either loader; the stubs leave its methods untyped
        """Take every event of the stream."""
        take: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            while True:
                event = parser.get_event()
                handler = take.get(type(event))
                if handler:
                    handler(event)
                elif type(event) is yaml.StreamEndEvent:
                    return
        except _EndOfReadingError:
            return

    def syntax_error(self, error: Exception) -> None:
        """Add what the parser could not read, unless that line was refused already."""
        problem = explain(error, self._blank.text, self._blank.path)
        if all(problem.line != known.line for known in self.problems):
            self.problems.append(problem)

    def _refuse(self, span: Span, message: str, hint: str) -> None:
        self.problems.append(problem_at(self._blank, span, message, hint))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise _EndOfReadingError

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse(_span(event), "a second document starts here", "write one document a file")
            raise _EndOfReadingError
        if event.version or event.tags:
            self._refuse(_span(event), "directives are not read", "delete the lines that start with %")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        span = _span(event)
        if event.anchor is not None or event.tag is not None:
            self._decorated(event, span)
        text, style, frames = event.value, event.style or "", self._frames
        frame = frames[-1] if frames else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            if style or text in _ODD_KEYS or text in frame.value:
                self._look_at_key(frame, text, span, style)
            frame.key, frame.key_span = text, span
            return
        value: Value = text
        if not style:
            if not text or text[0] in MAYBE:  # most texts cannot be anything else
                value = self._resolved(text, span)
        elif style == '"' and (hidden := hidden_in(text)):  # only escapes can bring one in
            self._refuse(span, f"holds {name_of(hidden)}, written as an escape", "delete it")
        self._place(value, span, style)

    def _resolved(self, text: str, span: Span) -> Value:
        try:
            return resolve(text)
        except ScalarRefusedError as error:
            self._refuse(span, str(error), f"if it is text, quote it: {single_quoted(text[:200])}")
            return text

    def _look_at_key(self, frame: _Frame, key: str, span: Span, style: str) -> None:
        if not style and key == "<<":
            self._refuse(span, "merge keys are not read", "write the fields out")
        elif not style and not key:
            self._refuse(span, "a key is missing", "write `key: value`; quote the text if it starts with a colon")
        elif style == '"' and (hidden := hidden_in(key)):
            self._refuse(span, f"the key holds {name_of(hidden)}, written as an escape", "delete it")
        elif key in frame.value:
            assert type(frame.value) is dict
            first = frame.value[key].key_span or span
            self._refuse(span, f'"{key}" is there twice, first on line {first.line}', "keep one of the two")

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        span = _span(event)
        if len(self._frames) >= self._max_depth:
            self._refuse(span, f"is nested deeper than {self._max_depth} levels", "flatten it")
            raise _EndOfReadingError
        if event.anchor is not None or event.tag is not None:
            self._decorated(event, span)
        above = self._frames[-1] if self._frames else None
        in_key = above is not None and type(above.value) is dict and above.key is None
        if in_key:
            self._refuse(span, "a key must be a single word or text", "quote it if it is text")
        value: dict[str, Node] | list[Node] = {} if type(event) is yaml.MappingStartEvent else []
        self._frames.append(_Frame(value, span, "flow" if event.flow_style else "block", in_key))

    def _close(self, event: yaml.Event) -> None:
        frame = self._frames.pop()
        last = frame.end or frame.span
        if frame.style == "flow":  # a block ends, to the parser, only where the next thing starts
            last = _span(event)
        first = frame.span
        span = _tuple(Span, (first.line, first.column, last.end_line, last.end_column, first.start, last.end))
        if frame.in_key:
            self._frames[-1].key = ""  # refused above: only the shape goes on
        else:
            self._place(frame.value, span, frame.style)

    def _place(self, value: Value, span: Span, style: str) -> None:
        self._values += 1
        if self._values > _MOST_VALUES:
            self._refuse(span, f"here starts value {self._values:,}; no more are read", "split the file")
            raise _EndOfReadingError
        if not self._frames:
            self.root = Node(value, span, None, style)
            return
        frame = self._frames[-1]
        node = Node(value, span, frame.key_span, style)
        frame.end = span
        held = frame.value
        if type(held) is list:
            held.append(node)
            return
        assert type(held) is dict
        assert frame.key is not None  # a value comes after its key
        held[frame.key] = node
        frame.key = frame.key_span = None

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._decorated(event, _span(event))
        frame = self._frames[-1] if self._frames else None
        if frame and type(frame.value) is dict and frame.key is None:
            frame.key, frame.key_span = str(event.anchor), _span(event)
        else:
            self._place(None, _span(event), "")

    def _decorated(self, event: yaml.NodeEvent, span: Span) -> None:
        """Refuse an alias, an anchor or a tag, with the text quoted in case it was meant as text."""
        text = self._blank.text
        if isinstance(event, yaml.AliasEvent):
            what, sign = f"an alias (*{event.anchor}) is not read", "*"
        elif event.anchor is not None:
            what, sign = f"an anchor (&{event.anchor}) is not read", "&"
        else:
            what, sign = "a tag (!) is not read", "!"
        # Where there is an anchor and a tag, the mark stands at the first: the sign itself is looked for.
        start = max(span.start, text.find(sign, span.start))
        line, column = place_of(text, start)
        end = text.find("\n", start)
        rest = text[start : end if end >= 0 else len(text)].strip()
        place = Span(line=line, column=column, end_line=line, end_column=column + 1, start=start, end=start + 1)
        self._refuse(place, what, f"if it is text, quote it: {single_quoted(rest[:200])}")
