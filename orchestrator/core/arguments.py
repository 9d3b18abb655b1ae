"""A tool's command with its placeholders filled: one element stays one argument, whatever it holds."""

import re
from collections.abc import Mapping, Sequence

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def placeholders(element: str) -> tuple[str, ...]:
    """The names in an element of a command, in order."""
    return tuple(_PLACEHOLDER.findall(element))


def fill(command: Sequence[str], values: Mapping[str, str | None]) -> tuple[str, ...]:
    """The arguments. An element with a placeholder that has no value is dropped, and the flag before it too.

    A value is never looked at again: `{model}` inside a prompt stays what it is.
    """
    filled: list[str] = []
    flag_before = False
    for element in command:
        names = placeholders(element)
        if any(not values.get(name) for name in names):
            if flag_before:
                filled.pop()
            flag_before = False
            continue
        filled.append(_PLACEHOLDER.sub(lambda match: values[match[1]] or "", element))
        flag_before = element.startswith("-") and not names and "=" not in element
    return tuple(filled)
