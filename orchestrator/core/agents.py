"""Which agent a task means: by key, profile file, profile name or alias; else what it may have meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.types import AgentKey

if TYPE_CHECKING:
    from orchestrator.core.settings import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No one agent is meant. `why` is a sentence for the person; `nearest` are the keys that it may have been."""

    why: str
    nearest: tuple[AgentKey, ...] = ()


def resolve(written: str, agents: "Mapping[AgentKey, Agent]") -> AgentKey | Unknown:
    """The agent that a task names. Exact names go before those in another case or with other separators."""
    name = written.strip()
    if not name:
        return Unknown(why="the task names no agent; add a line such as `agent: " + next(iter(agents), "NAME") + "`")
    for spelling in (str, _loosely):
        wanted = spelling(name)
        for kind in ("key", "profile", "profile_name", "alias"):
            found = [key for key, agent in agents.items() if wanted in map(spelling, _names(kind, key, agent))]
            if len(found) == 1:
                return found[0]
            if found:
                return _ambiguous(name, found)
    return _unknown(name, agents)


def profile_stem(profile: str) -> str:
    """What a profile's file calls the agent: doctrine/agents/backend-dev.agent.md is backend-dev."""
    return profile.rsplit("/", 1)[-1].removesuffix(".md").removesuffix(".agent")


def _names(kind: str, key: AgentKey, agent: "Agent") -> Iterable[str]:
    if kind == "key":
        return (key,)
    if kind == "profile":
        return (profile_stem(agent.profile),) if agent.profile else ()
    if kind == "profile_name":
        return (agent.profile_name,) if agent.profile_name else ()
    return agent.aliases


def _loosely(name: str) -> str:
    """The name without case, and with one separator: people write Backend Benny for backend-benny."""
    return "-".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _ambiguous(name: str, found: list[AgentKey]) -> Unknown:
    both = " and ".join(f'"{key}"' for key in found)
    return Unknown(why=f'"{name}" names {both}; write the one that is meant', nearest=tuple(found))


def _unknown(name: str, agents: "Mapping[AgentKey, Agent]") -> Unknown:
    from difflib import get_close_matches

    keys: dict[str, AgentKey] = {}
    for key, agent in agents.items():
        for kind in ("alias", "profile_name", "profile", "key"):
            for known in _names(kind, key, agent):
                keys[_loosely(known)] = key
    close = get_close_matches(_loosely(name)[:200], keys, n=3, cutoff=0.6)
    nearest = tuple(dict.fromkeys(keys[match] for match in close))
    if nearest:
        meant = " or ".join(f'"{key}"' for key in nearest)
        return Unknown(why=f'no agent is called "{name}"; did you mean {meant}?', nearest=nearest)
    known = ", ".join(list(agents)[:12]) + (", ..." if len(agents) > 12 else "")
    hint = f"known are {known}" if agents else "config/agents.yaml declares none"
    return Unknown(why=f'no agent is called "{name}"; {hint}')
