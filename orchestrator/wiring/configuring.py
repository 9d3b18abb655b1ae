"""Reads the configuration of a workspace: as it was read last where nothing changed, else anew.

Imports stand where they are needed: what reads the files takes 50 ms to load.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.adapters.place import Place
from orchestrator.core.variables import configuring

if TYPE_CHECKING:
    from orchestrator.config.layering import Around
    from orchestrator.config.loading import Examined
    from orchestrator.core.settings import Settings

UNFINISHED = "init.json"  # in the state folder: what an `init` that died had still to put in its place
_KERNEL, _WSL = Path("/proc/version"), Path("/etc/wsl.conf")
_WSL_NAMES = ("WSL_DISTRO_NAME", "WSL_INTEROP")


def read_settings(place: Place, instead: Mapping[str, bytes] | None = None) -> "Settings":
    """The four files and the layers around them, `instead` of some files these contents. ConfigRefusedError."""
    from orchestrator.adapters import settings_cache

    user = user_folder(os.environ)
    instead = _unfinished(place) if instead is None else instead
    origin = settings_cache.Origin(
        state=place.state,
        config=place.config,
        repository=place.root,
        platform=sys.platform,
        machine="\n".join([_text(_KERNEL), _text(_WSL), *(os.environ.get(name, "") for name in _WSL_NAMES)]),
        user=user,
    )
    of_files_alone = instead is None and not place.flags and not configuring(os.environ)
    if of_files_alone and (cached := settings_cache.load(origin, os.environ)) is not None:
        return cached
    from orchestrator.config import load

    settings = load(
        place.config,
        repository=place.root,
        environ=os.environ,
        platform=sys.platform,
        drives=windows_drives(),
        instead=instead,
        around=around(place),
    )
    if of_files_alone and place.state.is_dir():
        settings_cache.store(origin, settings, os.environ)
    return settings


def examined(place: Place, instead: Mapping[str, bytes] | None = None) -> "Examined":
    """The same files read and checked anew, with every problem of them and nothing refused: for `config validate`."""
    from orchestrator.config.loading import examine

    instead = _unfinished(place) if instead is None else instead
    return examine(place.config, repository=place.root, instead=instead, around=around(place))


def _unfinished(place: Place) -> Mapping[str, bytes] | None:
    """What an `init` that died had still to put in its place; None: none did."""
    if not (place.state / UNFINISHED).exists():
        return None
    from orchestrator.wiring.initialising_writing import pending

    return pending(place)


def around(place: Place) -> "Around":
    """The layers below and above the project's files, as this process has them."""
    from orchestrator.config.layering import Around

    return Around(user=user_folder(os.environ), variables=configuring(os.environ), flags=place.flags)


def user_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where the user's own four files may be; None where the user has no home."""
    if (named := environ.get("XDG_CONFIG_HOME", "")).startswith("/"):  # the standard: a relative one does not count
        return Path(named) / "orchestrator"
    if not (home := environ.get("HOME", "")).startswith("/"):
        return None
    return Path(home) / ("Library/Application Support" if platform == "darwin" else ".config") / "orchestrator"


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
