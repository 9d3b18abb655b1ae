"""Other ways to read a text, in which a secret stands whole: without colours, without the line ends that tear it."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from orchestrator.core.pattern import late
from orchestrator.core.redaction_words import classes, is_random

# Escape sequences of terminals, and characters without width.
_UNSEEN = late(
    r"\x1b(?:\[[0-9;:?<=>]{0,64}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)?|[@-Z\\^_`a-z]|[()][0-9A-B])|"
    "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]"
)
_MAY_BE_UNSEEN = late("[\x1b\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_BREAK = late(r"\n[ \t>|│┃║]*+(?=([A-Za-z0-9_+/=.~-]{2,4096}+)(.?))")
_LEFT = late(r"[A-Za-z0-9_+/=.~-]*")
_FRAME = " \t\r|│┃║\\"
_LEAST_JOINED = 20  # characters, both pieces together


@dataclass(frozen=True, slots=True)
class View:
    """A text with pieces of another one left out, and where each character of it comes from."""

    text: str
    ends: Sequence[int] = ()  # in this text, where a piece begins
    shifts: Sequence[int] = (0,)  # what to add before the first, between the first and the second, ...
    joints: Sequence[int] = ()  # in this text, where a piece was left out

    def origin(self, at: int) -> int:
        """Where a character of it stands in the text that it was made of."""
        return at + self.shifts[bisect_right(self.ends, at)]

    def crosses(self, start: int, end: int) -> bool:
        """Whether something was left out between the two."""
        return bisect_right(self.joints, start) < bisect_right(self.joints, end - 1)


def without(text: str, left_out: Sequence[tuple[int, int]]) -> View:
    """The text without these pieces, which follow one another."""
    kept, at = [], 0
    for start, end in left_out:
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    lengths = [end - start for start, end in left_out]
    joints = list(accumulate(map(len, kept[:-1])))
    return View("".join(kept), joints, [0, *accumulate(lengths)], joints)


def has_unseen(text: str) -> bool:
    """Whether there is something that nobody sees."""
    return _MAY_BE_UNSEEN.search(text) is not None


def unseen(text: str) -> list[tuple[int, int]]:
    """The pieces of it that nobody sees."""
    return [match.span() for match in _UNSEEN.finditer(text)]


def blanked(text: str) -> str:
    """With blanks in place of what nobody sees, so that every character keeps its place."""
    return _UNSEEN.sub(lambda match: " " * len(match[0]), text)


def torn(text: str) -> list[tuple[int, int]]:
    """The line ends, with the frame of a box around them, that look as if they stood in the middle of one word."""
    found = []
    for match in _BREAK.finditer(text):
        right, follows = match[1], match[2]
        if follows and follows in ":(":
            continue  # a key, a call: no rest of a word
        left, end = _left_of(text, match.start())
        if left and len(left) + len(right) >= _LEAST_JOINED and _is_rest(right, is_alone=not follows.strip("\"'`,.;")):
            found.append((end, match.end()))
    return found


def _is_rest(right: str, *, is_alone: bool) -> bool:
    """Whether it may be the rest of a token: no word, no number."""
    if right.isalpha() and (right.islower() or right.istitle()):
        return len(right) >= 40
    if is_alone:
        return len(right) >= 4 or not right.isalpha()
    return len(right) >= 8 and (classes(right) >= 3 or is_random(right) or right[0].isdigit() != right.isdigit())


def _left_of(text: str, at: int) -> tuple[str, int]:
    """What the line before ends with, and where that ends."""
    end = at
    while end > 0 and at - end < 64 and text[end - 1] in _FRAME:
        end -= 1
    start = end
    while start > 0 and end - start < 256 and _LEFT.fullmatch(text[start - 1]) and text[start - 1] != "":
        start -= 1
    return text[start:end], end


def neighbourhoods(text: str, breaks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The stretches of lines around the breaks: only there anything is to be seen that was not seen before."""
    began, until = -1, -1
    for start, end in breaks:
        first = max(text.rfind("\n", 0, start) + 1, start - 4096)
        line = text.find("\n", end)
        last = min(line if line >= 0 else len(text), end + 4096)
        if first <= until:
            until = max(until, last)
            continue
        if began >= 0:
            yield began, until
        began, until = first, last
    if began >= 0:
        yield began, until


def squeezed(text: str) -> View:
    """Without blanks, line ends and frames."""
    return without(text, [match.span() for match in re.finditer(r"[\s|│┃║\\]+", text)])
