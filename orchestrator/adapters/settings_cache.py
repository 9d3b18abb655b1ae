"""The configuration as it was read last, in the state folder: reading and checking the files again takes 50 ms.

It counts only as long as every file that it was made of, the project's and the user's, says the same, byte for byte,
and program, Python and platform are the same. What is cached can always be made again: whatever is wrong with it is a
miss. Values of the environment are never in it, as they may be secrets: a tool's `env` is kept as it is written, and
filled in each time; and where a variable or a flag is a layer of the configuration, it is neither asked nor written.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path

import orchestrator
from orchestrator.core.environment import fill_in
from orchestrator.core.invocation import Bounds
from orchestrator.core.layout import CONFIG_FILES
from orchestrator.core.pointers import Pointers, Shape, TokenPointers
from orchestrator.core.prices import Price, Rates, Tier
from orchestrator.core.settings import (
    Agent,
    Check,
    CostOptimization,
    IntakeSettings,
    Limit,
    Model,
    OnExceeded,
    Period,
    Policy,
    Privacy,
    PromptBy,
    RateLimit,
    Retention,
    Retries,
    Settings,
    Tool,
    TrailMode,
    TrailSettings,
    WorkspaceKind,
    WorkspaceSettings,
)
from orchestrator.core.types import ErrorKind

NAME = "settings.json"
_CODE = ("config", "core", "strictyaml")  # the packages that decide what the files mean
_TAG = "!"
_VALUES = (
    Agent,
    Bounds,
    Check,
    CostOptimization,
    IntakeSettings,
    Limit,
    Model,
    Policy,
    Pointers,
    Price,
    RateLimit,
    Rates,
    Retention,
    Retries,
    Settings,
    Tier,
    TokenPointers,
    Tool,
)
_CLASSES: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        *_VALUES,
        TrailSettings,
        WorkspaceSettings,
        PromptBy,
        Shape,
        TrailMode,
        WorkspaceKind,
        ErrorKind,
        OnExceeded,
        Period,
        Privacy,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the settings are made of."""

    state: Path
    config: Path
    repository: Path
    platform: str
    machine: str = ""  # whatever else of this machine they depend on
    user: Path | None = None  # the folder of the user's own files


def load(origin: Origin, environ: Mapping[str, str]) -> Settings | None:
    """The settings, their tools' environment filled in from `environ`; None where they have to be read anew."""
    try:
        raw = json.loads((origin.state / NAME).read_bytes(), object_hook=_decoded)
        if raw["made_of"] != _made_of(origin, raw["profiles"]):
            return None
        settings = raw["settings"]
        if not isinstance(settings, Settings):
            return None
        return _filled(settings, raw["env"], environ)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def store(origin: Origin, settings: Settings, environ: Mapping[str, str]) -> bool:
    """Keeps them for the next time; whether they were kept. `environ`: what they were read with."""
    env = _env_as_written(origin)
    try:
        if env is None or _filled(settings, env, environ) != settings:
            return False  # written in a way that we do not know: it is read anew each time
        bare = {name: replace(tool, env={}, env_missing=()) for name, tool in settings.tools.items()}
        profiles = sorted({agent.profile for agent in settings.agents.values() if agent.profile})
        content = {
            "made_of": _made_of(origin, profiles),
            "profiles": profiles,
            "env": env,
            "settings": _encoded(replace(settings, tools=bare)),
        }
        _write(origin.state / NAME, json.dumps(content).encode())
    except (OSError, TypeError, ValueError):
        return False
    return True


def _filled(settings: Settings, env: Mapping[str, Sequence[object]], environ: Mapping[str, str]) -> Settings:
    tools = {}
    for name, tool in settings.tools.items():
        entries, required = env.get(name, ({}, []))
        if entries or required:
            assert isinstance(entries, dict)
            assert isinstance(required, list)
            filled, missing = fill_in(entries, required, environ)
            tools[name] = replace(tool, env=filled, env_missing=missing)
        else:
            tools[name] = tool
    return replace(settings, tools=tools)


