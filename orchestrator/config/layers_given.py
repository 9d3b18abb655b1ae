"""The upper layers: ORCHESTRATOR_<SECTION>__<KEY>=VALUE of the environment, and `--set KEY=VALUE` of the call.

Each is a small document of its own with one value in it, so that a problem of it is shown as one of a file is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator import strictyaml
from orchestrator.config.fields import nearest, shown
from orchestrator.config.layers import GIVEN, NAMED, SECTIONS, SINGLE, Grafted, grafted
from orchestrator.core.problem import Problem
from orchestrator.core.variables import PREFIX, configuring
from orchestrator.strictyaml import Document, Node, Span

FLAG = "--set"
_KNOWN = tuple(section for sections in SECTIONS.values() for section in sections)
_PART = re.compile(r'"([^"]*)"|([^."=\s]+)')
_ONE_LINE = "write it on one line: a plain value, [a, b] or {key: value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One step of a key, and where it stands in the text."""

    name: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value for one key. Of a variable, `rest` is what its name says after the section."""

    path: str  # as messages name it: the variable, or --set
    text: str  # the value; of a flag, key and value
    value_at: int = 0  # where the value begins in the text
    section: str
    parts: tuple[Part, ...] = ()
    rest: str = ""

    def layer(self, below: Grafted | None, known: Mapping[str, Sequence[str]]) -> Grafted:
        """As a layer over what lies below it. `known`: names that need no entry, by section. Raises GivenRefused."""
        value = self._value()
        parts = self.parts[1:] or tuple(_parts_of(self, below))
        parts = _joined(parts, _child(below, self.section))
        _refuse_new_names(self, parts, below, known)
        whole = Span(1, 1, 1, len(self.text) + 1, 0, len(self.text))
        keys = (Part(name=self.section, end=self.parts[0].end if self.parts else 0), *parts)
        node = value.root
        for part in reversed(keys):
            at = Span(1, part.start + 1, 1, part.end + 1, part.start, part.end) if part.end else whole
            node = Node({part.name: replace(node, key_span=at)}, whole, None, GIVEN)
        return grafted(node, replace(value, root=node))

    def refuse(self, message: str, hint: str, *, at: Part | None = None) -> "GivenRefusedError":
        """The refusal, at the part of the key or at the value."""
        start, end = (at.start, at.end) if at is not None and at.end else (self.value_at, len(self.text))
        return GivenRefusedError(_problem(self.path, self.shown, message, hint, start=start, end=end))

    def _value(self) -> Document:
        """The value alone, at the place where it stands in the text."""
        written = self.text[self.value_at :]
        if "\n" in written.rstrip("\n"):
            raise self.refuse("the value has several lines", _ONE_LINE)
        try:
            document = strictyaml.read(" " * self.value_at + written, path=self.path)
        except strictyaml.YamlRefused as refusal:
            if self._is_secret:
                raise self.refuse(
                    "the value is no YAML", "put it in quotes, inside those of the shell: '\"...\"'"
                ) from None
            first = refusal.problems[0]
            raise GivenRefusedError(replace(first, source=strictyaml.unprintable(self.text))) from refusal
        if document.root.style == "block":
            raise self.refuse(f"{shown(document.root.plain())} stands where one value is wanted", _ONE_LINE)
        return replace(document, text=self.shown)

    @property
    def shown(self) -> str:
        """The text as a message may show it: what a tool is given in its environment is not."""
        hidden = "*" * (len(self.text) - self.value_at)
        return self.text[: self.value_at] + hidden if self._is_secret else self.text

    @property
    def _is_secret(self) -> bool:
        names = (part.name for part in self.parts) if self.parts else self.rest.casefold().split("__")
        return self.section == "tools" and "env" in names


class GivenRefusedError(ValueError):
    """A variable or a flag that means nothing."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def given_by(variables: Mapping[str, str], flags: Sequence[str]) -> tuple[tuple[Given, ...], tuple[Problem, ...]]:
    """What variables and flags say, lowest first, and what is wrong with their names."""
    found: list[Given] = []
    problems: list[Problem] = []
    for read in (*_variables(configuring(variables)), *map(_flag, flags)):
        if isinstance(read, Problem):
            problems.append(read)
        else:
            found.append(read)
    return tuple(found), tuple(problems)


def _variables(variables: Mapping[str, str]) -> Iterator[Given | Problem]:
    for name, value in variables.items():
        head, underscores, rest = name.removeprefix(PREFIX).partition("__")
        section = head.casefold()
        if section in _KNOWN:
            yield Given(path=name, text=value, section=section, rest=rest)
        elif near := _nearest_section(section, is_section=bool(underscores)):
            meant = f"{PREFIX}{near.upper()}{underscores}{rest}"
            yield _problem(name, value, f"there is no section {shown(section)}", f"did you mean {meant}?")
        elif underscores:
            hint = f"sections: {', '.join(_KNOWN)}"
            yield _problem(name, value, f"there is no section {shown(section)}", hint)


