"""A tool's command with its placeholders filled: one element stays one argument, whatever it holds."""

from collections.abc import Mapping, Sequence

from orchestrator.core.pattern import late

_PLACEHOLDER = late(r"\{([a-z_][a-z0-9_]*)\}")
_MODEL = late(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


def model_fault(name: str) -> str:
    """Why this is no name of a model, or an empty text: a task may come from a stranger and ask for any."""
    if name.startswith("-"):
        return "it starts with a dash, so that a program could take it for an option"
    return "" if _MODEL.fullmatch(name) else "a name has letters, digits and . _ : / @ + -, at most 128"


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
