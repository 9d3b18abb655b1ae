"""The package genai-prices as a price table of ours: for `make prices`, and where it is installed.

Its own look-up matches by the beginning of a name, so that a new member of a family is taken for an older one and
charged as that. Here only the names that its rules spell out are taken over.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

from orchestrator.core.price_table import folded

NAME = "genai-prices"
_KINDS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
_WHOLE = re.compile(r"(?:[\w.@/+-]*[^\W_])(?::free)?")  # a name, and not the beginning of names, nor a variant of one
_NO_TEXT = re.compile(r"(?:^|[-_.])(?:audio|dall|embedding|image|live|moderation|omni|realtime|transcribe|tts|whisper)")


def providers() -> Sequence[Any]:
    """What the installed package knows; to import it takes 0.1 s. Raises ImportError where it is not installed."""
    found: Sequence[Any] = import_module("genai_prices.data").providers
    return found


def models(known: Iterable[Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """The models of those providers that write text for money, in the form of orchestrator.prices.snapshot."""
    return {provider.id: dict(_models(provider)) for provider in known}


def _models(provider: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # the package's types are not ours to import
    own = {folded(model.id) for model in provider.models}
    for model in sorted(provider.models, key=lambda one: str(one.id)):
        history = _history(model.prices)
        if not history or not _WHOLE.fullmatch(model.id) or _NO_TEXT.search(model.id):
            continue
        entry: dict[str, Any] = {}
        if model.context_window:
            entry["context_window"] = model.context_window
        if aliases := _aliases(provider, model, own):
            entry["aliases"] = aliases
        yield model.id, entry | {"prices": history}


def _aliases(provider: Any, model: Any, own: set[str]) -> list[str]:
    """Other whole names that its rules spell out and that lead to it."""
    found = {}
    for text in _texts(model.match):
        whole = text[-1:].isalnum() and folded(text) not in own and len(text) > 3
        if whole and provider.find_model(text) is model:
            found[folded(text)] = text
    return sorted(found.values())


def _texts(clause: Any) -> Iterator[str]:
    for kind in ("equals", "starts_with", "ends_with", "contains"):
        if text := getattr(clause, kind, None):
            yield text
    for kind in ("or_", "and_"):
        for inner in getattr(clause, kind, ()):
            yield from _texts(inner)


def _history(prices: Any) -> list[dict[str, Any]]:
    """Its prices by the day from which they hold. One that depends on the hour is none of ours: empty then."""
    if not isinstance(prices, list):
        return list(_dated(None, prices))
    found: list[dict[str, Any]] = []
    for one in prices:
        since = getattr(one.constraint, "start_date", None)
        if one.constraint is not None and since is None:
            return []
        found += _dated(since, one.prices)
    found.sort(key=lambda entry: entry.get("since", ""))
    return [entry for before, entry in zip([{}, *found], found, strict=False) if _charges(before) != _charges(entry)]


def _charges(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    return entry.get("rates"), entry.get("tiers")


def _dated(since: date | None, prices: Any) -> Iterator[dict[str, Any]]:
    """One price; nothing where input or output is not charged by the token."""
    by_kind = {kind: getattr(prices, kind) for kind in _KINDS}
    if by_kind["input_mtok"] is None or by_kind["output_mtok"] is None:
        return
    entry: dict[str, Any] = {"since": since.isoformat()} if since else {}
    entry["rates"] = [_rate(by_kind[kind], 0) for kind in _KINDS]
    starts = sorted({tier.start for price in by_kind.values() for tier in getattr(price, "tiers", ())})
    if starts:
        tiers = [{"above": start, "rates": [_rate(by_kind[kind], start + 1) for kind in _KINDS]} for start in starts]
        entry["tiers"] = tiers
    yield entry


def _rate(price: Any, size: int) -> int | float | None:
    """The rate for a request of that size, as JSON has numbers."""
    if price is None:
        return None
    rate: Decimal = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if size > tier.start:
            rate = tier.price
    number = int(rate) if rate == int(rate) else float(rate)
    if Decimal(str(number)) != rate:
        raise ValueError(f"{rate} cannot be written as a number of JSON")
    return number


def without_resold(found: Mapping[str, Mapping[str, Any]], makers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of those providers their own models only: what Google sells of Anthropic has the name that it has there."""
    own = {maker: dict(found[maker]) for maker in makers}
    for maker in makers[1:]:
        own[maker] = {name: entry for name, entry in own[maker].items() if not name.startswith("claude-")}
    return own
