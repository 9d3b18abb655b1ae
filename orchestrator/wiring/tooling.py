"""`orchestrator tool`: what tools there are and whether they can run; stanzas put into the configuration and taken out.

A file of the configuration is never written before the whole of it, with the new content, was read and found good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.config.loading import sheets_of
from orchestrator.config.splicing import Stanza, put_in, take_out
from orchestrator.config.stanza import names_in, stanza_in
from orchestrator.core.settings import Agent, Settings
from orchestrator.errors import NotFoundError, OrchestratorError, UsageError
from orchestrator.resources import folder
from orchestrator.wiring.configuring import around, read_settings
from orchestrator.wiring.editing import EditedFile, held

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
    with held(place.config):
        settings = read_settings(place)
        tools = EditedFile(place, TOOLS)
        if stanza.name in names_in_section(tools):  # one of the user's own files is no hindrance: it goes below this
            way = f"take it out with: orchestrator tool remove {stanza.name}"
            raise OrchestratorError(f"config/{TOOLS} has a tool {stanza.name} already; {way}")
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
    with held(place.config):
        settings = read_settings(place)
        tools = EditedFile(place, TOOLS)
        if name not in (here := names_in_section(tools)):
            known = ", ".join(here) or "none"
            where = f"; see: orchestrator config show tools.{name} --origin" if name in settings.tools else ""
            raise NotFoundError(f"config/{TOOLS} has no tool {name!r}; it has {known}{where}")
        tools.text = take_out(tools.document(), "tools", name)
        if (users := users_of(settings, name)) and name not in names_in_force(place, {TOOLS: tools.content}):
            named = "; ".join(f"{key} ({how})" for key, how in users.items())
            raise OrchestratorError(f"{name} is used by {named}; change config/agents.yaml first")
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


def names_in_section(tools: EditedFile) -> tuple[str, ...]:
    """The tools that the file names."""
    node = tools.document().at("tools")
    return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()


def names_in_force(place: Place, instead: Mapping[str, bytes]) -> tuple[str, ...]:
    """The tools that all layers together name, where the project's files are these."""
    layers = around(place)
    return sheets_of(place.config, repository=place.root, instead=instead, around=layers)[TOOLS].names("tools")


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


def chosen_values(pairs: Sequence[str]) -> dict[str, str]:
    """`--set a=b` as a mapping. Raises UsageError."""
    chosen: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair}: write option=value")
        chosen[key] = value
    return chosen
