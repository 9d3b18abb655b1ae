"""`task new`: the templates there are, a file made of one, looked at before it goes anywhere, and where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import resources, submitting
from orchestrator.adapters.place import Place
from orchestrator.core import layout
from orchestrator.core.problem import Problem
from orchestrator.core.types import Folder
from orchestrator.errors import NotFoundError, OrchestratorError
from orchestrator.taskfile.drafting import Template, draft, template_of
from orchestrator.taskfile.vetting import Candidate, Vetted, examine, nearest
from orchestrator.wiring.agent_names import settings_of

if TYPE_CHECKING:
    from orchestrator.core.settings import Settings

_FOLDER = "templates/tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a new task can be made of here."""

    agents: Sequence[tuple[str, str]]  # key, and what does its tasks
    templates: Mapping[str, Template]
    refused: Sequence[str]  # templates that cannot be read, and why
    settings: "Settings | None"
    left_out: str  # why the agents are not known; empty: they are

    @property
    def only_agent(self) -> str:
        """The one that it must be for; empty where there is a choice."""
        return self.agents[0][0] if len(self.agents) == 1 else ""

    def template(self, name: str) -> Template:
        """The template of that name. Raises NotFoundError with the nearest."""
        if name not in self.templates:
            raise NotFoundError(f"there is no template {name!r}; {nearest(name, self.templates)}")
        return self.templates[name]

    def agent_of(self, template: Template | None) -> str:
        """The agent that a template proposes, where there is one of that name; else the only one there is."""
        from orchestrator.core.agents import Unknown, resolve

        proposed = template.says("agent") if template is not None else ""
        if proposed and self.settings is not None and not isinstance(resolve(proposed, self.settings.agents), Unknown):
            return proposed
        return self.only_agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A new task file that is not there yet."""

    id: str
    content: bytes

    @property
    def name(self) -> str:
        """What its file is to be called."""
        return f"{self.id}.yaml"


def choices(place: Place | None) -> Choices:
    """Of this workspace; without one the templates that ship with the program."""
    settings, left_out = settings_of(place) if place is not None else (None, "there is no workspace here")
    templates, refused = _templates(place)
    agents = [] if settings is None else [(key, _who(settings, key)) for key in settings.agents]
    return Choices(agents=agents, templates=templates, refused=refused, settings=settings, left_out=left_out)


def compose(fields: Mapping[str, object], template: Template | None, *, task_id: str = "") -> Draft:
    """The file that says these fields; its id is made of time, agent and title as `submit` makes it."""
    now = datetime.now(UTC)
    title = str(fields.get("title") or (template.says("title") if template is not None else ""))
    about = title or str(fields.get("description") or "").strip().partition("\n")[0]
    made = task_id or submitting.new_id(now, str(fields.get("agent") or ""), about)
    return Draft(id=made, content=draft({"id": made, "status": "new", **fields, "created_at": now}, template))


def vet(new: Draft, known: Choices, *, into: str = "") -> Vetted:
    """What is wrong with it where it is to go: into the inbox, or into that file."""
    folder = None if into else Folder.INBOX
    return examine(Candidate(path=into or new.name, raw=new.content, folder=folder, name=new.name), known.settings)


def refusal(problems: Sequence[Problem]) -> OrchestratorError:
    """All of them as one error."""
    from orchestrator.core.problem import render

    return OrchestratorError("\n".join(map(render, problems)))


def write(target: Path, new: Draft) -> None:
    """Makes that file, whole, and never over another.

    Raises:
        OrchestratorError: something is there, or it cannot be written.
    """
    from orchestrator.adapters import files
    from orchestrator.ports import NameTakenError

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.create(target, new.content)
    except NameTakenError:
        raise OrchestratorError(f"{target}: is there already, and stays as it is; name another file") from None
    except OSError as error:
        raise OrchestratorError(f"{target}: cannot be written: {error.strerror}") from error


def next_step(place: Place | None, written: Path | None) -> str:
    """The command that comes next, once it is in the inbox or in that file."""
    if written is not None:
        return _next_of_file(place, written)
    from orchestrator.wiring import query_service

    if place is not None:
        daemon = query_service(place).daemon()
        if daemon.running and daemon.what == "daemon":
            return "orchestrator status"
    return "orchestrator daemon --until-idle"


def _next_of_file(place: Place | None, written: Path) -> str:
    import shlex

    settings, _ = settings_of(place) if place is not None else (None, "")
    intake = settings.intake if settings is not None else None
    real, name = written.resolve(), shlex.quote(str(written))
    if place is not None and intake is not None and intake.branch and real.is_relative_to(place.root):
        inner = real.relative_to(place.root).as_posix()
        if inner.startswith(intake.paths):
            return f"git add {name} && git commit -m 'Add a task', which drops it into the inbox from {intake.branch}"
    return f"orchestrator submit {name}" if place is not None else "orchestrator init"


def _templates(place: Place | None) -> tuple[dict[str, Template], list[str]]:
    """By name; one of the repository's own goes before ours of the same name."""
    found: dict[str, Template] = {}
    refused: list[str] = []
    folders = [(resources.folder("templates") / "tasks", _FOLDER)]
    if place is not None and (own := place.root / _FOLDER).is_dir() and not own.samefile(folders[0][0]):
        folders.append((own, _FOLDER))
    for folder, shown in folders:
        for file in sorted(folder.iterdir()):
            if layout.is_task_name(file.name) and file.is_file():
                try:
                    template = template_of(file.read_bytes(), name=file.name, path=f"{shown}/{file.name}")
                except (OrchestratorError, OSError) as error:
                    refused.append(str(error))
                else:
                    found[template.name] = template
    return found, refused


def _who(settings: "Settings", key: str) -> str:
    """What does an agent's tasks, in a few words."""
    agent = next(one for name, one in settings.agents.items() if name == key)
    if agent.manual:
        return "a person"
    return " ".join(filter(None, (agent.preferred_tool, agent.preferred_model)))
