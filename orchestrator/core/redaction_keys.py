"""Secrets that are known by the name beside them: `password: ...`, `api_key=...`, `"secret": "..."`, `--token ...`."""

from collections.abc import Iterator
from functools import lru_cache

from orchestrator.core.pattern import late
from orchestrator.core.redaction_shapes import Secret
from orchestrator.core.redaction_words import CALL, classes, is_plain, is_random, is_word

_QUALIFIED = (
    "access|secret|private|signing|encryption|master|account|auth|service|storage|shared|client|license|deploy|"
    "ssh|webhook|session|hmac|jwt|crypt|admin|write|read|project|publish|functions|host|gpg|user|app|application"
)
_NAME = (
    r"(?:passw(?:or)?d|passwrd|passphrase|passcode|pwd|secret|token|credential|api[ _.-]?key|"
    rf"(?:{_QUALIFIED})[ _.-]?key|"
    r"(?<![a-z])_?auth(?![a-z])|cookie|(?<=[_-])pat(?![a-z])|connection[_ -]?string)"
)
_STEMS = (
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "credential",
    "key",
    "auth",
    "cookie",
    "pat",
    "conn",
)
# In a text of small letters. What follows a name is bounded, so each name costs the same at most. Each pattern begins
# with a fixed text, because the search for that is quick.
_BESIDE = {
    stem: late(
        rf"({stem}[\w.-]{{0,32}}+)[\"'\]\\`*]{{0,6}}(?:[ \t]{{0,8}}:[ \t]{{1,4}}[a-z_][\w.\[\]| ]{{0,40}}=|"
        r"[ \t]{0,8}(?::=|=>|==?|:)|>)[ \t]{0,8}(?:[|>][+-]?[ \t]{0,4}\r?\n[ \t]{1,16})?"
    )
    for stem in _STEMS
}
_FLAG = late(r"--(?<![\w-]--)([a-z0-9][a-z0-9-]{1,48}+)(?:=|[ \t]{1,8}|\\?[\"'],\s{0,16}(?=\\?[\"']))")
_SAID = late(r"(?:password|passphrase|passwd|secret|token|api key)(?: is| was|:)?[ \t]{1,4}(?=[\"'`]?[^\s\"'`]{8})")
_SAYING = ("passw", "passphrase", "secret", "token", "api key")
_USER = late(r"-(?:user|u)[ =]{1,4}[\"']?[^\s:\"']{1,64}:")
_IS_NAME = late(_NAME)
_HARMLESS = late(
    r"(?<![a-z])(?:public|next|nextpage|start|starting|request|registration|action|resume|sync|scroll|previous|prev|page|"
    r"continu\w*|cursor|cancel\w*|stop|eos|bos|pad|unk|sep|mask|max|min|total|num|n|count|input|output|prompt|completion|"
    r"cached?|special|added|per|idempot\w*|design|css|color|lexer|syntax)[_ .-]*"
    r"tokens?|public[_ -]?key|tokens$|tokeni[sz]|"
    r"(?:[_.-](?:id|ids|name|names|count|usage|type|types|url|uri|file|path|dir|arn|limit|length|len|size|ttl|age|expiry|"
    r"expires?|expiration|expires_in|expires_at|field|param|header|env|var|ref|prefix|suffix|format|policy|version|hint|label|"
    r"sha256|sha1|sha|hash|digest|fingerprint|index|offset|position|budget|cost|price|rate|source|class|required|enabled|"
    r"valid|regex|pattern|min|max|input|output)|(?<!pass)(?:id|name|count|usage|type|url|uri|file|path|limit|length|size|"
    r"expiry|hash))$"
)
_QUOTE = late(r"(\\{0,3})([\"'`])")
_BARE = late(r"[^\s\"'`<>\\]{1,1024}+")
_LONGEST = 1024
_STRONG = late(r"pass(?:w|phrase|code)|pwd")


def beside_names(text: str) -> Iterator[Secret]:
    """Every value of the text that looks like a secret, and that a name beside it calls one."""
    lower = _lower(text)
    for stem, pattern in _BESIDE.items():
        for match in pattern.finditer(lower) if stem in lower else ():
            name = _name_before(lower, match.start()) + match[1]
            in_xml = match[0].endswith(">") and not match[0].endswith("=>")
            yield from _value(text, match.end(), name, in_xml=in_xml)
    yield from _after_options(text, lower)
    for match in _SAID.finditer(lower) if any(stem in lower for stem in _SAYING) else ():
        if is_secret_name(_name_before(lower, match.start()) + match[0].strip()):
            yield from _said(text, match.end())


def _after_options(text: str, lower: str) -> Iterator[Secret]:
    """`--token X`, also as a list of arguments; `-u name:X`."""
    if "--" in lower:
        for match in _FLAG.finditer(lower):
            yield from _value(text, match.end(), match[1])
    if "-u" in lower:
        for match in _USER.finditer(lower):
            yield from _value(text, match.end(), "password")


def _lower(text: str) -> str:
    """In small letters, and as long as before: only one letter becomes two."""
    return text.replace("\u0130", "i").lower()


