"""`${VAR}` and `${VAR:-default}` in the values of a tool's `env`: the only place where the environment is looked at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.pattern import late

_VARIABLE = late(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_OPENING = late(r"\$\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A value with its variables filled in, and the names that the environment lacks."""

    text: str
    missing: tuple[str, ...] = ()


def expand(value: str, environ: Mapping[str, str]) -> Expanded:
    """Fill in each variable once; what a variable holds is never looked at again. A default also stands for empty."""
    missing: list[str] = []

    def fill(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        found = environ.get(name)
        if default is not None:
            return found or default
        if found is None:
            missing.append(name)
        return found or ""

    return Expanded(text=_VARIABLE.sub(fill, value), missing=tuple(missing))


def fill_in(
    entries: Mapping[str, str], required: Sequence[str], environ: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """A tool's `env` with its variables filled in, and what of it and of `env_required` the environment lacks."""
    expanded = {variable: expand(value, environ) for variable, value in entries.items()}
    env = {variable: value.text for variable, value in expanded.items() if not value.missing}
    wanted = [missing for value in expanded.values() for missing in value.missing]
    wanted += [variable for variable in required if not (env.get(variable) or environ.get(variable))]
    return env, tuple(dict.fromkeys(wanted))


def unreadable_variable(value: str) -> bool:
    """Whether a `${` of the value starts nothing that can be expanded."""
    return bool(_OPENING.search(_VARIABLE.sub("", value)))
