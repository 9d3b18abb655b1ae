"""The kinds of values in the configuration: each refuses what it cannot mean, in plain words and with a way out.

A validator raises `refused(message, hint)`; `orchestrator.config.wording` adds the place.
"""

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainValidator
from pydantic_core import PydanticCustomError

from orchestrator.config.names import branch_fault, folder_fault
from orchestrator.config.pointing import pointer_fault
from orchestrator.config.sizes import parse_size
from orchestrator.core.durations import parse_duration
from orchestrator.core.types import MicroUsd

_MOST_USD = 10**9  # nobody's limit is above a billion dollars: 1e308 is a slip of the hand
_LEAST_RATE = Decimal("1e-12")  # USD: a price per token of what costs a dollar for 10**12 tokens; nobody sells that


def refused(message: str, hint: str = "") -> PydanticCustomError:
    """What a validator raises: `message` says what is wrong, `hint` what to write instead."""
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def shown(value: object) -> str:
    """A value of the file as a message names it: short, texts in quotes."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value if len(value) <= 60 else value[:57] + "..."}"'
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise refused(f"{shown(value)} is not a duration", "use e.g. 90s, 10m, 2h or 30d")
    try:
        return parse_duration(value)
    except ValueError as error:
        message, _, hint = str(error).rpartition("; ")
        raise refused(message, hint) from error


def _decimal(value: object) -> Decimal | None:
    """The number as it was written; None where it is none. A float keeps the digits that people typed."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _usd(value: object) -> MicroUsd:
    hint = "use an amount in US dollars above zero, e.g. 10 or 2.50"
    number = _decimal(value)
    if number is None:
        raise refused(f"{shown(value)} is not an amount of money", hint)
    if number <= 0:
        raise refused(f"{shown(value)} is not above zero", hint)
    if number > _MOST_USD:
        raise refused(f"{shown(value)} is more than a billion dollars", hint)
    micro = number * 1_000_000
    if micro != int(micro):
        raise refused(f"{shown(value)} is finer than a millionth of a dollar", hint)
    return MicroUsd(int(micro))


def _rate(value: object) -> Decimal:
    number = _decimal(value)
    # pricecheck says of what is too dear or too cheap what was meant; here goes only what no unit can explain
    if number is None or number < 0 or number > 10**9 or 0 < number < _LEAST_RATE:
        raise refused(f"{shown(value)} is not a price", "use US dollars, e.g. 2 or 0.25")
    return number


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**9:
        raise refused(f"{shown(value)} is not a count", "use a whole number of 1 or more")
    return value


def _retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise refused(f"{shown(value)} is not a number of retries", "use a whole number from 0 to 100")
    return value


def _percent(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise refused(f"{shown(value)} is not a percentage", "use a whole number from 1 to 100")
    return value


def _command(value: object) -> object:
    """A string is split once, here, the way a shell would; nothing is ever given to one."""
    if not isinstance(value, str):
        if value == []:
            raise refused("the command is empty", 'write e.g. ["{binary}", "--flag"]')
        if isinstance(value, list) and isinstance(value[0], str) and not value[0].strip():
            raise refused("the command names no program", 'write e.g. ["{binary}", "--flag"]')
        return value
    import shlex

    try:
        words = shlex.split(value)
    except ValueError as error:
        raise refused(f"cannot be split into arguments: {str(error).lower()}", "write it as a list") from error
    if not words:
        raise refused("the command is empty", 'write e.g. ["{binary}", "--flag"]')
    return words


def _text(value: str) -> str:
    if not value.strip():
        raise refused("the text is empty", "write something here or remove the key")
    return value


def _matching(pattern: str, what: str, rule: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value) or ".." in value:
            raise refused(f"{shown(value)} is not {what}", f"use {rule}")
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    """A time zone of the IANA list. UTC needs no list: some machines have none."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    if value == "UTC":
        return value
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(value, available_timezones())
        hint = f"did you mean {near}?" if near else "use a name such as UTC or Europe/Brussels"
        raise refused(f"{shown(value)} is not a time zone that this machine knows", hint) from None
    return value


def nearest(written: str, names: "set[str] | frozenset[str] | tuple[str, ...] | list[str]") -> str:
    """The name that was probably meant, or an empty text."""
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in sorted(names)}
    close = get_close_matches(written.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def _branch(value: str) -> str:
    if fault := branch_fault(value):
        raise refused(f"{shown(value)} is not a branch name: {fault}", "use e.g. orchestrator/work")
    return value


def _folder(value: str) -> str:
    if fault := folder_fault(value):
        raise refused(f"{shown(value)} is not a folder of the repository: {fault}", "use e.g. tasks/")
    return value.rstrip("/") + "/"


def _file(value: str) -> str:
    if fault := folder_fault(value):
        raise refused(f"{shown(value)} is not a path inside the repository: {fault}", "use e.g. agents/writer.agent.md")
    return value


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise refused(f"{shown(value)} is not a size", "use e.g. 64MiB, 1GiB, 500MB or a number of bytes")
    try:
        return parse_size(str(value))
    except ValueError as error:
        message, _, hint = str(error).rpartition("; ")
        raise refused(message, hint) from error


def _pointer(value: str) -> str:
    fault, hint = pointer_fault(value)
    if fault:
        raise refused(f"{shown(value)} {fault}", hint)
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/") or "/../" in f"{value}/":
        raise refused(f"{shown(value)} is not an absolute path", "use e.g. /var/tmp/worktrees")
    return value


_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[
    str, _matching(_NAME, "a name", "letters, digits, dots, dashes and underscores, at most 64, no dot in front")
]
ModelName = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}", "a model name", "letters, digits and . _ : / @ + -, at most 128"
    ),
]
EnvName = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "a variable name", "letters, digits and underscores")]
OptionName = Annotated[str, _matching(r"[a-z][a-z0-9_]*", "an option name", "small letters, digits and underscores")]
Word = Annotated[str, _matching(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}", "a short name", "letters, digits and dashes")]
Remote = Annotated[str, _matching(r"[A-Za-z0-9][A-Za-z0-9._/-]*", "the name of a git remote", "e.g. origin")]
Duration = Annotated[timedelta, PlainValidator(_duration)]
Usd = Annotated[int, PlainValidator(_usd)]
Rate = Annotated[Decimal, PlainValidator(_rate)]
Count = Annotated[int, PlainValidator(_count)]
Retries = Annotated[int, PlainValidator(_retries)]
Percent = Annotated[int, PlainValidator(_percent)]
Size = Annotated[int, PlainValidator(_size)]
Pointer = Annotated[str, AfterValidator(_pointer)]
Command = Annotated[list[str], BeforeValidator(_command)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
Zone = Annotated[str, AfterValidator(_zone)]
Branch = Annotated[str, AfterValidator(_branch)]
FolderPath = Annotated[str, AfterValidator(_folder)]
FilePath = Annotated[str, AfterValidator(_file)]
