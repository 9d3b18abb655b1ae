"""The kinds of values of the configuration (config.fields) in the words of JSON Schema, as far as it has words.

It can say what a text looks like, not what a name stands for: that is left to `config validate`. Expressions are of the
dialect that JSON Schema asks for (ECMA-262), in the part of it that Python shares. Tests hold both against each other.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.config import fields
from orchestrator.config.names import PATH_RULES, REF_RULES
from orchestrator.core.durations import IN_JSON_SCHEMA

Schema = dict[str, Any]

_UNITS = "[bB]|[kKmMgGtT][iI]?[bB]"
_BYTES = rf"[0-9]{{1,15}} ?|[0-9]{{1,15}}(?:\.[0-9]{{1,6}})? ?(?:{_UNITS})"
_FIGURE = r"[0-9_]*[1-9][0-9_]*(?:\.[0-9_]*)?|[0-9_]*\.[0-9_]*[1-9][0-9_]*"  # above zero
_ANY_FIGURE = r"[0-9_]*[0-9][0-9_]*(?:\.[0-9_]*)?|[0-9_]*\.[0-9_]*[0-9][0-9_]*"
_POWER = r"(?:[eE][+-]?[0-9]+)?"
VARIABLE_VALUE = r"^(?:(?!\$\{)[\s\S]|\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\})*$"


def _named(pattern: str) -> Schema:
    return {"type": "string", "pattern": rf"^(?![\s\S]*\.\.)(?:{pattern})$"}


def _without(rules: tuple[tuple[str, str], ...], longest: int) -> Schema:
    """A text to which none of the rules applies."""
    patterns = [rule.replace(r"\A", "^").replace(r"\Z", "$") for rule, _ in rules]
    none = "".join(rf"(?![\s\S]*(?:{_without_flags(pattern)}))" for pattern in patterns)
    return {"type": "string", "maxLength": longest, "pattern": f"^{none}"}


def _without_flags(pattern: str) -> str:
    """`(?i:...)`, which is younger than most readers of schemas, written out."""
    if not pattern.startswith("(?i:"):
        return pattern
    inner = pattern.removeprefix("(?i:").removesuffix(")")
    return "".join(f"[{sign}{sign.upper()}]" if sign.isalpha() and sign.islower() else sign for sign in inner)


_TEXT: Schema = {"type": "string", "pattern": r"\S"}

KINDS: Mapping[str, tuple[Any, Schema]] = {  # the type hint and its schema, by the name that it has in `$defs`
    "Text": (fields.Text, _TEXT),
    "Name": (fields.Name, _named(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")),
    "ModelName": (fields.ModelName, _named(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")),
    "EnvName": (fields.EnvName, _named(r"[A-Za-z_][A-Za-z0-9_]*")),
    "OptionName": (fields.OptionName, _named(r"[a-z][a-z0-9_]*")),
    "Word": (fields.Word, _named(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}")),
    "Remote": (fields.Remote, _named(r"[A-Za-z0-9][A-Za-z0-9._/-]*")),
    "Duration": (
        fields.Duration,
        {"type": "string", "pattern": IN_JSON_SCHEMA, "examples": ["90s", "10m", "2h", "30d"]},
    ),
    "Usd": (
        fields.Usd,
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 10**9},
                {"type": "string", "pattern": rf"^\s*\+?(?:{_FIGURE}){_POWER}\s*$"},
            ]
        },
    ),
    "Rate": (
        fields.Rate,
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 10**9},
                {"type": "string", "pattern": rf"^\s*[+-]?(?:{_ANY_FIGURE}){_POWER}\s*$"},
            ]
        },
    ),
    "Count": (fields.Count, {"type": "integer", "minimum": 1, "maximum": 10**9}),
    "Retries": (fields.Retries, {"type": "integer", "minimum": 0, "maximum": 100}),
    "Percent": (fields.Percent, {"type": "integer", "minimum": 1, "maximum": 100}),
    "Size": (
        fields.Size,
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 1 << 50},
                {
                    "type": "string",
                    "pattern": rf"^\s*(?=[^1-9]*[1-9])(?:{_BYTES})\s*$",
                },
            ],
            "examples": ["64MiB", "1GiB", "500MB"],
        },
    ),
    "Pointer": (
        fields.Pointer,
        {
            "type": "string",
            "pattern": r"^/(?:[^~]|~[01])*$",
            "examples": ["/result", "/usage/input_tokens"],
        },
    ),
    "Command": (
        fields.Command,
        {
            "anyOf": [
                {"type": "array", "minItems": 1, "prefixItems": [_TEXT], "items": {"type": "string"}},
                {"type": "string", "pattern": r"\S"},
            ],
            "examples": [["{binary}", "--model", "{model}"]],
        },
    ),
    "AbsolutePath": (fields.AbsolutePath, {"type": "string", "pattern": r"^(?![\s\S]*/\.\.(?:/|$))/"}),
    "Zone": (fields.Zone, {"type": "string", "examples": ["UTC", "Europe/Brussels"]}),
    "Branch": (fields.Branch, _without(REF_RULES, 200)),
    "FolderPath": (fields.FolderPath, _without(PATH_RULES, 1000)),
    "FilePath": (fields.FilePath, _without(PATH_RULES, 1000)),
}
