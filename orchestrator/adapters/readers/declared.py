"""The declarative reader: where in a tool's JSON things are is said by JSON pointers (RFC 6901) in its stanza."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Output, bounded
from orchestrator.core.pointers import Pointers, Shape
from orchestrator.core.types import CostSource, ErrorKind, Tokens
from orchestrator.core.verdict import Ending, Ran

_LONGEST_INDEX = 9  # digits of a place in a list
_LONGEST_LABEL = 200
_NO_ERROR: tuple[object, ...] = (None, False, "", [])
_ABSENT = object()


def read(pointers: Pointers, ran: Ran, output: Output) -> Ran:
    """What the run means. In JSON Lines each pointer has the last line in which it finds something."""
    found = _found(pointers, output)
    if found is None:
        return telling.without_end(ran, output, "a JSON object")
    kept = bounded(_as_text(found.get(pointers.text)))
    cost = values.micro_usd(found.get(pointers.cost_usd))
    denials = found.get(pointers.denials)
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        tokens=_tokens(pointers, found),
        cost=cost,
        cost_source=CostSource.REPORTED if cost is not None else None,
        session_id=values.short(_as_text(found.get(pointers.session_id))),
        turns=values.count(found.get(pointers.turns)),
        denials=telling.unique(_denial(one) for one in denials) if isinstance(denials, list) else (),
    )
    error = found.get(pointers.error)
    # Compared by identity of type too: 0 equals False, and is something.
    if not any(error == nothing and type(error) is type(nothing) for nothing in _NO_ERROR):
        said = failures.sentence(found.get(pointers.error_message)) or failures.sentence(error)
        return telling.failed(ran, said)
    if pointers.text not in found and ran.ending is Ending.EXITED and ran.exit_code == 0:
        return replace(ran, failure=ErrorKind.BAD_OUTPUT, problem=f"there is nothing at {pointers.text} in its output")
    return ran


def live(pointers: Pointers, line: bytes) -> str:
    """The text in one line of JSON Lines; nobody reads along in one document."""
    event = values.parsed(line) if pointers.format is Shape.JSONL else None
    return "" if event is None else telling.live_text(_as_text(resolve(event, pointers.text)))


def resolve(document: object, pointer: str) -> object:
    """The value at a JSON pointer; None where there is none. An empty pointer finds nothing here."""
    found = _at(document, pointer)
    return None if found is _ABSENT else found


def _found(pointers: Pointers, output: Output) -> Mapping[str, object] | None:
    """The value of each pointer that finds something; None where nothing was printed that it could be looked for in."""
    wanted = {pointer for pointer in _all(pointers) if pointer}
    if pointers.format is Shape.JSON:
        documents: Iterator[object] = iter([output.document()])
    else:
        documents = iter(output.events())
    found: dict[str, object] = {}
    is_empty = True
    for document in documents:
        if not isinstance(document, dict | list):
            continue
        is_empty = False
        for pointer in wanted:
            value = _at(document, pointer)
            # A null takes back an error of a line before; it takes back nothing else.
            if value is not _ABSENT and (value is not None or pointer == pointers.error):
                found[pointer] = value
    return None if is_empty else found


def _all(pointers: Pointers) -> tuple[str, ...]:
    tokens = pointers.tokens
    counters = (tokens.input, tokens.cache_read, tokens.cache_write, tokens.output)
    told = (pointers.text, pointers.cost_usd, pointers.session_id, pointers.turns, pointers.denials)
    return (*counters, *told, pointers.error, pointers.error_message)


def _at(document: object, pointer: str) -> object:
    if not pointer.startswith("/"):
        return _ABSENT
    value = document
    for part in pointer[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and _is_index(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            return _ABSENT
    return value


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= _LONGEST_INDEX and (key == "0" or not key.startswith("0"))


def _tokens(pointers: Pointers, found: Mapping[str, object]) -> Tokens | None:
    at = pointers.tokens
    if not any(pointer in found for pointer in (at.input, at.cache_read, at.cache_write, at.output)):
        return None
    fresh, output = values.number(found.get(at.input)), values.number(found.get(at.output))
    read_, write = values.number(found.get(at.cache_read)), values.number(found.get(at.cache_write))
    if pointers.input_includes_cache:
        return values.disjoint(input_with_cache=fresh, cache_read=read_, cache_write=write, output=output)
    return Tokens(input=fresh, cache_read=read_, cache_write=write, output=output)


def _as_text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return ""


def _denial(one: object) -> str:
    if isinstance(one, dict):
        name = next((one[key] for key in ("tool_name", "toolName", "tool", "name") if one.get(key)), None)
        arguments = next((one[key] for key in ("tool_input", "input", "arguments", "args") if one.get(key)), one)
        if name is not None:
            return telling.call(name, arguments)
    return values.short(_as_text(one))[:_LONGEST_LABEL]
