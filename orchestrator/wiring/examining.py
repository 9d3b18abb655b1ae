"""`orchestrator doctor`: which examinations there are for a place, run side by side and each within its time."""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from orchestrator.adapters.doctor import machine, repository, sandbox, storage, tools, workspace
from orchestrator.adapters.doctor.asking import ask
from orchestrator.adapters.mounts import Mount, parse_command, table
from orchestrator.adapters.place import Place
from orchestrator.adapters.workspaces import naming
from orchestrator.config import ConfigRefused
from orchestrator.core import routing
from orchestrator.core.finding import Finding, Topic
from orchestrator.core.settings import Agent, Settings, Tool, WorkspaceSettings
from orchestrator.core.task import Task
from orchestrator.core.types import TaskId
from orchestrator.errors import NotFoundError, OrchestratorError
from orchestrator.launch import Host, environment
from orchestrator.wiring.configuring import read_settings

SECONDS = 2.0  # for each question to a tool, and with a little more for each examination
_LATE = 1.0
CONFIGURATION = Topic(name="configuration")
AGENTS = Topic(name="agents")

Findings = Iterable[Finding]
Examination = tuple[Topic, str, Callable[[], Findings]]  # topic and name stand for it where it never answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found, and what was left out."""

    findings: tuple[Finding, ...]
    left_out: str = ""  # why the workspace was not examined


def examine(place: Place | None, only: Sequence[str] = (), *, why_no_place: str = "") -> Examined:
    """Examines the machine, and the workspace at `place`; of the tools `only` these, where any is named.

    Raises NotFoundError where no such tool is declared.
    """
    is_workspace = place is not None and _is_workspace(place)
    left_out = "" if is_workspace else why_no_place or _no_workspace(place)
    folder = place.root if place is not None else Path.cwd()
    settings, problem = _configured(place) if place is not None and is_workspace else (None, ())
    if only:
        _check_names(only, settings, left_out)
    planned = _of_the_machine(folder, lambda: _newest(place if is_workspace else None))
    if place is not None and is_workspace:
        planned += _of_the_workspace(place, settings)
    if settings is not None and place is not None:
        planned += _of_the_tools(place, settings, only)
    found = list(problem) + together(planned, SECONDS + _LATE)
    return Examined(findings=tuple(sorted(found, key=_order)), left_out=left_out)


_TOPICS = ("program", "system", "git", "disk", "processes", "workspace", "configuration", "tools", "agents")


def _order(finding: Finding) -> int:
    return _TOPICS.index(finding.topic)


def _is_workspace(place: Place) -> bool:
    """Made one here, or cloned with its configuration. A `config` folder alone may be somebody else's."""
    return place.state.is_dir() or any((place.config / f"{name}.yaml").is_file() for name in ("agents", "tools"))


def _no_workspace(place: Place | None) -> str:
    return f"{place.root if place else Path.cwd()} is no workspace yet; make it one: orchestrator init"


def _check_names(only: Sequence[str], settings: Settings | None, left_out: str) -> None:
    if settings is None:
        why = left_out or "the configuration cannot be read; see: orchestrator doctor"
        raise NotFoundError(f"no tool can be examined: {why}")
    for name in only:
        if name not in settings.tools:
            near = get_close_matches(name, settings.tools, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(settings.tools) or 'none'}"
            raise NotFoundError(f"no tool {name!r} in config/tools.yaml; {hint}")


def _configured(place: Place) -> tuple[Settings | None, tuple[Finding, ...]]:
    try:
        settings = read_settings(place)
    except ConfigRefused as refused:
        first, many = refused.problems[0], len(refused.problems)
        where = f"{first.path}:{first.line}:{first.column}" if first.line else first.path
        key = f"{first.key}: " if first.key else ""
        said = f"{many} error{'s' if many > 1 else ''}, the first at {where}: {key}{first.message}"
        return None, (CONFIGURATION.fail("files", said, first.hint or "mend it, then: orchestrator doctor"),)
    except OSError as error:
        return None, (CONFIGURATION.fail("files", f"{error.filename}: {error.strerror}", "see who may read it"),)
    counts = f"agents {len(settings.agents)}, tools {len(settings.tools)}, models {len(settings.models)}"
    return settings, (CONFIGURATION.ok("files", f"{place.config}: {counts}"),)


def _of_the_machine(folder: Path, newest: Callable[[], datetime | None]) -> list[Examination]:
    return [
        (machine.PROGRAM, "python", lambda: machine.program(os.environ)),
        (machine.SYSTEM, "system", machine.system),
        (machine.SYSTEM, "clock", lambda: machine.clock(datetime.now(UTC), newest())),
        (machine.SYSTEM, "open files", machine.open_files),
        (machine.SYSTEM, "inotify", machine.watches),
        (repository.GIT, "version", lambda: repository.version(folder)),
        (sandbox.SANDBOX, "features", sandbox.examine),
    ]


