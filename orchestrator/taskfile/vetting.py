"""Whether a task file may lie where it lies: what it says against its folder, the configuration and its former version.

`parse` answers what a file alone can tell. This adds what is known around it, for `task validate`, `task new` and the
hooks. It reads no file: bytes in, findings out.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from orchestrator.core import moves
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.problem import Problem
from orchestrator.core.settings import Settings
from orchestrator.core.task import Task
from orchestrator.core.types import Folder, Status
from orchestrator.strictyaml import Node, YamlRefused, problem_at
from orchestrator.taskfile.candidates import Candidate, candidate_at
from orchestrator.taskfile.drafting import asked_for
from orchestrator.taskfile.file import TaskFile, TaskFileRefused, look, parse

__all__ = ["Candidate", "Twins", "Vetted", "candidate_at", "examine", "nearest", "vet"]

_AGENT = ("agent", "assignee", "to_agent")
_OVER = frozenset({Folder.DONE, Folder.ARCHIVE})  # nothing runs there any more: what was known then need not be now
_MOST_NAMED = 12  # names in a hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetted:
    """What was found. `file` is None where it is no task at all."""

    problems: tuple[Problem, ...] = ()  # it must not stay so
    remarks: tuple[Problem, ...] = ()  # it can, and does not do what its author may think
    file: TaskFile | None = None


def vet(candidate: Candidate, settings: Settings | None) -> tuple[Problem, ...]:
    """All that is wrong with it, sorted by place; None as settings: agents, checks, tools, models are not looked at."""
    return examine(candidate, settings).problems


def examine(candidate: Candidate, settings: Settings | None) -> Vetted:
    """The same, with the remarks and the task that was read."""
    try:
        file, refused = look(candidate.raw, name=candidate.file_name, path=candidate.path)
    except YamlRefused as error:
        return Vetted(problems=_sorted(error.problems))
    vetting = _Vetting(candidate, file, settings)
    unread = {problem.key for problem in refused}  # what these say is not known: nothing more is said of them
    more = (problem for problem in vetting.problems() if problem.key not in unread or not problem.key)
    return Vetted(
        problems=_sorted((*refused, *more)), remarks=_sorted(vetting.remarks()), file=None if refused else file
    )


class Twins:
    """Ids that were seen, and in which file first."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def problems_of(self, file: TaskFile) -> Iterator[Problem]:
        """One, where a file before it has its id."""
        first = self._first.setdefault(file.task.id, file.path)
        if first != file.path:
            hint = "give one of them a new id and file name"
            yield _Fields(file).problem("id", f"{first} has the same id", hint)


def nearest(written: str, known: Collection[str]) -> str:
    """What to do about a name that nobody knows: the nearest one, else those that there are."""
    from difflib import get_close_matches

    loose = {name.casefold(): name for name in known}
    close = get_close_matches(written.casefold()[:200], loose, n=1)
    if close:
        return f'did you mean "{loose[close[0]]}"?'
    listed = sorted(known)
    more = ", ..." if len(listed) > _MOST_NAMED else ""
    return f"known are {', '.join(listed[:_MOST_NAMED])}{more}" if listed else "none is declared"


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


class _Fields:
    """Where the fields of a file are, for problems at them."""

    def __init__(self, file: TaskFile) -> None:
        self._document = file.document
        root = file.document.root.value
        self._nodes: dict[str, Node] = root if isinstance(root, dict) else {}

    def find(self, *names: str) -> tuple[str, Node] | None:
        """The first of these fields that says something."""
        found = ((name, self._nodes[name]) for name in names if name in self._nodes)
        return next(((name, node) for name, node in found if node.value is not None), None)

    def names(self) -> Collection[str]:
        """Every field."""
        return self._nodes.keys()

    def problem(self, name: str, message: str, hint: str = "") -> Problem:
        """At the value of that field; of the whole file where it has none."""
        found = self.find(name)
        if found is None:
            return Problem(path=self._document.path, key=name, message=message, hint=hint)
        return problem_at(self._document, found[1], message, hint, name)

    def at_entry(self, name: str, text: str, message: str, hint: str = "") -> Problem:
        """At the entry of a list that says this; at the list where it stands otherwise."""
        found = self.find(name)
        entries = found[1].value if found is not None else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry.value, str) and entry.value.strip().startswith(text):
                return problem_at(self._document, entry, message, hint, name)
        return self.problem(name, message, hint)

    def at_key(self, name: str, message: str, hint: str) -> Problem:
        """At the name of that field."""
        return problem_at(self._document, self._nodes[name], message, hint, name, at_key=True)