def _nearest_section(section: str, *, is_section: bool) -> str:
    """A name without `__` may be somebody else's: only one that is nearly ours is taken for a slip."""
    from difflib import get_close_matches

    close = get_close_matches(section, _KNOWN, n=1, cutoff=0.6 if is_section else 0.85)
    return close[0] if close else ""


def _flag(text: str) -> Given | Problem:
    parts: list[Part] = []
    at = 0
    while match := _PART.match(text, at):
        parts.append(Part(name=match[1] or match[2] or "", start=match.start(), end=match.end()))
        at = match.end()
        if not text.startswith(".", at):
            break
        at += 1
    if not parts or not text.startswith("=", at) or not all(part.name for part in parts):
        hint = 'write KEY=VALUE, e.g. policies.default.max_parallel=2 or models."gpt-6.1".price=free'
        return _problem(FLAG, text, "this is no key with a value", hint, start=at, end=at + 1)
    for part in parts:
        if part.name.endswith("]"):
            message, hint = "a place in a list cannot be set", "set the list as a whole: KEY=[a, b]"
            return _problem(FLAG, text, message, hint, start=part.start, end=part.end)
    first = parts[0]
    if first.name not in _KNOWN:
        near = nearest(first.name, _KNOWN)
        hint = f"did you mean {near}?" if near else f"sections: {', '.join(_KNOWN)}"
        message = f"there is no section {shown(first.name)}"
        return _problem(FLAG, text, message, hint, start=first.start, end=first.end)
    return Given(path=FLAG, text=text, value_at=at + 1, section=first.name, parts=tuple(parts))


def _problem(path: str, text: str, message: str, hint: str, *, start: int = 0, end: int = 0) -> Problem:
    source = strictyaml.unprintable(text.split("\n", 1)[0])
    length = max(1, (end or len(text)) - start)
    return Problem(path=path, message=message, hint=hint, line=1, column=start + 1, length=length, source=source)


def _parts_of(given: Given, below: Grafted | None) -> Iterator[Part]:
    """What the name of a variable means, by the names that exist: `_` stands for any sign in them, and case is free."""
    node = _child(below, given.section)
    rest = given.rest
    before = given.section
    while rest:
        folded = _folded(rest)
        names = node.value if node is not None and isinstance(node.value, dict) else {}
        fitting = [name for name in names if folded == _folded(name) or folded.startswith(f"{_folded(name)}__")]
        longest = max(map(len, fitting), default=0)
        best = [name for name in fitting if len(name) == longest]
        if len(best) > 1:
            raise given.refuse(f"its name means {' and '.join(best)} alike", f"use {FLAG}, which tells them apart")
        head, _, after = (rest[:longest], "", rest[longest + 2 :]) if best else rest.partition("__")
        name = best[0] if best else head if before == "env" else head.lower()
        yield Part(name=name)
        node = names.get(name)
        rest, before = after, name


def _joined(parts: Sequence[Part], node: Node | None) -> tuple[Part, ...]:
    """The parts of a key, those put together that are one name with dots in it."""
    found: list[Part] = []
    left = list(parts)
    while left:
        names = node.value if node is not None and isinstance(node.value, dict) else {}
        several = (n for n in range(len(left), 1, -1) if ".".join(part.name for part in left[:n]) in names)
        count = next(several, 1)
        taken, left = left[:count], left[count:]
        name = ".".join(part.name for part in taken)
        found.append(Part(name=name, start=taken[0].start, end=taken[-1].end))
        node = names.get(name)
    return tuple(found)


def _refuse_new_names(
    given: Given, parts: Sequence[Part], below: Grafted | None, known: Mapping[str, Sequence[str]]
) -> None:
    """A slip in the name of a tool must not make a second tool, of which nobody hears."""
    if given.section in SINGLE and parts:
        raise given.refuse(f"{given.section} holds one value", f"set {given.section} itself", at=parts[0])
    if given.section not in NAMED or not parts:
        return
    section = _child(below, given.section)
    names = (
        *(section.value if section is not None and isinstance(section.value, dict) else ()),
        *known.get(given.section, ()),
    )
    first = parts[0]
    if first.name in names:
        return
    near = nearest(first.name, names)
    listed = ", ".join(dict.fromkeys(names)) or "none"
    hint = f"did you mean {near}?" if near else f"there are {listed}; a new one is written in a file"
    raise given.refuse(f"{given.section} has no {shown(first.name)}", hint, at=first)


def _child(node: Node | None, key: str) -> Node | None:
    return node.value.get(key) if node is not None and isinstance(node.value, dict) else None


def _folded(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "_", name.casefold())
