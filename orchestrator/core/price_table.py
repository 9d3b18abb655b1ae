"""A table of prices: what each model cost from which day on, found by the names that tools and people write."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orchestrator.core.pattern import late
from orchestrator.core.prices import Price

if TYPE_CHECKING:
    from orchestrator.core.settings import Model, Settings

# The providers that make models; each name of a model that only a tool lists is looked up with them, in this order.
MAKERS = ("anthropic", "openai", "google")
_OTHERWISE = {"gemini": "google", "gcp.gemini": "google"}  # other names of a provider: Gemini's own, OpenTelemetry's
_BEDROCK = late(r"(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?(anthropic|openai|google)\.(.+?)(?:-v\d+)?(?::\d+)?")
_DATED = late(r"(.+?)[-@](?:20\d{6}|20\d\d-\d\d-\d\d)")
_LONG_CONTEXT = "[1m]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A price and the day (UTC) from which it holds; None: from the beginning."""

    since: date | None
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a table knows of one model of one provider."""

    provider: str
    name: str
    history: tuple[Dated, ...]  # by rising `since`; at least one
    context_window: int | None = None

    def price_at(self, at: datetime) -> Price | None:
        """The price at that moment; None where the model had none yet."""
        day = at.astimezone(UTC).date()
        holding = [dated.price for dated in self.history if dated.since is None or dated.since <= day]
        return holding[-1] if holding else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices by provider and name. Names in it are folded (`folded`), aliases stand as names of their own."""

    name: str  # e.g. genai-prices
    version: str
    models: Mapping[str, Mapping[str, Known]]

    @property
    def source(self) -> str:
        """What is recorded with every cost that comes of it."""
        return f"{self.name} {self.version}"

    def lookup(self, provider: str, model: str, at: datetime) -> Price | None:
        """What the model costs at that moment; None where the table does not know, which is another thing than free."""
        known = self.known(provider, model)
        return known.price_at(at) if known else None

    def known(self, provider: str, model: str) -> Known | None:
        """The model of that name, in one of its spellings; without a provider, that of the maker.

        Only the same model is ever found: a new member of a known family has no price until the table has it.
        """
        for maker, name in _spellings(model):
            if provider and maker and maker != _provider(provider):
                continue  # `openai/x` of another provider is that provider's own offer, at a price of its own
            for one in (_provider(provider),) if provider else (maker,) if maker else MAKERS:
                if (found := self.models.get(one, {}).get(name)) is not None:
                    return found
        return None


def folded(name: str) -> str:
    """The name as a table holds it: `Claude-Sonnet-5.5` and `claude-sonnet-5-5` are one."""
    return name.casefold().replace(".", "-")


def _provider(name: str) -> str:
    lower = name.casefold()
    return _OTHERWISE.get(lower, lower)


def _spellings(model: str) -> Iterator[tuple[str, str]]:
    """(maker or '', folded name), the most exact first: a dated model may have another price than the one it is of."""
    yield "", folded(model)  # a provider that sells what others make may call it `anthropic/...` itself
    name = model.removesuffix(_LONG_CONTEXT)
    maker = ""
    prefix, slash, rest = name.partition("/")
    if slash and prefix.casefold() in MAKERS:
        maker, name = prefix.casefold(), rest
    elif bedrock := _BEDROCK.fullmatch(name):
        maker, name = bedrock[1], bedrock[2]
    yield maker, folded(name)
    if dated := _DATED.fullmatch(name):
        yield maker, folded(dated[1])


def priced(settings: "Settings", table: PriceTable, at: datetime) -> "Settings":
    """The settings whose models have the prices that the files do not give, each with its source.

    Models that only a tool lists are among them as well. What the files say is never changed.
    """
    from orchestrator.core.settings import Model  # who only looks a price up needs no settings

    listed = (name for tool in settings.tools.values() for name in tool.models)
    named = {name: Model(name=name) for name in listed} | dict(settings.models)
    return replace(settings, models={name: _completed(model, table, at) for name, model in named.items()})


def _completed(model: "Model", table: PriceTable, at: datetime) -> "Model":
    if model.price is not None and model.provider and model.context_window:
        return model
    if (known := table.known(model.provider, model.name)) is None:
        return model
    found = known.price_at(at) if model.price is None else model.price
    return replace(
        model,
        provider=model.provider or known.provider,
        price=found,
        context_window=model.context_window or known.context_window,
    )
