"""Repairs of what YAML cannot read, by the problem that the reader names. Each is offered only where it is certain."""

import re
from collections.abc import Iterator

from orchestrator.core.problem import Problem
from orchestrator.strictyaml import Document, YamlRefused, read
from orchestrator.taskfile.frontmatter import body_heading, split
from orchestrator.taskfile.mending_repair import Repair

Offer = tuple[Repair, tuple[str, ...]]  # several texts: those that read must say the same

_LONGEST = 10_000  # characters of a line that is looked into
_ENTRY = re.compile(r"(?P<head>\s*(?:- +)*(?:[\w. -]*\w\s*: +)?)(?P<text>\S.*?)(?P<rest>[ \t]*)")
_STRUCTURE = re.compile(r"\s*(?:#|- |-$|[\w.-]+\s*:(?:\s|$)|[\w.-][\w. -]*:(?:\s|$))")
_TWICE = re.compile(r'"(?P<key>.*)" is there twice, first on line (?P<first>\d+)', re.DOTALL)
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_WRAP = re.compile(r"\s*(```+|~~~+)[ \t]*(?:ya?ml)?[ \t]*\r?\n(?P<inner>.*?)\r?\n\1[ \t]*\s*\Z", re.DOTALL)


def repairs_of(text: str, problem: Problem) -> Iterator[Offer]:
    """What would make that problem go away."""
    yield from _unwrapped(text)
    if "is there twice" in problem.message:
        yield from _said_once(text, problem)
    if not problem.line:
        return
    if "\t" in _indentation(_line(text, problem.line)):
        yield from _without_tabs(text, problem.line)
    if problem.message.startswith(("text that holds `: `", "text cannot start with", "an alias (")):
        yield from _quoted(text, problem)
    if problem.message.startswith("text follows a closing quote"):
        yield from _quoted_whole(text, problem)
    yield from _with_spaces(text)
    yield from _with_fence(text, problem)


def _unwrapped(text: str) -> Iterator[Offer]:
    """A whole file between the fences of Markdown, as tools print it."""
    found = _WRAP.match(text)
    if found and not re.search(rf"^{re.escape(found[1])}", found["inner"], re.MULTILINE):
        yield Repair(line=1, what="the code fence around the file is taken away"), (found["inner"] + "\n",)


# ---- lines


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _with_lines(text: str, changed: dict[int, str]) -> str:
    """The text with other lines, by their number; each keeps its line end."""
    lines = text.split("\n")
    for number, line in changed.items():
        end = "\r" if lines[number - 1].endswith("\r") else ""
        lines[number - 1] = line + end
    return "\n".join(lines)


def _without_tabs(text: str, number: int) -> Iterator[Offer]:
    """Tabs that indent, of this line and its neighbours. How wide one is must make no difference."""
    lines = text.split("\n")
    first = last = number
    while first > 1 and "\t" in _indentation(lines[first - 2]):
        first -= 1
    while last < len(lines) and ("\t" in _indentation(lines[last]) or not lines[last].strip()):
        last += 1
    texts = []
    for width in (2, 4, 8):
        changed = {}
        for one in range(first, last + 1):
            line = lines[one - 1].rstrip("\r")
            lead = _indentation(line)
            changed[one] = lead.replace("\t", " " * width) + line[len(lead) :]
        texts.append(_with_lines(text, changed))
    yield Repair(line=first, what="indented with spaces instead of tabs"), tuple(texts)


# ---- quotes


def _quoted(text: str, problem: Problem) -> Iterator[Offer]:
    """The text of an entry between quotes: it holds `: `, or starts with a sign that YAML takes for its own."""
    line = _line(text, problem.line)
    found = _ENTRY.fullmatch(line) if len(line) <= _LONGEST else None
    if found is None or _is_uncertain(text, found, problem):
        return
    changed = _between_quotes(text, problem.line, found)
    if changed is not None:
        yield Repair(line=problem.line, what="text that YAML takes for something else is quoted"), (changed,)


def _is_uncertain(text: str, found: re.Match[str], problem: Problem) -> bool:
    """A list or mapping between brackets, a comment, the bullet of a Markdown list, an alias that has its anchor."""
    said, head = found["text"], found["head"]
    if said[0] in "[{&!#" or " #" in said or (said[:2] in {"* ", "% "} and not head.strip()):
        return True
    if problem.message.startswith("text that holds") and said[0] in "'\"":
        return True
    if not head.strip():  # a line of its own: a body, or the end of the text above
        return True
    if said[0] == "*" and said[1:2] in {" ", "\t"}:
        return True
    alias = re.match(r"\*([\w-]+)", said)
    return bool(alias and re.search(rf"&{re.escape(alias[1])}\b", text))


def _between_quotes(text: str, number: int, found: re.Match[str]) -> str | None:
    """The entry between single quotes, with the lines that go on with it; None where those may be something else."""
    lines = text.split("\n")
    depth = len(_indentation(found["head"].replace("\t", " ")))
    changed = {number: f"{found['head']}'{_doubled(found['text'])}"}
    last = number
    for one in range(number + 1, len(lines) + 1):
        line = lines[one - 1].rstrip("\r")
        if not line.strip():
            break
        if len(_indentation(line)) <= depth:
            break
        if _STRUCTURE.match(line) or " #" in line:
            return None
        changed[one] = _doubled(line.rstrip())
        last = one
    changed[last] += "'" + (found["rest"] if last == number else "")
    return _with_lines(text, changed)


