"""What tokens cost. Rates are US dollars per million tokens, which is the same as micro-dollars per token."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from orchestrator.core.types import MicroUsd, Tokens


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


def cost(tokens: Tokens, price: Price, *, round_up: bool = False) -> MicroUsd:
    """What those tokens cost, in whole micro-dollars: half-even, or up where money is to be held.

    A run of many requests reports one sum of tokens, in which no single request can be told any more: above the first
    tier's size the dearer rates are taken only where the sum of one request can have reached them, which a caller that
    knows the requests decides by asking for each of them.
    """
    rates = _rates_for(tokens, price)
    read = rates.input if rates.cache_read is None else rates.cache_read
    write = rates.input if rates.cache_write is None else rates.cache_write
    total = (
        rates.input * tokens.input
        + read * tokens.cache_read
        + write * tokens.cache_write
        + rates.output * tokens.output
    )
    return MicroUsd(int(total.to_integral_value(ROUND_UP if round_up else ROUND_HALF_EVEN)))


def _rates_for(tokens: Tokens, price: Price) -> Rates:
    size = tokens.input + tokens.cache_read + tokens.cache_write
    rates = price.rates
    for tier in price.tiers:
        if size > tier.above:
            rates = tier.rates
    return rates
