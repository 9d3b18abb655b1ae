"""The fields of one file as a Task, every tolerated spelling turned into today's."""

from collections.abc import Mapping
from typing import TypeVar

from orchestrator.core.task import Task
from orchestrator.core.types import MicroUsd, Priority, Status, TaskId
from orchestrator.strictyaml import Node
from orchestrator.taskfile.fields import Fields
from orchestrator.taskfile.rules import id_fault, without_suffix

_T = TypeVar("_T")

# What histories hold besides today's names, without case and separators.
STATUSES = {status.value: status for status in Status} | {
    "inbox": Status.NEW,
    "pending": Status.NEW,
    "todo": Status.NEW,
    "complete": Status.DONE,
    "completed": Status.DONE,
    "canceled": Status.CANCELLED,
}
PRIORITIES = {priority.value: priority for priority in Priority}


def build(fields: Fields, *, stem: str, body: str) -> Task:
    """The task that the fields say; where they do not, `fields.problems` says so and the task is not to be used."""
    context, context_files = _context(fields)
    dependencies, notes = _dependencies(fields)
    budget = fields.money("budget_usd")
    return Task(
        id=_id(fields, stem),
        agent=fields.word("agent", "assignee", "to_agent"),
        status=_choice(fields, "status", STATUSES, Status.NEW),
        title=fields.word("title"),
        description=fields.text("description", "objective"),
        body=body,
        prompt=fields.text("prompt"),
        priority=_choice(fields, "priority", PRIORITIES, Priority.NORMAL),
        mode=fields.word("mode"),
        task_type=fields.word("task_type"),
        artefacts=fields.paths("artefacts", "artifacts"),
        context=context,
        context_files=context_files,
        depends_on=tuple(TaskId(name) for name in fields.ids("depends_on")),
        dependencies=dependencies,
        notes=notes,
        verify=tuple(text for text, _ in fields.items("verify")),
        budget=None if budget is None else MicroUsd(budget),
        timeout=fields.duration("timeout"),
        tool=fields.word("tool"),
        model=fields.word("model"),
        run=fields.word("run"),
        specification=fields.word("specification"),
        feature=fields.word("feature"),
        created_at=fields.moment("created_at", "created", "created_date"),
        created_by=fields.word("created_by"),
        assigned_at=fields.moment("assigned_at"),
        started_at=fields.moment("started_at"),
        completed_at=fields.moment("completed_at", "completed", "completed_date"),
        last_modified=fields.moment("last_modified", "updated"),
        pinned=fields.flag("pinned"),
        result=fields.mapping("result", "summary"),
        error=fields.mapping("error", "message"),
        extras=fields.extras(),
    )


def _id(fields: Fields, stem: str) -> TaskId:
    found = fields.find("id")
    if not found:
        return TaskId(stem)
    written = fields.word("id")
    if written != stem:
        message = f'the id is "{written}" and the file is called "{stem}"'
        fix = f"write `id: {stem}`"
        if not id_fault(written):
            fix = f"rename the file to {written}.yaml, or {fix}"
        fields.refuse("id", found[1], message, fix)
    return TaskId(stem)


def _choice(fields: Fields, name: str, choices: Mapping[str, _T], absent: _T) -> _T:
    found = fields.find(name)
    if not found:
        return absent
    written = fields.word(name)
    choice = choices.get("_".join(written.lower().replace("-", " ").replace("_", " ").split()))
    if choice is None:
        fields.refuse(name, found[1], f'"{written}" is not a {name}', _nearest(written, choices))
    return absent if choice is None else choice


def _nearest(written: str, choices: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(written.lower()[:40], choices, n=1)
    known = ", ".join(dict.fromkeys(str(choice) for choice in choices.values()))
    return f"did you mean {choices[close[0]]}?" if close else f"use one of {known}"


def _context(fields: Fields) -> tuple[dict[str, object], tuple[str, ...]]:
    """The context as a mapping, and the files named in it (or beside it, as older files have it)."""
    beside = fields.paths("context_files")
    found = fields.find("context")
    if not found:
        return {}, beside
    name, node = found
    value = node.plain()
    if not isinstance(value, dict):
        return {"notes": value}, beside
    files = node.value["files"] if isinstance(node.value, dict) and "files" in node.value else None
    within = fields.checked_paths(f"{name}.files", _texts(files)) if files else ()
    return {str(key): child for key, child in value.items()}, tuple(dict.fromkeys(within + beside))


def _texts(node: Node) -> list[tuple[str, Node]]:
    """The texts of a free-form list: entries of other kinds are context and no files."""
    entries = node.value if isinstance(node.value, list) else [node]
    return [(entry.value.strip(), entry) for entry in entries if isinstance(entry.value, str) and entry.value.strip()]


def _dependencies(fields: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What looks like an id, and the rest as notes. Nothing is refused here: people write prose into this field."""
    found = fields.find("dependencies")
    ids: list[str] = []
    notes: list[str] = []
    if found:
        entries = found[1].value if isinstance(found[1].value, list) else [found[1]]
        for entry in entries:
            _dependency(entry.plain(), ids, notes)
    return tuple(dict.fromkeys(ids)), tuple(notes)


def _dependency(value: object, ids: list[str], notes: list[str]) -> None:
    if isinstance(value, dict):
        wanted = value.get("task_id") or value.get("id") or value.get("task")
        if isinstance(wanted, str) and not id_fault(without_suffix(wanted)):
            ids.append(without_suffix(wanted))
            value = {key: child for key, child in value.items() if child != wanted}
        notes.append(_prose(value))
    elif isinstance(value, list):
        notes.append(_prose(value))
    elif value is not None:
        text = str(value).strip()
        target, other = (notes, text) if id_fault(without_suffix(text)) else (ids, without_suffix(text))
        target.append(other)


def _prose(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_prose(child)}" for key, child in value.items())
    if isinstance(value, list):
        return ", ".join(_prose(child) for child in value)
    return "" if value is None else str(value)
