"""`orchestrator models`: names, prices, and who says so."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cli_world import World, repository

from orchestrator.adapters.place import find
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.pricing import with_prices

MODELS = """
models:
  mine: {provider: acme, price: {input_mtok: 1.5, output_mtok: 6, cache_read_mtok: 0.15}, aliases: [my-own]}
  claude-haiku-5-5: {provider: anthropic}
  local: {price: free}
  strange: {provider: acme}
  gpt-6-luna: {provider: acme}
"""
TOOLS = """
tools:
  first: {binary: "true", models: [mine, claude-sonnet-5-5]}
  second: {binary: "true", models: [my-own, unheard-of]}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace with models of all kinds."""
    made = repository(tmp_path)
    (made.root / "config").mkdir()
    made.configure({"agents": "agents: {}\n", "tools": TOOLS, "models": MODELS})
    return made


def test_models_are_listed_with_their_prices_and_where_each_came_from(world: World) -> None:
    ended = world.well("models")
    rows = [line.split() for line in ended.out.splitlines()]
    assert rows[0][:6] == ["MODEL", "PROVIDER", "IN", "OUT", "READ", "WRITE"]
    assert [row[0] for row in rows[1:]] == [
        "mine", "claude-haiku-5-5", "local", "strange", "gpt-6-luna", "claude-sonnet-5-5", "unheard-of",
    ]  # fmt: skip
    assert rows[1] == ["mine", "acme", "1.5", "6", "0.15", "1.5", "-", "config/models.yaml", "first,", "second"]
    assert rows[2][:7] == ["claude-haiku-5-5", "anthropic", "0.1+", "0.5+", "0.01+", "0.125+", "1,000,000"]
    assert rows[3][2:6] == ["free"] * 4
    assert rows[4][2:8] == ["?", "?", "?", "?", "-", "nobody"]
    assert rows[6][:4] == ["claude-sonnet-5-5", "anthropic", "2", "10"]
    assert "strange has no price: write `price:` under it in config/models.yaml" in ended.err
    assert "gpt-6-luna has no price: the price table knows it of openai, not of acme" in ended.err
    assert "unheard-of has no price: add it under `models:`" in ended.err
    assert "price table: " in ended.err


def test_models_as_json_carry_rates_as_numbers_and_their_source(world: World) -> None:
    data = world.well("models", "--json").data
    assert data["unit"] == "usd_per_mtok"
    models = {one["name"]: one for one in data["models"]}
    assert models["mine"]["source"] == "config/models.yaml"
    assert models["mine"]["tools"] == ["first", "second"]
    assert models["claude-haiku-5-5"]["source"] == data["table"]
    assert models["claude-haiku-5-5"]["price"]["tiers"][0]["above_tokens"] == 100_000
    sonnet = models["claude-sonnet-5-5"]["price"]
    assert (sonnet["input_mtok"], sonnet["output_mtok"], sonnet["cache_read_mtok"]) == (2, 10, 0.1)
    assert models["local"]["price"]["free"] is True
    assert (models["strange"]["price"], models["strange"]["source"]) == (None, "")
    assert models["strange"]["todo"]


def test_without_a_model_it_says_so(world: World) -> None:
    world.configure({"tools": "tools: {}\n", "models": "models: {}\n"})
    ended = world.well("models")
    assert ended.out == ""
    assert "no model is named; see config/models.yaml" in ended.err


def test_a_price_a_thousand_times_off_stops_it_with_the_place(world: World) -> None:
    world.configure({"models": "models:\n  claude-sonnet-5-5: {price: {input_mtok: 0.002, output_mtok: 0.01}}\n"})
    ended = world("models")
    assert ended.code == 78
    assert "config/models.yaml:2:43: models.claude-sonnet-5-5.price.input_mtok: 0.002 is a 1000th of the 2" in ended.err


@pytest.mark.parametrize(
    ("at", "rate"), [(datetime(2026, 11, 30, tzinfo=UTC), 2), (datetime(2026, 12, 1, tzinfo=UTC), 4)]
)
def test_settings_have_the_prices_of_the_moment_for_which_they_are_asked(world: World, at: datetime, rate: int) -> None:
    world.configure({"models": "models:\n  mine: {aliases: [my-own]}\n  gemini-4-argon:\n"})
    place = find(world.root)
    models = with_prices(read_settings(place), place, at).models
    price = models["gemini-4-argon"].price
    assert price is not None
    assert price.rates.input == Decimal(rate)
    assert (models["mine"].price, models["gemini-4-argon"].provider) == (None, "google")
    assert models["claude-sonnet-5-5"].price is not None  # that only a tool lists