def _of_the_workspace(place: Place, settings: Settings | None) -> list[Examination]:
    planned: list[Examination] = [
        (workspace.WORKSPACE, "daemon", lambda: workspace.daemon(place)),
        (workspace.WORKSPACE, "index", lambda: workspace.index(place)),
    ]
    if place.git_dir is not None:
        planned.append((repository.GIT, "identity", lambda: repository.identity(place.root)))
        planned.append((repository.GIT, "hooks", lambda: repository.hooks(place.root)))
    if settings is not None:
        trail = settings.trail
        planned.append((workspace.WORKSPACE, "work folder", lambda: workspace.work_folder(place, trail)))
        planned.append((workspace.WORKSPACE, "trail", lambda: workspace.backlog(place, trail)))
    mounts = _mounts()
    for name, folder in _folders(place, settings).items():
        planned.append((storage.DISK, name, _disk(name, folder, mounts)))
    return planned


def _newest(place: Place | None) -> datetime | None:
    try:
        return workspace.newest_event(place) if place is not None else None
    except (OrchestratorError, OSError):
        return None  # the index has a finding of its own


def _folders(place: Place, settings: Settings | None) -> dict[str, Path]:
    folders = {"state": place.state, "work": place.work}
    if place.common_dir is not None:
        wanted = settings.workspaces if settings is not None else WorkspaceSettings()
        folders["worktrees"] = naming.home(place, wanted, os.environ)
    return folders


def _disk(name: str, folder: Path, mounts: Sequence[Mount]) -> Callable[[], Findings]:
    return lambda: storage.examine(name, folder, holds_index=name == "state", mounts=mounts)


def _mounts() -> list[Mount]:
    if found := table():
        return found
    return parse_command(ask(("mount",), env=os.environ, folder=Path("/"), seconds=SECONDS).text)


def _of_the_tools(place: Place, settings: Settings, only: Sequence[str]) -> list[Examination]:
    host = Host(root=place.root, work=place.work, state=place.state, environ=dict(os.environ))
    envs = {name: environment(host, tool.env, tool.env_pass) for name, tool in settings.tools.items()}
    around = tools.Surroundings(environ=os.environ, folder=place.root, seconds=SECONDS)
    planned: list[Examination] = []
    for name, tool in settings.tools.items():
        if not only or name in only:
            planned.append((tools.TOOLS, name, _tool(tool, envs[name], _users(name, settings), around)))
    planned.append((AGENTS, "agents", lambda: _agents(settings, envs, only)))
    return planned


def _tool(
    tool: Tool, env: Mapping[str, str], agents: Sequence[str], around: tools.Surroundings
) -> Callable[[], Findings]:
    return lambda: tools.examine(tool, env=env, agents=agents, around=around)


def _tools_of(agent: Agent) -> list[str]:
    return [agent.preferred_tool, *(link.partition(":")[0] for link in agent.fallback_chain)]


def _users(tool: str, settings: Settings) -> list[str]:
    return [str(agent.key) for agent in settings.agents.values() if tool in _tools_of(agent)]


def _agents(settings: Settings, envs: Mapping[str, Mapping[str, str]], only: Sequence[str]) -> Findings:
    """Which agents have a tool, by the very rules by which a task is routed."""
    task = TaskId("doctor")
    well: dict[str, list[str]] = {}
    for agent in settings.agents.values():
        if agent.manual or (only and not set(only) & set(_tools_of(agent))):
            continue
        planned = routing.plan(
            Task(id=task),
            agent,
            settings,
            routing.Conditions(unavailable=lambda tool: tools.unavailable(tool, envs[tool.name])),
        )
        if isinstance(planned, routing.Refusal):
            yield AGENTS.fail(
                str(agent.key), planned.why, "install one of its tools, or choose others in config/agents.yaml"
            )
        elif planned.first.reason is routing.RouteReason.FALLBACK:
            yield AGENTS.warn(str(agent.key), planned.first.why, f"make {agent.preferred_tool or 'a tool'} available")
        else:
            well.setdefault(planned.first.tool.name, []).append(str(agent.key))
    for tool, names in well.items():
        yield AGENTS.ok(f"by {tool}", ", ".join(names))


def together(planned: Sequence[Examination], seconds: float) -> list[Finding]:
    """All of them at once, each in a thread that nobody waits for past the limit: a dead file server never answers."""
    answers: queue.SimpleQueue[tuple[int, list[Finding] | BaseException]] = queue.SimpleQueue()

    def carry_out(number: int, call: Callable[[], Findings]) -> None:
        try:
            answers.put((number, list(call())))
        except BaseException as error:  # noqa: BLE001 - it is raised again, or told, by who waits for it
            answers.put((number, error))

    for number, (_, name, call) in enumerate(planned):
        threading.Thread(target=carry_out, args=(number, call), name=f"doctor-{name}", daemon=True).start()
    deadline = time.monotonic() + seconds
    missing = dict(enumerate(planned))
    found: dict[int, list[Finding]] = {}
    while missing:
        try:
            number, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        topic, name, _ = missing.pop(number)
        if isinstance(answer, OSError | OrchestratorError):
            found[number] = [topic.fail(name, f"cannot be examined: {answer}", "see what it says")]
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[number] = answer
    for number, (topic, name, _) in missing.items():
        todo = "a disk or a file server may not answer: see `mount`, and the system's log"
        found[number] = [topic.fail(name, f"no answer within {seconds:.0f} s", todo)]
    return [finding for number in sorted(found) for finding in found[number]]
