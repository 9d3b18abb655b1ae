"""What kind of failure it is, from a status of HTTP or from what the program says."""

import math
import re

from orchestrator.adapters.readers import values
from orchestrator.core.pattern import late
from orchestrator.core.types import ErrorKind

_MOST = 2_000  # characters that are looked at
_LONGEST_WAIT = 7 * 86_400  # seconds; a provider that says more means "not with this account"

_STATUS = late(
    r"(?:\bstatus(?: ?code)?|\berror(?: ?code)?|\bhttp(?:/\d(?:\.\d)?)?|\"code\")\W{0,3}([45]\d\d)\b"
    r"|\(([45]\d\d)\)|^([45]\d\d)\b(?! ?(?:s|ms|files?|lines?)\b)|\b(429) too many",
    re.IGNORECASE,
)
_WORDS = (
    (
        ErrorKind.BUDGET,
        late(r"credit balance|insufficient.?(?:credit|funds|quota)|payment required", re.IGNORECASE),
    ),
    (
        ErrorKind.RATE_LIMITED,
        late(
            r"rate.?limit|too many requests|usage limit|quota (?:exceeded|exhausted)|resource.?exhausted", re.IGNORECASE
        ),
    ),
    (
        ErrorKind.AUTH,
        late(
            r"not logged in|please (?:log ?in|run /login)|log ?in again|unauthori[sz]ed|authenticat"
            r"|permission_?denied_?error|(?:invalid|incorrect|missing|no|bad) (?:x-)?api.?key"
            r"|api.?key (?:not|is|was|must)\b|no auth credentials|no key found|needs ?key"
            r"|missing environment variable: `?\w*(?:key|token)",
            re.IGNORECASE,
        ),
    ),
    (
        ErrorKind.OVERLOADED,
        late(
            r"overloaded|high demand|service.?unavailable|internal.?server.?error|bad gateway|gateway time-?out"
            r"|temporarily unavailable|servers? (?:is|are) (?:down|busy)",
            re.IGNORECASE,
        ),
    ),
)
_WAIT = late(
    r"(?:try(?:ing)? again|retry(?:ing)?|available again|retry.?after|resets?)(?: in| after)?\W{0,3}"
    r"((?:\d{1,9}(?:\.\d{1,6})?\s?(?:hours?|hrs?|h|minutes?|mins?|ms|m|seconds?|secs?|s|days?|d)(?![a-z])\s?,?\s?){1,4})",
    re.IGNORECASE,
)
_BARE_WAIT = late(r"retry.?after\W{0,3}(\d{1,9})\b", re.IGNORECASE)
_PART = late(r"(\d+(?:\.\d+)?)\s?(ms|[dhms])", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_NOISE = late(r"Reading (?:additional input|prompt) from stdin")  # of codex, whatever happens
_COMPLAINT = late(r"\s*(?:fatal |unhandled )?error\b\s*[:\[]", re.IGNORECASE)


def of_status(status: int | None) -> ErrorKind | None:
    """The kind that a status of HTTP stands for; None where it is no failure."""
    if status is None or not 400 <= status < 600:
        return None
    if status in {401, 403}:
        return ErrorKind.AUTH
    if status == 402:
        return ErrorKind.BUDGET
    if status == 429:
        return ErrorKind.RATE_LIMITED
    if status in {500, 502, 503, 504, 529}:
        return ErrorKind.OVERLOADED
    return ErrorKind.CRASHED


def of_words(words: str) -> ErrorKind | None:
    """The kind that a sentence tells, by the status in it or by what providers write; None: it does not tell."""
    words = words[:_MOST]
    found = _STATUS.search(words)
    kind = of_status(int(next(group for group in found.groups() if group))) if found else None
    if kind is not None and kind is not ErrorKind.CRASHED:
        return kind
    return next((told for told, pattern in _WORDS if pattern.search(words)), kind)


def retry_after(words: str) -> int | None:
    """Seconds after which to come back, where the sentence says so."""
    words = words[:_MOST]
    if found := _WAIT.search(words):
        seconds = sum(float(amount) * _SECONDS[unit.lower()] for amount, unit in _PART.findall(found.group(1)))
        return within(math.ceil(seconds))
    bare = _BARE_WAIT.search(words)
    return within(int(bare.group(1))) if bare else None


def within(seconds: int) -> int | None:
    """The wait, if it is one that can be waited."""
    return seconds if 0 <= seconds <= _LONGEST_WAIT else None


def sentence(message: object) -> str:
    """What a message says, in one line; providers' errors come as JSON inside of strings, one in the other."""
    for _ in range(4):
        found = values.mapping(message) or values.parsed(values.string(message)[: 1 << 16])
        if not found:
            break
        message = next((found[key] for key in ("error", "message", "detail", "data") if found.get(key)), "")
    return values.short(message)


def complaint(errors: str) -> str:
    """The line of stderr that says what went wrong: the first that begins with "error:", else the last one."""
    lines = [line for line in errors.splitlines() if line.strip() and not _NOISE.match(line)]
    if not lines:
        return ""
    return values.short(next((line for line in lines if _COMPLAINT.match(line)), lines[-1]))
