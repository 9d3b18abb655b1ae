"""What a declared tool is on this machine: where it is, which version, what it lacks, who uses it."""

import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from orchestrator import launch
from orchestrator.adapters.doctor.asking import ask
from orchestrator.adapters.doctor.tools import located, unavailable
from orchestrator.adapters.place import Place
from orchestrator.core import arguments
from orchestrator.core.settings import Settings, Tool
from orchestrator.wiring.tooling import users_of

SECONDS = 10.0  # that a tool may take to tell its version: some begin with a look at the network
_VERSION = re.compile(r"(?<![\w.-])v?(\d{1,9}(?:\.\d{1,9}){1,3}[\w.+-]{0,40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolState:
    """One tool."""

    name: str
    found: str  # the path of its program; empty: not found
    why_not: str  # empty: it is available
    version: str = ""
    version_note: str = ""  # tested, or what is known of it
    missing: tuple[str, ...] = ()  # variables
    install: str = ""
    models: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    users: tuple[str, ...] = ()
    preferred_by: tuple[str, ...] = ()

    def plain(self) -> dict[str, object]:
        """For --json."""
        return asdict(self) | {"options": dict(self.options), "available": not self.why_not}


def states(place: Place, settings: Settings, names: Sequence[str], *, versions: bool) -> list[ToolState]:
    """Those tools, in that order; asked for their versions at the same time."""
    tools = [settings.tools[name] for name in names]
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(lambda tool: _state(place, settings, tool, versions=versions), tools))


def _state(place: Place, settings: Settings, tool: Tool, *, versions: bool) -> ToolState:
    host = launch.Host(root=place.root, work=place.work, state=place.state, environ=os.environ)
    env = launch.environment(host, tool.env, tool.env_pass)
    why_not = unavailable(tool, env)
    found = located(tool, env)
    version, note = _version(place, tool, env, found) if versions and not why_not else ("", "")
    if tool.env_missing and not why_not:
        why_not = f"needs {', '.join(tool.env_missing)} in the environment of the daemon"
    users = users_of(settings, tool.name)
    preferred = tuple(key for key, agent in settings.agents.items() if agent.preferred_tool == tool.name)
    return ToolState(
        name=tool.name,
        found=found,
        why_not=why_not,
        version=version,
        version_note=note,
        missing=tool.env_missing,
        install=tool.install,
        models=tool.models,
        options=tuple(tool.options.items()),
        users=tuple(users),
        preferred_by=preferred,
    )


def _version(place: Place, tool: Tool, env: dict[str, str], found: str) -> tuple[str, str]:
    """What it says, and what that means."""
    if not tool.version_command:
        return "", ""
    values: dict[str, str | None] = {**tool.options, "binary": found, "python": sys.executable}
    argv = arguments.fill(tool.version_command, values)
    folder = place.state if place.state.is_dir() else place.root
    said = ask(argv, env=env, folder=folder, seconds=SECONDS)
    if said.late:
        return "", f"did not tell its version within {SECONDS:.0f} s"
    if said.refused or said.code:
        return "", f"does not tell its version: {said.refused or f'exit code {said.code}'}"
    if not (told := _VERSION.search(said.text)):
        return "", "prints no version"
    if told[1] in tool.tested_versions:
        return told[1], "tested"
    if not tool.tested_versions:
        return told[1], "no version is known to be tested"
    return told[1], f"not among the tested ones: {', '.join(tool.tested_versions)}"
