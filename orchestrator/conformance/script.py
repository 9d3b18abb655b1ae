"""The language in which a prompt tells the scripted model API what to answer.

A directive is a line of the prompt that begins with `STUB:` (after blanks, `-`, `*` or `>`), so it may stand anywhere
in a longer text. The directives of one user message are a script. The model answers with its first turn, and, when the
conversation comes back with the result of a tool, with the next one. The last user text that holds a directive counts.
After the last turn it answers `stub-done`. What follows the verb goes to the end of the line, or is a JSON string
(`STUB:TEXT "two\\nlines"`) where it has to hold more than that.

Turns
    STUB:TEXT words                  answers so
    STUB:HUGE bytes                  answers with a text of that many bytes
    STUB:SHELL command               has a command run, by whichever tool the request offers for it
    STUB:WRITE path content          has a file written, by whichever tool the request offers for it
    STUB:TOOL Name {"key": "value"}  calls that tool with these arguments, offered or not
    STUB:LOOP [command]              SHELL for ever: the script goes no further

What happens to the turn that follows
    STUB:DELAY seconds                               it comes so much later
    STUB:STATUS code [retry-after=seconds] [times=n] [model=name]
                                                     the request fails instead: n times, else always; of one model
    STUB:HANG [times=n]                              headers come, and nothing more
    STUB:TORN [times=n]                              the answer breaks off in the middle, and so does the connection
    STUB:USAGE [input=n] [output=n] [cache_read=n] [cache_write=n]
                                                     the tokens that it tells, for this turn and all later ones

Tokens are 1,000 in and 200 out for each turn, unless told otherwise. `input` is what no cache served: an API that
counts cached tokens as input (OpenAI, Gemini) tells the sum.

A directive that cannot be read is answered with a text that says so.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from orchestrator.core.types import Tokens

DONE = "stub-done"  # the answer after the last turn
TOKENS = Tokens(input=1000, output=200)

_DIRECTIVE = re.compile(r"^[ \t>*-]*STUB:([A-Z]+)(?:[ \t]+(.*?))?[ \t\r]*$", re.MULTILINE)
_MOST_SECONDS = 600.0
_MOST_BYTES = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The model says something, and its turn is over."""

    text: str
    size: int = 0  # repeated up to so many bytes; 0: once


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The model wants a command run."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """The model wants a file written."""

    path: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The model calls a tool by its name."""

    name: str
    arguments: Mapping[str, object]
    source: str = ""  # the text of a call that takes plain text and no arguments


Act = Say | Shell | Write | Call


