"""`init`: what is here, and the texts of the configuration that fits it. Nothing is written."""

import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence

from orchestrator.adapters import scan
from orchestrator.adapters.place import Place
from orchestrator.adapters.templates import Templates
from orchestrator.config import sets
from orchestrator.config.loading import load
from orchestrator.config.machine import Scan
from orchestrator.config.stanza import stanza_in
from orchestrator.core.layout import CONFIG_FILES
from orchestrator.core.settings import Tool
from orchestrator.launch import Host, environment
from orchestrator.resources import folder
from orchestrator.wiring.configuring import windows_drives


def look_around(place: Place, environ: Mapping[str, str] | None = None) -> Scan:
    """The machine and the repository. Takes as long as the slowest tool that is asked for its version, 4 s at most."""
    env = os.environ if environ is None else environ
    host = Host(root=place.root, work=place.work, state=place.state, environ=dict(env))
    drives = windows_drives()
    tools = {
        name: (tool, environment(host, tool.env, tool.env_pass)) for name, tool in catalogue_tools(env, drives).items()
    }
    around = scan.Around(environ=env, system=sys.platform)
    return scan.look(place, tools, around, is_wsl=bool(drives))


def catalogue_tools(environ: Mapping[str, str], drives: str = "") -> dict[str, Tool]:
    """The stanzas of the catalogue as a configuration would hold them."""
    templates = folder("templates")
    contents = {"agents.yaml": b"agents: {}\n", "policies.yaml": b""}
    for section in ("tools", "models"):
        lines = [f"{section}:"]
        for file in sorted((templates / section).glob("*.yaml")):
            lines += [f"  {line}" for line in file.read_text(encoding="utf-8").splitlines()]
        contents[f"{section}.yaml"] = "\n".join(lines).encode() + b"\n"
    settings = load(
        templates / "config", repository=templates, environ=environ, platform=sys.platform, drives=drives,
        instead=contents,
    )  # fmt: skip
    return dict(settings.tools)


def rendered(plan: sets.Plan, found: Scan, trail: str, templates: Templates | None = None) -> dict[str, str]:
    """The four texts of a set, by file name."""
    made = templates or Templates(folder("templates"))
    values = sets.values(plan, found, trail) | {"models": model_texts(plan.declared)}
    return {name: made.render(f"config/{plan.chosen}/{name}.j2", **values) for name in CONFIG_FILES}


def model_texts(tools: Sequence[str]) -> tuple[str, ...]:
    """Of each file of models in the catalogue what those tools list, as it is written there."""
    templates = folder("templates")
    listed: set[str] = set()
    for name in tools:
        file = templates / "tools" / f"{name}.yaml"
        stanza = stanza_in(file.read_bytes(), name=name, path=file.name).value
        listed |= {str(model) for model in stanza.get("models", ())} if isinstance(stanza, dict) else set()
    texts = [_only(file.read_text(encoding="utf-8"), listed) for file in sorted((templates / "models").glob("*.yaml"))]
    return tuple(text for text in texts if text)


def _only(text: str, names: Collection[str]) -> str:
    """The entries of those names, with the comment at the head; empty where there are none."""
    head, *entries = re.split(r"(?m)^(?=[^\s#])", text)
    kept = [entry for entry in entries if entry.partition(":")[0] in names]
    return "".join([head, *kept]) if kept else ""