def _name_before(text: str, at: int) -> str:
    """The rest of the name on its left, with one blank in it, as in `api key`."""
    start, blanks = at, 0
    while start > 0 and at - start < 40:
        sign = text[start - 1]
        if sign == " " and start == at and text.startswith("key", at):
            blanks += 1
        elif not (sign.isalnum() or sign in "_.-") or blanks > 1:
            break
        start -= 1
    return text[start:at]


def _value(text: str, at: int, name: str, *, in_xml: bool = False) -> Iterator[Secret]:
    if not is_secret_name(name):
        return
    quote = _QUOTE.match(text, at)
    if quote is not None:
        start, closing = quote.end(), quote[0]
        end = _closing(text, start, closing)
        is_quoted = True
    else:
        bare = _BARE.match(text, at)
        if bare is None:
            return
        start, end, is_quoted = at, at + len(_trimmed(bare[0])), in_xml
        if CALL.match(bare[0]) is not None:
            return
    value = text[start:end]
    if not is_quoted and "<" in text[end : end + 1] and not in_xml:
        return
    offset = _scheme(value)
    if names_secret(name, value[offset:], is_quoted=is_quoted):
        yield Secret(start=start + offset, end=end, kind="secret")


def _scheme(value: str) -> int:
    """How long the word before the secret is, in a header such as `Bearer abc`."""
    word, blank, rest = value.partition(" ")
    return len(word) + 1 if blank and rest and word.lower() in {"bearer", "basic", "token", "bot"} else 0


def _closing(text: str, start: int, closing: str) -> int:
    """Where the quoted text ends: at the same quote, at one of JSON around it, or with the line."""
    limit = min(len(text), start + _LONGEST)
    line = text.find("\n", start, limit)
    limit = line if line >= 0 else limit
    other = text.find('"', start, limit)
    while other > start and closing == '"' and _is_escaped(text, other, start):
        other = text.find('"', other + 1, limit)
    same = text.find(closing, start, limit)
    return min(at for at in (same if closing != '"' else other, other, limit) if at >= 0)


def _is_escaped(text: str, at: int, start: int) -> bool:
    slashes = 0
    while at - slashes > start and text[at - slashes - 1] == "\\" and slashes < 64:
        slashes += 1
    return slashes % 2 == 1


def _trimmed(value: str) -> str:
    """Without what belongs to the sentence or the code around it."""
    for sign in ("&", ";", "),", "},", "],"):
        if (at := value.find(sign)) > 0 and (sign != "&" or "=" in value[at:]):
            value = value[:at]
    return value.rstrip(",;:)}].!?|")


def _said(text: str, at: int) -> Iterator[Secret]:
    """`the password is Xy7...`: no mark stands between, so only what no sentence would hold is taken."""
    quote = _QUOTE.match(text, at)
    start = quote.end() if quote is not None else at
    bare = _BARE.match(text, start)
    if bare is not None:
        value = _trimmed(bare[0])
        if (
            len(value) >= 8
            and not is_plain(value)
            and (classes(value) == 4 or is_random(value))
            and "=" not in value[:-2]
        ):
            yield Secret(start=start, end=start + len(value), kind="secret")


@lru_cache(1024)
def is_secret_name(name: str) -> bool:
    """Whether a key of that name holds secrets: `DB_PASSWORD`, `apiKey`, `client-secret`; not `max_tokens`."""
    lower = _lower(name)[-200:]
    return _IS_NAME.search(lower) is not None and _HARMLESS.search(lower) is None


def names_secret(name: str, value: str, *, is_quoted: bool = True) -> bool:
    """Whether the value looks like a secret, beside that name."""
    value = value.strip()
    if len(value) < 6 or "redacted:" in value or not is_secret_name(name):
        return False
    if is_plain(value) or is_word(value):
        return False
    if _STRONG.search(_lower(name)) is not None:
        return _is_password(value, is_quoted=is_quoted)
    if any(map(str.isspace, value)) or "cookie" in _lower(name):
        return any(is_random(word) for word in value.split()[:8])
    return is_random(value) or (
        len(value) >= 10 and classes(value) >= 3 and any(map(str.isdigit, value)) and not _is_named(value)
    )


def _is_password(value: str, *, is_quoted: bool) -> bool:
    if any(map(str.isspace, value)):
        return classes(value) == 4 and len(value.split()) <= 6
    if any(map(str.isdigit, value)):
        return classes(value) >= 3 or (classes(value) >= 2 and len(value) >= 8 and (is_quoted or not _is_named(value)))
    return classes(value) >= 3 and is_quoted and len(value) >= 8 and not _is_named(value)


_NAMED = late(r"[A-Za-z_$][A-Za-z_-]*(?:[0-9]{1,2}|v[0-9])?(?:[._/-][A-Za-z_-]+[0-9]{0,2})*")


def _is_named(value: str) -> bool:
    """Whether it reads as a name in code: words with at most a number behind."""
    return _NAMED.fullmatch(value) is not None
