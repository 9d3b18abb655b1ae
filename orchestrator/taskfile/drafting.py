"""A new task file, from fields and perhaps a template: a task file whose texts in angle brackets are to be filled in.

What the template says besides stays as it is, remarks and all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.core.pattern import late
from orchestrator.core.task import Task
from orchestrator.strictyaml import Node
from orchestrator.strictyaml.emit import flow
from orchestrator.taskfile.composing import compose
from orchestrator.taskfile.file import TaskFile, parse
from orchestrator.taskfile.frontmatter import split
from orchestrator.taskfile.rewriting import rewrite

_TO_FILL_IN = late(r"\s*<([^<>\n]+)>\s*")
_OFFERED = r"^# *{name}:[^\n]*\n"  # a field that a template offers, in a remark
_HEAD = ("id", "status")
_ORDER = (
    *("id", "agent", "status", "title", "priority", "mode", "task_type", "description", "context", "artefacts"),
    *("depends_on", "verify", "budget_usd", "timeout", "run", "created_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A task file to begin with."""

    name: str
    path: str  # as it is shown
    about: str  # its first remark: what kind of task it makes
    file: TaskFile

    def says(self, field: str) -> str:
        """What it says already in one of the fields for text; empty where that is to be filled in."""
        text = _text_of(self.file.task, field)
        return "" if asked_for(text) else text

    def asks(self, field: str) -> str:
        """What is to be filled in there, in its words."""
        return asked_for(_text_of(self.file.task, field))


def template_of(raw: bytes, *, name: str, path: str) -> Template:
    """The template that these bytes are. Raises TaskFileRefused."""
    file = parse(raw, name=name, path=path)
    remark = next((line for line in file.text.splitlines() if line.startswith("#")), "")
    return Template(name=name.rpartition(".")[0], path=path, about=remark.strip("# ").rstrip("."), file=file)


def asked_for(text: str) -> str:
    """What stands between the angle brackets of a text that is to be filled in; empty: it is a text like any other."""
    found = _TO_FILL_IN.fullmatch(text)
    return found[1] if found else ""


def draft(fields: Mapping[str, object], template: Template | None = None) -> bytes:
    """The bytes of a task file that says these fields: `id` and whatever else is known of it.

    Lists and `context` are added to what the template has; `description` becomes the body where the template has one.
    """
    given = dict(fields)
    if isinstance(text := given.get("description"), str) and "\n" in text.strip():
        given["description"] = text.strip("\n").rstrip() + "\n"  # as a block it reads best
    if template is None:
        ordered = {name: given[name] for name in _ORDER if name in given}
        return compose(ordered | given)
    return _filled_in(template.file, given)


def _filled_in(template: TaskFile, given: dict[str, object]) -> bytes:
    """First the text around the fields, then the fields: their values are spliced in, and read back."""
    nodes = _nodes(template)
    body = template.task.body
    if body:
        body = str(given.pop("description", "" if asked_for(body) else body)).strip("\n")
    head: dict[str, object] = {name: given[name] for name in _HEAD if name in given and name not in nodes}
    if template.document.root.style == "flow":
        head = {}  # no line of its own can begin it
    begun = _begun(template, head, frozenset(given), body)
    name = f"{head['id']}.yaml" if "id" in head else template.path.rpartition("/")[2]
    changes: dict[str, object | None] = {name: None for name, node in nodes.items() if _is_open(node)}
    changes |= {name: _added(nodes.get(name), value) for name, value in given.items() if name not in head}
    return rewrite(parse(begun.encode(), name=name), changes)


def _begun(template: TaskFile, head: Mapping[str, object], given: frozenset[str], body: str) -> str:
    """The template's text with these lines above its fields, without what told how to use it, and with that body."""
    yaml, text = template.document.text, template.text
    start = template.document.root.span.start
    above = "".join(line for line in yaml[:start].splitlines(keepends=True) if not line.startswith("#"))
    fields = yaml[start:]
    for name in given:
        fields = re.sub(_OFFERED.format(name=re.escape(name)), "", fields, flags=re.MULTILINE)
    lines = "".join(f"{name}: {flow(value)}\n" for name, value in head.items())
    fence = text[len(yaml) : split(text).body_start]
    below = f"{fence}{body}\n" if body else ""
    return f"{above}{lines}{fields}{below}"


def _added(node: Node | None, value: object) -> object:
    """A list goes on from what the template has, and so does a mapping; anything else stands in its place."""
    had = node.plain() if node is not None else None
    if isinstance(value, list):
        before = had if isinstance(had, list) else [had] if isinstance(had, str) and had else []
        return list(dict.fromkeys([*before, *value]))
    if isinstance(value, dict) and node is not None and isinstance(had, dict):
        inner = node.value if isinstance(node.value, dict) else {}
        return {**had, **{name: _added(inner.get(name), one) for name, one in value.items()}}
    return value


def _is_open(node: Node) -> bool:
    """Whether that text is still to be filled in."""
    return isinstance(node.value, str) and bool(asked_for(node.value))


def _text_of(task: Task, field: str) -> str:
    if field == "description":
        return task.description or task.body
    return task.agent if field == "agent" else task.title


def _nodes(file: TaskFile) -> dict[str, Node]:
    root = file.document.root.value
    return root if isinstance(root, dict) else {}
