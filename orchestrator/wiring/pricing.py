"""What models cost here: the configuration, with the price table where it says nothing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.place import Place
from orchestrator.adapters.price_table import price_table
from orchestrator.core.price_table import PriceTable, priced
from orchestrator.core.prices import Price, Rates
from orchestrator.core.settings import Model, Settings
from orchestrator.wiring.configuring import read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLine:
    """One model as `orchestrator models` shows it."""

    model: Model
    tools: tuple[str, ...]  # those that list it
    todo: str = ""  # what to do where it has no price

    def plain(self) -> dict[str, object]:
        """For --json; rates are US dollars per million tokens."""
        price = self.model.price
        return {
            "name": self.model.name,
            "provider": self.model.provider,
            "price": _plain(price) if price else None,
            "source": price.source if price else "",
            "context_window": self.model.context_window,
            "aliases": list(self.model.aliases),
            "tools": list(self.tools),
            "todo": self.todo,
        }


def table_of(place: Place) -> PriceTable:
    """The price table in force. What an installed package says is kept in the state folder, where there is one."""
    return price_table(place.state if place.state.is_dir() else None)


def with_prices(settings: Settings, place: Place, at: datetime) -> Settings:
    """The settings with the prices of that moment. A daemon asks again on another day: prices have dates."""
    return priced(settings, table_of(place), at)


def model_lines(place: Place) -> tuple[str, list[ModelLine]]:
    """The table's name with its version; and every model that models.yaml or a tool names, in that order."""
    settings, now, table = read_settings(place), SystemClock().now(), table_of(place)
    order = dict.fromkeys((*settings.models, *(name for tool in settings.tools.values() for name in tool.models)))
    found = priced(settings, table, now).models
    lines = [
        ModelLine(
            model=found[name],
            tools=tuple(tool.name for tool in settings.tools.values() if name in tool.models),
            todo="" if found[name].price else _todo(found[name], table, is_declared=name in settings.models),
        )
        for name in order
    ]
    return table.source, lines


def _todo(model: Model, table: PriceTable, *, is_declared: bool) -> str:
    """How the model comes to a price."""
    if model.provider and (known := table.known("", model.name)) is not None:
        return (
            f"the price table knows it of {known.provider}, not of {model.provider}: correct one, or write its `price:`"
        )
    way = "write `price:` under it" if is_declared else "add it under `models:`, with `provider:` and `price:`,"
    return f"{way} in config/models.yaml; `price: free` where nothing is charged"


def _plain(price: Price) -> dict[str, object]:
    tiers = [{"above_tokens": tier.above} | _rates(tier.rates) for tier in price.tiers]
    return _rates(price.rates) | {"free": price.is_free, "tiers": tiers}


def _rates(rates: Rates) -> dict[str, object]:
    return {
        "input_mtok": _number(rates.input),
        "output_mtok": _number(rates.output),
        "cache_read_mtok": _number(rates.cache_read),
        "cache_write_mtok": _number(rates.cache_write),
    }


def _number(rate: Decimal | None) -> int | float | None:
    """As JSON has numbers; for people and scripts that look, never for sums."""
    if rate is None:
        return None
    return int(rate) if rate == int(rate) else float(rate)
