"""Values taken out of JSON that another program wrote: no type in it is trusted, and no value of it can raise."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from orchestrator.core.types import MicroUsd, Tokens

Json = Mapping[str, object]

_LARGEST = 10**15  # tokens, or micro-dollars: more than that is no figure
_STARTS = 16  # places at which a document amid other words is looked for
_HELD = 10_000  # messages or steps whose figures are held by name
_SHORT = 200  # characters of a name


def parsed(raw: bytes | str) -> Json | None:
    """The JSON object; None where it is something else, or damaged. Fractions become Decimals: some of it is money."""
    if isinstance(raw, bytes):
        raw = raw.decode(errors="replace")
    raw = raw.strip()
    found = _decoded(raw) if raw.startswith("{") else None
    return found if isinstance(found, dict) else None


def document(raw: str) -> object:
    """The JSON document in a text: all of it or, amid other words, the first object that begins a line; else None."""
    text = raw.strip()
    if text[:1] in {"{", "["} and (whole := _decoded(text)) is not None:
        return whole
    decoder = json.JSONDecoder(parse_float=Decimal)
    for start in _starts(text):
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError, ArithmeticError):
            continue
        if isinstance(found, dict):
            return found
    return None


def inner(value: object, *keys: str) -> object:
    """The value under these keys, one in the other; None where any of them is not there."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def mapping(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[Json]:
    """The objects of a list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def string(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def short(value: object) -> str:
    """A name or an identifier, in one line of bounded length."""
    line = " ".join(string(value)[: 4 * _SHORT].split())
    return "".join(char for char in line if char.isprintable())[:_SHORT]


def count(value: object) -> int | None:
    """A whole number from 0 on, or None."""
    if (
        isinstance(value, Decimal)
        and value.is_finite()
        and value.adjusted() < 16
        and value == value.to_integral_value()
    ):
        value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        return None
    return value


def number(value: object) -> int:
    """A whole number from 0 on; 0 where it is none."""
    return count(value) or 0


def micro_usd(value: object) -> MicroUsd | None:
    """Dollars, as a number or a numeric string, in millionths; never through a float."""
    if isinstance(value, str):
        value = _decimal(value.strip().removeprefix("$").replace(",", ""))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or (value.is_signed() and value != 0):
        return None
    if value.adjusted() > 9:
        return None
    micro = int((value * 1_000_000).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if value.adjusted() > -12 else 0
    return MicroUsd(micro)


def added(counters: Iterable[Tokens]) -> Tokens:
    """The sum."""
    found = list(counters)
    return Tokens(
        input=sum(one.input for one in found),
        cache_read=sum(one.cache_read for one in found),
        cache_write=sum(one.cache_write for one in found),
        output=sum(one.output for one in found),
    )


@dataclass(slots=True, kw_only=True)
class Tally:
    """Tokens and cost by what they were told of: the same message or step, told again, counts once."""

    by_name: dict[str, tuple[Tokens, MicroUsd]] = field(default_factory=dict)
    settled: Tokens = field(default_factory=Tokens)  # of those that are no longer held by name
    settled_cost: int = 0
    count: int = 0

    def known(self, name: str) -> Tokens:
        """What was told under this name so far."""
        return self.by_name.get(name, (Tokens(), MicroUsd(0)))[0]

    def put(self, name: str, tokens: Tokens, cost: MicroUsd | None = None) -> None:
        """What this name counts for. One without a name is a new one."""
        if name not in self.by_name:
            self.count += 1
        self.by_name[name or f"#{self.count}"] = (tokens, cost or MicroUsd(0))
        if len(self.by_name) > _HELD:
            tokens, cost = self.by_name.pop(next(iter(self.by_name)))
            self.settled = added((self.settled, tokens))
            self.settled_cost += cost

    def total(self) -> Tokens | None:
        """Of them all; None where nothing was told."""
        return added((self.settled, *(tokens for tokens, _ in self.by_name.values()))) if self.count else None

    def cost(self) -> MicroUsd:
        """Of them all."""
        return MicroUsd(self.settled_cost + sum(cost for _, cost in self.by_name.values()))


def covers(total: Tokens, part: Tokens) -> bool:
    """Whether no counter of the part is above that of the total."""
    return (
        total.input >= part.input
        and total.cache_read >= part.cache_read
        and total.cache_write >= part.cache_write
        and total.output >= part.output
    )


def without(total: Tokens, part: Tokens) -> Tokens:
    """The difference; the total itself where that would be negative."""
    if not covers(total, part):
        return total
    return Tokens(
        input=total.input - part.input,
        cache_read=total.cache_read - part.cache_read,
        cache_write=total.cache_write - part.cache_write,
        output=total.output - part.output,
    )


def disjoint(*, input_with_cache: int, cache_read: int = 0, cache_write: int = 0, output: int = 0) -> Tokens:
    """Counters of a provider that counts what was cached as input too (OpenAI, Gemini)."""
    cached = cache_read + cache_write
    fresh = input_with_cache - cached if input_with_cache >= cached else input_with_cache
    return Tokens(input=fresh, cache_read=cache_read, cache_write=cache_write, output=output)


def _decoded(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):  # the last: an exponent that no Decimal can hold
        return None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if len(text) < 64 else None
    except ArithmeticError:
        return None


def _starts(text: str) -> Iterator[int]:
    start = 0 if text.startswith("{") else text.find("\n{") + 1
    for _ in range(_STARTS):
        if start == 0 and not text.startswith("{"):
            return
        yield start
        start = text.find("\n{", start) + 1
        if start == 0:
            return