def _env_as_written(origin: Origin) -> dict[str, list[object]] | None:
    """Of each tool its `env` and `env_required`, nothing filled in. Only for files that were read well just before."""
    from orchestrator.config.layering import Around
    from orchestrator.config.loading import sheets_of

    sheet = sheets_of(origin.config, repository=origin.repository, around=Around(user=origin.user))["tools.yaml"]
    if sheet.root is None or sheet.problems:
        return None
    root = sheet.root.plain()
    tools = root.get("tools") if isinstance(root, dict) else None
    found: dict[str, list[object]] = {}
    for name, tool in tools.items() if isinstance(tools, dict) else ():
        written = tool if isinstance(tool, dict) else {}
        entries, required = written.get("env") or {}, written.get("env_required") or []
        if not isinstance(entries, dict) or not isinstance(required, list):
            return None
        found[str(name)] = [{str(key): str(value) for key, value in entries.items()}, [str(key) for key in required]]
    return found


def _made_of(origin: Origin, profiles: Sequence[str]) -> list[object]:
    code = Path(orchestrator.__file__).parent
    return [
        orchestrator.__version__,
        [_state_of(code / name) for name in _CODE],
        sys.executable,
        origin.platform,
        origin.machine,
        str(origin.config),
        str(origin.repository),
        [_digest(origin.config / name) for name in CONFIG_FILES],
        _of_the_user(origin.user),
        [_digest(origin.repository / name) for name in profiles],
    ]


def _of_the_user(folder: Path | None) -> list[str]:
    if folder is None or not os.path.isdir(folder):  # noqa: PTH112 - a third of the time, on the way of each command
        return []
    return [str(folder), *(_digest(folder / name) for name in CONFIG_FILES)]


def _state_of(package: Path) -> list[list[object]]:
    """The modules of a package and when each was last written: another program, although of the same version."""
    with os.scandir(package) as entries:
        return sorted([one.name, one.stat().st_mtime_ns] for one in entries if one.name.endswith(".py"))


def _digest(file: Path) -> str:
    """Of its content; empty where there is no such file."""
    try:
        return blake2b(file.read_bytes(), digest_size=32).hexdigest()
    except FileNotFoundError:
        return ""


def _encoded(value: object) -> object:
    """As JSON, each value with the name of its class. Raises TypeError for what we do not know."""
    if value is None or isinstance(value, bool | int) or type(value) is str:
        return value
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    tag, content = _tagged(value)
    return {_TAG: tag, "v": content}


def _tagged(value: object) -> tuple[str, object]:
    name = type(value).__name__
    if isinstance(value, frozenset):
        return "frozenset", sorted(map(_encoded, value), key=str)
    if isinstance(value, tuple):
        return "tuple", [_encoded(item) for item in value]
    if isinstance(value, Mapping):
        return "dict", [[_encoded(key), _encoded(item)] for key, item in value.items()]
    if isinstance(value, timedelta):
        return name, [value.days, value.seconds, value.microseconds]
    if isinstance(value, Decimal | float):
        return name, str(value)
    if name in _CLASSES and isinstance(value, StrEnum):
        return name, value.value
    if name in _CLASSES and is_dataclass(value):
        return name, dict(_fields(value))
    raise TypeError(name)


def _fields(value: object) -> Iterator[tuple[str, object]]:
    assert is_dataclass(value)
    for one in fields(value):
        yield one.name, _encoded(getattr(value, one.name))


def _decoded(raw: dict[str, object]) -> object:
    tag = raw.get(_TAG)
    if tag is None:
        return raw
    content = raw["v"]
    match tag:
        case "tuple" if isinstance(content, list):
            return tuple(content)
        case "frozenset" if isinstance(content, list):
            return frozenset(content)
        case "dict" if isinstance(content, list):
            return dict(content)
        case "timedelta" if isinstance(content, list):
            return timedelta(*content)
        case "Decimal":
            return Decimal(str(content))
        case "float":
            return float(str(content))
        case _:
            pass
    kind = _CLASSES[str(tag)]
    return kind(**content) if isinstance(content, dict) else kind(content)


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all; not synced: after a crash it is made again. For us alone: it names what we run."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(content)
        beside.replace(file)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
