"""Places in a configuration: named as messages name them, and what plain values hold with or without one."""

import re
from collections.abc import Collection

from orchestrator.config.wording import Step
from orchestrator.strictyaml import Node

At = tuple[Step, ...]
_PART = re.compile(r'"(?P<quoted>[^"]+)"|(?P<bare>[^".\[\]\s=]+)|\[(?P<index>[0-9]{1,4})\]')


class NoPlaceError(ValueError):
    """A text that names no place."""


def parts_of(text: str) -> tuple[tuple[Step, bool], ...]:
    """The steps of a key as it is written, and whether each was quoted. Raises NoPlaceError."""
    found: list[tuple[Step, bool]] = []
    at = 0
    while at < len(text):
        if found and text[at] == ".":
            at += 1
        elif found and text[at] != "[":
            raise NoPlaceError(text)
        part = _PART.match(text, at)
        if part is None or (part["index"] and not found):
            raise NoPlaceError(text)
        if part["index"]:
            found.append((int(part["index"]), False))
        else:
            found.append((part["quoted"] or part["bare"], part["quoted"] is not None))
        at = part.end()
    if not found:
        raise NoPlaceError(text)
    return tuple(found)


def joined(parts: tuple[tuple[Step, bool], ...], root: Node, fields: Collection[str]) -> At:
    """The steps, those put together that are one name with dots in it: one that exists, or the name of a new entry.

    `fields`: the keys of an entry of that section; empty where the section has no named entries.
    """
    at: list[Step] = []
    node: Node | None = root
    left = list(parts)
    while left:
        names = node.value if node is not None and isinstance(node.value, dict) else {}
        count = _existing(left, names)
        if not count and len(at) == 1 and fields:
            count = _up_to_a_field(left, fields)
        name = left[0][0] if count <= 1 else ".".join(str(step) for step, _ in left[:count])
        left = left[max(count, 1) :]
        at.append(name)
        node = _child(node, name)
    return tuple(at)


def _existing(left: list[tuple[Step, bool]], names: Collection[str]) -> int:
    """How many steps are one name that is there; 0 where none is."""
    loose = _loose(left)
    return next((n for n in range(loose, 0, -1) if ".".join(str(step) for step, _ in left[:n]) in names), 0)


def _up_to_a_field(left: list[tuple[Step, bool]], fields: Collection[str]) -> int:
    loose = _loose(left)
    return next((n for n in range(1, loose) if left[n][0] in fields), 1)


def _loose(left: list[tuple[Step, bool]]) -> int:
    """How many of them may be put together: those up to one that is quoted or a number."""
    if left[0][1]:
        return 1
    return next((n for n, (step, quoted) in enumerate(left) if quoted or isinstance(step, int)), len(left))


def _child(node: Node | None, step: Step) -> Node | None:
    if node is not None and isinstance(node.value, dict) and isinstance(step, str):
        return node.value.get(step)
    if node is not None and isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None


def dotted(at: At) -> str:
    """The place as messages name it."""
    text = ""
    for step in at:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def alike(one: object, other: object) -> bool:
    """Equal and of the same types throughout, whatever the order of keys: to people 1 and true are two things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def with_value(plain: object, at: At, value: object) -> object:
    """A copy of the plain value with that one there; what is missing on the way is made."""
    if not at:
        return value
    step, rest = at[0], at[1:]
    if isinstance(step, int):
        items = list(plain) if isinstance(plain, list) else []
        items[step : step + 1] = [with_value(items[step] if step < len(items) else None, rest, value)]
        return items
    entries = dict(plain) if isinstance(plain, dict) else {}
    return entries | {step: with_value(entries.get(step), rest, value)}


def without(plain: object, at: At) -> object:
    """A copy of the plain value without what is at that place."""
    if isinstance(plain, list):
        below = [without(child, at[1:]) if index == at[0] and at[1:] else child for index, child in enumerate(plain)]
        return below if len(at) > 1 else [child for index, child in enumerate(plain) if index != at[0]]
    assert isinstance(plain, dict)  # the place was found
    if len(at) > 1:
        return {key: without(child, at[1:]) if key == at[0] else child for key, child in plain.items()}
    return {key: child for key, child in plain.items() if key != at[0]}
