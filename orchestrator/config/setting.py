"""What `config set KEY VALUE` means: the place that the key names, and the value that was meant."""

from dataclasses import dataclass

from pydantic import ValidationError

from orchestrator.config.fields import nearest
from orchestrator.config.layers import NAMED, SECTIONS
from orchestrator.config.places import At, NoPlaceError, joined, parts_of, with_value
from orchestrator.config.schema import ENTRIES
from orchestrator.config.wording import Step
from orchestrator.errors import UsageError
from orchestrator.strictyaml import Document, Node, YamlRefused, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A value, and how the person wrote it; empty where it is to be written in another way."""

    value: object
    written: str = ""


def file_of(key: str) -> str:
    """The file that a key belongs to. Raises UsageError."""
    section = str(_parts(key)[0][0])
    for name, sections in SECTIONS.items():
        if section in sections:
            return name
    near = nearest(section, tuple(ENTRIES))
    hint = f"did you mean {near}?" if near else f"sections: {', '.join(ENTRIES)}"
    raise UsageError(f"{key}: there is no section {section!r}; {hint}")


def place_of(key: str, document: Document) -> At:
    """The place that the key names in a file. A name with dots is known where it exists. Raises UsageError."""
    parts = _parts(key)
    section = str(parts[0][0])
    fields = ENTRIES[section].model_fields if section in NAMED else {}
    return joined(parts, document.root, tuple(field.alias or name for name, field in fields.items()))


def _parts(key: str) -> tuple[tuple[Step, bool], ...]:
    try:
        return parts_of(key)
    except NoPlaceError:
        example = "policies.default.max_parallel, agents.writer.fallback_chain[1] or 'models.\"gpt-6.1\".price'"
        raise UsageError(f"{key!r} is no key; write e.g. {example}") from None


def meant(at: At, text: str) -> Meant:
    """The value as YAML has it; what the schema wants as text is text, even if YAML would read a number.

    Raises UsageError where the text is no value.
    """
    try:
        document = read(text, path="VALUE")
    except YamlRefused as refused:
        if _wants_text(at):
            return Meant(value=text)
        raise UsageError(
            f"{text!r} is no value: {refused.problems[0].message}; {refused.problems[0].hint}"
        ) from refused
    if document.root.style == "block" or _has_remark(document):
        if _wants_text(at):
            return Meant(value=text)
        raise UsageError(f"{text!r} is no value; write one plain value, [a, b] or {{key: value}}")
    value = document.root.plain()
    places = _texts_wanted(at, value)
    for place in places:
        node = document.at(*place)
        if node is not None and not isinstance(node.value, str | dict | list):
            value = with_value(value, place, document.source(node))
    as_written = text.strip() if not places and "\n" not in text else ""
    return Meant(value=value, written=as_written)


def _has_remark(document: Document) -> bool:
    """Whether a part of the text would be a comment: whoever gives a value means all of it."""
    root: Node = document.root
    return bool(document.text[: root.span.start].strip() or document.text[root.span.end :].strip())


def _wants_text(at: At) -> bool:
    return () in _texts_wanted(at, 0)


def _texts_wanted(at: At, value: object) -> list[At]:
    """Where in the value the schema wants a text and there is something else."""
    section = str(at[0])
    below = at[2:] if section in NAMED else at if section == "orphan_grace" else at[1:]
    if section in NAMED and len(at) < 2:
        return []
    place: At = tuple(0 if isinstance(step, int) else step for step in below)
    try:
        ENTRIES[section].model_validate(with_value({}, place, value))
    except ValidationError as error:
        return [
            found["loc"][len(place) :]
            for found in error.errors(include_url=False)
            if found["type"] == "string_type" and found["loc"][: len(place)] == place and "[key]" not in found["loc"]
        ]
    return []
