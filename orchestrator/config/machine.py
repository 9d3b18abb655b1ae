"""What `init` finds on a machine and in a repository, as values. Names of keys, never what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

EMBEDDED = "brief"  # the tool that needs nothing


class Readiness(StrEnum):
    """How far a tool is from being used."""

    READY = "ready"
    NO_KEY = "no key"  # it is there, and no key or log-in of it is
    NO_MODEL = "no model"  # it runs only with a model that somebody names, and the catalogue names none
    NO_ANSWER = "no answer"  # it did not tell its version
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTool:
    """A tool of the catalogue, and what was found of it."""

    name: str
    path: str = ""  # of its program; empty: it is not on PATH
    version: str = ""
    trouble: str = ""  # why its version is not known
    keys: tuple[str, ...] = ()  # variables that are set, and files of a log-in
    key_names: tuple[str, ...] = ()  # variables that it takes one from
    may_be_elsewhere: str = ""  # where a log-in can be that nobody can look into: the keychain
    wants_key: bool = True  # it has keys that are known here
    models: tuple[str, ...] = ()  # that its stanza lists
    edits: bool = True  # it changes files, and does not only answer
    is_charged: bool = True  # each run is paid for by what it takes
    install: str = ""

    @property
    def readiness(self) -> Readiness:
        """Whether an agent may be given it."""
        if self.name == EMBEDDED:
            return Readiness.READY
        if not self.path:
            return Readiness.ABSENT
        if self.trouble:
            return Readiness.NO_ANSWER
        if self.wants_key and not self.keys and not self.may_be_elsewhere:
            return Readiness.NO_KEY
        knows_model = bool(self.models) or not self.is_charged
        return Readiness.READY if self.edits and knows_model else Readiness.NO_MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCheck:
    """A command that tests this project, and the file that says so."""

    name: str  # as a task asks for it
    command: tuple[str, ...]
    because_of: str
    setup: tuple[str, ...] = ()  # what a fresh worktree needs before it
    is_there: bool = True  # its program is on PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What the folder is."""

    has_git: bool = True
    is_bare: bool = False
    has_commits: bool = True
    tracks_work: bool = False  # files of work/ are on the branch that is checked out


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """All of it."""

    system: str = ""  # e.g. Linux 6.1 on x86_64
    is_wsl: bool = False
    python: str = ""
    git: str = ""
    git_trouble: str = ""
    tools: tuple[FoundTool, ...] = ()  # of the whole catalogue, in the order in which they are preferred
    checks: tuple[FoundCheck, ...] = ()
    repository: Repository = Repository()

    def tool(self, name: str) -> FoundTool:
        """That of the name; one that is absent where the catalogue has none."""
        return next((tool for tool in self.tools if tool.name == name), FoundTool(name=name))

    @property
    def found(self) -> tuple[FoundTool, ...]:
        """Those that are there, the embedded one left out."""
        return tuple(tool for tool in self.tools if tool.path and tool.name != EMBEDDED)

    @property
    def ready(self) -> tuple[FoundTool, ...]:
        """Those that an agent may be given, the embedded one left out."""
        return tuple(tool for tool in self.found if tool.readiness is Readiness.READY)


PREFERRED = ("claude", "codex", "gemini", "copilot", "cursor-agent", "opencode", "aider", "goose", "llm", "ollama")


def in_order(tools: Sequence[FoundTool]) -> tuple[FoundTool, ...]:
    """The embedded one, then by preference, then by name."""

    def rank(tool: FoundTool) -> tuple[int, str]:
        if tool.name == EMBEDDED:
            return -1, tool.name
        return PREFERRED.index(tool.name) if tool.name in PREFERRED else len(PREFERRED), tool.name

    return tuple(sorted(tools, key=rank))