class _Vetting:
    """The rules, each giving what it finds."""

    def __init__(self, candidate: Candidate, file: TaskFile, settings: Settings | None) -> None:
        self._candidate = candidate
        self._file = file
        self._task: Task = file.task
        self._settings = settings
        self._at = _Fields(file)

    def problems(self) -> Iterator[Problem]:
        """What must not stay so."""
        rules: tuple[Callable[[], Iterator[Problem]], ...] = (
            self._place,
            self._open_places,
            self._status,
            self._move,
            self._agent,
            self._dependencies,
            self._checks,
            self._wishes,
        )
        for rule in rules:
            yield from rule()

    def remarks(self) -> Iterator[Problem]:
        """What is not taken as it is written."""
        if self._candidate.folder is None:
            yield from self._to_fill_in()
        yield from self._unheeded()
        yield from self._strange_fields()

    def _place(self) -> Iterator[Problem]:
        if self._candidate.astray:
            message, _, hint = self._candidate.astray.partition("; ")
            yield Problem(path=self._candidate.path, message=message, hint=hint)

    def _open_places(self) -> Iterator[Problem]:
        """What a template leaves open, in a file that somebody is to do something with."""
        if self._candidate.folder in {Folder.INBOX, Folder.ASSIGNED}:
            yield from self._to_fill_in()

    def _to_fill_in(self) -> Iterator[Problem]:
        texts = {"title": self._task.title, "description": self._task.description, "prompt": self._task.prompt}
        for name, text in texts.items():
            if asked_for(text):
                yield self._at.problem(name, "is still to be filled in", "write what is asked between the brackets")

    def _status(self) -> Iterator[Problem]:
        folder, status = self._candidate.folder, self._task.status
        if folder is None or folder is Folder.FRIDGE:
            return  # what is frozen keeps the status that it had
        written = self._at.find("status") is not None
        home = Folder.DONE if folder is Folder.ARCHIVE else folder
        if moves.HOME[status] is home or (not written and folder is Folder.ASSIGNED):
            return
        fitting = [one.value for one, place in moves.HOME.items() if place is home]
        says = f'"{status}" does not belong into {folder}/' if written else f"is absent, and the file lies in {folder}/"
        if not written:
            hint = f"write `status: {fitting[0]}`"
        elif home is Folder.INBOX and status is Status.DONE:
            hint = "a done task stays done: to have it done again give it a new id, and take status out"
        else:
            what = "write" if len(fitting) == 1 else "write one of"
            hint = f"{what} {', '.join(fitting)} there, or move the file to {moves.HOME[status]}/"
        yield self._at.problem("status", says, hint)

    def _move(self) -> Iterator[Problem]:
        before = self._candidate.before
        if before is None:
            return
        try:
            former = parse(before, name=self._candidate.file_name).task
        except TaskFileRefused:
            return  # it was no task: this is where it becomes one
        was = _standing(former, self._candidate.before_folder)
        now = _standing(self._task, self._candidate.folder)
        if was is not now and (why := moves.refusal_of(was, now)):
            message, _, ways = why.partition(": ")
            yield self._at.problem("status", message, ways)

    def _agent(self) -> Iterator[Problem]:
        folder, owner, settings = self._candidate.folder, self._candidate.owner, self._settings
        found = self._at.find(*_AGENT)
        name = found[0] if found else "agent"
        written = self._task.agent or (owner if folder is Folder.ASSIGNED else "")
        if not written:
            if folder is Folder.INBOX or (folder is None and settings is not None):
                known = next(iter(settings.agents), "NAME") if settings is not None else "NAME"
                yield self._at.problem("agent", "the task names no agent", f"add a line such as `agent: {known}`")
            return
        if folder not in _OVER and settings is not None:
            meant = resolve(written, settings.agents)
            if isinstance(meant, Unknown):
                message, _, hint = meant.why.partition("; ")
                yield self._at.problem(name, message, hint)
                return
        if owner and written != owner and self._key(written) != self._key(owner):
            hint = f"write `{name}: {owner}`, or move the file to {folder}/{written}/"
            yield self._at.problem(name, f'"{written}", and the file lies in the folder of {owner}', hint)

    def _key(self, written: str) -> str:
        """The agent's key; for one that is not known, the word itself."""
        meant = resolve(written, self._settings.agents) if self._settings is not None else written
        return written if isinstance(meant, Unknown) else meant

    def _dependencies(self) -> Iterator[Problem]:
        if self._task.id in self._task.depends_on:
            message = "the task would wait for itself"
            yield self._at.at_entry("depends_on", self._task.id, message, "take it out")

    def _checks(self) -> Iterator[Problem]:
        if self._settings is None or self._candidate.folder in _OVER:
            return
        known = self._settings.checks
        for name in self._task.verify:
            if name not in known:
                message = f'config/policies.yaml declares no check "{name}"'
                yield self._at.at_entry("verify", name, message, nearest(name, known))

    def _wishes(self) -> Iterator[Problem]:
        settings, task = self._settings, self._task
        if settings is None or self._candidate.folder in _OVER:
            return
        if task.tool and task.tool not in settings.tools:
            yield self._at.problem("tool", f'there is no tool "{task.tool}"', nearest(task.tool, settings.tools))
        models = _models(settings) if task.model else ()
        if models and task.model not in models:
            yield self._at.problem("model", f'there is no model "{task.model}"', nearest(task.model, models))

    def _unheeded(self) -> Iterator[Problem]:
        """A wish that the policy does not grant: the task runs, with what its agent prefers."""
        settings, task = self._settings, self._task
        if settings is None or self._candidate.folder in _OVER or not (task.tool or task.model):
            return
        agent = resolve(task.agent or self._candidate.owner, settings.agents)
        if isinstance(agent, Unknown):
            return
        policy = settings.policy(settings.agents[agent].policy)
        for name, wish in (("tool", task.tool), ("model", task.model)):
            if wish and name not in policy.tasks_may_choose:
                message = f"is not heeded: the policy {policy.name} does not let tasks choose it"
                yield self._at.problem(name, message, f"take it out, or add {name} to its tasks_may_choose")

    def _strange_fields(self) -> Iterator[Problem]:
        """A field of nobody's that is nearly one of ours: it is kept and given to the tool, and does nothing else."""
        if self._candidate.folder in _OVER:
            return
        for name in self._task.extras:
            if name in self._at.names() and (meant := _misspelt(name)):
                yield self._at.at_key(name, "is no field of a task file", f'did you mean "{meant}"?')


