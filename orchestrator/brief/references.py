"""Which files a task is about: those that it names in its fields, and those that its text mentions."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.task import Task


class Role(StrEnum):
    """Why a file is referenced."""

    CONTEXT = "context file"
    ARTEFACT = "artefact"
    SPECIFICATION = "specification"
    MENTIONED = "mentioned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A path relative to the workspace, and why it is looked at."""

    path: str
    role: Role


_MOST = 300  # references of a task that are looked at
_MOST_TEXT = 1 << 20
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/.~@-])(?:\./)?([\w@+-][\w.@+-]*(?:/[\w.@+-]+)*)")
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


def references(task: Task) -> tuple[Reference, ...]:
    """The references in the task's own order, each path once: fields first, then what the text mentions, sorted."""
    named = [Reference(path=path, role=Role.CONTEXT) for path in task.context_files]
    named += [Reference(path=path, role=Role.ARTEFACT) for path in task.artefacts]
    if task.specification:
        named.append(Reference(path=task.specification, role=Role.SPECIFICATION))
    named += [Reference(path=path, role=Role.MENTIONED) for path in sorted(_mentioned(task))]
    once: dict[str, Reference] = {}
    for reference in named:
        path = _plain(reference.path)
        if path and path not in once:
            once[path] = Reference(path=path, role=reference.role)
    return tuple(once.values())[:_MOST]


def is_surely_a_path(reference: Reference) -> bool:
    """Whether its absence is worth a word: `and/or` in a text is no path, `src/app/main.py` is one."""
    if reference.role is not Role.MENTIONED:
        return True
    return "/" in reference.path and _EXTENSION.search(reference.path) is not None


def _mentioned(task: Task) -> set[str]:
    found = set()
    for text in _texts(task):
        for match in _PATH.finditer(_URL.sub(" ", text[:_MOST_TEXT])):
            token = match[1].rstrip(".-")
            if "/" in token or _EXTENSION.search(token):
                found.add(token)
    return found


def _texts(task: Task) -> Iterator[str]:
    yield from (task.title, task.description, task.body, task.prompt, *task.notes)
    yield from _strings(task.context)
    yield from _strings(task.extras)


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case Mapping() as mapping:
                waiting += mapping.values()
            case list() | tuple() as items:
                waiting += items
            case _:
                pass


def _plain(path: str) -> str:
    """Without `./` and doubled slashes; empty where it leads out of the workspace."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    return "" if path.startswith("/") or ".." in parts or "\0" in path else "/".join(parts)
