"""The characters that no text may hold: those that people cannot see, or that reorder what they see."""

import unicodedata

from orchestrator.core.pattern import late

# Control characters, line separators that editors do not break lines at, bidirectional overrides, surrogates, BOMs
# within the text and noncharacters. A carriage return is only half of a Windows line end.
_HIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff"
_IN_TEXT = late(f"[{_HIDDEN}]|\r(?!\n)")
_IN_VALUE = late(f"[{_HIDDEN}]")


def hidden_at(text: str) -> int:
    """The offset of the first character that may not stand in a file; -1 where all may."""
    found = _IN_TEXT.search(text)
    return found.start() if found else -1


def hidden_in(value: str) -> str:
    """The first character of a value that may not stand there, even written as an escape; empty where all may."""
    found = _IN_VALUE.search(value)
    return found[0] if found else ""


def unprintable(value: str, replacement: str = "\ufffd") -> str:
    """The value with every character that would be refused replaced: what programs print may hold anything."""
    return _IN_VALUE.sub(replacement, value)


def name_of(character: str) -> str:
    """What to call a character that cannot be shown."""
    known = {"\x00": "a NUL character", "\r": "a lone carriage return", "\x1b": "an ESC character"}
    code = f"U+{ord(character):04X}"
    if character in known:
        return f"{known[character]} ({code})"
    if "\ud800" <= character <= "\udfff":
        return f"half of a surrogate pair ({code})"
    name = unicodedata.name(character, "").lower()
    return f"the invisible character {code}" + (f" ({name})" if name else "")
