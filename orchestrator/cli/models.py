"""`orchestrator models`: what there is to run on, what it costs, and who says so."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from orchestrator.core.prices import Price
    from orchestrator.wiring.pricing import ModelLine

_HEAD = ("MODEL", "PROVIDER", "IN", "OUT", "READ", "WRITE", "CONTEXT", "PRICE FROM", "TOOLS")


@click.command(
    name="models",
    help=words("""
  orchestrator models
  orchestrator models --json

The models that config/models.yaml and the tools name, with their prices in US dollars per million tokens: input,
output, cache read, cache write. A price is that of config/models.yaml, else of the price table: the package
genai-prices where it is installed, else the one that ships with the program. "+" behind a price: long requests cost
more.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Lists them."""
    from orchestrator.wiring.pricing import model_lines

    table, lines = model_lines(call.place())
    if as_json:
        call.out.envelope("models", {"table": table, "unit": "usd_per_mtok", "models": [one.plain() for one in lines]})
        return
    if not lines:
        call.err.line("no model is named; see config/models.yaml, or: orchestrator tool list --catalogue")
        return
    paints = [Paint.FAINT, *(Paint.WARN if one.todo else None for one in lines)]
    call.out.table([_HEAD, *map(_row, lines)], paints=paints, indent="")
    for one in lines:
        if one.todo:
            call.err.line(plain(f"{one.model.name} has no price: {one.todo}"))
    call.err.line(plain(f"price table: {table}"))


def _row(one: "ModelLine") -> tuple[str, ...]:
    price, window = one.model.price, one.model.context_window
    return (
        one.model.name,
        one.model.provider or "-",
        *_rates(price),
        f"{window:,}" if window else "-",
        price.source if price else "nobody",
        ", ".join(one.tools) or "-",
    )


def _rates(price: "Price | None") -> tuple[str, str, str, str]:
    if price is None:
        return ("?", "?", "?", "?")
    if price.is_free:
        return ("free", "free", "free", "free")
    rates, more = price.rates, "+" if price.tiers else ""
    read = rates.input if rates.cache_read is None else rates.cache_read
    write = rates.input if rates.cache_write is None else rates.cache_write
    return (_amount(rates.input) + more, _amount(rates.output) + more, _amount(read) + more, _amount(write) + more)


def _amount(rate: "Decimal") -> str:
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
