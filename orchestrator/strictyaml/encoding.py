"""Bytes to text: UTF-8 and nothing else, of a bounded size, holding no character that a person cannot see."""

import codecs

from orchestrator.core.problem import Problem
from orchestrator.strictyaml.characters import hidden_at, name_of
from orchestrator.strictyaml.document import YamlRefused, problem_in

MAX_BYTES = 1 << 20

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def decode(raw: bytes, *, path: str, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file without its byte order mark. Raises YamlRefused for anything that is not bounded UTF-8."""
    if len(raw) > max_bytes:
        message = f"holds {len(raw):,} bytes, more than the {max_bytes:,} that are read"
        raise YamlRefused((Problem(path=path, message=message, hint="move long text to a file and name that here"),))
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            raise YamlRefused((Problem(path=path, message=f"is {encoding}, not UTF-8", hint="save it as UTF-8"),))
    body = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        message = f"byte 0x{body[error.start]:02x} is not UTF-8"
        # The rest of the line is shown as far as it can be read.
        rest = body[error.start :].split(b"\n", 1)[0].decode("utf-8", "replace")
        problem = problem_in(path, before + rest, len(before), message, "save the file as UTF-8")
        raise YamlRefused((problem,)) from error
    check_characters(text, path=path)
    return text


def check_characters(text: str, *, path: str) -> None:
    """Raise YamlRefused where the text holds a character that people cannot see or that reorders what they see."""
    offset = hidden_at(text)
    if offset >= 0:
        hint = "delete it" if text[offset] != "\0" else "delete it, or save the file as UTF-8 if it is UTF-16"
        problem = problem_in(path, text, offset, f"holds {name_of(text[offset])}", hint)
        raise YamlRefused((problem,))
