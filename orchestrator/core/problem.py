"""A finding about a text that a person wrote: where, what, and what to do. Errors are data; `render` draws them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. Lines and columns are 1-based and count characters; 0 means the whole file."""

    path: str
    message: str
    hint: str = ""
    line: int = 0
    column: int = 0
    length: int = 1
    source: str = ""  # the line itself, without its end
    key: str = ""  # e.g. tools.claude.timeout


def render(problem: Problem) -> str:
    """The finding as people read it: `path:line:column: key: message; hint`, then the line with a caret under it."""
    place = f"{problem.path}:{problem.line}:{problem.column}" if problem.line else problem.path
    head = f"{place}: {problem.key}: {problem.message}" if problem.key else f"{place}: {problem.message}"
    if problem.hint:
        head = f"{head}; {problem.hint}"
    if not problem.line or not problem.source:
        return head
    source, column = _window(problem.source, problem.column)
    number = f"{problem.line:>5}"
    width = max(1, min(problem.length, len(source) - column + 1))
    indent = "".join("\t" if character == "\t" else " " for character in source[: column - 1])
    return f"{head}\n{number} | {source}\n{' ' * len(number)} | {indent}{'^' * width}"


_WIDEST = 160  # a line longer than this is shown as a window around the column


def _window(source: str, column: int) -> tuple[str, int]:
    if len(source) <= _WIDEST:
        return source, max(1, min(column, len(source) + 1))
    start = max(0, min(column - 1 - _WIDEST // 2, len(source) - _WIDEST))
    return source[start : start + _WIDEST], column - start
