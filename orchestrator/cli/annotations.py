"""Findings as the annotations that GitHub shows beside the lines of a pull request."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.core.problem import Problem

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}


def annotation(problem: "Problem", *, title: str, warning: bool = False) -> str:
    """One workflow command, in one line: `::error file=a.yaml,line=2,col=8,title=task::message`."""
    place = {"file": problem.path, "title": title}
    if problem.line:
        end = problem.column + problem.length - 1
        place |= {"line": str(problem.line), "col": str(problem.column), "endColumn": str(end)}
    said = f"{problem.key}: {problem.message}" if problem.key else problem.message
    if problem.hint:
        said = f"{said}; {problem.hint}"
    inner = ",".join(f"{name}={_escaped(text, _PROPERTY)}" for name, text in place.items())
    return f"::{'warning' if warning else 'error'} {inner}::{_escaped(said, _DATA)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
