"""A task file that is refused, or spelled as of old, made good where its meaning is certain. Nothing is guessed.

What parses already says the same task afterwards. What cannot be made to parse is left as it is, with the reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from orchestrator.core.problem import Problem
from orchestrator.taskfile.file import TaskFile, TaskFileRefused, parse
from orchestrator.taskfile.mending_bytes import decoded
from orchestrator.taskfile.mending_lines import repairs_of
from orchestrator.taskfile.mending_repair import Repair
from orchestrator.taskfile.mending_spellings import spelled_today

_MOST = 200  # repairs of one file; one with more wrong with it is another kind of file
_MOST_READ = 10_000_000  # characters, over all readings: each repair is one more


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What became of a file: `left` is empty where it is a task now. Where it is none, `raw` is as it was."""

    raw: bytes
    repairs: tuple[Repair, ...] = ()
    left: tuple[Problem, ...] = ()


def mend(raw: bytes, *, name: str, path: str = "") -> Mended:
    """The bytes of a file called `name`, mended where that is safe."""

    def read(text: str) -> TaskFile | TaskFileRefused:
        try:
            return parse(start.mark + text.encode(), name=name, path=path)
        except TaskFileRefused as refused:
            return refused

    start = decoded(raw)
    text, done = start.text, list(start.repairs)
    if text is None:
        refused = _refusal(raw, name, path)
        return Mended(raw=raw, left=refused.problems if refused else ())
    found = read(text)
    while isinstance(found, TaskFileRefused):
        may = min(_MOST, max(5, _MOST_READ // (len(text) + 1)))
        better = _better(text, found, read) if len(done) < may else None
        if better is None:
            return Mended(raw=raw, left=tuple(_as_before(problem, raw) for problem in found.problems))
        text, found = better.text, better.found
        done.append(better.repair)
    today, renamed = spelled_today(found, name=name)
    return Mended(raw=today.raw, repairs=(*sorted(done, key=lambda one: one.line), *renamed))


def _refusal(raw: bytes, name: str, path: str) -> TaskFileRefused | None:
    try:
        parse(raw, name=name, path=path)
    except TaskFileRefused as refused:
        return refused
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Better:
    text: str
    found: TaskFile | TaskFileRefused
    repair: Repair


def _better(text: str, refused: TaskFileRefused, read: Callable[[str], TaskFile | TaskFileRefused]) -> _Better | None:
    """The text with the first problem gone, and nothing new above it."""
    for problem in refused.problems:
        for repair, candidate in _certain(text, problem, read):
            found = read(candidate)
            if not isinstance(found, TaskFileRefused) or _is_further(refused, found):
                return _Better(text=candidate, found=found, repair=repair)
    return None


def _certain(
    text: str, problem: Problem, read: Callable[[str], TaskFile | TaskFileRefused]
) -> Iterator[tuple[Repair, str]]:
    """Repairs of one problem. Of several texts for one repair, those that read must say the same task."""
    for repair, candidates in repairs_of(text, problem):
        if len(candidates) == 1:
            yield repair, candidates[0]
            continue
        good = [(one, found) for one in candidates if isinstance(found := read(one), TaskFile)]
        if good and all(found.task == good[0][1].task for _, found in good):
            yield repair, good[0][0]


def _is_further(before: TaskFileRefused, after: TaskFileRefused) -> bool:
    """Whether fewer problems are left, or the first one stands further down. What fields say is told once YAML is."""
    old, new = before.problems, after.problems
    if not old[0].key and (new[0].key or not new[0].line):
        return True
    return len(new) < len(old) or (len(new) == len(old) and new[0].line > old[0].line)


def _as_before(problem: Problem, raw: bytes) -> Problem:
    """The problem with the number that its line has in the file as it is: other repairs may have moved it."""
    lines = raw.decode("utf-8", "replace").split("\n")
    same = [number for number, line in enumerate(lines, 1) if line.rstrip("\r") == problem.source]
    if not problem.line or not problem.source or not same:
        return problem
    return replace(problem, line=min(same, key=lambda number: abs(number - problem.line)))