def _doubled(text: str) -> str:
    return text.replace("'", "''")


def _quoted_whole(text: str, problem: Problem) -> Iterator[Offer]:
    """Text that begins with something in quotes: the quotes are part of it. One in quotes with an apostrophe inside."""
    line = _line(text, problem.line)
    found = _ENTRY.fullmatch(line) if len(line) <= _LONGEST else None
    if found is None or not found["head"].strip():
        return
    said = found["text"]
    sign = said[0]
    if sign == "'" and said.endswith("'") and "'" not in _APOSTROPHE.sub("", said[1:-1]):
        inner = _doubled(said[1:-1])
        changed = _with_lines(text, {problem.line: f"{found['head']}'{inner}'{found['rest']}"})
        yield Repair(line=problem.line, what="an apostrophe between quotes is written twice"), (changed,)
        return
    if sign not in "'\"" or said.endswith(sign) or " #" in said:
        return  # whether the last quote belongs to the first nobody can tell
    whole = _between_quotes(text, problem.line, found)
    if whole is not None:
        yield Repair(line=problem.line, what="text that goes on after a closing quote is quoted as a whole"), (whole,)


# ---- keys and bodies


def _said_once(text: str, problem: Problem) -> Iterator[Offer]:
    """A key that is there twice and says the same both times: the second one goes."""
    told = _TWICE.match(problem.message)
    if told is None or not problem.line:
        return
    first, second = _block(text, int(told["first"])), _block(text, problem.line)
    if first is None or second is None:
        return
    one, other = (_value(text, span) for span in (first, second))
    if one is None or other is None or one.root.plain() != other.root.plain():
        return
    lines = text.split("\n")
    if any("#" in line for line in lines[second[0] - 1 : second[1]]):
        return  # a comment would be lost
    left = lines[: second[0] - 1] + lines[second[1] :]
    what = f"`{told['key']}` is there twice and says the same: the second one is taken out"
    yield Repair(line=problem.line, what=what), ("\n".join(left),)


def _block(text: str, number: int) -> tuple[int, int] | None:
    """The lines of the entry whose key starts that line, from 1."""
    lines = text.split("\n")
    indent = len(_indentation(lines[number - 1]))
    if lines[number - 1].lstrip().startswith(("-", "{", "[", "?")):
        return None
    last = number
    for one in range(number + 1, len(lines) + 1):
        line = lines[one - 1].rstrip("\r")
        depth = len(_indentation(line))
        if line.strip() and depth <= indent and not (depth == indent and line.lstrip().startswith("- ")):
            break
        if line.strip():
            last = one
    return number, last


def _value(text: str, span: tuple[int, int]) -> Document | None:
    """The entry alone, as it is read."""
    try:
        return read("\n".join(text.split("\n")[span[0] - 1 : span[1]]), path="")
    except YamlRefused:
        return None


def _with_fence(text: str, problem: Problem) -> Iterator[Offer]:
    """`---` above the heading or the prose with which the Markdown body starts, where no field comes after it."""
    at = body_heading(text, problem.line)
    if at < 0:
        at = _prose(text, problem.line)
    if at < 0 or split(text[:at]).body_start < at or _FIELD.search(_CODE.sub("", text[at:])):
        return
    end = "\r\n" if "\r\n" in text else "\n"
    number = text.count("\n", 0, at) + 1
    yield (
        Repair(line=number, what="`---` is put above the Markdown body"),
        (f"{text[:at]}---{end}{text[at:]}",),
    )


def _prose(text: str, line: int) -> int:
    """Where prose starts in a file that begins as front matter does: behind a blank line, at the left; -1: nowhere."""
    if not text.startswith("---"):
        return -1
    lines = text.split("\n")
    for number in range(2, min(line, len(lines))):
        is_apart = not lines[number - 1].strip()
        if is_apart and lines[number][:1].isalpha() and not _KEY.match(lines[number]):
            return sum(len(one) + 1 for one in lines[:number])
    return -1


def _with_spaces(text: str) -> Iterator[Offer]:
    """A space behind the colon of fields that lack it."""
    lines = text[: split(text).yaml_end].split("\n")
    lacking = {
        number: _TIGHT.sub(r"\1: ", line.rstrip("\r")) for number, line in enumerate(lines, 1) if _TIGHT.match(line)
    }
    if lacking:
        yield (
            Repair(line=min(lacking), what="a space is put behind the colon of a field"),
            (_with_lines(text, lacking),),
        )


_KEY = re.compile(r"[\w.-]+[ \t]*:")
_CODE = re.compile(r"^[ \t]*(```+|~~~+).*?^[ \t]*\1[^\n]*$", re.MULTILINE | re.DOTALL)
# What starts a line of a task file and of no Markdown text: one of these below a heading means that the fields go on.
_FIELDS = (
    "id|agent|status|title|description|prompt|priority|mode|task_type|artefacts|artifacts|context|depends_on|dependencies"
    "|verify|budget_usd|timeout|tool|model|run|created_at|created_by|assigned_at|started_at|completed_at|assignee"
    "|to_agent|objective|result|error"
)
_FIELD = re.compile(rf"^(?:{_FIELDS})[ \t]*:", re.MULTILINE)
_TIGHT = re.compile(rf"({_FIELDS}):(?=[^\s:/])")
