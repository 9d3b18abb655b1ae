"""JSON Schemas (2020-12) of the four files, made from the entries that read them (config.schema), for editors."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from orchestrator.config import schema as entries
from orchestrator.config.fields import ModelName, Name, Usd
from orchestrator.config.json_kinds import KINDS, VARIABLE_VALUE, Schema
from orchestrator.config.json_words import FILES, WORDS
from orchestrator.config.layers import NAMED, SECTIONS
from orchestrator.core.pointers import READER_NAMES

_ENTRY_OF: dict[str, type[entries.Entry]] = {
    "agents": entries.AgentEntry,
    "tools": entries.ToolEntry,
    "models": entries.ModelEntry,
    "policies": entries.PolicyEntry,
    "checks": entries.CheckEntry,
    "providers": entries.ProviderEntry,
    "trail": entries.TrailEntry,
    "intake": entries.IntakeEntry,
    "retention": entries.RetentionEntry,
    "workspaces": entries.WorkspacesEntry,
}
_NOTHING: Schema = {"type": "null"}
_OURS = r"^ORCHESTRATOR_"  # names of variables that are the program's own


def schema_of(name: str) -> Schema:
    """The schema of one of the files by its stem: agents, tools, models or policies.

    No section is required: each may stand in another layer, e.g. in the user's own configuration.
    """
    made = _Made()
    sections = {section: _section(made, section) for section in SECTIONS[f"{name}.yaml"]}
    return {
        "title": f"orchestrator: {name}.yaml",
        "description": FILES[name],
        "type": ["object", "null"],
        "properties": sections,
        "additionalProperties": False,
        "$defs": {entry: made.definitions[entry] for entry in sorted(made.definitions)},
    }


def _section(made: "_Made", section: str) -> Schema:
    if section not in _ENTRY_OF:
        return made.field(entries.SingleEntry, section)
    entry: Schema = {"anyOf": [made.reference(_ENTRY_OF[section]), _NOTHING]}
    told: Schema = {"description": WORDS[section]}
    if section not in NAMED:
        return told | entry
    kind = ModelName if section == "models" else Name
    return told | {
        "type": ["object", "null"],
        "propertyNames": made.of(kind),
        "additionalProperties": entry,
    }


class _Made:
    """The definitions of entries that were met so far, by the names of their classes."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def reference(self, entry: type[entries.Entry]) -> Schema:
        """`$ref` to an entry, which is defined where it is met first."""
        name = entry.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # it is there, should it hold itself
            self.definitions[name] = self._defined(entry)
        return {"$ref": f"#/$defs/{name}"}

    def field(self, entry: type[entries.Entry], name: str) -> Schema:
        """One key of an entry."""
        info = entry.model_fields[name]
        hint = get_type_hints(entry, include_extras=True)[name]
        key = info.alias or name
        schema = {"description": _words(entry, key)} | _special(entry, key, self, self.of(hint))
        default = None if info.is_required() else _written(info.default, hint)
        return schema if default is None else schema | {"default": default}

    def of(self, hint: Any) -> Schema:  # hints have no narrower type
        """The schema of what a type hint lets in."""
        for name, (kind, schema) in KINDS.items():
            if kind == hint:
                self.definitions[name] = schema
                return {"$ref": f"#/$defs/{name}"}
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self.of(arguments[0]) | _bounds(hint.__metadata__)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            keys, values = (self.of(one) for one in arguments)
            return {"type": "object", "propertyNames": keys, "additionalProperties": values}
        if origin is Union or arguments:
            return {"anyOf": [self.of(one) for one in arguments]}
        if isinstance(hint, type) and issubclass(hint, entries.Entry):
            return self.reference(hint)
        return dict(_PLAIN[hint])

    def _defined(self, entry: type[entries.Entry]) -> Schema:
        keys = {info.alias or name: name for name, info in entry.model_fields.items()}
        required = [key for key, name in keys.items() if entry.model_fields[name].is_required()]
        schema: Schema = {
            "type": "object",
            "properties": {key: self.field(entry, name) for key, name in keys.items()},
            "additionalProperties": False,
        }
        if required:
            schema["required"] = required
        if entry is entries.ToolEntry:
            schema["anyOf"] = [{"required": [key]} for key in ("binary", "platforms", "command")]
        return schema


_PLAIN: dict[Any, Schema] = {str: {"type": "string"}, bool: {"type": "boolean"}, type(None): _NOTHING}


def _words(entry: type[entries.Entry], key: str) -> str:
    """What a key is for; those of an entry that grew out of another one are told there."""
    for one in entry.__mro__:
        if words := WORDS.get(f"{one.__name__}.{key}"):
            return words
    raise KeyError(f"{entry.__name__}.{key} has no description in config.json_words")


def _special(entry: type[entries.Entry], key: str, made: _Made, schema: Schema) -> Schema:
    """What a validator of the entry lets in beside what its type says, or does not."""
    match entry.__name__, key:
        case "ToolEntry", "output":
            return {"anyOf": [{"enum": list(READER_NAMES)}, made.reference(entries.OutputEntry)]}
        case "ModelEntry", "price":
            return {"anyOf": [{"const": "free"}, made.reference(entries.PriceEntry), _NOTHING]}
        case "ToolEntry", "env":
            names = schema["propertyNames"] | {"not": {"pattern": _OURS}}
            return schema | {
                "propertyNames": names,
                "additionalProperties": {"type": "string", "pattern": VARIABLE_VALUE},
            }
        case "ToolEntry", "env_pass" | "env_required":
            return schema | {"items": schema["items"] | {"not": {"pattern": _OURS}}}
        case ("AgentEntry", "fallback_chain") | ("PolicyEntry", "escalation"):
            route = {"type": "string", "pattern": r"^(?=[\s\S]*\S)[^:]+(?::[\s\S]+)?$"}
            return schema | {"items": route | {"examples": ["claude", "claude:claude-opus-5-5"]}}
        case _:
            return schema


def _bounds(metadata: tuple[object, ...]) -> Schema:
    """What `Field(min_length=1)` says of a list."""
    rules = [rule for one in metadata for rule in getattr(one, "metadata", ())]
    least = [rule.min_length for rule in rules if hasattr(rule, "min_length")]
    return {"minItems": least[0]} if least else {}


def _written(default: object, hint: Any) -> object:  # as above
    """A default as people write it; None where there is nothing to tell."""
    if hint == Usd:
        return default / 1_000_000 if isinstance(default, int) else None
    if isinstance(default, timedelta):
        seconds = int(default.total_seconds())
        for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if seconds % size == 0:
                return f"{seconds // size}{unit}"
        return f"{seconds}s"
    return default if isinstance(default, str | bool | list | int) and default not in ([], "") else None
