"""What may be written where git sees it, at each level of privacy (docs/explanation/privacy.md).

Secrets go at every level. `metadata` also keeps prompts, answers and the words of errors out of work logs, events,
results and commit messages: their length and hash stand in their place. Everything here is a function of values that
are about to be written; nothing is written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

from orchestrator.core.claims import Claims
from orchestrator.core.events import Event
from orchestrator.core.pattern import late
from orchestrator.core.settings import Privacy
from orchestrator.core.task import Task
from orchestrator.core.verdict import CheckResult, Done, Ending, Failed, Ran, Verdict
from orchestrator.core.workspace import Evidence

# Fields of an event that hold what was asked, answered or printed; everything else in it is ours, or a person's reason.
_CONTENT = frozenset({"prompt", "answer", "text", "errors", "stdout", "stderr", "output", "problem"})
_OUR_WORDS = frozenset({Ending.NOT_STARTED, Ending.OVER_LIMIT})  # what `Ran.errors` says then is not the tool's
_MEASURED = late(r"withheld: [0-9,]{1,20} characters in [0-9,]{1,20} lines, sha256 [0-9a-f]{64}")
_EMAIL = late(r"(?<![\w.+-])[\w.+-]{1,64}@(?=[A-Za-z0-9])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_HOME = late(r"((?:/home/|/Users/|\\Users\\))(?!\[redacted:)[^/\\\s:\"'<>|]{1,64}")
_ADDRESS = late(r"(?<![\w.])(?!127\.|0\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])")


class Redacts(Protocol):
    """What takes secrets out (core.redaction.Redactor, which takes 20 ms to load)."""

    def text(self, text: str, /) -> str:
        """The text without its secrets."""

    def data(self, value: object, /) -> object:
        """A value as JSON has it, without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Veil:
    """A level, and what takes the secrets out."""

    level: Privacy = Privacy.METADATA
    redactor: Redacts

    def told(self, text: str) -> str:
        """Our own words, a person's reason, a tool's claims: kept at every level, without secrets."""
        return self.redactor.text(text)

    def content(self, text: str) -> str:
        """A prompt, an answer, or what was printed."""
        match self.level:
            case Privacy.METADATA:
                return measure(text)
            case Privacy.REDACTED:
                return impersonal(self.redactor.text(text))
            case Privacy.FULL:
                return self.redactor.text(text)

    def values(self, value: object) -> object:
        """Fields of a task file, a result, an error: nested values, without secrets."""
        return self.redactor.data(value)


def measure(text: str) -> str:
    """What stands for a text that is not shown: how long it is, and by what it is known again."""
    if not text.strip():
        return ""
    if _MEASURED.fullmatch(text) is not None:
        return text
    digest = sha256(text.rstrip("\n").encode("utf-8", "surrogateescape")).hexdigest()
    return f"withheld: {len(text):,} characters in {len(text.splitlines()):,} lines, sha256 {digest}"


def impersonal(text: str) -> str:
    """Without addresses of e-mail and machines, and the names of home folders."""
    text = _EMAIL.sub("[redacted:email]", text) if "@" in text else text
    text = _HOME.sub(r"\1[redacted:user]", text) if "/home/" in text or "Users" in text else text
    return _ADDRESS.sub("[redacted:address]", text)


def ran(veil: Veil, ran: Ran) -> Ran:
    """The run as it is judged and recorded: give this to `judge`, and no reason that it makes tells more than this.

    Whether there is an answer stays as it was, so the verdict is the same; only its words are fewer.
    """
    errors, problem, denials = ran.errors, ran.problem, ran.denials
    if ran.ending in _OUR_WORDS:
        errors = veil.told(errors)
    else:
        errors = "" if veil.level is Privacy.METADATA else veil.content(errors)
    if veil.level is Privacy.METADATA:
        problem = ""
        denials = tuple(_tool_of(denial) for denial in denials)
    else:
        problem = veil.content(problem)
        denials = tuple(veil.content(denial) for denial in denials)
    return replace(ran, text=veil.content(ran.text), errors=errors, problem=problem, denials=denials)


def _tool_of(denial: str) -> str:
    """What of a denial names no file and no command: `Bash` of `Bash rm -r notes`."""
    word = denial.split(maxsplit=1)[0] if denial.split() else ""
    return word if word.replace("_", "").replace("-", "").isalnum() and len(word) <= 40 else "a tool"


def check(veil: Veil, result: CheckResult) -> CheckResult:
    """What a check said: at `metadata` how it ended, without what it printed."""
    why = result.why
    if veil.level is Privacy.METADATA:
        return replace(result, why=veil.told(why.partition(": ")[0]))
    return replace(result, why=veil.content(why))


