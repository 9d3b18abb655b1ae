"""Secrets that are known by their value: what was passed to a tool in its environment, however it was written down."""

import binascii
import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from orchestrator.core.pattern import late
from orchestrator.core.redaction_keys import is_secret_name
from orchestrator.core.redaction_shapes import Secret, shaped
from orchestrator.core.redaction_views import squeezed
from orchestrator.core.redaction_words import is_plain, is_random, is_word

SHORTEST = 8  # characters: a shorter value is found in ordinary text
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SQUEEZE = str.maketrans("", "", " \t\r\n\x0b\x0c|│┃║\\")
_NAME = late(r"[^A-Za-z0-9_]+")
_SECRET_NAME = late(
    r"(?i)key|token|secret|pass|pwd|cred|auth|cookie|cert|dsn|private|signature|bearer|_pat\b|_uri|_url"
)


def passed_secrets(environment: Mapping[str, str], safe: Collection[str] = ()) -> dict[str, str]:
    """What of a tool's environment is to be hidden: not what every tool sees, nor paths, plain words and small values.

    Args:
        environment: All that the tool was given.
        safe: Names that are no secret, whatever they hold, such as launch.SAFE_ENVIRONMENT.
    """
    return {name: value for name, value in environment.items() if name not in safe and _is_worth_hiding(name, value)}


def _is_worth_hiding(name: str, value: str) -> bool:
    if len(value.strip()) < SHORTEST or is_word(value):
        return False
    if any(shaped(value)):
        return True
    if is_plain(value) and not (is_secret_name(name) and value.isdigit()):
        return False
    if is_secret_name(name):
        return True
    return is_random(value) and (len(value) >= 20 or _SECRET_NAME.search(name) is not None)


class Known:
    """The values, and every way in which they are looked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        spelled: dict[str, str] = {}
        self._torn: list[tuple[str, str]] = []
        for name, value in values.items():
            kind = _NAME.sub("_", name).strip("_") or "value"
            for whole in dict.fromkeys((value, value.strip(), *_lines(value))):
                if len(whole) >= SHORTEST and "redacted:" not in whole:
                    for spelling in _spellings(whole):
                        spelled.setdefault(spelling, kind)
                    if len(squeezed_value := whole.translate(_SQUEEZE)) >= SHORTEST:
                        self._torn.append((squeezed_value, kind))
        # The longest first: a value may hold another one.
        self._spelled: Sequence[tuple[str, str]] = sorted(spelled.items(), key=lambda entry: -len(entry[0]))

    def whole(self, text: str) -> Iterator[Secret]:
        """Where they stand as they are, or encoded."""
        for spelling, kind in self._spelled:
            at = text.find(spelling)
            while at >= 0:
                yield Secret(start=at, end=at + len(spelling), kind=kind)
                at = text.find(spelling, at + len(spelling))
        yield from self._cut(text)

    def torn(self, text: str) -> Iterator[Secret]:
        """Where they stand in pieces: over line ends, in a box, with blanks in between."""
        if not self._torn:
            return
        thin = text.translate(_SQUEEZE)
        hits = [(value, kind) for value, kind in self._torn if value in thin]
        if not hits or not any(thin.count(value) > text.count(value) for value, _ in hits):
            return
        view = squeezed(text)
        for value, kind in hits:
            at = view.text.find(value)
            while at >= 0:
                yield Secret(start=view.origin(at), end=view.origin(at + len(value) - 1) + 1, kind=kind)
                at = view.text.find(value, at + len(value))

    def _cut(self, text: str) -> Iterator[Secret]:
        """The beginning of one, where the text was cut in the middle of it."""
        ending = text.rstrip("…. \n")
        tail = ending[-256:]
        for value, kind in self._torn:
            for length in range(min(len(value) - 1, len(tail)), SHORTEST - 1, -1):
                if tail.endswith(value[:length]):
                    yield Secret(start=len(ending) - length, end=len(ending), kind=kind)
                    break


def _lines(value: str) -> list[str]:
    """The lines of a value of several, such as a private key, where each is a secret by itself."""
    lines = [line.strip() for line in value.splitlines()]
    return [line for line in lines if len(line) >= 16 and is_random(line)] if len(lines) > 1 else []


def _spellings(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "surrogateescape")
    yield value
    for as_json in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        yield as_json
        yield json.dumps(as_json)[1:-1]
        yield as_json.replace("/", "\\/")
    quoted = "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in raw)
    yield from (quoted, quoted.replace("%20", "+"), quoted.replace("%2F", "/"))
    yield _lower_escapes(quoted)
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    yield value.replace("'", "''")
    yield value.replace("'", "'\\''")
    yield raw.hex()
    yield raw.hex().upper()
    yield from _base64(raw)


def _lower_escapes(quoted: str) -> str:
    head, *rest = quoted.split("%")
    return head + "".join(f"%{piece[:2].lower()}{piece[2:]}" for piece in rest)


def _base64(raw: bytes) -> Iterator[str]:
    """As it stands within base64, after 0, 1 or 2 bytes more (as in `user:password`): what only it decides."""
    for before in range(3):
        encoded = binascii.b2a_base64(b"\0" * before + raw, newline=False).decode()
        first = (0, 2, 3)[before]
        sure = (before + len(raw)) * 8 // 6  # characters that no byte behind it changes
        piece = encoded[first:sure]
        if len(piece) >= SHORTEST:
            yield piece
            if (url_safe := piece.replace("+", "-").replace("/", "_")) != piece:
                yield url_safe
