"""`daily_budget_usd` and its kin to `limits`: one list that says what they said together."""

from dataclasses import dataclass

from orchestrator.config.places import At
from orchestrator.config.placing import placed
from orchestrator.config.placing_text import in_flow, indent_step, is_json
from orchestrator.config.remarks import remark_behind, remarks_in
from orchestrator.config.rereading import first_that_says
from orchestrator.config.splicing import Lines
from orchestrator.config.taking import removed_keeping_remarks
from orchestrator.strictyaml import Document, Node
from orchestrator.strictyaml.emit import flow, flow_json

_AMOUNTS = (("daily_budget_usd", "day"), ("monthly_budget_usd", "month"))
_SHAPING = ("alert_threshold_percent", "block_over_budget")
OLDER = ("daily_budget_usd", "monthly_budget_usd", "limit", *_SHAPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """A limit of today, and the older key that gave its amount."""

    key: str
    value: dict[str, object]
    amount: str  # as it was written

    def written(self, *, as_json: bool) -> str:
        """On one line."""
        if as_json:
            return flow_json(self.value)
        shown = {key: self.amount if key == "max_usd" else flow(child) for key, child in self.value.items()}
        return "{" + ", ".join(f"{key}: {text}" for key, text in shown.items()) + "}"


def limits_of_today(document: Document, at: At) -> Document:
    """The document with the limits of that policy as they are written today."""
    entry = document.at(*at)
    keys = entry.value if entry is not None and isinstance(entry.value, dict) else {}
    older = [key for key in keys if key in OLDER]
    if not older:
        return document
    added = _limits(document, keys)
    listed = keys.get("limits")
    first = ""
    moved = {one.key: remark_behind(document, keys[one.key]) for one in added if one.key != "limit"}
    if listed is not None and isinstance(listed.value, list):
        for number, one in enumerate(added, start=len(listed.value)):
            spelled = one.written(as_json=is_json(document))
            moved.pop(one.key, None)  # an item that is put to a list has no place for it
            document = placed(document, (*at, "limits", number), one.value, written=spelled)
    elif added:
        document, first = _in_place(document, at, added)
    for key in older:
        if key != first:
            document = removed_keeping_remarks(document, (*at, key), but=moved.get(key, ""))
    return document


def _limits(document: Document, keys: dict[str, Node]) -> list[_Limit]:
    """In the order in which they were read."""
    plain = {key: node.plain() for key, node in keys.items()}
    shape = plain.get("limit")
    old: dict[str, object] = shape if isinstance(shape, dict) else {}
    kind = old.get("type") or ("soft" if plain.get("block_over_budget") is False else "hard")
    percent = old.get("threshold_percent") or plain.get("alert_threshold_percent")
    shared = {"type": kind} | ({"threshold_percent": percent} if percent else {})
    if scope := old.get("scope"):
        shared["scope"] = scope
    found: list[_Limit] = []
    for key, period in _AMOUNTS:
        if plain.get(key) is not None:
            value = {"period": period, "max_usd": plain[key], **shared}
            found.append(_Limit(key=key, value=value, amount=document.source(keys[key])))
    amount = keys["limit"].value.get("max_usd") if old and isinstance(keys["limit"].value, dict) else None
    if amount is not None and amount.value is not None:
        value = {"period": old.get("period"), "max_usd": amount.plain(), **shared}
        found.append(_Limit(key="limit", value=value, amount=document.source(amount)))
    return found


def _in_place(document: Document, at: At, added: list[_Limit]) -> tuple[Document, str]:
    """`limits` where the first amount stands; and which older key that was."""
    entry = document.at(*at)
    assert entry is not None
    assert isinstance(entry.value, dict)
    first = next(key for key in entry.value if key in {one.key for one in added})
    node = entry.value[first]
    values = [one.value for one in added]
    if entry.style == "flow" or in_flow(document, at):
        as_json = is_json(document)
        spelled = f"[{', '.join(one.written(as_json=as_json) for one in added)}]"
        candidates = iter([_flow_text(document, node, spelled)])
    else:
        candidates = iter([_block_text(document, entry.value, node, added)])
    wanted = {("limits" if key == first else key): child.plain() for key, child in entry.value.items()}
    return first_that_says(document, candidates, at, wanted | {"limits": values}), first


def _flow_text(document: Document, node: Node, spelled: str) -> str:
    text = document.text
    assert node.key_span is not None
    quote = '"' if text[node.key_span.start] == '"' else ""
    return f"{text[: node.key_span.start]}{quote}limits{quote}: {spelled}{text[node.span.end :]}"


def _block_text(document: Document, keys: dict[str, Node], node: Node, added: list[_Limit]) -> str:
    """A line for each limit, with the comment that stood beside its amount; other comments of the entry above it."""
    assert node.key_span is not None
    lines = Lines(document.text)
    indent, step = node.key_span.column - 1, indent_step(document)
    pad = " " * indent
    above: list[str] = []
    items: list[str] = []
    for one in added:
        source = keys[one.key]
        beside = remark_behind(document, source) if one.key != "limit" else ""
        items.append(f"{pad}{' ' * step}- {one.written(as_json=False)}{beside}")
    if node.style == "block" or node is keys.get("limit"):
        above = [pad + remark for remark in remarks_in(document, node.key_span.start, lines.stop(lines.last_of(node)))]
    start, last = node.key_span.line - 1, lines.last_of(node)
    written = lines.end.join([*above, f"{pad}limits:", *items])
    return document.text[: lines.starts[start]] + written + document.text[lines.stop(last) :]
