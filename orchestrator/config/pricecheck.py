"""Whether a price can be meant: one that is a thousand times off blocks everybody or limits nobody.

Where the price table that ships with the program knows the model, a price is compared with that; else only what no
model costs is refused. The units that people mix up are the token, a thousand and a million of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from orchestrator.config.book import Book
from orchestrator.config.schema import FreePrice, ModelEntry, RatesEntry
from orchestrator.config.wording import Finding, Step

if TYPE_CHECKING:
    from orchestrator.core.price_table import Known, PriceTable
    from orchestrator.core.prices import Rates

_OFF = 100  # times the table's price, or a part of it: no discount and no mark-up is that large
_DEAREST, _CHEAPEST = Decimal(1000), Decimal("0.0005")  # USD per million tokens, of any model known
_CACHED_OVER_FRESH = 10
_OUTPUT_OVER_INPUT = 1000  # either way
_USUAL = Decimal("0.01")  # what even cheap models cost: a guess at what was meant comes out at that or above
_LOOKS_LIKE = {
    1: "per token",
    10**3: "per thousand tokens",
    10**6: "per million tokens",
    10**9: "in thousandths of a dollar",
    10**12: "in millionths of a dollar",
}
_UNITS = "prices are US dollars per million tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """One rate as it stands in the file."""

    at: tuple[Step, ...]
    kind: str  # input, output, cache_read, cache_write
    rate: Decimal  # USD per million tokens
    per: int = 10**6  # tokens that the price in the file is for

    @property
    def as_written(self) -> str:
        """The figure in the file."""
        return _plain(self.rate * self.per / 10**6)


def check_prices(book: Book) -> None:
    """Note every price that cannot be meant on the sheet of the models."""
    priced = {name: entry for name, entry in book.models.items() if _has_price(entry)}
    if not priced:
        return
    from orchestrator.prices.snapshot import shipped  # a millisecond, for those files that hold a price

    table = shipped()
    for name, entry in priced.items():
        for finding in _findings(name, entry, _known(table, name, entry)):
            book.models_sheet.refuse(finding)


def _has_price(entry: ModelEntry) -> bool:
    return entry.price is not None or entry.cost_per_1k_tokens is not None


def _known(table: "PriceTable", name: str, entry: ModelEntry) -> "Known | None":
    """What the table has of it, by its name or an alias: a team may call it what it likes."""
    names = (name, *entry.aliases)
    return next((known for one in names if (known := table.known(entry.provider or "", one))), None)


def _findings(name: str, entry: ModelEntry, known: "Known | None") -> Iterator[Finding]:
    at: tuple[Step, ...] = ("models", name)
    if twice := _two_prices(at, entry):
        yield twice
        return
    for rates in _groups(at, entry):
        wrong = [found for one in rates if (found := _off_the_table(one, known) or _beyond_bounds(one, known))]
        yield from wrong or _out_of_proportion(rates)


def _groups(at: tuple[Step, ...], entry: ModelEntry) -> Iterator[list[_Written]]:
    """The rates that stand together: of the price, of each tier, of the older spelling."""
    price = entry.price
    if price is not None and not isinstance(price, FreePrice):
        yield list(_rates((*at, "price"), price))
        for index, tier in enumerate(price.tiers):
            yield list(_rates((*at, "price", "tiers", index), tier))
    if (old := entry.cost_per_1k_tokens) is not None and price is None:
        place = (*at, "cost_per_1k_tokens")
        yield [
            _Written(at=(*place, kind), kind=kind, rate=rate * 1000, per=1000)
            for kind, rate in (("input", old.input), ("output", old.output))
        ]


def _rates(at: tuple[Step, ...], entry: RatesEntry) -> Iterator[_Written]:
    for kind in ("input", "output", "cache_read", "cache_write"):
        rate: Decimal | None = getattr(entry, f"{kind}_mtok")
        if rate is not None:
            yield _Written(at=(*at, f"{kind}_mtok"), kind=kind, rate=rate)


def _off_the_table(one: _Written, known: "Known | None") -> Finding | None:
    nearest = _nearest(one, known)
    if nearest is None or known is None or one.rate == 0:
        return None
    is_dear = one.rate > nearest
    factor = one.rate / nearest if is_dear else nearest / one.rate
    if factor < _OFF:
        return None
    right, times = _plain(nearest * one.per / 10**6), _plain(factor.quantize(Decimal(1)))
    amount = f"{times} times the {right}" if is_dear else f"a {times}th of the {right}"
    message = f"{one.as_written} is {amount} that {known.name} of {known.provider} costs by the price table"
    return Finding(at=one.at, message=message, hint=_meant(one, 1000 if factor < 30_000 else 10**6, is_dear=is_dear))


def _nearest(one: _Written, known: "Known | None") -> Decimal | None:
    """The price of that kind, of all that the model ever had, that is nearest to what is written."""
    if known is None:
        return None
    every = [rates for dated in known.history for rates in (dated.price.rates, *(t.rates for t in dated.price.tiers))]
    had = {rate for rates in every if (rate := _of_kind(rates, one.kind))}
    return min(had, key=lambda rate: max(rate / one.rate, one.rate / rate) if one.rate else rate, default=None)


def _of_kind(rates: "Rates", kind: str) -> Decimal | None:
    found = {
        "input": rates.input,
        "output": rates.output,
        "cache_read": rates.cache_read,
        "cache_write": rates.cache_write,
    }
    return found[kind]


def _beyond_bounds(one: _Written, known: "Known | None") -> Finding | None:
    """For a model that the table lacks."""
    if _nearest(one, known) is not None or one.rate == 0 or _CHEAPEST <= one.rate <= _DEAREST:
        return None
    is_dear = one.rate > _DEAREST
    bound = f"more than {_DEAREST}" if is_dear else f"less than {_CHEAPEST}"
    amount = f"{one.as_written} USD per " + ("million tokens" if one.per == 10**6 else "thousand tokens")
    message = f"{amount}: no model costs {bound} per million"
    step = 1000 if (one.rate <= _DEAREST * 1000 if is_dear else one.rate >= _USUAL / 1000) else 10**6
    return Finding(at=one.at, message=message, hint=_meant(one, step, is_dear=is_dear))


def _meant(one: _Written, step: int, *, is_dear: bool) -> str:
    """What was probably meant by a rate that is off by that much: the same figure in one of the units around."""
    unit = _LOOKS_LIKE.get(one.per * step if is_dear else one.per // step, "in another unit")
    rate = _plain(one.rate / step if is_dear else one.rate * step)
    way = f"{one.kind}_mtok: {rate}" if one.per == 10**6 else f"price: {{{one.kind}_mtok: {rate}, ...}}"
    return f"this looks like one {unit}; {one.kind}_mtok is US dollars per million tokens: write `{way}`"


def _out_of_proportion(rates: list[_Written]) -> Iterator[Finding]:
    """Two rates side by side of which one is in another unit."""
    by_kind = {one.kind: one for one in rates}
    fresh, output = by_kind.get("input"), by_kind.get("output")
    if fresh is None or fresh.rate == 0:
        return
    for kind in ("cache_read", "cache_write"):
        cached = by_kind.get(kind)
        if cached and cached.rate > fresh.rate * _CACHED_OVER_FRESH:
            message = f"{cached.as_written} is more than {_CACHED_OVER_FRESH} times fresh input, {fresh.as_written}"
            yield Finding(at=cached.at, message=message, hint=f"{_UNITS}, of cached input as well")
    if output and output.rate:
        high, low = max(fresh.rate, output.rate), min(fresh.rate, output.rate)
        if high >= low * _OUTPUT_OVER_INPUT:
            message = f"{output.as_written} for output and {fresh.as_written} for input are in two units"
            yield Finding(at=output.at, message=message, hint=_UNITS)


def _two_prices(at: tuple[Step, ...], entry: ModelEntry) -> Finding | None:
    """Two prices for one model: nobody can tell which one is meant."""
    price, old = entry.price, entry.cost_per_1k_tokens
    if price is not None and old is not None:
        if (price.input_mtok, price.output_mtok) != (old.input * 1000, old.output * 1000):
            message = "cost_per_1k_tokens gives another price than `price`"
            return Finding(at=(*at, "cost_per_1k_tokens"), message=message, hint="keep `price`", at_key=True)
        return None
    sizes: set[int] = set()
    for index, tier in enumerate(price.tiers if price else ()):
        if tier.above_tokens in sizes:
            message = f"there are two prices above {tier.above_tokens} tokens"
            return Finding(at=(*at, "price", "tiers", index, "above_tokens"), message=message, hint="keep one of them")
        sizes.add(tier.above_tokens)
    return None


def _plain(number: Decimal) -> str:
    """2, 0.25, 2000: no exponent, no zeros behind."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
