"""Whether a text looks like a secret, or like something that a person would read: words, paths, names in code."""

import math
import re

from orchestrator.core.pattern import late

_STAND_IN = late(
    r"\$|%[({A-Za-z]|\{|<|\*{2}|\.{3}|…|(?:x{3,}|your|my[_-]|changeme|change[_-]me|example|dummy|placeholder|redacted|"
    r"not[_-]|none|null|undefined|os\.|env\.|process\.|secrets\.|vars\.|ref:|op:/|vault:|arn:|projects/|file:|https?:)",
    re.IGNORECASE,
)
_PATH = late(r"(?:~|\.{1,2})?/[^/+=]|[A-Za-z]:\\|[\w.-]+/[\w./-]+\.\w{1,5}$")
_TIME = late(r"[0-9][0-9T:.,Z/ +%_-]*(?:ms|s|m|h|d|px|em|rem|kb|mb|gb|k)?", re.IGNORECASE)
_PIECES = late(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_CODE = late(r"[A-Za-z_][\w]*(?:(?:\.|::|->)[A-Za-z_]\w*)+\(?")
CALL = late(r"[A-Za-z_][\w.]*[(\[]")  # the beginning of a call or an index in code
_UUID = late(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HARD = late(r"[bcdfghjklmnpqrstvwxz]{5,}+", re.IGNORECASE)
_INNER = late(r"(?<=[A-Za-z])[0-9]+(?=[A-Za-z])")  # a number within a word
_LONGEST_WORD = 24  # letters


def is_plain(text: str) -> bool:
    """Whether people wrote it to be read: a stand-in, a path, a number or a time, one word, a name in code."""
    if _STAND_IN.match(text) is not None or _TIME.fullmatch(text) is not None or len(set(text)) < 4:
        return True
    return _PATH.match(text) is not None or _CODE.fullmatch(text) is not None


def is_word(text: str) -> bool:
    """Whether it is a single ordinary word, such as `required` or `Development`."""
    if not text.isalpha() or len(text) > _LONGEST_WORD or not (text[1:].islower() or text.isupper()):
        return False
    return _HARD.search(text) is None or not text.isascii()


def is_random(text: str) -> bool:
    """Whether a machine drew it: short pieces of letters and digits in turn, and many different characters."""
    if _UUID.fullmatch(text) is not None:
        return True
    pieces = _PIECES.findall(text)
    letters_and_digits = sum(map(len, pieces))
    if len(text) < 12 or letters_and_digits < 10 or entropy(text) < 2.8:
        return False
    if not any(map(str.isdigit, text)) and (text.islower() or text.isupper()) and not _is_noise(pieces):
        return False
    words = [len(piece) for piece in pieces if piece.isalpha()]
    numbers = len(pieces) - len(words)
    if numbers >= 3 and sum(words) < 3.4 * len(words):
        return True
    short = sum(len(piece) <= 2 for piece in pieces)
    if len(text) >= 16 and (len(_INNER.findall(text)) >= 2 or (short >= 3 and short >= 0.3 * len(pieces))):
        return True
    return letters_and_digits < 3.4 * len(pieces) or _is_noise(pieces)


def _is_noise(pieces: list[str]) -> bool:
    """Whether letters stand together as in no word."""
    hard = sum(len(run) for piece in pieces for run in _HARD.findall(piece))
    return hard > 0.4 * sum(map(len, pieces))


def entropy(text: str) -> float:
    """Bits a character, after Shannon."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in map(text.count, set(text))) if size else 0.0


def classes(text: str) -> int:
    """How many there are of small letters, capitals, digits, and anything else."""
    return (
        any(map(str.islower, text)) + any(map(str.isupper, text)) + any(map(str.isdigit, text)) + (not text.isalnum())
    )
