"""The trailers of a commit that says that it is of a task (FORMATS section 5): whether they are well formed.

The trail's own commits always are. This is for those that a person or a tool writes by hand: `orchestrator log` and
every report over the trail read nothing but trailers, and a wrong one is silently not counted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.pattern import late
from orchestrator.core.problem import Problem
from orchestrator.core.types import CostSource, ErrorKind, Status

SUBJECT = "task: "
TASK_ID = "Task-Id"
TRANSITION = "Task-Transition"

_TRAILER = late(r"([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:(.*)")
_ID = late(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_COUNT = late(r"[0-9]{1,15}")
_MONEY = late(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_RUN = late(r"RUN-[0-9]{8}-[0-9]{3,}")
_ULID = late(r"[0-9A-HJKMNP-TV-Z]{26}")
_BRANCH = late(r"[^\s~^:?*\[\\]+")
_SCISSORS = " ------------------------ >8 ------------------------"
_PLACES = ("frozen", "archived", "rejected", "dropped")  # where a task can come from or go that is no status
_ALONE = ("recovered", "repaired")
_VERDICTS = ("done", "no_change", "unverified")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int  # 1-based
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trailer:
    name: str
    value: str
    line: _Line

    @property
    def column(self) -> int:
        """Where the value begins."""
        return self.line.text.index(":") + 2 + (self.line.text.partition(":")[2][:1] == " ")


def faults(message: str, *, path: str, comment: str = "#") -> tuple[Problem, ...]:
    """What is wrong with the trailers; nothing where the message is not of a task.

    `message` is as git gives it to commit-msg: with comments, and below the scissors perhaps a diff.
    """
    lines = _lines(message, comment)
    subject = lines[0] if lines else _Line(number=1, text="")
    block, above = _blocks(lines)
    of_task = subject.text.startswith(SUBJECT)
    named = [one for one in (*above, *block) if one.name.lower() == TASK_ID.lower()]
    if not of_task and not named:
        return ()
    checking = _Checking(path, subject, block)
    found = [*checking.misplaced(above), *checking.spelling(), *checking.repeated(), *checking.values()]
    if of_task:
        found += checking.missing(above)
        found += checking.against_subject()
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def _lines(message: str, comment: str) -> list[_Line]:
    """Of the message proper, from its first line that says something."""
    kept: list[_Line] = []
    for number, text in enumerate(message.split("\n"), start=1):
        if text == comment + _SCISSORS:
            break
        if not text.startswith(comment):
            kept.append(_Line(number=number, text=text.rstrip()))
    while kept and not kept[0].text:
        del kept[0]
    while kept and not kept[-1].text:
        del kept[-1]
    return kept


def _blocks(lines: Sequence[_Line]) -> tuple[list[_Trailer], list[_Trailer]]:
    """The trailers of the last paragraph, as git sees them, and what looks like one of ours elsewhere."""
    start = len(lines)
    while start > 0 and lines[start - 1].text:
        start -= 1
    last = lines[start:] if start > 0 else []  # a message of one paragraph has a subject and no trailers
    if any(not _TRAILER.fullmatch(line.text) and line.text[0] not in " \t" for line in last):
        # Prose and trailers mixed: git goes by shares there. One way to write it is enough.
        return [], [*_trailers(lines[1:start]), *_trailers(last)]
    return _trailers(last), _trailers(lines[1:start])


def _trailers(lines: Sequence[_Line]) -> list[_Trailer]:
    found: list[_Trailer] = []
    for line in lines:
        if line.text[:1] in {" ", "\t"}:
            continue  # goes on with the line before
        if matched := _TRAILER.fullmatch(line.text):
            found.append(_Trailer(name=matched[1], value=matched[2].strip(), line=line))
    return found


def _is_id(value: str) -> bool:
    return _ID.fullmatch(value) is not None and ".." not in value


def _is_transition(value: str) -> bool:
    before, arrow, after = value.partition(" -> ")
    if not arrow:
        return value in _ALONE
    known = {*Status, *_PLACES}
    return before in known and after in known


def _one_of(choices: Sequence[str]) -> tuple[Callable[[str], bool], str]:
    return (lambda value: value in choices), f"write one of {', '.join(choices)}"


def _rules() -> Mapping[str, tuple[Callable[[str], bool], str]]:
    """By name: whether a value is well formed, and what to write."""
    text = bool, "write its name, or leave the line out"
    return {
        TASK_ID: (_is_id, "write the task's id, which is the stem of its file"),
        TRANSITION: (_is_transition, "write e.g. `in_progress -> done`"),
        "Agent": text,
        "Tool": text,
        "Model": text,
        "Route-Reason": text,
        "Tokens-In": (lambda value: bool(_COUNT.fullmatch(value)), "write a whole number, e.g. 15210"),
        "Tokens-Out": (lambda value: bool(_COUNT.fullmatch(value)), "write a whole number, e.g. 2210"),
        "Cost-USD": (lambda value: bool(_MONEY.fullmatch(value)), "write US dollars without a sign, e.g. 0.420000"),
        "Cost-Source": _one_of([*CostSource]),
        "Run-Id": (lambda value: bool(_RUN.fullmatch(value)), "write e.g. RUN-20260212-001"),
        "Invocation-Id": (lambda value: bool(_ULID.fullmatch(value)), "write the 26 characters of its id"),
        "Result-Branch": (lambda value: bool(_BRANCH.fullmatch(value)), "write a branch, e.g. task/ID"),
        "Verdict": _one_of(_VERDICTS),
        "Error-Kind": _one_of([*ErrorKind]),
    }


class _Checking:
    """The rules, each giving what it finds."""

    def __init__(self, path: str, subject: _Line, trailers: Sequence[_Trailer]) -> None:
        self._path = path
        self._subject = subject
        self._trailers = trailers
        self._rules = _rules()
        self._ours = {name.lower(): name for name in self._rules}

    def misplaced(self, above: Sequence[_Trailer]) -> Iterator[Problem]:
        """Ours that stand where git takes them for prose."""
        for one in above:
            if one.name.lower() in {TASK_ID.lower(), TRANSITION.lower()}:
                message = f"{one.name} stands outside the trailers, where nobody reads it"
                hint = "trailers are the last paragraph, with an empty line above it and nothing else in it"
                yield self._problem(one.line, 1, len(one.name), message, hint)

    def spelling(self) -> Iterator[Problem]:
        """Names in another case: git does not mind, and those who read the trail do."""
        for one in self._trailers:
            ours = self._ours.get(one.name.lower(), one.name)
            if ours != one.name:
                yield self._problem(one.line, 1, len(one.name), f"{one.name} is written otherwise", f"write {ours}")

    def repeated(self) -> Iterator[Problem]:
        """The same one twice."""
        first: dict[str, int] = {}
        for one in self._trailers:
            name = one.name.lower()
            if name in self._ours and first.setdefault(name, one.line.number) != one.line.number:
                message = f"{one.name} is there twice, first in line {first[name]}"
                yield self._problem(one.line, 1, len(one.name), message, "leave one of them out")

    def values(self) -> Iterator[Problem]:
        """What they say."""
        of_rejected = self._subject.text.startswith(f"{SUBJECT}rejected ")  # a file that is no task may have any name
        for one in self._trailers:
            name = self._ours.get(one.name.lower(), "")
            if not name or (name == TASK_ID and of_rejected and one.value):
                continue
            fits, hint = self._rules[name]
            if not fits(one.value):
                said = f'"{one.value[:80]}" is no {name}' if one.value else f"{name} says nothing"
                yield self._problem(one.line, one.column, max(len(one.value), 1), said, hint)

    def missing(self, above: Sequence[_Trailer]) -> Iterator[Problem]:
        """What every commit of the trail has."""
        there = {one.name.lower() for one in (*self._trailers, *above)}
        for name, example in ((TASK_ID, "ID"), (TRANSITION, "in_progress -> done")):
            if name.lower() not in there:
                message = f"a commit that begins with `{SUBJECT}` is of the trail of a task, and this has no {name}"
                hint = f"end it with a paragraph of trailers such as `{name}: {example}`, or begin it with another word"
                yield self._problem(self._subject, 1, len(SUBJECT) - 1, message, hint)

    def against_subject(self) -> Iterator[Problem]:
        """`task: done ID`: the id and the move are those of the trailers."""
        word, _, rest = self._subject.text.removeprefix(SUBJECT).partition(" ")
        if not rest or word == "rejected":
            return
        for one in self._trailers:
            if one.name == TASK_ID and _is_id(one.value) and _is_id(rest) and rest != one.value:
                message = f"is {one.value}, and the subject says {rest}"
                yield self._problem(one.line, one.column, len(one.value), f"{TASK_ID} {message}", "write the same id")
            if one.name == TRANSITION and word in {*Status} and _is_transition(one.value):
                becomes = one.value.rpartition(" ")[2]
                if becomes != word:
                    said = f"{TRANSITION} ends with {becomes}, and the subject says {word}"
                    yield self._problem(one.line, one.column, len(one.value), said, "write the same status")

    def _problem(self, line: _Line, column: int, length: int, message: str, hint: str) -> Problem:
        return Problem(
            path=self._path,
            line=line.number,
            column=column,
            length=length,
            source=line.text,
            message=message,
            hint=hint,
        )
