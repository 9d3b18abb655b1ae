"""The bytes of a task file as text that can be read: encodings that are certain, and characters that nobody sees."""

import codecs
import re
from dataclasses import dataclass

from orchestrator.strictyaml import MAX_BYTES
from orchestrator.taskfile.mending_repair import Repair

# The signs that Windows writes into English text. At these bytes all of its European code pages agree.
_SIGNS = {at: bytes([at]).decode("cp1252") for at in (0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97)}
_SINGLE, _APOSTROPHE, _OPENING, _CLOSING = 0x91, 0x92, 0x93, 0x94
_ENDINGS = re.compile(rb"(?:s|t|d|m|re|ve|ll)(?![A-Za-z\xa0-\xff])")
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_TRAILING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+(?=[ \t]*(?:\r?\n|\Z))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text without its mark; None where it cannot be known."""

    text: str | None
    mark: bytes = b""
    repairs: tuple[Repair, ...] = ()


def decoded(raw: bytes) -> Decoded:
    """The text that the bytes are, without what nobody sees in it."""
    if len(raw) > 4 * MAX_BYTES:
        return Decoded(text=None)
    for mark, encoding in _WIDE:
        if raw.startswith(mark):
            return _wide(raw, encoding)
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    text, repairs = _utf8(raw[len(mark) :])
    if text is None:
        return Decoded(text=None)
    text, cleared = _cleared(text)
    return Decoded(text=text, mark=mark, repairs=(*repairs, *cleared))


def _wide(raw: bytes, encoding: str) -> Decoded:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return Decoded(text=None)
    text, cleared = _cleared(text)
    return Decoded(text=text, repairs=(Repair(what=f"saved as UTF-8; it was {encoding.upper()}"), *cleared))


def _utf8(body: bytes) -> tuple[str | None, list[Repair]]:
    """The text, where every byte that is not UTF-8 is a sign of Windows in a place where only that sign can be."""
    parts: list[str] = []
    repairs: list[Repair] = []
    at = 0
    while True:
        try:
            return "".join([*parts, body[at:].decode("utf-8")]), repairs
        except UnicodeDecodeError as error:
            place = at + error.start
            if not _is_certain_sign(body, place):
                return None, []
            parts += (body[at:place].decode("utf-8"), _SIGNS[body[place]])
            line = body.count(b"\n", 0, place) + 1
            repairs.append(Repair(line=line, what=f"byte 0x{body[place]:02x} of Windows-1252 is {_SIGNS[body[place]]}"))
            at = place + 1


def _is_certain_sign(body: bytes, at: int) -> bool:
    """Not where it could be a letter in DOS or on an old Macintosh. An apostrophe stands before an ending such as t or
    re; quotes come in pairs on one line, around something; the other signs have no letter beside them."""
    sign, before, after = body[at], body[at - 1 : at] if at else b"", body[at + 1 : at + 2]
    if sign == _APOSTROPHE:
        return before.isalpha() and _ENDINGS.match(body, at + 1) is not None
    if sign == _OPENING:
        closing = body.find(_CLOSING, at, _line_end(body, at))
        return not before.isalpha() and bool(after.strip()) and closing > at + 1
    if sign == _CLOSING:
        start = body.rfind(b"\n", 0, at) + 1
        last = max(body.rfind(_OPENING, start, at), body.rfind(_CLOSING, start, at))
        return not after.isalpha() and bool(before.strip()) and last >= 0 and body[last] == _OPENING
    return sign in _SIGNS and sign != _SINGLE and not before.isalpha() and not after.isalpha()


def _line_end(body: bytes, at: int) -> int:
    end = body.find(b"\n", at)
    return end if end >= 0 else len(body)


def _cleared(text: str) -> tuple[str, list[Repair]]:
    """Without colours of a terminal, marks within the text and control characters at the end of lines."""
    repairs: list[Repair] = []
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
        repairs.append(Repair(what="line ends of an old Macintosh are those of today"))
    for pattern, replacement, what in (
        (re.compile(r"\r+\r\n"), "\r\n", "line ends that were doubled are single"),
        (_COLOURS, "", "colours of a terminal are taken out"),
        (re.compile("\ufeff"), "", "a byte order mark within the text is taken out"),
        (_TRAILING, "", "control characters at the end of a line are taken out"),
    ):
        if found := pattern.search(text):
            repairs.append(Repair(line=text.count("\n", 0, found.start()) + 1, what=what))
            text = pattern.sub(replacement, text)
    return text, repairs
