"""`orchestrator agent`: the agents of the configuration, and their profiles read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.problem import Problem
from orchestrator.core.settings import Agent
from orchestrator.errors import ConfigRefusedError, NotFoundError, OrchestratorError
from orchestrator.taskfile.profile import SUFFIX, Profile, parse
from orchestrator.wiring.configuring import read_settings

_MOST = (1 << 20) + 1  # bytes; one more than is read, so that the reader says that it is too large


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One agent, with its profile where it has one."""

    agent: Agent
    profile: Profile | None

    def plain(self) -> dict[str, object]:
        """For --json."""
        if self.profile is None:
            return agent_plain(self.agent) | {"profile_content": None}
        content = {
            "name": self.profile.name,
            "description": self.profile.description,
            "tools": list(self.profile.tools),
            "other": dict(self.profile.extras),
            "body": self.profile.body,
        }
        return agent_plain(self.agent) | {"profile_content": content}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of profiles that were looked at."""

    files: int
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def bad(self) -> int:
        """Files with problems."""
        return len({problem.path for problem in self.problems})


def agents(place: Place) -> list[Agent]:
    """Those of the configuration, in its order."""
    return list(read_settings(place).agents.values())


def runs_on(agent: Agent) -> str:
    """What does its tasks: `tool:model`; '' for a person's role and where nothing is said."""
    if agent.manual or not agent.preferred_tool:
        return ""
    return f"{agent.preferred_tool}:{agent.preferred_model}" if agent.preferred_model else agent.preferred_tool


def agent_plain(agent: Agent) -> dict[str, object]:
    """For --json."""
    return {
        "key": agent.key,
        "name": agent.profile_name or None,
        "aliases": list(agent.aliases),
        "manual": agent.manual,
        "preferred_tool": agent.preferred_tool or None,
        "preferred_model": agent.preferred_model or None,
        "fallback_chain": list(agent.fallback_chain),
        "task_types": dict(agent.task_types),
        "policy": agent.policy,
        "profile": agent.profile or None,
    }


def show(place: Place, written: str) -> Shown:
    """The agent that a task would mean by that word. NotFoundError where it means none, or several."""
    known = read_settings(place).agents
    found = resolve(written, known)
    if isinstance(found, Unknown):
        raise NotFoundError(f"{found.why}; see: orchestrator agent list")
    agent = known[found]
    if not agent.profile:
        return Shown(agent=agent, profile=None)
    return Shown(agent=agent, profile=parse(_read(place.root / agent.profile, agent.profile), path=agent.profile))


def check(files: Sequence[str]) -> Checked:
    """These profiles, wherever they lie. NotFoundError for one that is not there."""
    profiles = [parse(_read(Path(name), name), path=name) for name in dict.fromkeys(files)]
    stray = [
        Problem(
            path=one.path, message="it is not found by its name", hint=f"call it NAME{SUFFIX}, as profiles are called"
        )
        for one in profiles
        if not one.path.endswith(SUFFIX)
    ]
    return _checked(profiles, (), stray)


def check_configured(place: Place) -> Checked:
    """Every profile that an agent of the configuration names. What else is wrong there `config validate` tells."""
    try:
        known = read_settings(place).agents.values()
    except ConfigRefusedError:
        return _check_refused(place)
    paths = dict.fromkeys(agent.profile for agent in known if agent.profile)
    return _checked([parse(_read(place.root / path, path), path=path) for path in paths], (), ())


def _check_refused(place: Place) -> Checked:
    """The same where something is wrong with the configuration: a profile, its place, or anything else."""
    from orchestrator.wiring.configuring import examined

    read = examined(place)
    sheet = read.book.agents_sheet
    if not sheet.readable:
        raise OrchestratorError(f"{sheet.path} cannot be read; see: orchestrator config validate")
    of_agents = [problem for problem in sheet.problems if problem.key.endswith(".profile")]
    there = {profile.path: profile for profile in read.profiles.values() if profile != Profile(path=profile.path)}
    return _checked(list(there.values()), of_agents, ())


def _checked(profiles: Sequence[Profile], problems: Sequence[Problem], warnings: Sequence[Problem]) -> Checked:
    found, odd = list(problems), list(warnings)
    named: dict[str, str] = {}
    for one in profiles:
        found += [*one.problems, *one.faults]
        odd += one.remarks
        first = named.setdefault(one.name, one.path) if one.name else one.path
        if first != one.path:
            message = f'"{one.name}" is the name in {first} too'
            odd.append(
                Problem(path=one.path, message=message, hint="a task that says so is refused: rename one of them")
            )
    return Checked(files=len(profiles) + len(problems), problems=tuple(found), warnings=tuple(odd))


def _read(file: Path, shown: str) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_MOST)
    except FileNotFoundError as error:
        raise NotFoundError(f"{shown}: there is no such file") from error
    except OSError as error:
        raise OrchestratorError(f"{shown}: {error.strerror or error}; make it a file that you may read") from error
