"""Findings of pydantic in plain words: where in the entry, what is wrong, what to write instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.config.fields import nearest, shown

Step = str | int
_PLEASE = {
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "bool_type": "true or false",
    "int_type": "a whole number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong at a place of an entry. `at_key`: the key is meant, not its value."""

    at: tuple[Step, ...]
    message: str
    hint: str = ""
    at_key: bool = False


def findings(error: ValidationError, model: type[BaseModel]) -> list[Finding]:
    """Everything that pydantic found in one entry."""
    return [_finding(detail, model) for detail in error.errors(include_url=False)]


def _finding(detail: ErrorDetails, model: type[BaseModel]) -> Finding:
    at: tuple[Step, ...] = detail["loc"]
    context: dict[str, Any] = detail.get("ctx") or {}
    at_key = bool(at) and at[-1] == "[key]"
    if at_key:
        at = at[:-1]
    match detail["type"]:
        case "refused":
            return Finding(at=at, message=context["message"], hint=context["hint"], at_key=at_key)
        case "extra_forbidden":
            return unknown_key(at, _fields(model, at[:-1]))
        case "missing":
            return Finding(at=at[:-1], message=f'"{at[-1]}" is missing', hint=f"add `{at[-1]}:`", at_key=True)
        case "literal_error":
            return _choice(at, detail["input"], model)
        case "too_short":
            return Finding(at=at, message="the list is empty", hint="name at least one, or remove the key")
        case kind if kind in _PLEASE:
            return _wrong_kind(at, detail["input"], _PLEASE[kind])
        case _:
            return Finding(at=at, message=f"{shown(detail['input'])} does not fit: {detail['msg']}", at_key=at_key)


def unknown_key(at: tuple[Step, ...], known: Sequence[str]) -> Finding:
    """The finding for a key that is not one of `known`."""
    near = nearest(str(at[-1]), tuple(known))
    hint = f"did you mean {near}?" if near else f"known here: {', '.join(known)}"
    return Finding(at=at, message=f"unknown key {shown(at[-1])}", hint=hint, at_key=True)


def _wrong_kind(at: tuple[Step, ...], value: object, wanted: str) -> Finding:
    message = f"{shown(value)} stands where {wanted} is wanted"
    if wanted == "a text" and isinstance(value, bool | int | float):
        return Finding(at=at, message=message, hint="put the value in quotes if it is meant as a text")
    if wanted == "a list" and isinstance(value, str):
        return Finding(at=at, message=message, hint=f"write [{value}]")
    if wanted == "true or false" and isinstance(value, str):
        meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.casefold())
        return Finding(at=at, message=message, hint=f"write {meant}" if meant else "write true or false")
    return Finding(at=at, message=message, hint=f"write {wanted} or remove the key")


def _choice(at: tuple[Step, ...], value: object, model: type[BaseModel]) -> Finding:
    allowed = _choices(model, at)
    near = nearest(value, allowed) if isinstance(value, str) else ""
    listed = ", ".join(allowed)
    hint = f"did you mean {near}?" if near else f"use one of {listed}"
    return Finding(at=at, message=f"{shown(value)} is not one of {listed}", hint=hint)


def _choices(model: type[BaseModel], at: tuple[Step, ...]) -> tuple[str, ...]:
    return tuple(str(choice) for choice in _leaves(_annotation(model, at)))


def _leaves(annotation: Any) -> list[Any]:  # what typing.get_args answers has no narrower type
    arguments = get_args(annotation)
    if not arguments:
        return [annotation] if isinstance(annotation, str) else []
    return [leaf for argument in arguments for leaf in _leaves(argument)]


def _fields(model: type[BaseModel], at: tuple[Step, ...]) -> tuple[str, ...]:
    inner = _model_in(_annotation(model, at)) if at else model
    return tuple(field.alias or name for name, field in inner.model_fields.items()) if inner else ()


def _annotation(model: type[BaseModel], at: tuple[Step, ...]) -> Any:  # as above
    """The type that stands at a place, found by walking fields; places in lists and mappings count as their field."""
    annotation: Any = model
    for step in at:
        inner = _model_in(annotation)
        if inner and isinstance(step, str) and step in inner.model_fields:
            annotation = inner.model_fields[step].annotation
    return annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:  # as above
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model_in(argument))), None)
