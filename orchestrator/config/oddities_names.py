"""Names of agents by which tasks reach another agent, or none (core.agents: which name goes before which)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.config.book import Book
from orchestrator.config.fields import shown
from orchestrator.config.wording import Finding, Step
from orchestrator.core.agents import profile_stem

if TYPE_CHECKING:
    from orchestrator.taskfile.profile import Profile

_KINDS = ("key", "profile", "profile_name", "alias")  # in the order in which a task's agent is looked up
_IS = {"key": "the key", "profile": "the file's name", "profile_name": "the name in the profile", "alias": "an alias"}


class _Called(NamedTuple):  # a tuple: there are thousands of them, and nearly all are nobody else's
    """One name of one agent."""

    name: str
    kind: str
    agent: str
    at: tuple[Step, ...]
    file: str  # of its profile


def odd_names(book: Book, profiles: "Mapping[str, Profile]") -> Iterator[Finding]:
    """Every name that does not lead to the agent that has it. Two agents may share a profile on purpose."""
    every: dict[str, list[_Called]] = {}
    for one in _names(book, profiles):
        every.setdefault(one.name, []).append(one)
    for called in every.values():
        if len(called) > 1:
            yield from _contested(called)


def _contested(called: list[_Called]) -> Iterator[Finding]:
    """What is odd about one name that is there more than once."""
    first = min(_KINDS.index(one.kind) for one in called)
    reached = [one for one in called if one.kind == _KINDS[first]]
    for one in called:
        if one.agent in {other.agent for other in reached}:
            others = [other for other in reached if other.agent != one.agent and other.file != one.file]
            if others:
                message = f"{shown(one.name)}, {_IS[one.kind]}, names {others[0].agent} too"
                hint = "a task that says so is refused: rename one of the two"
                yield Finding(at=one.at, message=message, hint=hint)
        elif reached[0].file != one.file or not one.file:
            other = reached[0]
            message = (
                f"{shown(one.name)}, {_IS[one.kind]}, is {_IS[other.kind]} of {other.agent}: tasks for it go there"
            )
            yield Finding(at=one.at, message=message, hint="rename one of the two")


def _names(book: Book, profiles: "Mapping[str, Profile]") -> Iterator[_Called]:
    for key, entry in book.agents.items():
        at: tuple[Step, ...] = ("agents", key)
        file = entry.profile or ""
        yield _Called(key, "key", key, at, file)
        if file:
            place = (*at, "profile")
            yield _Called(profile_stem(file), "profile", key, place, file)
            if (profile := profiles.get(key)) and profile.name:
                yield _Called(profile.name, "profile_name", key, place, file)
        for index, alias in enumerate(entry.aliases):
            yield _Called(alias, "alias", key, (*at, "aliases", index), file)
