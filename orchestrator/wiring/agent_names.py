"""The configuration for whoever only wants to know names, and can go on without. Light: `task list` has 60 ms."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.errors import ConfigRefusedError

if TYPE_CHECKING:
    from orchestrator.adapters.place import Place
    from orchestrator.core.settings import Settings


def settings_of(place: "Place") -> "tuple[Settings | None, str]":
    """The configuration; or None, and why it is not to be had."""
    from orchestrator.wiring.configuring import read_settings

    try:
        return read_settings(place), ""
    except ConfigRefusedError:
        return None, "the configuration is refused; see: orchestrator config validate"


def keys_of(place: "Place") -> Callable[[str], str]:
    """How the name of an agent becomes its key; a name that nobody has stays as it is. Reads nothing until asked."""
    read: list[Settings | None] = []

    def key(written: str) -> str:
        from orchestrator.core.agents import Unknown, resolve

        if not read:
            read.append(settings_of(place)[0])
        settings = read[0]
        meant = resolve(written, settings.agents) if settings is not None else written
        return written if isinstance(meant, Unknown) else meant

    return key


def why_unknown(place: "Place", agent: str) -> str:
    """Why nobody is called so, with the nearest name; empty where somebody is, or nobody can say."""
    from orchestrator.core.agents import Unknown, resolve

    settings, _ = settings_of(place)
    meant = resolve(agent, settings.agents) if settings is not None else agent
    return meant.why if isinstance(meant, Unknown) else ""
