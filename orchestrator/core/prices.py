"""What tokens cost. Rates are US dollars per million tokens, which is the same as micro-dollars per token.

Two questions, two functions: `cost` is what a run is charged, `dearest` what has to be held for it before it runs.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from orchestrator.core.types import MicroUsd, Tokens

_MOST_TOKENS = 10**10  # of one kind in one run: ten thousand times the largest runs known; more is another unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars per million tokens. None: billed as fresh input, the dearer assumption where a cache is read."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Other rates for a whole request once its input (fresh and cached) is larger than that many tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs, and who says so."""

    rates: Rates
    tiers: tuple[Tier, ...] = ()  # by rising `above`
    source: str = ""  # the price table with its version, or the file; recorded with each cost

    @property
    def is_free(self) -> bool:
        """Whether nothing is ever charged: it runs at zero left."""
        every = (self.rates, *(tier.rates for tier in self.tiers))
        return not any(rate for one in every for rate in (one.input, one.output, one.cache_read, one.cache_write))


FREE = Price(rates=Rates(input=Decimal(0), output=Decimal(0)), source="free")


def cost(tokens: Tokens, price: Price, *, requests: int | None = None) -> MicroUsd:
    """What those tokens are charged, in whole micro-dollars, rounded half-even.

    A tier is chosen by the size of one request, and a run of many requests reports only their sum. So, by `requests`,
    how many there were:

    - 1: by the size of that request, which is exact;
    - more: by the size of the mean one. What single larger ones cost beyond that is not charged;
    - None, nobody knows: by the base rates. A sum says nothing of a tier: nearly every run of an agent passes it, while
      hardly a request does, and to go by the sum would charge twice what such a run costs.

    A tool that reports its own cost knows better, and goes before this. Raises ValueError where `usage_fault` finds
    something, or `requests` is below 1.
    """
    _refuse(tokens)
    if requests is not None and requests < 1:
        raise ValueError(f"{requests} requests cannot have used tokens")
    size = Decimal(_size(tokens)) / requests if requests else Decimal(0)
    rates = price.rates
    for tier in price.tiers:
        if size > tier.above:
            rates = tier.rates
    return MicroUsd(int(_total(tokens, rates).to_integral_value(ROUND_HALF_EVEN)))


def dearest(tokens: Tokens, price: Price) -> MicroUsd:
    """The most that those tokens can cost, in whole micro-dollars, rounded up: what to hold for them.

    Each kind of token is taken at the dearest rate of any tier that a request within that sum can reach, so that it is
    never less than `cost`, however the run divides into requests. Raises ValueError as `cost` does.
    """
    _refuse(tokens)
    size = _size(tokens)
    reachable = [price.rates, *(tier.rates for tier in price.tiers if size > tier.above)]
    rates = Rates(
        input=max(one.input for one in reachable),
        output=max(one.output for one in reachable),
        cache_read=max(_read(one) for one in reachable),
        cache_write=max(_write(one) for one in reachable),
    )
    return MicroUsd(int(_total(tokens, rates).to_integral_value(ROUND_UP)))


def usage_fault(tokens: Tokens, *, context_window: int | None = None, requests: int | None = None) -> str:
    """Why a report of usage cannot be true; '' where it can.

    A reader of a tool's output asks it with what it knows of the run, and drops a report that is none; `cost` and
    `dearest` ask it again, because from there it is money. The four counters are disjoint (a reader has taken what was
    cached off the input), so that each may be larger than any other: only together they have a bound, which is the
    context window times the requests.
    """
    counted = {
        "input": tokens.input,
        "cache_read": tokens.cache_read,
        "cache_write": tokens.cache_write,
        "output": tokens.output,
    }
    for name, count in counted.items():
        if count < 0:
            return (
                f"{count} {name} tokens: less than none; where input includes what was cached, it was taken off twice"
            )
        if count > _MOST_TOKENS:
            return f"{count} {name} tokens: no run uses so many; it is in another unit"
    if context_window and requests and _size(tokens) > context_window * requests:
        room = f"{requests} of {context_window} tokens" if requests > 1 else f"a context of {context_window}"
        return f"{_size(tokens)} tokens of input do not fit into {room}"
    return ""


def _refuse(tokens: Tokens) -> None:
    if fault := usage_fault(tokens):
        raise ValueError(fault)


def _size(tokens: Tokens) -> int:
    return tokens.input + tokens.cache_read + tokens.cache_write


def _read(rates: Rates) -> Decimal:
    return rates.input if rates.cache_read is None else rates.cache_read


def _write(rates: Rates) -> Decimal:
    return rates.input if rates.cache_write is None else rates.cache_write


def _total(tokens: Tokens, rates: Rates) -> Decimal:
    return (
        rates.input * tokens.input
        + _read(rates) * tokens.cache_read
        + _write(rates) * tokens.cache_write
        + rates.output * tokens.output
    )
