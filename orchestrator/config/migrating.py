"""Older spellings of the configuration to those of today: the same meaning, and every comment kept."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from orchestrator.config.migrating_limits import limits_of_today
from orchestrator.config.places import At
from orchestrator.config.placing import placed, rekeyed
from orchestrator.config.taking import removed_keeping_remarks
from orchestrator.strictyaml import Document, Node
from orchestrator.strictyaml.emit import flow_json

_COUNTERS = ("input", "cache_read", "cache_write", "output")


def migrated(document: Document, name: str) -> Document:
    """The file of that name as it is written today. What it means does not change.

    Raises OrchestratorError where that cannot be done without changing other lines.
    """
    for step in _STEPS.get(name, ()):
        document = step(document)
    return document


def _tools(document: Document) -> Document:
    for name in _names(document, "tools"):
        for key in ("command", "version_command"):
            document = _as_list(document, ("tools", name, key))
        document = _tokens(document, ("tools", name, "output"))
    return document


def _models(document: Document) -> Document:
    for name in _names(document, "models"):
        document = _price(document, ("models", name))
    return document


def _policies(document: Document) -> Document:
    for name in _names(document, "policies"):
        document = limits_of_today(document, ("policies", name))
    for name in _names(document, "checks"):
        document = _as_list(document, ("checks", name, "command"))
    return _as_list(document, ("workspaces", "setup"))


_STEPS: dict[str, tuple[Callable[[Document], Document], ...]] = {
    "tools.yaml": (_tools,),
    "models.yaml": (_models,),
    "policies.yaml": (_policies,),
}


def _names(document: Document, section: str) -> tuple[str, ...]:
    node = document.at(section)
    return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()


def _as_list(document: Document, at: At) -> Document:
    """A command in one text: split as it is split when it is read."""
    node = document.at(*at)
    if node is None or not isinstance(node.value, str):
        return document
    import shlex

    try:
        words: list[object] = list(shlex.split(node.value))
    except ValueError:  # it is refused where it is read
        return document
    return placed(document, at, words, written=flow_json(words))


def _tokens(document: Document, at: At) -> Document:
    """`tokens_input` and its kin to `tokens: {input: ...}`."""
    for counter in _COUNTERS:
        old = (*at, f"tokens_{counter}")
        node = document.at(*old)
        if node is None:
            continue
        today = (*at, "tokens", counter)
        if node.value is not None and _value(document.at(*today)) is None:
            document = placed(document, today, node.plain(), written=document.source(node))
        document = removed_keeping_remarks(document, old)
    return document


def _price(document: Document, at: At) -> Document:
    """`cost_per_1k_tokens` to `price`, which is for a million."""
    old = document.at(*at, "cost_per_1k_tokens")
    if old is None:
        return document
    if not isinstance(old.value, dict) or _value(document.at(*at, "price")) is not None:
        return removed_keeping_remarks(document, (*at, "cost_per_1k_tokens"))  # `price` says the same
    if document.at(*at, "price") is not None:
        document = removed_keeping_remarks(document, (*at, "price"))
    rates = {kind: _thousandfold(node) for kind, node in old.value.items() if kind in {"input", "output"}}
    document = rekeyed(document, (*at, "cost_per_1k_tokens"), "price")
    for kind, rate in rates.items():
        if rate is None:
            continue
        value, written = _number(rate)
        document = placed(document, (*at, "price", kind), value, written=written)
        document = rekeyed(document, (*at, "price", kind), f"{kind}_mtok")
    return document


def _value(node: Node | None) -> object:
    return None if node is None else node.value


def _thousandfold(node: Node) -> Decimal | None:
    """Exact: the number with the digits that were written, as the reader takes them. None where it is none."""
    try:
        return Decimal(str(node.value)) * 1000
    except InvalidOperation:
        return None


def _number(rate: Decimal) -> tuple[object, str]:
    """A value that reads as exactly that, and how it is written: 3, 0.25. More digits than a float has: as text."""
    text = f"{rate:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if "." not in text:
        return int(text), text
    return (float(text), text) if Decimal(str(float(text))) == rate else (text, f"'{text}'")
