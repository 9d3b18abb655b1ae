"""The `result:` block at the end of a tool's answer (FORMATS section 2), read into Claims. Nothing in it raises."""

import re
from collections.abc import Callable, Iterator, Mapping

from orchestrator.core.claims import Claims
from orchestrator.core.pattern import late
from orchestrator.errors import OrchestratorError

LONGEST_BLOCK = 64 * 1024  # characters
_MOST_BLOCKS = 20  # looked at, from the end
_MOST_ITEMS = 200
_BOUNDS = {"summary": 2_000, "next_agent": 200, "next_task_title": 300, "next_task_notes": 10_000}
_LINES = {"next_agent", "next_task_title"}  # texts that must be one line
_LISTS = ("next_artefacts", "artefacts_not_created")
_LONGEST_ITEM = 500

_FENCE = late(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$")
_HIDDEN = late("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def parse_claims(text: str, *, read_yaml: Callable[[str], object]) -> Claims:
    """The claims of the last fenced yaml block with a `result:` mapping; empty where there is none.

    Args:
        text: The whole answer.
        read_yaml: Block to plain values; refuses by raising an OrchestratorError.
    """
    problems: list[str] = []
    for block in list(_yaml_blocks(text))[: -_MOST_BLOCKS - 1 : -1]:
        if re.search(r"^\s*['\"{]*result\b", block, re.MULTILINE) is None:
            continue
        if len(block) > LONGEST_BLOCK:
            problems.append(f"a result block of {len(block):,} characters was ignored: at most {LONGEST_BLOCK:,}")
            continue
        try:
            found = read_yaml(block)
        except OrchestratorError as error:
            problems.append(f"a result block was ignored: {(str(error).splitlines() or ['it cannot be read'])[0]}")
            continue
        result = found.get("result") if isinstance(found, Mapping) else None
        if isinstance(result, Mapping):
            return _claims(result, problems)
        problems.append("a result block was ignored: `result` is not a mapping")
    return Claims(problems=tuple(problems))


def _yaml_blocks(text: str) -> Iterator[str]:
    """The bodies of fenced blocks named yaml, as CommonMark has fences: one inside a longer fence is only text."""
    fence, kind, body = "", "", list[str]()
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not fence:
            if found:
                fence, kind, body = found[1], found[2].strip().lower(), []
        elif found and not found[2].strip() and found[1].startswith(fence):
            if kind in {"yaml", "yml"}:
                yield "\n".join(body)
            fence = ""
        else:
            body.append(line)
    if fence and kind in {"yaml", "yml"}:  # the end of the text closes it
        yield "\n".join(body)


def _claims(result: Mapping[object, object], problems: list[str]) -> Claims:
    texts = {name: _text(name, result[name], problems) for name in _BOUNDS if result.get(name) is not None}
    lists = {name: _items(name, result[name], problems) for name in _LISTS if result.get(name) is not None}
    return Claims(
        summary=texts.get("summary", ""),
        next_agent=texts.get("next_agent", ""),
        next_task_title=texts.get("next_task_title", ""),
        next_task_notes=texts.get("next_task_notes", ""),
        next_artefacts=lists.get("next_artefacts", ()),
        artefacts_not_created=lists.get("artefacts_not_created", ()),
        problems=tuple(problems),
    )


def _text(name: str, value: object, problems: list[str]) -> str:
    if not isinstance(value, str):
        problems.append(f"result.{name} was ignored: it is not text")
        return ""
    clean = _HIDDEN.sub("", value).strip()
    if name in _LINES:
        clean = " ".join(clean.split())
    bound = _BOUNDS[name]
    if len(clean) > bound:
        problems.append(f"result.{name} was cut: {len(clean):,} characters, at most {bound:,}")
        clean = clean[: bound - 1].rstrip() + "…"
    return clean


def _items(name: str, value: object, problems: list[str]) -> tuple[str, ...]:
    """A list of paths inside the repository; what is no such path is left out."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        problems.append(f"result.{name} was ignored: it is not a list of paths")
        return ()
    kept = tuple(item for item in value[:_MOST_ITEMS] if isinstance(item, str) and _is_path(item))
    if len(kept) != len(value):
        problems.append(f"result.{name}: {len(value) - len(kept)} entries were ignored: no paths inside the repository")
    return kept


def _is_path(text: str) -> bool:
    return (
        0 < len(text) <= _LONGEST_ITEM
        and text == text.strip()
        and "\n" not in text
        and "\\" not in text
        and _HIDDEN.search(text) is None
        and not text.startswith(("/", "~", "-"))
        and ".." not in text.split("/")
        and ".git" not in text.lower().split("/")
    )
