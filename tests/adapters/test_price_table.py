"""The price table in force: the package where it is installed, what is kept of it, and the shipped one otherwise."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orchestrator.adapters import genai_prices
from orchestrator.adapters.price_table import price_table
from orchestrator.core.price_table import MAKERS, folded
from orchestrator.core.prices import Tier
from orchestrator.prices import snapshot

NOW = datetime(2026, 11, 21, tzinfo=UTC)

# What the package looks like to us, with prices of our own.
DATA = """
from datetime import date
from decimal import Decimal
from types import SimpleNamespace as Some

KINDS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")

def rates(*given):
    return Some(**dict(zip(KINDS, given)))

def tiered(base, *tiers):
    return Some(base=Decimal(base), tiers=[Some(start=start, price=Decimal(price)) for start, price in tiers])

def model(id, prices, match=None, context_window=None):
    return Some(id=id, prices=prices, match=match or Some(equals=id), context_window=context_window)

class Provider:
    def __init__(self, id, *models):
        self.id, self.models = id, models
    def find_model(self, text):
        return next((one for one in self.models if text.startswith(one.id)), None)

two = rates(Decimal("2.5"), Decimal(10), None, None)
big = model("big", two, Some(or_=[Some(equals="big"), Some(starts_with="big-2"), Some(starts_with="big-"),
                                  Some(equals="other"), Some(and_=[Some(contains="big-latest"), Some(regex="^b")])]), 9)
