"""`orchestrator tool`: what tools there are and whether they can run; stanzas put into the configuration and taken out.

A file of the configuration is never written before the whole of it, with the new content, was read and found good.
"""

import codecs
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator import strictyaml
from orchestrator.adapters import lock
from orchestrator.adapters.files import write_beside_and_rename
from orchestrator.adapters.place import Place
from orchestrator.config.splicing import Stanza, put_in, take_out
from orchestrator.config.stanza import names_in, stanza_in
from orchestrator.core.settings import Agent, Settings
from orchestrator.errors import BusyError, NotFoundError, OrchestratorError, UsageError
from orchestrator.resources import folder
from orchestrator.wiring.configuring import read_settings

TOOLS, MODELS = "tools.yaml", "models.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What an edit did."""

    tool: str
    files: tuple[str, ...]  # the file of the tools first
    models: tuple[str, ...] = ()  # those that were declared with it


def catalogue() -> dict[str, Path]:
    """The stanzas that ship with the program, by name."""
    return {file.stem: file for file in sorted((folder("templates") / "tools").glob("*.yaml"))}


def catalogue_lines() -> list[dict[str, str]]:
    """What the catalogue has: name, and the first sentence of its comment."""
    told = []
    for name, file in catalogue().items():
        head = [line[1:].strip() for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        told.append({"name": name, "about": " ".join(head).partition(". ")[0].rstrip(".")})
    return told


def stanza_of(name: str, raw: bytes | None, *, path: str, chosen: Mapping[str, str]) -> Stanza:
    """The stanza from that content, or from the catalogue. NotFoundError where there is none."""
    if raw is None:
        shipped = catalogue()
        if name not in shipped:
            known = ", ".join(shipped)
            raise NotFoundError(f"the catalogue has no tool {name!r}; it has {known}; for another one: --from FILE")
        raw, path = shipped[name].read_bytes(), f"templates/tools/{name}.yaml"
    return stanza_in(raw, name=name, path=path, chosen=chosen)


def add(place: Place, stanza: Stanza) -> Changed:
    """Puts it into tools.yaml, and those of its models that the catalogue has and models.yaml lacks into that file."""
    with _held(place):
        settings = read_settings(place)
        if stanza.name in settings.tools:
            way = f"take it out with: orchestrator tool remove {stanza.name}"
            raise OrchestratorError(f"config/{TOOLS} has a tool {stanza.name} already; {way}")
        tools = EditedFile(place, TOOLS)
        tools.text = put_in(tools.document(), "tools", (stanza,))
        lacking = _models(stanza, settings)
        models = EditedFile(place, MODELS)
        if lacking:
            models.text = put_in(models.document(), "models", tuple(lacking))
        changed = [one for one in (models, tools) if one.is_changed]
        read_settings(place, {one.name: one.content for one in changed})
        for one in changed:
            one.write()
    files = tuple(one.shown for one in reversed(changed))
    return Changed(tool=stanza.name, files=files, models=tuple(one.name for one in lacking))


def remove(place: Place, name: str) -> Changed:
    """Takes it out of tools.yaml. Refused while an agent or a policy uses it."""
    with _held(place):
        settings = read_settings(place)
        if name not in settings.tools:
            known = ", ".join(settings.tools) or "none"
            raise NotFoundError(f"config/{TOOLS} has no tool {name!r}; it has {known}")
        if users := users_of(settings, name):
            named = "; ".join(f"{key} ({how})" for key, how in users.items())
            raise OrchestratorError(f"{name} is used by {named}; change config/agents.yaml first")
        tools = EditedFile(place, TOOLS)
        tools.text = take_out(tools.document(), "tools", name)
        read_settings(place, {TOOLS: tools.content})  # a limit or an escalation of a policy may name it
        tools.write()
    return Changed(tool=name, files=(tools.shown,))


def users_of(settings: Settings, tool: str) -> dict[str, str]:
    """The agents that name the tool, and where."""
    users = {str(agent.key): _use(agent, tool) for agent in settings.agents.values()}
    return {key: how for key, how in users.items() if how}


def _use(agent: Agent, tool: str) -> str:
    chained = any(route.partition(":")[0] == tool for route in agent.fallback_chain)
    ways = [
        way for way, is_so in (("preferred_tool", agent.preferred_tool == tool), ("fallback_chain", chained)) if is_so
    ]
    return " and ".join(ways)


def written(place: Place, name: str) -> tuple[str, str]:
    """The stanza as somebody wrote it, and the file: of this workspace, else of the catalogue."""
    tools = EditedFile(place, TOOLS) if (place.config / TOOLS).exists() else None
    node = tools.document().at("tools", name) if tools else None
    if tools and node is not None and node.key_span is not None:
        lines = tools.text.splitlines()
        last = tools.text.count("\n", 0, node.span.start + len(tools.document().source(node).rstrip()))
        return "\n".join(lines[node.key_span.line - 1 : last + 1]), tools.shown
    if (shipped := catalogue().get(name)) is not None:
        return shipped.read_text(encoding="utf-8").rstrip(), "the catalogue"
    known = ", ".join(dict.fromkeys([*(names_in_section(tools) if tools else ()), *catalogue()]))
    raise NotFoundError(f"there is no tool {name!r}; there are {known}")


def names_in_section(tools: "EditedFile") -> tuple[str, ...]:
    """The tools that the file names."""
    node = tools.document().at("tools")
    return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()


def daemon_note(place: Place) -> str:
    """What to do for a running daemon to see a change; empty where none runs."""
    held = lock.holder(place.state)
    if held is None or held.what != "daemon":
        return ""
    return f"the daemon goes on with the configuration that it has read; to have it read again: kill -HUP {held.pid}"


def _models(stanza: Stanza, settings: Settings) -> list[Stanza]:
    """Those that it lists, that the catalogue knows, and that are not declared under any name."""
    wanted = stanza.value.get("models") if isinstance(stanza.value, dict) else None
    listed = [str(one) for one in wanted] if isinstance(wanted, list) else []
    declared = {*settings.models, *(alias for model in settings.models.values() for alias in model.aliases)}
    shipped: dict[str, Path] = {}
    for file in sorted((folder("templates") / "models").glob("*.yaml")):
        shipped.update(dict.fromkeys(names_in(file.read_bytes(), path=file.name), file))
    return [
        stanza_in(shipped[name].read_bytes(), name=name, path=shipped[name].name, section="models")
        for name in dict.fromkeys(listed)
        if name in shipped and name not in declared
    ]


class EditedFile:
    """A file of the configuration, and what it is to hold."""

    def __init__(self, place: Place, name: str) -> None:
        self.name = name
        self.file = place.config / name
        self.shown = f"{place.config.name}/{name}"
        if self.file.is_symlink():
            raise OrchestratorError(f"{self.shown} is a link; edit what it leads to by hand: {self.file.resolve()}")
        self.raw = self.file.read_bytes() if self.file.exists() else b""
        self.text = strictyaml.decode(self.raw, path=self.shown)
        self._before = self.text

    def document(self) -> strictyaml.Document:
        """As it is read."""
        return strictyaml.read(self.text, path=self.shown)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.text != self._before

    @property
    def content(self) -> bytes:
        """The bytes that it is to have, with the mark at its beginning that it had."""
        mark = codecs.BOM_UTF8 if self.raw.startswith(codecs.BOM_UTF8) else b""
        return mark + self.text.encode()

    def write(self) -> None:
        """Replaces the file. Raises BusyError where somebody else changed it since it was read."""
        if (self.file.read_bytes() if self.file.exists() else b"") != self.raw:
            raise BusyError(f"{self.shown} was changed meanwhile, and is left as it is; try again")
        write_beside_and_rename(self.file, self.content)


@contextmanager
def _held(place: Place) -> Iterator[None]:
    """One edit of the configuration at a time. The folder itself is locked: no file is left behind."""
    try:
        descriptor = os.open(place.config, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFoundError(f"{place.config} is missing; make it with: orchestrator init") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def chosen_values(pairs: Sequence[str]) -> dict[str, str]:
    """`--set a=b` as a mapping. Raises UsageError."""
    chosen: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair}: write option=value")
        chosen[key] = value
    return chosen
