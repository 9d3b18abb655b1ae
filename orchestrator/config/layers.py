"""Layers of one configuration file, merged: the user's own, the project's, variables, flags; each over those before.

Mappings are merged key by key; anything else is replaced as a whole. What was merged still knows where it was written.
"""

from dataclasses import dataclass, field, replace

from orchestrator.strictyaml import Document, Node

GIVEN = "given"  # the style of a mapping that stands only in the name of a variable or in the key of a flag
NAMED = frozenset({"agents", "tools", "models", "policies", "checks", "providers"})  # sections of entries with names
SECTIONS = {
    "agents.yaml": ("agents",),
    "tools.yaml": ("tools",),
    "models.yaml": ("models",),
    "policies.yaml": (
        "policies",
        "checks",
        "providers",
        "retention",
        "trail",
        "intake",
        "workspaces",
        "orphan_grace",
    ),
}
SINGLE = frozenset({"orphan_grace"})  # keys of a file that hold one value


@dataclass(frozen=True, slots=True)
class Grafted(Node):
    """A node that stands in a tree of several documents, and the one that it was written in.

    `cut`: a mapping that took the place of something that was none; what lies below that is not merged into it.
    Without it the outcome would hang on which two of three layers are merged first.
    """

    document: Document = field(kw_only=True)
    cut: bool = field(default=False, kw_only=True)


def grafted(node: Node, document: Document) -> Grafted:
    """The node with its document; one that has a document already keeps it."""
    if isinstance(node, Grafted):
        return node
    return Grafted(node.value, node.span, node.key_span, node.style, document=document)


def merged(lower: Grafted, upper: Grafted) -> Grafted:
    """Both as one. It does not matter in which order three are put together, and an empty mapping changes nothing."""
    if not isinstance(upper.value, dict) or upper.cut:
        return upper
    if not isinstance(lower.value, dict):
        return replace(upper, cut=True)
    children: dict[str, Node] = {key: grafted(child, lower.document) for key, child in lower.value.items()}
    for key, child in upper.value.items():
        over = grafted(child, upper.document)
        under = children.get(key)
        children[key] = merged(under, over) if isinstance(under, Grafted) else over
    # A mapping of which a variable names but one key still stands where a file has it.
    place = lower if upper.style == GIVEN else upper
    return replace(place, value=children, cut=lower.cut)


def prepared(document: Document) -> Grafted:
    """The root of a layer. A section or an entry with nothing under it is an empty mapping, and takes nothing away."""
    root = grafted(document.root, document)
    if root.value is None:
        return replace(root, value={})
    if not isinstance(root.value, dict):
        return root
    children: dict[str, Node] = {}
    for name, section in root.value.items():
        if name in SINGLE:
            children[name] = section
        elif section.value is None:
            children[name] = replace(section, value={})
        elif name in NAMED and isinstance(section.value, dict):
            entries = {
                key: one if one.value is not None else replace(one, value={}) for key, one in section.value.items()
            }
            children[name] = replace(section, value=entries)
        else:
            children[name] = section
    return replace(root, value=children)
