"""Writes the brief: Markdown for people, with a `result:` block at its end for the orchestrator."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.brief import surroundings
from orchestrator.brief.outline import outline
from orchestrator.brief.references import Reference, Role, is_surely_a_path, references
from orchestrator.brief.surroundings import Dependency
from orchestrator.brief.workspace import MOST_BYTES, Found, Kind, Workspace
from orchestrator.core.task import Task

_MOST_ITEMS = 40  # of an outline
_MOST_ENTRIES = 20  # of a folder
_MOST_MISSING = 50


@dataclass(slots=True, kw_only=True)
class _Material:
    """What the references of a task turned out to be."""

    found: list[tuple[Reference, Found]] = field(default_factory=list)
    missing: list[Reference] = field(default_factory=list)
    to_make: list[Reference] = field(default_factory=list)


def write(task: Task, prompt: str, *, workspace: Path, work: Path) -> str:
    """The brief of a task.

    Args:
        task: The task.
        prompt: The prompt as the tool got it; shown as it is.
        workspace: The repository.
        work: The work folder, in which dependencies are looked for.
    """
    place = Workspace(workspace)
    material = _gather(task, place)
    depends = surroundings.dependencies(work, (*task.depends_on, *task.dependencies))
    named = [one.path for one, _ in material.found] + [one.path for one in material.to_make]
    tests = surroundings.related_tests(place, named)
    lines = [
        f"# Brief: {_line(task.name)}",
        *_asked(task),
        *_prompt(prompt),
        *_section("Files", (line for one in material.found for line in _file(place, *one))),
        *_section("To be made", (f"- {_code(one.path)}" for one in material.to_make)),
        *_section("Not there", _missing(place, material.missing)),
        *_section("Dependencies", _dependencies(task, depends)),
        *_section("Related tests", (f"- {_code(path)}: {_line(why)}" for path, why in tests)),
        "",
        "```yaml",
        "result:",
        f"  summary: {json.dumps(_summary(task, material, depends, len(tests)), ensure_ascii=False)}",
        "```",
    ]
    return "\n".join(lines) + "\n"


def _gather(task: Task, place: Workspace) -> _Material:
    material = _Material()
    for reference in references(task):
        if reference.role is Role.MENTIONED and not place.exists(reference.path):
            if is_surely_a_path(reference):
                material.missing.append(reference)
            continue
        found = place.look_up(reference.path)
        if found.kind is not Kind.MISSING:
            material.found.append((reference, found))
        elif reference.role is Role.ARTEFACT:
            material.to_make.append(reference)
        else:
            material.missing.append(reference)
    return material


def _asked(task: Task) -> Iterator[str]:
    facts = {
        "id": task.id,
        "agent": task.agent,
        "priority": task.priority,
        "mode": task.mode,
        "type": task.task_type,
        "feature": task.feature,
        "run": task.run,
        "checks": ", ".join(task.verify),
    }
    yield from ("", "## What is asked", "")
    yield from (f"- {name}: {_line(value)}" for name, value in facts.items() if value)
    for text in (task.description, task.body):
        if text.strip():
            yield ""
            yield from (f"> {line}".rstrip() for line in text.strip().splitlines())


def _prompt(prompt: str) -> Iterator[str]:
    if not prompt.strip():
        return
    longest = max((len(run) for run in re.findall(r"`{3,}", prompt)), default=2)
    fence = "`" * (longest + 1)
    yield from ("", "## The prompt", "", f"{fence}text", prompt.rstrip("\n"), fence)


def _file(place: Workspace, reference: Reference, found: Found) -> Iterator[str]:
    yield from ("", f"### {_code(found.path)} ({reference.role})", "")
    match found.kind:
        case Kind.FILE:
            commit = place.last_commit(found.path)
            yield f"- {_size(found)}"
            yield f"- last commit: {_line(commit)}" if commit else "- not committed yet"
            if not found.is_binary:
                yield from _outline(found)
        case Kind.FOLDER:
            shown = ", ".join(_code(name) for name in found.entries[:_MOST_ENTRIES])
            more = _more(len(found.entries) - _MOST_ENTRIES)
            yield f"- a folder of {_count(len(found.entries), 'entry', 'entries')}: {shown}{more}".rstrip(": ")
        case Kind.OUTSIDE:
            yield "- leads out of the workspace or into git's own folder: not read"
        case _:
            yield "- not read: no ordinary file, not permitted, or one too many"


def _size(found: Found) -> str:
    if found.is_binary:
        return f"{found.size:,} bytes, binary"
    lines = found.content.count(b"\n") + (not found.content.endswith(b"\n") and bool(found.content))
    whole = f"{found.size:,} bytes, {_count(lines, 'line')}"
    return whole if found.size <= MOST_BYTES else f"{whole} in the first {MOST_BYTES:,} bytes, which were read"


def _outline(found: Found) -> Iterator[str]:
    kind, items = outline(found.path, found.text)
    if not kind:
        return
    if not items:
        yield f"- no {kind}"
        return
    yield f"- {kind}:"
    for item in items[:_MOST_ITEMS]:
        place = f"{item.line}: " if item.line else ""
        yield f"{'  ' * (item.depth + 1)}- {place}{_line(item.words)}"
    if len(items) > _MOST_ITEMS:
        yield f"  - {_more(len(items) - _MOST_ITEMS).strip(' ,')}"


def _missing(place: Workspace, missing: list[Reference]) -> Iterator[str]:
    for reference in missing[:_MOST_MISSING]:
        near = surroundings.nearest(place, reference.path)
        hint = f"; nearest: {_code(near)}" if near else ""
        yield f"- {_code(reference.path)} ({reference.role}) does not exist{hint}"
    if len(missing) > _MOST_MISSING:
        yield f"- {_more(len(missing) - _MOST_MISSING).strip(' ,')}"


def _dependencies(task: Task, depends: tuple[Dependency, ...]) -> Iterator[str]:
    for one in depends:
        yield f"- {_code(one.task_id)}: {one.state}"
    for note in task.notes:
        yield f"- noted: {_line(note)}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """The section, or nothing where it has no lines."""
    body = list(lines)
    if body:
        yield from ("", f"## {title}")
        yield from body if not body[0] else ["", *body]


def _summary(task: Task, material: _Material, depends: tuple[Dependency, ...], tests: int) -> str:
    open_ones = sum(not one.state.startswith("done") for one in depends)
    parts = [
        _count(len(material.found), "reference") + " found",
        f"{len(material.missing)} missing",
        f"{len(material.to_make)} to be made",
        _count(tests, "related test"),
    ]
    if depends:
        parts.append(f"{open_ones} of {len(depends)} dependencies not done")
    return f"Brief of {_line(task.name)}: {', '.join(parts)}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _more(number: int) -> str:
    return f", and {number:,} more" if number > 0 else ""


def _line(text: str) -> str:
    """On one line, without control characters, however it was written."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _code(text: str) -> str:
    """As inline code, whatever backticks it holds."""
    clean = _line(text)
    if "`" not in clean:
        return f"`{clean}`"
    ticks = "`" * (max(len(run) for run in re.findall(r"`+", clean)) + 1)
    return f"{ticks} {clean} {ticks}"
