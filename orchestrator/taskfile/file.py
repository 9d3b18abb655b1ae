"""A task file that was read: its bytes, and the Task that they say."""

import codecs
from dataclasses import dataclass

from orchestrator.core.problem import Problem, render
from orchestrator.core.task import Task
from orchestrator.errors import OrchestratorError
from orchestrator.strictyaml import Document, Node, YamlRefused, decode, problem_at, read
from orchestrator.strictyaml.document import problem_in
from orchestrator.strictyaml.encoding import MAX_BYTES
from orchestrator.taskfile.build import build
from orchestrator.taskfile.fields import Fields
from orchestrator.taskfile.frontmatter import Parts, body_of, second_task, split, with_body_hint
from orchestrator.taskfile.rules import id_fault, without_suffix


class TaskFileRefused(OrchestratorError):  # noqa: N818 - a refusal is an expected answer, and is named as one
    """A file that is no task, with every reason that could be found, sorted by their place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(render(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """A task and the file that says it."""

    path: str
    raw: bytes
    task: Task
    document: Document  # the YAML part; its offsets are those of the whole text
    text: str  # the whole, without its byte order mark

    @property
    def mark(self) -> bytes:
        """The byte order mark, where the file starts with one."""
        return codecs.BOM_UTF8 if self.raw.startswith(codecs.BOM_UTF8) else b""


def parse(raw: bytes, *, name: str, path: str = "") -> TaskFile:
    """The task that the bytes of a file called `name` say. Raises TaskFileRefused with all that is wrong.

    Tolerated, as histories hold it: priorities and statuses in any case, `inbox`, `pending`, `todo` (new), `complete`
    and `completed` (done); `artifacts`, `created`, `created_date`, `completed`, `completed_date`, `updated`,
    `assignee`, `to_agent`, `objective` and `context_files` for the fields that they mean; one text where a list is
    expected; a time without a zone (UTC). A date under a legacy name that is none stays an extra field.
    An absent agent is not refused here: in `assigned/<agent>/` the folder names it.
    """
    try:
        file, problems = look(raw, name=name, path=path)
    except YamlRefused as refused:
        raise TaskFileRefused(refused.problems) from refused
    if problems:
        raise TaskFileRefused(problems)
    return file


def look(raw: bytes, *, name: str, path: str = "") -> tuple[TaskFile, tuple[Problem, ...]]:
    """The task as far as the bytes say one, and what is wrong with it: a field that does not fit is as if absent.

    For whoever wants all that is wrong at once. Raises YamlRefused where nothing can be told.
    """
    shown = path or name
    text = decode(raw, path=shown)
    parts = split(text)
    document = _read(text[: parts.yaml_end], shown, has_body=parts.body_start > parts.yaml_end)
    return _told(raw, text, parts, document, name=name)


def parse_read(raw: bytes, text: str, document: Document, *, name: str) -> TaskFile:
    """What `parse` gives, for a text whose YAML part was read already: reading is most of its price."""
    parts = split(text)
    if parts.yaml_end != len(document.text) or len(raw) > MAX_BYTES or not isinstance(document.root.value, dict):
        return parse(raw, name=name, path=document.path)
    try:
        _refuse_odd_keys(document, document.root.value)
    except YamlRefused as refused:
        raise TaskFileRefused(refused.problems) from refused
    file, problems = _told(raw, text, parts, document, name=name)
    if problems:
        raise TaskFileRefused(problems)
    return file


def _told(
    raw: bytes, text: str, parts: Parts, document: Document, *, name: str
) -> tuple[TaskFile, tuple[Problem, ...]]:
    shown = document.path
    fields = Fields(document)
    stem = without_suffix(name)
    body = body_of(text, parts)
    task = build(fields, stem=stem, body=body)
    problems = fields.problems or _whole_file(task, document, stem)
    other = second_task(text, parts)
    if other >= 0:
        hint = "write one task a file; text after `---` is the Markdown body"
        problems.append(problem_in(shown, text, other, "a second task starts here", hint))
    return TaskFile(path=shown, raw=raw, task=task, document=document, text=text), tuple(problems)


def _read(text: str, path: str, *, has_body: bool) -> Document:
    try:
        document = read(text, path=path)
    except YamlRefused as refused:
        if has_body:
            raise
        raise YamlRefused(tuple(with_body_hint(problem, text) for problem in refused.problems)) from refused
    root = document.root
    if isinstance(root.value, dict):
        _refuse_odd_keys(document, root.value)
        return document
    if root.value is None:
        problem = Problem(path=path, message="holds no fields", hint="write at least `agent:` and `title:`, one a line")
    else:
        what = "a list" if isinstance(root.value, list) else "plain text"
        hint = "write fields such as `agent: NAME` and `title: TEXT`; Markdown goes below a line `---` after them"
        problem = problem_at(document, root, f"a task file is a mapping of fields, and this is {what}", hint)
    raise YamlRefused((problem,))


def _refuse_odd_keys(document: Document, fields: dict[str, Node]) -> None:
    """A field starts its line, as everybody writes it: what follows a `?` could be read and not be rewritten."""
    if document.root.style == "flow":
        return
    for name, node in fields.items():
        if node.key_span and node.key_span.column != document.root.span.column:
            hint = f"write `{name}: value`"
            raise YamlRefused((problem_at(document, node, "a key does not start its line", hint, name, at_key=True),))


def _whole_file(task: Task, document: Document, stem: str) -> list[Problem]:
    problems: list[Problem] = []
    fault = id_fault(stem)
    if fault:
        hint = "rename the file, e.g. to 2026-02-12T1101-agent-what-to-do.yaml"
        problems.append(Problem(path=document.path, message=f'"{stem}" cannot be a task\'s id: {fault}', hint=hint))
    if not any(text.strip() for text in (task.title, task.description, task.prompt, task.body)):
        hint = "add `title:`, `description:` or `prompt:`, or a Markdown body below a line `---`"
        problems.append(Problem(path=document.path, message="does not say what to do", hint=hint))
    return problems
