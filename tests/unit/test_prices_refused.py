"""A price that cannot be meant is refused when the file is read, with its place and what was probably meant."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config import ConfigRefused, load
from orchestrator.core.problem import render

KNOWN = "claude-sonnet-5-5"


def refused(root: Path, entry: str, name: str = "mine") -> list[str]:
    """The messages, without `config/`, for one entry of models.yaml that starts in column 3 of line 2."""
    folder = root / "config"
    folder.mkdir(exist_ok=True)
    (folder / "agents.yaml").write_text("agents: {}\n")
    (folder / "tools.yaml").write_text("tools: {}\n")
    (folder / "models.yaml").write_text(f"models:\n  {name}: {entry}\n")
    try:
        load(folder, repository=root, environ={}, platform="linux")
    except ConfigRefused as error:
        return [render(problem).splitlines()[0].removeprefix("config/") for problem in error.problems]
    return []


def only(root: Path, entry: str, name: str = "mine") -> str:
    found = refused(root, entry, name)
    assert len(found) == 1, found
    return found[0]


def test_a_price_a_thousand_times_off_says_where_what_and_what_was_probably_meant(tmp_path: Path) -> None:
    said = only(tmp_path, "{provider: anthropic, price: {input_mtok: 0.002, output_mtok: 10}}", KNOWN)
    assert said == (
        "models.yaml:2:64: models.claude-sonnet-5-5.price.input_mtok: 0.002 is a 1000th of the 2 that"
        " claude-sonnet-5-5 of anthropic costs by the price table; this looks like one per thousand tokens;"
        " input_mtok is US dollars per million tokens: write `input_mtok: 2`"
    )


KNOWN_CASES = {
    "per token": ("price: {input_mtok: 0.000002, output_mtok: 10}", "looks like one per token", "`input_mtok: 2`"),
    "per thousand": ("price: {input_mtok: 2, output_mtok: 0.01}", "per thousand tokens", "`output_mtok: 10`"),
    "a thousand times": ("price: {input_mtok: 2000, output_mtok: 10}", "2000 is 1000 times the 2", "`input_mtok: 2`"),
    "in millionths": ("price: {input_mtok: 2000000, output_mtok: 10}", "in millionths of a", "`input_mtok: 2`"),
    "a hundred times": ("price: {input_mtok: 200, output_mtok: 1000}", "is 100 times the", "write"),
    "the cache": (
        "price: {input_mtok: 2, output_mtok: 10, cache_read_mtok: 0.0001}",
        "a 1000th of the 0.1",
        "read_mtok: 0.1`",
    ),
    "older, per million": (
        "cost_per_1k_tokens: {input: 2, output: 0.01}",
        "one per million",
        "`price: {input_mtok: 2, ...}`",
    ),
    "older, per token": ("cost_per_1k_tokens: {input: 0.000002, output: 0.01}", "per token", "{input_mtok: 2, ...}`"),
    "a tier": (
        "price: {input_mtok: 2, output_mtok: 10, tiers: [{above_tokens: 5, input_mtok: 4, output_mtok: 0.02}]}",
        "price.tiers[0].output_mtok: 0.02 is a 500th of the 10",
        "write",
    ),
}


@pytest.mark.parametrize(("entry", "what", "way"), KNOWN_CASES.values(), ids=KNOWN_CASES)
def test_a_price_is_held_against_the_table_where_that_knows_the_model(
    tmp_path: Path, entry: str, what: str, way: str
) -> None:
    said = refused(tmp_path, f"{{{entry}}}", KNOWN)
    assert what in said[0]
    assert way in said[0]


UNKNOWN_CASES = {
    "too dear": (
        "{price: {input_mtok: 2000, output_mtok: 10}}",
        "2000 USD per million tokens: no model costs more than 1000 per million; this looks like one in thousandths",
        "write `input_mtok: 2`",
    ),
    "per token": (
        "{price: {input_mtok: 0.000002, output_mtok: 10}}",
        "0.000002 USD per million tokens: no model costs less than 0.0005 per million; this looks like one per token",
        "write `input_mtok: 2`",
    ),
    "per thousand": ("{price: {input_mtok: 0.0004, output_mtok: 0.2}}", "one per thousand tokens", "`input_mtok: 0.4`"),
    "older, per million": (
        "{cost_per_1k_tokens: {input: 2, output: 0.01}}",
        "2 USD per thousand tokens: no model costs more than 1000 per million; this looks like one per million tokens",
        "write `price: {input_mtok: 2, ...}`",
    ),
    "input and output in two units": (
        "{price: {input_mtok: 2, output_mtok: 0.002}}",
        "are in two units",
        "per million",
    ),
    "a cache dearer than none": (
        "{price: {input_mtok: 2, output_mtok: 10, cache_write_mtok: 21}}",
        "cache_write_mtok: 21 is more than 10 times fresh input, 2",
        "of cached input as well",
    ),
    "beyond everything": ("{price: {input_mtok: 1e308, output_mtok: 10}}", "1e+308 is not a price", "US dollars"),
    "next to nothing": ("{price: {input_mtok: 1e-300, output_mtok: 10}}", "1e-300 is not a price", "US dollars"),
    "negative": ("{price: {input_mtok: -2, output_mtok: 10}}", "-2 is not a price", "US dollars"),
}


@pytest.mark.parametrize(("entry", "what", "way"), UNKNOWN_CASES.values(), ids=UNKNOWN_CASES)
def test_what_no_model_costs_is_refused_where_the_table_knows_nothing(
    tmp_path: Path, entry: str, what: str, way: str
) -> None:
    said = only(tmp_path, entry)
    assert what in said
    assert way in said


@settings(max_examples=50, deadline=None)
@given(
    digits=st.integers(1, 10**20), exponent=st.integers(-40, 20), name=st.sampled_from([KNOWN, "mine", "gpt-6.1-sol"])
)
def test_whatever_the_figure_it_is_taken_or_refused_at_its_place(
    tmp_path_factory: pytest.TempPathFactory, digits: int, exponent: int, name: str
) -> None:
    root = tmp_path_factory.getbasetemp()
    for said in refused(root, f"{{price: {{input_mtok: '{digits}e{exponent}', output_mtok: 10}}}}", name):
        assert said.startswith("models.yaml:2:")
        assert "; " in said


def test_not_a_number_is_refused_at_its_place(tmp_path: Path) -> None:
    assert only(tmp_path, "{price: {input_mtok: .nan, output_mtok: 10}}").startswith("models.yaml:2:30:")


def test_two_prices_for_one_model_are_refused_and_the_same_one_twice_is_not(tmp_path: Path) -> None:
    both = "{{price: {{input_mtok: 2, output_mtok: 10}}, cost_per_1k_tokens: {{input: {}, output: 0.01}}}}"
    assert "cost_per_1k_tokens gives another price than `price`; keep `price`" in only(tmp_path, both.format("0.003"))
    assert refused(tmp_path, both.format("0.002")) == []


def test_two_tiers_of_one_size_are_refused(tmp_path: Path) -> None:
    tier = "{above_tokens: 9, input_mtok: 4, output_mtok: 20}"
    said = only(tmp_path, f"{{price: {{input_mtok: 2, output_mtok: 10, tiers: [{tier}, {tier}]}}}}")
    assert "price.tiers[1].above_tokens: there are two prices above 9 tokens; keep one of them" in said


def test_a_model_under_a_name_of_its_own_is_known_by_its_alias(tmp_path: Path) -> None:
    entry = f"{{provider: anthropic, aliases: [{KNOWN}], price: {{input_mtok: 0.002, output_mtok: 10}}}}"
    assert "a 1000th of the 2 that claude-sonnet-5-5" in only(tmp_path, entry)


GOOD = {
    "free": (KNOWN, "{price: free}"),
    "a discount": (KNOWN, "{price: {input_mtok: 1, output_mtok: 5}}"),
    "a mark-up": (KNOWN, "{price: {input_mtok: 20, output_mtok: 100}}"),
    "nothing charged for a part": (KNOWN, "{price: {input_mtok: 2, output_mtok: 10, cache_read_mtok: 0}}"),
    "what it once cost": ("gpt-5.6-luna", "{price: {input_mtok: 1, output_mtok: 6}}"),
    "another provider's": (KNOWN, "{provider: acme, price: {input_mtok: 0.002, output_mtok: 0.01}}"),
    "a very small one": ("mine", "{price: {input_mtok: 0.001, output_mtok: 0.002}}"),
    "a very large one": ("mine", "{price: {input_mtok: 150, output_mtok: 600}}"),
    "the older spelling": ("mine", "{cost_per_1k_tokens: {input: 0.01, output: 0.03}}"),
}


@pytest.mark.parametrize(("name", "entry"), GOOD.values(), ids=GOOD)
def test_a_price_that_can_be_meant_is_taken(tmp_path: Path, name: str, entry: str) -> None:
    assert refused(tmp_path, entry, name) == []
