"""A parser's complaint in words that say what to do. Its own words stay in the message."""

import yaml

from orchestrator.core.pattern import late
from orchestrator.core.problem import Problem
from orchestrator.strictyaml.document import line_of, place_of, problem_in
from orchestrator.strictyaml.scalars import single_quoted

_ENTRY = late(r"(?P<head>\s*(?:- +)*(?:[\w.-]+\s*: +)?)(?P<text>\S.*?)\s*$")
_AFTER_QUOTE = late(r"""\s*(?:- +)*(?:[\w.-]+\s*: +)?(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*[^\s:,#\]}]""")
_BULLET = late(r"\s*(?:[*+\u2022]|[0-9]+[.)])\s+(?P<text>\S.*?)\s*$")  # how Markdown writes lists
_KEY = late(r"\s*(?:- +)*[\w.-]+\s*:(?:\s|$)")


def explain(error: Exception, text: str, path: str) -> Problem:
    """The problem that a parser's error means, at the place where a person should look."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        offset = min(getattr(error, "position", 0), len(text))
        offset = offset if isinstance(offset, int) else 0
        return problem_in(path, text, offset, f"cannot be read as YAML ({_words(error)})", "rewrite this line")
    mark = error.problem_mark
    complaint = _Complaint(
        words=error.problem or "",
        context=error.context or "",
        text=text,
        offset=min(mark.index, len(text)),
        start=min(error.context_mark.index, len(text)) if error.context_mark else -1,
    )
    offset, message, hint = complaint.answer()
    words = " ".join(part for part in (complaint.context, complaint.words) if part)
    return problem_in(path, text, offset, f"{message} (YAML: {words})" if words else message, hint)


def quoted_entry(line: str) -> str:
    """The line with the text of its entry between quotes: what to paste in its place."""
    found = _ENTRY.match(line[:400])
    return f"{found['head'].lstrip()}{single_quoted(found['text'])}" if found else single_quoted(line)


def _as_item(line: str) -> str:
    """For a line that Markdown would take for an item of a list, how YAML writes it."""
    found = _BULLET.match(line[:200])
    if not found:
        return ""
    text = found["text"]
    return f"items of a list start with `- `: - {single_quoted(text) if ': ' in text else text}; else "


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


class _Complaint:
    """One error of the parser, and the table of what people did to get it."""

    def __init__(self, *, words: str, context: str, text: str, offset: int, start: int) -> None:
        self.words, self.context, self._text = words, context, text
        self._offset, self._start = offset, start
        self._number, self._column = place_of(text, offset)
        self._line = line_of(text, self._number)

    def answer(self) -> tuple[int, str, str]:
        """Where to look, what is wrong, and what to do."""
        for answer in (self._from_character, self._from_quotes, self._from_flow, self._from_shape):
            found = answer()
            if found:
                return found
        return self._offset, "this is not YAML", f"if it is text, quote it: {quoted_entry(self._line)}"

    def _from_character(self) -> tuple[int, str, str] | None:
        character = self._text[self._offset : self._offset + 1]
        where = f"{self.context} {self.words}"
        if character == "\t" or "tab character" in where:
            return self._offset, "a tab stands where only spaces may", "indent with spaces"
        signs = {"alias": "*", "anchor": "&", "tag": "!", "block scalar": "|` or `>", "directive": "%"}
        sign = next((sign for word, sign in signs.items() if word in where), "")
        if sign:
            offset = self._start if self._start >= 0 else self._offset
            return offset, f"text cannot start with `{sign}`", self._quote_hint(offset)
        if "cannot start any token" in where:
            what = "a backtick" if character == "`" else f"`{character}`"
            return self._offset, f"text cannot start with {what}", self._quote_hint(self._offset)
        return None

    def _from_quotes(self) -> tuple[int, str, str] | None:
        if "quoted scalar" in self.context and ("end of stream" in self.words or "indicator" in self.words):
            return self._start, "a quote is opened here and never closed", "close it, or delete it"
        if "escape" in self.words:
            return (
                self._offset,
                "an unknown escape within double quotes",
                "write \\\\ for a backslash, or use single quotes",
            )
        start = self._offset - self._column + 1
        for offset in (start, self._start - place_of(self._text, self._start)[1] + 1 if self._start >= 0 else start):
            line = line_at(self._text, offset)[:1000]
            after = _AFTER_QUOTE.match(line)
            if after:
                place = offset + after.end() - 1
                return place, "text follows a closing quote", f"quote the whole: {quoted_entry(line)}"
        return None

    def _from_flow(self) -> tuple[int, str, str] | None:
        if "flow" not in self.context and "expected ',' or" not in self.words:
            return None
        offset = self._start if self._start >= 0 else self._offset
        if self._text[offset : offset + 1] not in ("[", "{"):  # it points behind the bracket, or at the end of the file
            offset = max(self._text.rfind("[", 0, offset), self._text.rfind("{", 0, offset), 0)
        sign = self._text[offset : offset + 1]
        closing = "]" if sign == "[" else "}"
        hint = f"close it with `{closing}`, or if it is text, quote it: {quoted_entry(line_at(self._text, offset))}"
        return offset, f"`{sign}` is opened here and not closed where it should be", hint

    def _from_shape(self) -> tuple[int, str, str] | None:
        if "mapping values are not allowed" in self.words:
            return self._second_colon()
        if "block sequence entries are not allowed" in self.words:
            hint = f"start the list on the next line, or if it is text, quote it: {quoted_entry(self._line)}"
            return self._offset, "a list cannot start here", hint
        if "could not find expected ':'" in self.words:
            offset = self._start if self._start >= 0 else self._offset
            hint = (
                _as_item(line_at(self._text, offset))
                + "if it goes on with the text above, quote that text as a whole or put it under a key with `|`"
            )
            return offset, "this line is neither `key: value` nor an item of a list", hint
        if "did not find expected '-'" in self.words:
            hint = (
                "indent it like the other items and start it with `- `; if it is a key, set it at its own indentation"
            )
            return self._offset, "this does not go on with the list above", hint
        if "did not find expected key" in self.words or "<document start>" in self.words:
            hint = "give every key of one mapping the same indentation, and put text after a key or under one with `|`"
            return self._offset, "this does not go on with the mapping above", hint
        return None

    def _second_colon(self) -> tuple[int, str, str]:
        before = self._line[: self._column - 1]
        if _KEY.match(before):
            return self._offset, "text that holds `: ` must be quoted", f"write: {quoted_entry(self._line)}"
        hint = "give this key the indentation of its neighbours; if it goes on with the text above, quote that text"
        return self._offset, "a key cannot stand here: the line above already has a value", hint

    def _quote_hint(self, offset: int) -> str:
        end = self._text.find("\n", offset)
        rest = self._text[offset : end if end >= 0 else len(self._text)]
        item = _as_item(line_at(self._text, offset)) if self._text[offset : offset + 1] == "*" else ""
        return f"{item}quote it: {single_quoted(rest[:200])}"


def line_at(text: str, offset: int) -> str:
    """The line on which an offset stands."""
    return line_of(text, place_of(text, offset)[0])
