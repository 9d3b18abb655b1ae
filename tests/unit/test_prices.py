"""What tokens are charged, and what has to be held for them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.prices import FREE, Price, Rates, Tier, cost, dearest, usage_fault
from orchestrator.core.types import Tokens

SONNET = Price(
    rates=Rates(input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.3"), cache_write=Decimal("3.75"))
)
TIERED = Price(
    rates=Rates(input=Decimal(2), output=Decimal(10), cache_read=Decimal("0.2")),
    tiers=(
        Tier(above=200_000, rates=Rates(input=Decimal(4), output=Decimal(15), cache_read=Decimal("0.4"))),
        Tier(above=500_000, rates=Rates(input=Decimal(8), output=Decimal(12), cache_read=Decimal("0.8"))),
    ),
)
TOKENS = Tokens(input=1500, output=800)

rates = st.decimals(min_value=0, max_value=1000, places=4)
maybe = st.none() | rates
all_rates = st.builds(Rates, input=rates, output=rates, cache_read=maybe, cache_write=maybe)
tiers = st.lists(st.builds(Tier, above=st.integers(1, 10**6), rates=all_rates), max_size=3, unique_by=lambda t: t.above)
prices = st.builds(Price, rates=all_rates, tiers=tiers.map(lambda held: tuple(sorted(held, key=lambda t: t.above))))
counts = st.integers(0, 10**7)
usages = st.builds(Tokens, input=counts, cache_read=counts, cache_write=counts, output=counts)


def test_the_cost_of_the_scenario_is_39_thousandths_of_a_dollar() -> None:
    """1,500 in and 800 out at 0.01/0.03 per thousand."""
    price = Price(rates=Rates(input=Decimal("0.01") * 1000, output=Decimal("0.03") * 1000))
    assert cost(TOKENS, price) == 39_000
    assert dearest(TOKENS, price) == 39_000


def test_each_of_the_four_kinds_has_its_rate() -> None:
    tokens = Tokens(input=10, cache_read=100_000, cache_write=5_000, output=200)
    assert cost(tokens, SONNET) == 30 + 30_000 + 18_750 + 3_000


def test_cached_tokens_without_a_rate_are_charged_as_fresh_input() -> None:
    price = Price(rates=Rates(input=Decimal(2), output=Decimal(10)))
    assert cost(Tokens(cache_read=500, cache_write=500), price) == 2000


@pytest.mark.parametrize(
    ("tokens", "settled", "held"),
    [(1, 0, 1), (2, 1, 1), (3, 2, 2), (5, 2, 3), (0, 0, 0)],
    ids=["half to even 0", "whole", "half to even 2", "half down to even", "nothing"],
)
def test_a_charge_is_rounded_half_even_and_a_hold_up(tokens: int, settled: int, held: int) -> None:
    price = Price(rates=Rates(input=Decimal("0.5"), output=Decimal(0)))
    assert (cost(Tokens(input=tokens), price), dearest(Tokens(input=tokens), price)) == (settled, held)


@pytest.mark.parametrize(
    ("requests", "charged"),
    [(1, 600_000 * 8), (2, 600_000 * 4), (3, 600_000 * 2), (40, 600_000 * 2), (None, 600_000 * 2)],
    ids=["one, above both", "two of 300,000", "three of exactly 200,000", "forty small ones", "nobody knows how many"],
)
def test_a_tier_is_chosen_by_the_size_of_a_request_and_never_by_the_sum_of_a_run(
    requests: int | None, charged: int
) -> None:
    assert cost(Tokens(input=600_000), TIERED, requests=requests) == charged


def test_cached_tokens_count_for_the_size_of_a_request_and_output_does_not() -> None:
    assert cost(Tokens(cache_read=200_001), TIERED, requests=1) == 80_000
    assert cost(Tokens(input=1, output=10**6), TIERED, requests=1) == 2 + 10 * 10**6


def test_a_hold_takes_each_kind_at_the_dearest_rate_of_the_tiers_in_reach() -> None:
    assert dearest(Tokens(input=600_000, output=1000), TIERED) == 600_000 * 8 + 15_000
    assert dearest(Tokens(input=200_000, output=1000), TIERED) == 200_000 * 2 + 10_000


@given(tokens=usages, price=prices, requests=st.none() | st.integers(1, 100))
def test_a_hold_covers_the_charge_however_the_run_divides_into_requests(
    tokens: Tokens, price: Price, requests: int | None
) -> None:
    assert 0 <= cost(tokens, price, requests=requests) <= dearest(tokens, price)


@given(parts=st.lists(usages, min_size=1, max_size=5), price=prices)
def test_a_hold_for_a_run_covers_the_exact_charge_of_each_of_its_requests(parts: list[Tokens], price: Price) -> None:
    whole = Tokens(
        input=sum(one.input for one in parts),
        cache_read=sum(one.cache_read for one in parts),
        cache_write=sum(one.cache_write for one in parts),
        output=sum(one.output for one in parts),
    )
    rounding = len(parts)  # each part is rounded by less than one
    assert sum(cost(one, price, requests=1) for one in parts) <= dearest(whole, price) + rounding


def test_free_is_free_and_a_price_with_any_rate_is_not() -> None:
    nothing = Rates(input=Decimal(0), output=Decimal(0))
    assert FREE.is_free
    assert cost(TOKENS, FREE) == dearest(TOKENS, FREE) == 0
    assert not Price(rates=Rates(input=Decimal(0), output=Decimal(0), cache_write=Decimal(1))).is_free
    assert not Price(rates=nothing, tiers=(Tier(above=1, rates=TIERED.rates),)).is_free


@pytest.mark.parametrize("kind", ["input", "cache_read", "cache_write", "output"])
@pytest.mark.parametrize(
    ("count", "why"), [(-1, "less than none"), (10**10 + 1, "in another unit")], ids=["negative", "absurd"]
)
def test_counts_that_cannot_be_are_refused_before_they_are_money(kind: str, count: int, why: str) -> None:
    tokens = Tokens(**{kind: count})
    assert f"{count} {kind} tokens" in usage_fault(tokens)
    for charge in (cost, dearest):
        with pytest.raises(ValueError, match=why):
            charge(tokens, SONNET)


def test_a_run_without_requests_has_no_tokens_to_charge() -> None:
    with pytest.raises(ValueError, match="0 requests"):
        cost(TOKENS, SONNET, requests=0)


@pytest.mark.parametrize(
    ("tokens", "window", "requests", "fault"),
    [
        (Tokens(input=1, cache_read=200_000), 200_000, 1, "200001 tokens of input do not fit into a context of 200000"),
        (Tokens(input=500_000), 200_000, 2, "500000 tokens of input do not fit into 2 of 200000 tokens"),
        (Tokens(input=400_000), 200_000, 2, ""),
        (Tokens(input=10, cache_read=190_000), 200_000, 1, ""),
        (Tokens(input=10**9), 200_000, None, ""),
        (Tokens(input=10**9), None, 1, ""),
        (Tokens(output=300_000), 200_000, 1, ""),
    ],
    ids=[
        "more than the window",
        "more than two windows",
        "two full windows",
        "more was cached than was fresh",
        "nobody knows how many requests",
        "nobody knows the window",
        "output is not input",
    ],
)
def test_a_report_that_does_not_fit_into_the_context_is_none(
    tokens: Tokens, window: int | None, requests: int | None, fault: str
) -> None:
    assert usage_fault(tokens, context_window=window, requests=requests) == fault
