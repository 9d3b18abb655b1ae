"""Where the YAML of a task file ends and its Markdown body starts."""

import re
from dataclasses import dataclass, replace

from orchestrator.core.pattern import late
from orchestrator.core.problem import Problem

# A line of --- or ... on its own, as YAML has it: at the start of a line it cannot be part of any value.
_FENCE = late(r"^(---|\.\.\.)[ \t]*(?:[ \t]#[^\n]*)?\r?(?:\n|\Z)", re.MULTILINE)
_NOTHING_YET = late(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*")
_HEADING = late(r"^[ \t]*\r?\n(?=#{1,6} +\S)", re.MULTILINE)
_TOP_KEY = late(r"^[A-Za-z_][\w.-]*[ \t]*:", re.MULTILINE)
_SECOND_TASK = late(r"\s*(?:id|agent|title|status|priority)[ \t]*:[ \t]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The two parts as offsets of the text: the YAML is what stands before `yaml_end`."""

    yaml_end: int
    body_start: int  # the length of the text where there is no body


def split(text: str) -> Parts:
    """The YAML, with or without a --- above it, and after a --- or ... below it the body."""
    fence = _FENCE.search(text)
    if fence and fence[1] == "---" and _NOTHING_YET.fullmatch(text, 0, fence.start()):
        fence = _FENCE.search(text, fence.end())
    if not fence:
        return Parts(yaml_end=len(text), body_start=len(text))
    return Parts(yaml_end=fence.start(), body_start=fence.end())


def body_of(text: str, parts: Parts) -> str:
    """The Markdown body without the blank lines around it, with plain line ends."""
    body = text[parts.body_start :].replace("\r\n", "\n")
    return body.strip("\n").rstrip() if body.strip() else ""


def front_matter_body(text: str) -> str:
    """The Markdown body of a profile: all of it, where no front matter begins on its first line."""
    fence = _FENCE.match(text)
    return body_of(text, split(text)) if fence and fence[1] == "---" else text.strip()


def second_task(text: str, parts: Parts) -> int:
    """The offset of what looks like another task where the body should be; -1 where nothing does."""
    found = _SECOND_TASK.match(text, parts.body_start)
    return found.end() - len(found[0].lstrip()) if found else -1


def with_body_hint(problem: Problem, text: str) -> Problem:
    """The problem, with the advice to put --- above the body where Markdown seems to follow the YAML without it."""
    heading = body_heading(text, problem.line)
    if heading < 0:
        return problem
    number = text.count("\n", 0, heading) + 1
    hint = f"if line {number} is where the Markdown body starts, put a line `---` above it"
    return replace(problem, hint=f"{hint}; else {problem.hint}" if problem.hint else hint)


def body_heading(text: str, line: int) -> int:
    """The offset of the heading with which Markdown seems to follow the fields above that line; -1 where none does."""
    lines = text.split("\n")
    at = sum(len(one) + 1 for one in lines[:line]) if line else 0
    after_keys = max((key.end() for key in _TOP_KEY.finditer(text, 0, at)), default=0)
    heading = _HEADING.search(text, after_keys, at) if after_keys else None
    return heading.end() if heading else -1