def _standing(task: Task, folder: Folder | None) -> Status:
    """Its status as the program takes it: in the inbox it is new whatever it says, and assigned/ says assigned."""
    if task.status is Status.DONE or folder not in {Folder.INBOX, Folder.ASSIGNED}:
        return task.status
    if folder is Folder.INBOX:
        return Status.NEW
    return Status.ASSIGNED if task.status is Status.NEW else task.status


def _models(settings: Settings) -> Collection[str]:
    """Every name that a model goes by."""
    names = set(settings.models)
    names.update(alias for model in settings.models.values() for alias in model.aliases)
    names.update(name for tool in settings.tools.values() for name in tool.models)
    return names


_FIELDS = (
    *("id", "agent", "status", "title", "description", "prompt", "priority", "mode", "task_type", "artefacts"),
    *("context", "depends_on", "dependencies", "verify", "budget_usd", "timeout", "tool", "model", "run"),
    *("specification", "feature", "created_at", "created_by", "pinned", "assignee", "artifacts", "context_files"),
)
_NEAR = 0.8


@functools.lru_cache(maxsize=1024)  # the files of one history share their odd fields
def _misspelt(name: str) -> str:
    """The field that was nearly written; empty where none was."""
    from difflib import get_close_matches

    close = get_close_matches(name.lower().replace("-", "_")[:40], _FIELDS, n=1, cutoff=_NEAR)
    return close[0] if close else ""
