"""Reads the configuration of a workspace: as it was read last where nothing changed, else anew.

Imports stand where they are needed: what reads the files takes 50 ms to load.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters import settings_cache
from orchestrator.adapters.place import Place
from orchestrator.core.settings import Settings

_KERNEL, _WSL = Path("/proc/version"), Path("/etc/wsl.conf")
_WSL_NAMES = ("WSL_DISTRO_NAME", "WSL_INTEROP")


def read_settings(place: Place, instead: Mapping[str, bytes] | None = None) -> Settings:
    """The four files, `instead` of some of them these contents. ConfigRefusedError with every problem of them."""
    origin = settings_cache.Origin(
        state=place.state,
        config=place.config,
        repository=place.root,
        platform=sys.platform,
        machine="\n".join([_text(_KERNEL), _text(_WSL), *(os.environ.get(name, "") for name in _WSL_NAMES)]),
    )
    if instead is None and (cached := settings_cache.load(origin, os.environ)) is not None:
        return cached
    from orchestrator.config import load

    settings = load(
        place.config,
        repository=place.root,
        environ=os.environ,
        platform=sys.platform,
        drives=windows_drives(),
        instead=instead,
    )
    if instead is None and place.state.is_dir():
        settings_cache.store(origin, settings, os.environ)
    return settings


def windows_drives() -> str:
    """Where WSL mounts the drives of Windows; empty where this is no WSL."""
    if not sys.platform.startswith("linux"):
        return ""
    from orchestrator.config.drives import drives_of

    return drives_of(environ=os.environ, proc_version=_text(_KERNEL), wsl_conf=_text(_WSL))


def _text(file: Path) -> str:
    """What it says; empty where it is missing or cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