long = model("long", rates(tiered("2", (200, "4"), (500, "8")), tiered("10", (500, "15")), Decimal("0.1"), None))
change = model("change", [
    Some(constraint=Some(start_date=date(2026, 12, 1)), prices=rates(Decimal(4), Decimal(20), None, None)),
    Some(constraint=None, prices=rates(Decimal(2), Decimal(10), None, None)),
    Some(constraint=Some(start_date=date(2026, 6, 1)), prices=rates(Decimal(2), Decimal(10), None, None)),
])
hourly = model("hourly", [Some(constraint=None, prices=two), Some(constraint=Some(start_time=1), prices=two)])
speech = model("big-tts", two)
unsold = model("embed", rates(Decimal(1), None, None, None))
begin = model("ft:big-", two)
providers = [Provider("openai", big, long, change, hourly, speech, unsold, begin), Provider("anthropic"),
             Provider("google"), Provider("acme", model("anthropic/big", two))]
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages in which it is installed."""
    folder = tmp_path / "packages"
    (folder / "genai_prices").mkdir(parents=True)
    (folder / "genai_prices" / "__init__.py").write_text("")
    (folder / "genai_prices" / "data.py").write_text(DATA)
    (folder / "genai_prices-9.8.7.dist-info").mkdir()
    monkeypatch.syspath_prepend(folder)
    real = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "genai_prices"}
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "genai_prices"]:
        del sys.modules[name]
    sys.modules.update(real)


def test_without_the_package_the_shipped_table_holds(tmp_path: Path) -> None:
    assert price_table(tmp_path, packages=tmp_path).source == snapshot.shipped().source
    assert list(tmp_path.iterdir()) == []


def test_where_it_is_installed_the_package_holds_and_is_named_with_its_version(packages: Path) -> None:
    table = price_table(packages=packages)
    assert table.source == "genai-prices 9.8.7"
    assert set(table.models) == {*MAKERS, "acme"}
    held = table.lookup("openai", "big", NOW)
    assert held is not None
    assert (held.rates.input, held.rates.cache_read, held.source) == (Decimal("2.5"), None, "genai-prices 9.8.7")
    sold = table.known("acme", "anthropic/big")
    assert sold is not None
    assert sold.name == "anthropic/big"


def test_the_names_that_it_spells_out_are_taken_over_and_no_beginning_of_names_is(packages: Path) -> None:
    names = price_table(packages=packages).models["openai"]
    assert {name for name, known in names.items() if known.name == "big"} == {"big", "big-2", "big-latest"}
    assert "other" not in names


def test_what_is_no_text_or_has_no_price_by_the_token_and_the_day_is_left_out(packages: Path) -> None:
    assert {known.name for known in price_table(packages=packages).models["openai"].values()} == {
        "big",
        "long",
        "change",
    }


def test_tiers_of_single_rates_become_tiers_of_all_rates(packages: Path) -> None:
    held = price_table(packages=packages).lookup("openai", "long", NOW)
    assert held is not None
    rows = [(tier.above, tier.rates.input, tier.rates.output, tier.rates.cache_read) for tier in held.tiers]
    assert (held.rates.input, held.rates.output) == (2, 10)
    assert rows == [(200, 4, 10, Decimal("0.1")), (500, 8, 15, Decimal("0.1"))]
    assert all(isinstance(tier, Tier) for tier in held.tiers)


def test_prices_stand_in_the_order_of_their_days_and_one_that_changes_nothing_is_none(packages: Path) -> None:
    known = price_table(packages=packages).known("openai", "change")
    assert known is not None
    assert [(str(dated.since), dated.price.rates.input) for dated in known.history] == [("None", 2), ("2026-12-01", 4)]


def test_what_the_package_says_is_kept_and_not_imported_again(tmp_path: Path, packages: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    first = price_table(cache, packages=packages)
    kept = list(cache.iterdir())
    assert [one.name.startswith("prices-9.8.7-") for one in kept] == [True]
    (packages / "genai_prices" / "data.py").write_text("raise AssertionError('imported again')")
    del sys.modules["genai_prices.data"]
    assert price_table(cache, packages=packages) == first


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"name": "genai-prices", "version": "9.8.7", "models": {}}', b"\xff\xfe", b'{"models": 5}'],
    ids=["empty", "torn", "a list", "without providers", "no text", "another form"],
)
def test_what_was_kept_and_is_damaged_is_made_again(tmp_path: Path, packages: Path, damage: bytes) -> None:
    good = price_table(tmp_path, packages=packages)
    (kept,) = tmp_path.glob("prices-*.json")
    kept.write_bytes(damage)
    assert price_table(tmp_path, packages=packages) == good
    assert kept.read_bytes() != damage


def test_another_version_is_read_anew_and_the_older_one_is_not_kept(tmp_path: Path, packages: Path) -> None:
    price_table(tmp_path, packages=packages)
    (packages / "genai_prices-9.8.7.dist-info").rename(packages / "genai_prices-9.9.0.dist-info")
    assert price_table(tmp_path, packages=packages).version == "9.9.0"
    assert [one.name.split("-")[1] for one in tmp_path.glob("prices-*.json")] == ["9.9.0"]


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path, packages: Path) -> None:
    assert price_table(tmp_path / "missing", packages=packages).version == "9.8.7"


def test_a_package_that_lacks_what_it_needs_is_none(packages: Path) -> None:
    (packages / "genai_prices" / "data.py").write_text("import something_that_is_nowhere")
    assert price_table(packages=packages).source == snapshot.shipped().source


def test_of_the_makers_their_own_models_are_shipped() -> None:
    found = {
        "anthropic": {"claude-x": {}},
        "openai": {"gpt-x": {}},
        "google": {"claude-x": {}, "gemini-x": {}},
        "acme": {},
    }
    own = genai_prices.without_resold(found, MAKERS)
    assert {maker: list(held) for maker, held in own.items()} == {
        "anthropic": ["claude-x"],
        "openai": ["gpt-x"],
        "google": ["gemini-x"],
    }


@pytest.mark.parametrize("size", [1_000, 150_000, 250_000, 300_000])
def test_our_rates_are_those_by_which_the_real_package_charges(size: int) -> None:
    real = pytest.importorskip("genai_prices", reason="the extra `prices` is not installed")
    table = price_table()
    assert table.name == "genai-prices"
    names = [known for maker in MAKERS for name, known in table.models[maker].items() if name == folded(known.name)]
    assert len(names) > 50
    for known in names:
        held = known.price_at(NOW)
        assert held is not None
        rates = next((tier.rates for tier in reversed(held.tiers) if size > tier.above), held.rates)
        said = real.calc_price(
            real.Usage(input_tokens=size, output_tokens=1000),
            known.name,
            provider_id=known.provider,
            genai_request_timestamp=NOW,
        )
        assert said.total_price == (rates.input * size + rates.output * 1000) / 10**6, known.name