class Failing(Enum):
    """How a request can fail."""

    STATUS = auto()
    HANG = auto()
    TORN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure instead of an answer."""

    failing: Failing
    status: int = 200
    retry_after: int | None = None  # seconds
    times: int | None = None  # None: always
    model: str = ""  # empty: whichever is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One answer of the model."""

    act: Act
    faults: tuple[Fault, ...] = ()
    delay: float = 0.0  # seconds
    tokens: Tokens = TOKENS
    for_ever: bool = False  # the script goes no further

    def fault(self, earlier: int, model: str = "") -> Fault | None:
        """What goes wrong with a request for this turn to that model, before which there were so many."""
        for fault in self.faults:
            if fault.model and fault.model != model:
                continue
            if fault.times is None or earlier < fault.times:
                return fault
            earlier -= fault.times
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a prompt asks of the model."""

    turns: tuple[Turn, ...]
    after: Turn = field(default_factory=lambda: Turn(act=Say(text=DONE)))

    def turn(self, answered: int) -> Turn:
        """The turn to take in a conversation in which the model has answered so often since the script."""
        for turn in self.turns[: answered + 1]:
            if turn.for_ever:
                return turn
        return self.turns[answered] if answered < len(self.turns) else self.after


class _UnreadableError(Exception):
    """A directive that cannot be read; the message says why."""


def holds_directive(text: str) -> bool:
    """Whether a text is a script."""
    return _DIRECTIVE.search(text) is not None


def read_script(text: str) -> Script:
    """The script in a prompt. One that cannot be read answers with what is wrong."""
    turns: list[Turn] = []
    pending = Turn(act=Say(text=DONE))
    for found in _DIRECTIVE.finditer(text):
        verb, rest = found[1], found[2] or ""
        try:
            if verb in _TURNS:
                turns.append(replace(pending, act=_TURNS[verb](rest), for_ever=verb == "LOOP"))
                pending = Turn(act=pending.act, tokens=pending.tokens)
            else:
                pending = _MODIFIERS.get(verb, _unknown)(pending, rest)
        except _UnreadableError as error:
            return Script(turns=(Turn(act=Say(text=f"stub-error: STUB:{verb} {rest}: {error}")),))
    return Script(turns=tuple(turns), after=pending)


def _unknown(_: Turn, __: str) -> Turn:
    raise _UnreadableError(f"there is no such directive; there are {', '.join([*_TURNS, *_MODIFIERS])}")


def _words(rest: str) -> str:
    if not rest.startswith('"'):
        return rest
    try:
        read = json.loads(rest)
    except ValueError as error:
        raise _UnreadableError(f"what begins with a quote is a JSON string: {error}") from error
    if not isinstance(read, str):
        raise _UnreadableError("what begins with a quote is a JSON string")
    return read


def _number(rest: str, most: float, name: str) -> float:
    try:
        number = float(rest)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise _UnreadableError(f"{name} is a number from 0 to {most:g}, not {rest!r}")
    return number


def _options(words: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    options = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in names:
            raise _UnreadableError(f"it takes {', '.join(names)}, as in {names[0]}=1; not {word!r}")
        options[name] = int(_number(value, 1e12, name))
    return options


def _say(rest: str) -> Act:
    return Say(text=_words(rest))


def _huge(rest: str) -> Act:
    return Say(text="0123456789abcdef" * 4, size=int(_number(rest, _MOST_BYTES, "the size")))


def _shell(rest: str) -> Act:
    if not rest:
        raise _UnreadableError("it needs a command")
    return Shell(command=_words(rest))


def _loop(rest: str) -> Act:
    return Shell(command=_words(rest) or "true")


def _write(rest: str) -> Act:
    path, _, content = rest.partition(" ")
    if not path:
        raise _UnreadableError("it needs a path")
    return Write(path=path, content=_words(content))


def _call(rest: str) -> Act:
    name, _, given = rest.partition(" ")
    try:
        arguments = json.loads(given or "{}")
    except ValueError as error:
        raise _UnreadableError(f"the arguments are a JSON object: {error}") from error
    if not name or not isinstance(arguments, dict):
        raise _UnreadableError("it needs the name of a tool and a JSON object")
    return Call(name=name, arguments=arguments)


def _delay(turn: Turn, rest: str) -> Turn:
    return replace(turn, delay=_number(rest, _MOST_SECONDS, "the delay"))


def _status(turn: Turn, rest: str) -> Turn:
    code, *more = rest.split() or [""]
    model = next((word.removeprefix("model=") for word in more if word.startswith("model=")), "")
    options = _options([word for word in more if not word.startswith("model=")], ("retry-after", "times", "model"))
    status = int(_number(code, 599, "the status"))
    if status < 400:
        raise _UnreadableError(f"the status of a failure is 400 to 599, not {status}")
    fault = Fault(
        failing=Failing.STATUS,
        status=status,
        retry_after=options.get("retry-after"),
        times=options.get("times"),
        model=model,
    )
    return replace(turn, faults=(*turn.faults, fault))


def _hang(turn: Turn, rest: str) -> Turn:
    times = _options(rest.split(), ("times",)).get("times")
    return replace(turn, faults=(*turn.faults, Fault(failing=Failing.HANG, times=times)))


def _torn(turn: Turn, rest: str) -> Turn:
    times = _options(rest.split(), ("times",)).get("times")
    return replace(turn, faults=(*turn.faults, Fault(failing=Failing.TORN, times=times)))


def _usage(turn: Turn, rest: str) -> Turn:
    options = _options(rest.split(), ("input", "output", "cache_read", "cache_write"))
    return replace(turn, tokens=replace(turn.tokens, **options))


_TURNS: Mapping[str, Callable[[str], Act]] = {
    "TEXT": _say, "HUGE": _huge, "SHELL": _shell, "WRITE": _write, "TOOL": _call, "LOOP": _loop,
}  # fmt: skip
_MODIFIERS: Mapping[str, Callable[[Turn, str], Turn]] = {
    "DELAY": _delay, "STATUS": _status, "HANG": _hang, "TORN": _torn, "USAGE": _usage,
}  # fmt: skip
