"""YAML as strangers may send it: read with positions, bounded, and refused with the line and the fix.

Scalars follow the core schema of YAML 1.2: `on`, `no` and `2026-02-12` are text. Anchors, aliases, tags, merge keys,
directives, duplicate and non-scalar keys, control and bidirectional-override characters are refused. Built on the event
stream: composing nodes recurses, and 100,000 brackets end the process there.
"""

from orchestrator.strictyaml.characters import unprintable
from orchestrator.strictyaml.document import Document, Node, Span, Value, YamlRefused, problem_at
from orchestrator.strictyaml.encoding import MAX_BYTES, decode
from orchestrator.strictyaml.reader import MAX_DEPTH, read

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Document",
    "Node",
    "Span",
    "Value",
    "YamlRefused",
    "decode",
    "problem_at",
    "read",
    "unprintable",
]
