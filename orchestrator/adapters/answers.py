"""Reads the claims of an answer with the strict YAML reader."""

from orchestrator import strictyaml
from orchestrator.core import answer
from orchestrator.core.claims import Claims


def read_claims(text: str) -> Claims:
    """The claims at the end of a tool's answer; none of it is believed, and nothing in it raises."""
    return answer.parse_claims(text, read_yaml=lambda block: strictyaml.read(block, path="answer").root.plain())
