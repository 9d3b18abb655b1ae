"""The value in force of every key, and where it came from: what `config show` tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orchestrator.config.layers import NAMED, SECTIONS, SINGLE, Grafted
from orchestrator.config.layers_given import FLAG
from orchestrator.config.schema import ENTRIES, NamedReader, RetriesEntry, SingleEntry
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Step
from orchestrator.core.invocation import Bounds
from orchestrator.core.variables import PREFIX
from orchestrator.strictyaml import Node

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


class Layer(StrEnum):
    """The layers, lowest first."""

    DEFAULT = "default"
    USER = "user"
    PROJECT = "project"
    VARIABLE = "variable"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from."""

    layer: Layer = Layer.DEFAULT
    path: str = ""  # the file, the variable, or --set
    line: int = 0  # 1-based; 0 where it is no file

    @property
    def told(self) -> str:
        """`config/tools.yaml:14`, the name of the variable, `--set`, or `default`."""
        return f"{self.path}:{self.line}" if self.line else self.path or str(self.layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key in force. A list is one value."""

    at: tuple[Step, ...]
    value: object  # as it is written, or as it would be; None: nothing
    origin: Origin


def settings_in(sheets: Mapping[str, Sheet]) -> Iterator[Setting]:
    """Every key of the four files, by name; of configuration without problems. Keys that hold nothing are told too."""
    for file, sections in SECTIONS.items():
        for section in sections:
            yield from _section(sheets[file], section)


def _section(sheet: Sheet, section: str) -> Iterator[Setting]:
    if section in SINGLE:
        yield from _field(sheet, (section,), SingleEntry.model_fields[section])
    elif section not in NAMED:
        if section != "intake" or sheet.holds(section):  # nothing is taken in where nothing is said
            yield from _entry(sheet, (section,), ENTRIES[section])
    else:
        implied = ("default",) if section == "policies" else ()
        for name in dict.fromkeys((*sheet.names(section), *implied)):
            yield from _entry(sheet, (section, name), ENTRIES[section])


def _entry(sheet: Sheet, at: tuple[Step, ...], model: type[BaseModel]) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        yield from _field(sheet, (*at, field.alias or name), field)


def _field(sheet: Sheet, at: tuple[Step, ...], field: FieldInfo) -> Iterator[Setting]:
    node = _exactly(sheet, at)
    inner = _model_in(field.annotation)
    if node is None or (node.value is None and inner is not None):
        yield from _default(sheet, at, field, inner)
    elif isinstance(node.value, dict) and inner is not None:
        yield from _entry(sheet, at, inner)
    elif isinstance(node.value, dict):
        yield from (_written(sheet, (*at, key)) for key in node.value)
    else:
        yield from _parts(sheet, at, node)


def _parts(sheet: Sheet, at: tuple[Step, ...], node: Node) -> Iterator[Setting]:
    """One value; of a list that several layers made, its parts."""
    if not _is_mixed(node):
        yield _written(sheet, at)
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _parts(sheet, (*at, key), child)
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _parts(sheet, (*at, index), child)


def _is_mixed(node: Node) -> bool:
    value = node.value
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(isinstance(child, Grafted) or _is_mixed(child) for child in children)


def _default(sheet: Sheet, at: tuple[Step, ...], field: FieldInfo, inner: type[BaseModel] | None) -> Iterator[Setting]:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, NamedReader):
        yield Setting(at=at, value=default.reader, origin=Origin())
    elif isinstance(default, BaseModel) or inner is RetriesEntry:
        yield from _entry(sheet, at, type(default) if isinstance(default, BaseModel) else RetriesEntry)
    elif len(at) > 1 and at[-2] == "limits" and at[0] == "tools":
        yield Setting(at=at, value=_shown(str(at[-1]), getattr(Bounds(), str(at[-1]))), origin=Origin())
    else:
        yield Setting(at=at, value=_shown(str(at[-1]), default), origin=Origin())


def _written(sheet: Sheet, at: tuple[Step, ...]) -> Setting:
    node, document = sheet.nearest(at)
    assert node is not None  # whoever calls has found it
    assert document is not None
    span = node.key_span or node.span
    if document.path == FLAG:
        origin = Origin(layer=Layer.FLAG, path=FLAG)
    elif document.path.startswith(PREFIX):
        origin = Origin(layer=Layer.VARIABLE, path=document.path)
    else:
        layer = Layer.PROJECT if document.path == sheet.path else Layer.USER
        origin = Origin(layer=layer, path=document.path, line=span.line)
    return Setting(at=at, value=node.plain(), origin=origin)


def _exactly(sheet: Sheet, at: tuple[Step, ...]) -> Node | None:
    node = sheet.root
    for step in at:
        value = node.value if node is not None else None
        node = value.get(str(step)) if isinstance(value, dict) else None
    return node


def _model_in(annotation: Any) -> type[BaseModel] | None:  # what typing answers has no narrower type
    """The model of a key that holds one mapping; None for lists, texts and mappings of free keys."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {list, dict, tuple}:
        return None
    return next((found for argument in get_args(annotation) if (found := _model_in(argument))), None)


def _shown(key: str, value: object) -> object:
    """A default as a person would write it."""
    if isinstance(value, timedelta):
        return _duration(int(value.total_seconds()))
    if isinstance(value, list | tuple):
        return list(value) or None
    if isinstance(value, dict):
        return dict(value) or None
    if isinstance(value, int) and not isinstance(value, bool):
        if key.endswith("_usd"):
            return value // 1_000_000 if value % 1_000_000 == 0 else value / 1_000_000
        for unit, size in _SIZES:
            if value >= size and value % size == 0:
                return f"{value // size}{unit}"
    return value


def _duration(seconds: int) -> str:
    text = ""
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        text += f"{count}{unit}" if count else ""
    return text
