"""Recorded outcomes as people write them: JSONL, or CSV with a head; each with task, model, solved and cost_usd."""

import csv
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from orchestrator.core.simulation import Outcome
from orchestrator.core.types import MicroUsd

_FIELDS = ("task", "model", "solved", "cost_usd")
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
_DEAREST = Decimal(1_000_000)  # US dollars for one run; more is another unit


class BadRunsError(ValueError):
    """A file that cannot be used: `str(error)` is LINE: what is wrong and what to write."""


def parse(text: str) -> Iterator[Outcome]:
    """The outcomes of a file, in its order; which of the two it is, its first character says. Raises BadRunsError."""
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    rows = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)
    for line, row in rows:
        yield _outcome(line, row)


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise BadRunsError(f"{number}: this is no JSON object on one line ({error})") from None
        if not isinstance(row, dict):
            raise BadRunsError(f"{number}: this is no JSON object; write {{{', '.join(_FIELDS)}}}")
        yield number, row


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.DictReader(text.splitlines())
    try:
        head = [name.strip() for name in reader.fieldnames or ()]
        if missing := [name for name in _FIELDS if name not in head]:
            raise BadRunsError(f"1: the head lacks {', '.join(missing)}; it names the columns {','.join(_FIELDS)}")
        reader.fieldnames = head
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise BadRunsError(f"{reader.line_num}: this is no line of CSV ({error})") from None


def _outcome(line: int, row: Mapping[str, object]) -> Outcome:
    task, model = (_name(line, name, row.get(name)) for name in ("task", "model"))
    return Outcome(
        task=task, model=model, solved=_solved(line, row.get("solved")), cost=_cost(line, row.get("cost_usd"))
    )


def _name(line: int, field: str, value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise BadRunsError(f"{line}: {field} is missing; name the {field}")
    return text


def _solved(line: int, value: object) -> bool:
    word = str(value).strip().casefold()
    if word not in _YES | _NO:
        raise BadRunsError(f'{line}: solved is "{value}"; write true or false')
    return word in _YES


def _cost(line: int, value: object) -> MicroUsd:
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= _DEAREST:
        raise BadRunsError(f'{line}: cost_usd is "{value}"; write US dollars, e.g. 0.042')
    return MicroUsd(round(amount * 1_000_000))
