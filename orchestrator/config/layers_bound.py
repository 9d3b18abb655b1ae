"""Limits on money in the user's own configuration bind every project: a file that a commit changes cannot lift them.

They are put to the project's own limits. Where both are about the same money, the smaller amount holds. What the user's
file says of a policy by its name holds for that policy, and what it says of `default` for all others.
"""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from orchestrator.config.layers import Grafted, grafted
from orchestrator.config.limitcheck import Stated, stated
from orchestrator.config.schema import PolicyEntry
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding, Step
from orchestrator.strictyaml import Node

_OLDER = ("daily_budget_usd", "monthly_budget_usd", "limit", "alert_threshold_percent", "block_over_budget")


def bound(user: Grafted, project: Grafted) -> Grafted:
    """The project's root with the limits of the user's in every policy that there is."""
    theirs, mine = _mapping(project).get("policies"), _mapping(user).get("policies")
    if mine is None or (theirs is not None and not isinstance(theirs.value, dict)):
        return project  # what is no mapping is refused where it stands
    entries: dict[str, Node] = dict(_mapping(theirs))
    for name in dict.fromkeys((*_mapping(mine), *entries)):
        own = _limits(user, name) or _limits(user, "default")
        entry = entries.get(name)
        if own is None:
            continue
        if entry is None:
            entries[name] = replace(grafted(_mapping(mine)[name], user.document), value={"limits": own})
        elif isinstance(entry.value, dict):
            entries[name] = _joined(own, grafted(entry, project.document))
    policies = replace(grafted(mine, user.document) if theirs is None else theirs, value=entries)
    return replace(project, value={**_mapping(project), "policies": policies})


def refuse_older_spellings(sheet: Sheet, user: Grafted) -> None:
    """They are merged key by key, and so a project could lift them: the user's own file may not have them."""
    for name, entry in _mapping(_policies(user)).items():
        for key in _OLDER:
            if (node := _mapping(entry).get(key)) is not None:
                finding = Finding(
                    at=("policies", name, key),
                    message=f"{key} is an older spelling, which a project's file could lift",
                    hint="write it in your own file as `limits: [{period: day, max_usd: 10}]`",
                    at_key=True,
                )
                sheet.note(finding, node, user.document)


def _joined(own: Grafted, entry: Grafted) -> Node:
    """The policy of a project with those limits too. A larger amount for the same gives way to the user's."""
    mine = [grafted(one, own.document) for one in own.value] if isinstance(own.value, list) else []
    theirs = {one.about: one for one in _stated(entry)}
    bounded: Node = entry
    added: list[Node] = []
    for one, limit in zip(mine, (_stated_of(one) for one in mine), strict=True):
        other = theirs.get(limit.about) if limit else None
        if limit is None or other is None:
            added.append(one)
        elif limit.micro < other.micro:
            amount = grafted(_mapping(one)["max_usd"], own.document)
            bounded = _with(bounded, other.at[2:], amount)
    children = dict(_mapping(bounded))
    listed = children.get("limits")
    if listed is None or listed.value is None:
        children["limits"] = replace(own, value=added)
    elif isinstance(listed.value, list):  # anything else is refused where it stands
        children["limits"] = replace(listed, value=[*listed.value, *added])
    return replace(bounded, value=children)


def _stated(entry: Node) -> list[Stated]:
    """The limits of a policy; none where it does not fit, which is then refused or made good by a variable."""
    try:
        return list(stated("", PolicyEntry.model_validate(entry.plain())))
    except ValidationError:
        return []


def _stated_of(limit: Node) -> Stated | None:
    found = _stated(replace(limit, value={"limits": Node([limit], limit.span)}))
    return found[0] if found else None


def _with(node: Node, at: tuple[Step, ...], new: Node) -> Node:
    """The node with another one at that place, which exists."""
    if not at:
        return new
    step, rest = at[0], at[1:]
    if isinstance(node.value, dict):
        key = str(step)
        return replace(node, value={**node.value, key: _with(node.value[key], rest, new)})
    items = list(node.value) if isinstance(node.value, list) else []
    items[int(step)] = _with(items[int(step)], rest, new)
    return replace(node, value=items)


def _limits(user: Grafted, policy: str) -> Grafted | None:
    node = _mapping(_mapping(_policies(user)).get(policy)).get("limits")
    return grafted(node, user.document) if node is not None and node.value is not None else None


def _policies(root: Grafted) -> Node | None:
    return _mapping(root).get("policies")


def _mapping(node: Node | None) -> Mapping[str, Node]:
    return node.value if node is not None and isinstance(node.value, dict) else {}
