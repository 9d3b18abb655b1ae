"""Field names and words that are tolerated, as they are written today. The task stays the same, or they stay."""

from orchestrator.strictyaml import Node
from orchestrator.taskfile.file import TaskFile, TaskFileRefused, parse
from orchestrator.taskfile.mending_repair import Repair
from orchestrator.taskfile.rewriting import rewrite

TODAY = {
    "artifacts": "artefacts",
    "assignee": "agent",
    "to_agent": "agent",
    "objective": "description",
    "created": "created_at",
    "created_date": "created_at",
    "completed": "completed_at",
    "completed_date": "completed_at",
    "updated": "last_modified",
}


def spelled_today(file: TaskFile, *, name: str) -> tuple[TaskFile, list[Repair]]:
    """The file as it is spelled today, and what was changed."""
    done: list[Repair] = []
    for old, new in TODAY.items():
        node = _fields(file).get(old)
        if node is None or node.key_span is None:
            continue
        if (changed := _same_task(file, _renamed(file, node, new), name)) is not None:
            done.append(Repair(line=node.key_span.line, what=f"`{old}` is written `{new}` today"))
            file = changed
    for field in ("status", "priority"):
        node = _fields(file).get(field)
        word = str(getattr(file.task, field))
        if node is None or not isinstance(node.value, str) or node.value == word:
            continue
        if (changed := _same_task(file, rewrite(file, {field: word}), name)) is not None:
            done.append(Repair(line=node.span.line, what=f"{field} `{node.value}` is written `{word}` today"))
            file = changed
    return file, sorted(done, key=lambda one: one.line)


def _fields(file: TaskFile) -> dict[str, Node]:
    value = file.document.root.value
    return value if isinstance(value, dict) else {}


def _renamed(file: TaskFile, node: Node, name: str) -> bytes:
    assert node.key_span is not None
    start, end = node.key_span.start, node.key_span.end
    quote = file.text[start] if file.text[start] in "'\"" else ""
    return file.mark + f"{file.text[:start]}{quote}{name}{quote}{file.text[end:]}".encode()


def _same_task(file: TaskFile, raw: bytes, name: str) -> TaskFile | None:
    """What the bytes say, where that is the same task."""
    try:
        found = parse(raw, name=name, path=file.path)
    except TaskFileRefused:  # both spellings are there: today's counts, and the other one is a field of its own
        return None
    return found if found.task == file.task else None
