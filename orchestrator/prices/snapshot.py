"""Price tables as JSON: the one that ships with the program, and any other that was written in its form.

`{"name", "version", "models": {provider: {name: {"context_window", "aliases", "prices": [{"since", "rates", "tiers":
[{"above", "rates"}]}]}}}}`; rates are US dollars per million tokens: input, output, cache read, cache write, of which
the last two may be null.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestrator.core.price_table import Dated, Known, PriceTable, folded
from orchestrator.core.prices import Price, Rates, Tier
from orchestrator.errors import InternalError

FILE = Path(__file__).with_name("snapshot.json")


def shipped() -> PriceTable:
    """The table of this version of the program. Raises InternalError where the installation lacks it."""
    try:
        return parse(FILE.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InternalError(f"the installation is incomplete: {FILE}: {error}; install it again") from error


def parse(raw: bytes) -> PriceTable:
    """The table in that JSON. Raises ValueError, KeyError or TypeError where it is none."""
    content = json.loads(raw, parse_float=Decimal)
    source = f"{content['name']} {content['version']}"
    models = {provider: _provider(provider, held, source) for provider, held in content["models"].items()}
    return PriceTable(name=content["name"], version=content["version"], models=models)


def _provider(provider: str, held: Mapping[str, Any], source: str) -> dict[str, Known]:
    names: dict[str, Known] = {}
    aliases: dict[str, Known] = {}
    for name, entry in held.items():
        known = Known(
            provider=provider,
            name=name,
            history=tuple(_dated(one, source) for one in entry["prices"]),
            context_window=entry.get("context_window"),
        )
        names[folded(name)] = known
        aliases |= {folded(alias): known for alias in entry.get("aliases", ())}
    return aliases | names  # a name of its own goes before another model's alias


def _dated(entry: Mapping[str, Any], source: str) -> Dated:
    tiers = tuple(Tier(above=tier["above"], rates=_rates(tier["rates"])) for tier in entry.get("tiers", ()))
    since = date.fromisoformat(entry["since"]) if "since" in entry else None
    return Dated(since=since, price=Price(rates=_rates(entry["rates"]), tiers=tiers, source=source))


def _rates(row: Sequence[Decimal | int | None]) -> Rates:
    fresh, output, read, write = (None if rate is None else Decimal(rate) for rate in row)
    if fresh is None or output is None:
        raise ValueError("a price lacks the rate of its input or of its output")
    return Rates(input=fresh, output=output, cache_read=read, cache_write=write)


def written(name: str, version: str, notice: str, models: Mapping[str, Mapping[str, Any]]) -> str:
    """The JSON of such a table, one model a line, so that a change of a price is a change of a line."""
    head = f'{{"notice": {json.dumps(notice)},\n"name": {json.dumps(name)}, "version": {json.dumps(version)},\n'
    providers = []
    for provider, held in models.items():
        lines = [f" {json.dumps(one)}: {json.dumps(entry, separators=(',', ':'))}" for one, entry in held.items()]
        providers.append(f"{json.dumps(provider)}: {{\n" + ",\n".join(lines) + "\n}")
    return head + '"models": {\n' + ",\n".join(providers) + "\n}}\n"
