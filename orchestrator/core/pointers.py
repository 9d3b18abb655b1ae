"""The declarative reader: where in a tool's JSON the answer, the tokens and the rest are (`output:` as a mapping)."""

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """What the tool prints."""

    JSON = "json"  # one document
    JSONL = "jsonl"  # one a line: the last line in which a pointer finds something counts


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPointers:
    """Where the four counters are; empty: it does not tell."""

    input: str = ""
    cache_read: str = ""
    cache_write: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointers:
    """JSON pointers (RFC 6901), e.g. /usage/input_tokens; empty: it does not tell."""

    format: Shape = Shape.JSON
    text: str
    tokens: TokenPointers = TokenPointers()
    input_includes_cache: bool = False  # the input figure counts what was read from or written to the cache too
    cost_usd: str = ""
    session_id: str = ""
    turns: str = ""
    denials: str = ""  # to a list
    error: str = ""  # the run failed where this finds something else than null, false, "" and []
    error_message: str = ""


# The named readers (adapters.readers.READERS); here because the configuration must know them and imports no adapter.
READER_NAMES = (
    "text",
    "claude-json",
    "claude-stream-json",
    "codex",
    "gemini",
    "gemini-stream",
    "opencode",
    "copilot",
    "llm",
    "aider",
    "cursor",
    "goose",
    "ollama",
)
