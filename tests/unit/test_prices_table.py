"""The price table: which names find a model, which price held when, and what settings become with it."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.price_table import MAKERS, Dated, Known, PriceTable, folded, priced
from orchestrator.core.prices import FREE, Price, Rates
from orchestrator.core.settings import Model, Settings, Tool
from orchestrator.prices import snapshot

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHIPPED = snapshot.shipped()


def price(rate: int) -> Price:
    return Price(rates=Rates(input=Decimal(rate), output=Decimal(rate * 5)), source="test 1")


def table(**names: tuple[str, int]) -> PriceTable:
    """Models by folded name: (provider, rate)."""
    models: dict[str, dict[str, Known]] = {}
    for name, (provider, rate) in names.items():
        key = name.replace("_", "-")
        known = Known(provider=provider, name=key, history=(Dated(since=None, price=price(rate)),), context_window=9)
        models.setdefault(provider, {})[key] = known
    return PriceTable(name="test", version="1", models=models)


def found(provider: str, model: str, of: PriceTable = SHIPPED) -> str:
    """provider/name of what the table finds; '' for nothing."""
    known = of.known(provider, model)
    return f"{known.provider}/{known.name}" if known else ""


SPELLINGS = {
    "itself": ("", "claude-sonnet-5-5", "anthropic/claude-sonnet-5-5"),
    "with its provider": ("anthropic", "claude-sonnet-5-5", "anthropic/claude-sonnet-5-5"),
    "in capitals": ("Anthropic", "Claude-Sonnet-5.5", "anthropic/claude-sonnet-5-5"),
    "a dash for a dot": ("", "gpt-6-1-sol", "openai/gpt-6.1-sol"),
    "the long context": ("anthropic", "claude-opus-5-5[1m]", "anthropic/claude-opus-5-5"),
    "a prefix": ("", "anthropic/claude-opus-5-5", "anthropic/claude-opus-5-5"),
    "a prefix that agrees": ("openai", "openai/gpt-6-luna", "openai/gpt-6-luna"),
    "a date": ("", "claude-sonnet-5-5-20260115", "anthropic/claude-sonnet-5-5"),
    "a date of OpenAI": ("openai", "gpt-5.3-codex-2026-02-05", "openai/gpt-5.3-codex"),
    "a date of Vertex": ("anthropic", "claude-opus-5-5@20260901", "anthropic/claude-opus-5-5"),
    "a dated model of its own": ("openai", "gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13"),
    "Bedrock": ("", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"),
    "Bedrock without a region": ("", "anthropic.claude-opus-5-5", "anthropic/claude-opus-5-5"),
    "an alias that the table spells out": ("", "claude-opus-4", "anthropic/claude-opus-4-0"),
    "another name of the provider": ("gemini", "gemini-4-argon", "google/gemini-4-argon"),
    "all at once": ("anthropic", "anthropic/claude-sonnet-4-5-20250929[1m]", "anthropic/claude-sonnet-4-5"),
}


@pytest.mark.parametrize(("provider", "model", "known"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_model_is_found_by_the_spellings_that_tools_and_people_use(provider: str, model: str, known: str) -> None:
    assert found(provider, model) == known


OWN = [known for held in SHIPPED.models.values() for name, known in held.items() if name == folded(known.name)]


@given(
    known=st.sampled_from(OWN),
    has_prefix=st.booleans(),
    date_of_it=st.sampled_from(["", "-20260115", "@20260115", "-2026-01-15"]),
    is_long=st.booleans(),
    has_provider=st.booleans(),
)
def test_every_model_is_found_by_its_name_with_any_of_these_around_it(
    known: Known, *, has_prefix: bool, date_of_it: str, is_long: bool, has_provider: bool
) -> None:
    prefix, suffix = f"{known.provider}/" if has_prefix else "", "[1m]" if is_long else ""
    written = f"{prefix}{known.name}{date_of_it}{suffix}"
    assert SHIPPED.known(known.provider if has_provider else "", written) == known


STRANGERS = {
    "the next of a family": ("", "claude-sonnet-5-6"),
    "a smaller one of a family": ("openai", "gpt-6.1-sol-mini"),
    "the name of a family": ("", "sonnet"),
    "an alias of tools": ("", "default"),
    "the beginning of a name": ("", "claude-sonnet"),
    "another provider's": ("openai", "claude-sonnet-5-5"),
    "a reseller's": ("acme", "claude-sonnet-5-5"),
    "a reseller's in the maker's name": ("openrouter", "anthropic/claude-sonnet-5-5"),
    "a prefix that contradicts": ("openai", "anthropic/claude-sonnet-5-5"),
    "a prefix of nobody": ("", "acme/claude-sonnet-5-5"),
    "two prefixes": ("", "openrouter/anthropic/claude-sonnet-5-5"),
    "a date that is none": ("", "claude-sonnet-5-5-2026011"),
    "nothing": ("", ""),
    "a date alone": ("", "-20260115"),
}


@pytest.mark.parametrize(("provider", "model"), STRANGERS.values(), ids=STRANGERS)
def test_what_the_table_does_not_know_has_no_price_and_is_never_guessed(provider: str, model: str) -> None:
    assert found(provider, model) == ""
    assert SHIPPED.lookup(provider, model, NOW) is None


@given(model=st.text(max_size=40), provider=st.sampled_from(["", "acme", *MAKERS]))
def test_any_text_is_looked_up_without_harm(model: str, provider: str) -> None:
    known = SHIPPED.known(provider, model)
    assert known is None or known.provider in SHIPPED.models


def test_a_model_of_two_providers_is_the_makers_unless_another_is_named() -> None:
    two = PriceTable(
        name="test",
        version="1",
        models={**table(big=("acme", 7)).models, **table(big=("google", 3)).models, **table(big=("openai", 5)).models},
    )
    assert [found(provider, "big", two) for provider in ("", "acme", "google")] == [
        "openai/big",
        "acme/big",
        "google/big",
    ]


def test_a_provider_that_calls_it_by_a_prefix_itself_has_its_own_price() -> None:
    sold = table(**{"anthropic/big": ("acme", 7)})
    assert found("acme", "anthropic/big", sold) == "acme/anthropic/big"


AT_MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        (AT_MIDNIGHT - timedelta(microseconds=1), 2),
        (AT_MIDNIGHT, 4),
        (AT_MIDNIGHT.astimezone(timezone(timedelta(hours=-8))), 4),
        (datetime(2026, 12, 1, 5, tzinfo=timezone(timedelta(hours=9))), 2),
        (datetime(2030, 1, 1, tzinfo=UTC), 4),
    ],
    ids=["just before", "that day", "the same moment further west", "already tomorrow further east", "years later"],
)
def test_a_price_holds_from_its_day_on_in_utc(at: datetime, rate: int) -> None:
    price_then = SHIPPED.lookup("google", "gemini-4-argon", at)
    assert price_then is not None
    assert price_then.rates.input == rate


def test_before_its_first_day_a_model_has_no_price() -> None:
    known = Known(provider="openai", name="big", history=(Dated(since=date(2027, 1, 1), price=price(2)),))
    assert known.price_at(NOW) is None


def test_the_shipped_table_knows_the_current_models_of_three_providers() -> None:
    expected = {
        ("anthropic", "claude-opus-5-5"): (4, 20, Decimal("0.2"), 5),
        ("anthropic", "claude-sonnet-5-5"): (2, 10, Decimal("0.1"), Decimal("2.5")),
        ("openai", "gpt-6.1-sol"): (2, 10, Decimal("0.1"), Decimal("2.5")),
        ("openai", "gpt-5.3-codex"): (Decimal("1.75"), 14, Decimal("0.175"), None),
        ("google", "gemini-3.8-flash"): (Decimal("0.75"), Decimal("3.75"), Decimal("0.075"), None),
    }
    for (provider, name), (fresh, output, read, write) in expected.items():
        held = SHIPPED.lookup(provider, name, NOW)
        assert held is not None, name
        assert held.rates == Rates(input=fresh, output=output, cache_read=read, cache_write=write)
        assert held.source == SHIPPED.source
    assert tuple(SHIPPED.models) == MAKERS
    assert SHIPPED.source.startswith("shipped 20")
    assert "genai-prices" in SHIPPED.source


def test_long_requests_of_the_shipped_table_cost_more() -> None:
    sol = SHIPPED.lookup("openai", "gpt-6.1-sol", NOW)
    assert sol is not None
    assert [(tier.above, tier.rates.input, tier.rates.output) for tier in sol.tiers] == [(272_000, 4, 15)]


def test_every_price_of_the_shipped_table_is_one_that_a_file_may_hold() -> None:
    for held in SHIPPED.models.values():
        for name, known in held.items():
            assert name == folded(name)
            assert known.history
            sinces = [dated.since or date.min for dated in known.history]
            assert sinces == sorted(set(sinces)), name
            for dated in known.history:
                every = [dated.price.rates, *(tier.rates for tier in dated.price.tiers)]
                assert all(Decimal("0.0005") <= one.input <= 1000 for one in every), name
                assert all(Decimal("0.0005") <= one.output <= 1000 for one in every), name
                assert [tier.above for tier in dated.price.tiers] == sorted({t.above for t in dated.price.tiers}), name


def test_the_shipped_file_is_small_and_carries_the_licence_of_its_data() -> None:
    text = snapshot.FILE.read_text(encoding="utf-8")
    assert len(text) < 60_000
    assert "The MIT License (MIT) Copyright (c) Pydantic" in text[:1500]
    assert 'THE SOFTWARE IS PROVIDED \\"AS IS\\"' in text[:1500]


def test_what_is_written_is_read_again() -> None:
    models = {
        "anthropic": {"a": {"aliases": ["b.c"], "prices": [{"rates": [0.1, 2, None, 0.125]}]}},
        "openai": {"b-c": {"context_window": 5, "prices": [{"since": "2026-01-02", "rates": [1, 2, 3, 4]}]}},
    }
    text = snapshot.written("x", "1 (y)", 'a "notice"', models)
    again = snapshot.parse(text.encode())
    assert again.source == "x 1 (y)"
    assert again.models["anthropic"]["b-c"].name == "a"
    dated = again.models["openai"]["b-c"].history[0]
    assert (dated.since, again.models["openai"]["b-c"].context_window) == (date(2026, 1, 2), 5)
    rates = again.models["anthropic"]["a"].history[0].price.rates
    assert rates == Rates(input=Decimal("0.1"), output=Decimal(2), cache_write=Decimal("0.125"))


def test_a_name_of_its_own_goes_before_an_alias_of_another() -> None:
    entry = {"prices": [{"rates": [1, 1, None, None]}]}
    models = {"openai": {"a": entry, "b": {"aliases": ["a", "c"], **entry}}}
    held = snapshot.parse(snapshot.written("x", "1", "", models).encode()).models["openai"]
    assert {name: known.name for name, known in held.items()} == {"a": "a", "b": "b", "c": "b"}


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b'{"name": 1, "version": 2, "models": {"x": {"y": {"prices": [{"rates": [null, 1, 1, 1]}]}}}}'],
    ids=["nothing", "a list", "no name", "a price without input"],
)
def test_what_is_no_table_is_refused(raw: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        snapshot.parse(raw)


def settings(*models: Model, listed: tuple[str, ...] = ()) -> Settings:
    tool = Tool(name="t", binary="t", command=("t",), models=listed)
    return Settings(agents={}, tools={"t": tool}, models={model.name: model for model in models})


def test_settings_get_prices_where_the_files_give_none_and_keep_those_that_they_give() -> None:
    own = price(99)
    prices = table(big=("openai", 2), small=("openai", 1), other=("openai", 3))
    before = settings(
        Model(name="big"),
        Model(name="small", price=own, context_window=7),
        Model(name="mine", price=FREE),
        listed=("other",),
    )
    after = priced(before, prices, NOW).models
    assert after["big"] == Model(name="big", provider="openai", price=price(2), context_window=9)
    assert after["small"] == Model(name="small", provider="openai", price=own, context_window=7)
    assert after["mine"] == Model(name="mine", price=FREE)
    assert after["other"] == Model(name="other", provider="openai", price=price(3), context_window=9)


def test_a_model_that_nobody_knows_stays_without_a_price() -> None:
    after = priced(settings(Model(name="big", provider="acme"), listed=("huge",)), table(big=("openai", 2)), NOW).models
    assert after == {"big": Model(name="big", provider="acme"), "huge": Model(name="huge")}