def claims(veil: Veil, claims: Claims) -> Claims:
    """The claims of a `result:` block, which are kept: they are what was asked to be written down. Without secrets.

    A next agent that holds a secret is no agent; paths that hold one are left out.
    """
    paths = {
        name: tuple(path for path in getattr(claims, name) if veil.told(path) == path)
        for name in ("next_artefacts", "artefacts_not_created")
    }
    problems = claims.problems
    if veil.level is Privacy.METADATA:  # what the reader of a broken block says quotes the block
        problems = tuple(
            "a result block was ignored" if problem.startswith("a result block was ignored") else problem
            for problem in problems
        )
    return replace(
        claims,
        summary=veil.told(claims.summary),
        next_agent=veil.told(claims.next_agent),
        next_task_title=veil.told(claims.next_task_title),
        next_task_notes=veil.told(claims.next_task_notes),
        problems=tuple(veil.told(problem) for problem in problems),
        **paths,
    )


def name_of(veil: Veil, task: Task) -> str:
    """What to call the task: at `metadata` its title where it has one of its own, else its id."""
    if veil.level is not Privacy.METADATA:
        return veil.told(task.name)
    asked = f"{task.prompt}\n{task.description}\n{task.body}"
    is_own = bool(task.title.strip()) and task.title.strip() not in asked
    return veil.told(task.title.strip()[:120]) if is_own else task.id


def task(veil: Veil, task: Task) -> Task:
    """The task as a work log may show it: at `metadata` without what it asks."""
    return replace(
        task,
        title=name_of(veil, task),
        prompt=veil.content(task.prompt),
        description=veil.content(task.description),
        body=veil.content(task.body),
        artefacts=tuple(veil.told(path) for path in task.artefacts),
        context=_mapping(veil, task.context),
        extras=_mapping(veil, task.extras),
        notes=tuple(veil.content(note) for note in task.notes),
    )


def _mapping(veil: Veil, values: Mapping[str, object]) -> Mapping[str, object]:
    """Free fields of a task: they are part of what is asked."""
    clean = {} if veil.level is Privacy.METADATA else veil.redactor.data(values)
    assert isinstance(clean, Mapping)
    return clean


def evidence(veil: Veil, evidence: Evidence) -> Evidence:
    """What git shows, as a work log may tell it."""
    return replace(
        evidence,
        changed=tuple(veil.told(path) for path in evidence.changed),
        missing=tuple(veil.told(path) for path in evidence.missing),
        problems=tuple(veil.told(problem) for problem in evidence.problems),
        kept=veil.told(evidence.kept),
    )


def verdict(veil: Veil, verdict: Verdict) -> Verdict:
    """A verdict without secrets. Its words are few at `metadata` where it was reached on `ran` and `check` of here."""
    match verdict:
        case Done() | Failed():
            return replace(verdict, why=veil.told(verdict.why))


def work_log(veil: Veil, context: Mapping[str, object]) -> dict[str, object]:
    """What the template of a work log is filled with. Raw values go in; those that were veiled already stay so."""
    shown = {name: _shown(veil, value) for name, value in context.items()}
    problems = context.get("problems")
    if isinstance(problems, tuple):
        kept = Claims(problems=tuple(str(problem) for problem in problems))
        shown["problems"] = claims(veil, kept).problems
    return shown


def _shown(veil: Veil, value: object) -> object:
    match value:
        case Task():
            return task(veil, value)
        case Ran():
            return ran(veil, value)
        case Done() | Failed():
            return verdict(veil, value)
        case Evidence():
            return evidence(veil, value)
        case CheckResult():
            return check(veil, value)
        case tuple():
            return tuple(_shown(veil, item) for item in value)
        case str():
            return veil.told(value)
        case _:
            return value


def event(veil: Veil, event: Event) -> Event:
    """The event as its line may tell it. Fields that hold content are measured at `metadata`; its reason is kept."""
    details: dict[str, object] = {}
    for name, value in event.details.items():
        if name in _CONTENT and isinstance(value, str):
            details[name] = veil.content(value)
        else:
            details[name] = _of(veil, name, value)
    return replace(event, why=veil.told(event.why), details=details)


def result(veil: Veil, result: Mapping[str, object]) -> dict[str, object]:
    """The `result` of a task file. Its summary and hand-over are claims, which are kept."""
    return {name: _of(veil, name, value) for name, value in result.items()}


def _of(veil: Veil, name: str, value: object) -> object:
    """What a field may hold; its name says whether it is a secret as a whole."""
    clean = veil.redactor.data({name: value})
    assert isinstance(clean, dict)
    return next(iter(clean.values()))


def message(veil: Veil, body: str, trailers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Body and trailers of a commit."""
    return veil.told(body), {name: veil.told(value) for name, value in trailers.items()}


def cleaned_fields(veil: Veil, fields: Mapping[str, object]) -> dict[str, object]:
    """Which top-level fields of a task file hold secrets, and what they are without: what is to be rewritten."""
    clean = veil.redactor.data(dict(fields))
    assert isinstance(clean, dict)
    return {name: clean[name] for name, value in fields.items() if name in clean and clean[name] != value}
