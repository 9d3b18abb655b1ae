"""What the readers share: what a Reader is, how a tool call is named, and a run that ended without its last word."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from orchestrator.adapters.readers import failures, values
from orchestrator.adapters.readers.printed import Output, plain
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran, Reported

# Which argument of a tool call says what it is about, the telling ones first.
_TARGETS = (
    "command",
    "cmd",
    "file_path",
    "filePath",
    "path",
    "notebook_path",
    "url",
    "query",
    "pattern",
    "description",
)
_MOST_DENIALS = 50
MOST_CALLS = 10_000  # tool calls under way whose names are held


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How the output of one family of tools is understood."""

    read: Callable[[Ran, Output, Reported | None], Ran]  # the Ran comes with its errors; it never raises
    live: Callable[[bytes], str]  # what a person sees of one line while the tool runs


def target(arguments: object) -> str:
    """What a tool call is about: its command, its file, or nothing."""
    for key in _TARGETS:
        found = values.inner(arguments, key)
        if isinstance(found, list):
            found = " ".join(part for part in found if isinstance(part, str))
        if words := values.short(found):
            return words
    return ""


def call(name: object, arguments: object) -> str:
    """A tool call in a denial, e.g. "Write notes.md"."""
    return f"{values.short(name) or 'a tool'} {target(arguments)}".strip()


def live_call(name: object, arguments: object) -> str:
    """A tool call as a line of its own, e.g. "[Bash] pytest -q"."""
    return f"[{values.short(name) or 'tool'}] {target(arguments)}".rstrip() + "\n"


def live_text(text: object) -> str:
    """An assistant's text as lines of its own."""
    words = plain(values.string(text)).strip("\n")
    return f"{words}\n" if words.strip() else ""


def live_event(tell: Callable[[values.Json], str]) -> Callable[[bytes], str]:
    """The `live` of a stream of JSON: what is no object says nothing."""

    def told(line: bytes) -> str:
        event = values.parsed(line)
        return "" if event is None else tell(event)

    return told


def live_nothing(line: bytes) -> str:
    """The `live` of one JSON document: nobody reads along in that."""
    del line
    return ""


def note(denials: list[str], denial: str) -> None:
    """Adds a denial, each once, in the order in which they come."""
    if denial and len(denials) < _MOST_DENIALS and denial not in denials:
        denials.append(denial)


def unique(denials: Iterable[str]) -> tuple[str, ...]:
    """Denials, each once, in the order in which they came."""
    noted: list[str] = []
    for denial in denials:
        note(noted, denial)
    return tuple(noted)


def without_end(ran: Ran, output: Output, awaited: str) -> Ran:
    """A run without the event with which a success of its tool ends; exit code 0 is then no success.

    What its reader recognised before is kept: it explains why.
    """
    words = ran.problem or failures.complaint(ran.errors)
    is_silent = output.is_silent()
    what = "it printed nothing" if is_silent else f"its output ends without {awaited}"
    if ran.ending is not Ending.EXITED or ran.exit_code != 0:
        kind = failures.of_words(words) if is_silent and not ran.problem else None
        if ran.ending is Ending.EXITED:
            words = words or what
        return replace(ran, failure=ran.failure or kind, problem=words, retry_after=failures.retry_after(words))
    return replace(ran, failure=ran.failure or ErrorKind.BAD_OUTPUT, problem=f"{what}: {words}" if words else what)


def failed(ran: Ran, words: str, status: int | None = None) -> Ran:
    """A run of which the tool itself says that it failed."""
    kind = failures.of_status(status)
    if kind is None or kind is ErrorKind.CRASHED:
        kind = failures.of_words(words) or ErrorKind.CRASHED
    return replace(
        ran, failure=kind, problem=words or "it says that it failed", retry_after=failures.retry_after(words)
    )
