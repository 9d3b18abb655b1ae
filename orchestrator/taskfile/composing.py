"""A new task file, from its fields."""

from collections.abc import Mapping

from orchestrator.strictyaml.emit import block, cleaned, flow


def compose(fields: Mapping[str, object]) -> bytes:
    """The bytes of a task file that says these fields, in this order. Values as `rewrite` takes them."""
    lines: list[str] = []
    for name, value in fields.items():
        clean = cleaned(value)
        first, below = block(clean, indent=2) or (flow(clean), ())
        head = f"{flow(name)}:"
        lines += [f"{head} {first}" if first else head, *below]
    return ("\n".join(lines) + "\n").encode()
