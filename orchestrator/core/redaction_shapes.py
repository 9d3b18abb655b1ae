"""Secrets that are known by their shape alone: tokens with a mark of their maker, keys in PEM, credentials in URLs.

Each shape names the texts without one of which it cannot occur: they are looked for first, and that is quick. Every
pattern takes time in proportion to the text: what repeats is possessive or bounded, and a match begins only where a
run of its characters begins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.pattern import late


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A place in a text that must not be shown."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One maker's tokens. Where the pattern has a group, only what it holds is secret."""

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    before: int = 0  # characters in front of the match that are part of it


def _begun(mark: str) -> str:
    """The mark, where no word goes on with it. It comes first, because the search for a fixed text is quick."""
    literal = re.escape(mark)
    return rf"{literal}(?:(?<![A-Za-z0-9]{literal})|(?<=\\[nrt]{literal}))"  # the n of \n is no letter of a word


def _shape(kind: str, *shapes: tuple[str, str]) -> Iterator[Shape]:
    """Of pairs: the text that a token begins with, and the pattern of the rest of it."""
    for mark, rest in shapes:
        yield Shape(kind=kind, marks=(mark,), pattern=late(_begun(mark) + rest))


_AN, _WORD, _HEX = "[A-Za-z0-9]", "[A-Za-z0-9_-]", "[0-9a-f]"
_END = "(?![A-Za-z0-9])"

SHAPES: tuple[Shape, ...] = (
    *_shape("anthropic-key", ("sk-ant-", rf"{_WORD}{{16,}}+")),
    *_shape(
        "openai-key",
        (
            "sk-",
            rf"(?:(?:proj|svcacct|admin|None|or-v1|lf|cp)-{_WORD}{{20,}}+|{_AN}{{32,}}+|{_AN}{{20}}T3BlbkFJ{_AN}{{16,}}+)",
        ),
        ("sess-", rf"{_AN}{{40}}{_END}"),
    ),
    *_shape(
        "google-key",
        ("AIza", rf"{_WORD}{{35}}(?!{_WORD})"),
        ("ya29.", rf"{_WORD}{{20,}}+"),
        ("GOCSPX-", rf"{_WORD}{{24,}}+"),
        ("1//0", rf"{_WORD}{{28,}}+"),
    ),
    *_shape("aws-key-id", *((mark, f"[A-Z0-9]{{16}}{_END}") for mark in ("AKIA", "ASIA", "ABIA", "ACCA"))),
    *_shape("aws-key", ("ABSK", "[A-Za-z0-9+/]{100,}+=*+"), ("bedrock-api-key-", rf"{_AN}{{20,}}+=*+")),
    *_shape(
        "github-token",
        *((f"gh{letter}_", rf"{_AN}{{36,}}+") for letter in "pousr"),
        ("github_pat_", "[A-Za-z0-9_]{22,}+"),
    ),
    *_shape("gitlab-token", ("gl", r"(?:pat|ptt|dt|rt|cbt|ft|oas|soat|imt|agent|ffct)-[A-Za-z0-9_.-]{20,}+")),
    *_shape("gitlab-token", ("GR1348941", rf"{_WORD}{{20,}}+")),
    *_shape("slack-token", ("xox", r"[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}+"), ("xapp-", r"\d-[A-Za-z0-9-]{20,}+")),
    *_shape("npm-token", ("npm_", rf"{_AN}{{36,}}+")),
    *_shape("pypi-token", ("pypi-A", rf"{_WORD}{{50,}}+")),
    *_shape(
        "package-token",
        ("rubygems_", rf"{_HEX}{{48}}{_END}"),
        ("cio", rf"{_AN}{{32}}{_END}"),
        ("oy2", f"[a-z0-9]{{43}}{_END}"),
    ),
    *_shape("docker-token", ("dckr_", rf"(?:pat|oat)_{_WORD}{{20,}}+")),
    *_shape(
        "stripe-key",
        *((f"{kind}_{mode}_", rf"{_AN}{{10,}}+") for kind in ("sk", "rk") for mode in ("live", "test", "prod")),
        ("whsec_", "[A-Za-z0-9+/]{24,}+=*+"),
    ),
    *_shape("square-token", ("sq0", rf"[a-z]{{3}}-{_WORD}{{22,}}+")),
    *_shape("shopify-token", ("shp", rf"(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}{_END}")),
    *_shape("huggingface-token", ("hf_", rf"{_AN}{{30,}}+"), ("api_org_", rf"{_AN}{{30,}}+")),
    *_shape("twilio-key", ("SK", rf"{_HEX}{{32}}{_END}")),
    *_shape("sendgrid-key", ("SG.", rf"{_WORD}{{16,64}}+\.{_WORD}{{16,}}+")),
    *_shape("mailgun-key", ("key-", rf"{_HEX}{{32}}{_END}")),
    *_shape("digitalocean-token", *((f"{mark}_v1_", rf"{_HEX}{{64}}{_END}") for mark in ("dop", "doo", "dor"))),
    *_shape("databricks-token", ("dapi", rf"{_HEX}{{32}}(?:-\d)?{_END}")),
    *_shape("grafana-token", ("glsa_", rf"{_AN}{{32}}_[0-9A-Fa-f]{{8}}{_END}"), ("glc_", "[A-Za-z0-9+/]{32,}+=*+")),
    *_shape("vault-token", *((mark, rf"{_WORD}{{20,}}+") for mark in ("hvs.", "hvb.", "hvr."))),
    *_shape("atlassian-token", ("ATATT3", "[A-Za-z0-9_=-]{60,}+"), ("ATCTT3", "[A-Za-z0-9_=-]{60,}+")),
    *_shape("sentry-token", ("sntrys_", "[A-Za-z0-9+/=_-]{40,}+"), ("sntryu_", rf"{_HEX}{{64}}{_END}")),
    *_shape("notion-token", ("ntn_", rf"{_AN}{{40,}}+"), ("secret_", rf"{_AN}{{43}}{_END}")),
    *_shape("airtable-token", ("pat", rf"{_AN}{{14}}\.{_HEX}{{64}}{_END}")),
    *_shape("new-relic-key", ("NRAK-", f"[A-Z0-9]{{27}}{_END}"), ("NRII-", rf"{_WORD}{{32,}}+")),
    *_shape("alibaba-key", ("LTAI", rf"{_AN}{{20}}{_END}")),
    *_shape("tencent-key", ("AKID", rf"{_AN}{{32}}{_END}")),
    *_shape("age-key", ("AGE-SECRET-KEY-1", "[0-9A-Z]{58}")),
    *_shape("artifactory-token", ("AKCp", rf"{_AN}{{60,}}+"), ("cmVmdGtu", rf"{_AN}{{50,}}+")),
    *_shape(
        "model-key",
        ("gsk_", rf"{_AN}{{40,}}+"),
        ("xai-", rf"{_AN}{{60,}}+"),
        ("pplx-", rf"{_AN}{{32,}}+"),
        ("r8_", rf"{_AN}{{37}}{_END}"),
        ("nvapi-", rf"{_WORD}{{50,}}+"),
        ("csk-", f"[a-z0-9]{{40,}}+{_END}"),
        ("lsv2_", rf"[a-z]{{2}}_{_HEX}{{32}}_{_HEX}{{10}}"),
        ("tvly-", rf"{_WORD}{{20,}}+"),
        ("pcsk_", "[A-Za-z0-9_]{40,}+"),
        ("e2b_", rf"{_HEX}{{40}}{_END}"),
    ),
    *_shape(
        "service-token",
        ("lin_api_", rf"{_AN}{{32,}}+"),
        ("figd_", rf"{_WORD}{{30,}}+"),
        ("sl.", rf"{_WORD}{{100,}}+"),
        ("dp.", rf"(?:pt|st|ct|sa|scim|audit)\.{_WORD}{{30,}}+"),
        ("pul-", rf"{_HEX}{{40}}{_END}"),
        ("pscale_", "(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,}+"),
        ("sbp_", rf"{_HEX}{{40}}{_END}"),
        ("sb_secret_", rf"{_WORD}{{20,}}+"),
        ("HRKU-", rf"{_WORD}{{36,}}+"),
        ("PMAK-", rf"{_HEX}{{24}}-{_HEX}{{34}}"),
        ("CCIPAT_", rf"{_AN}{{20,}}+_{_HEX}{{40}}"),
        ("bkua_", rf"{_HEX}{{40}}{_END}"),
        ("FlyV1 ", "fm[0-9]_[A-Za-z0-9+/=,_-]{40,}+"),
        ("ops_ey", "[A-Za-z0-9+/=_-]{40,}+"),
        ("tfp_", rf"{_WORD}{{40,}}+"),
        ("phx_", rf"{_AN}{{40,}}+"),
    ),
    # A token of three parts; the last may be missing where a text was cut.
    Shape(
        kind="jwt",
        marks=("eyJ",),
        pattern=late(
            rf"eyJ(?:(?<!{_WORD}eyJ)|(?<=\\[nrt]eyJ)){_WORD}{{10,}}+\.(?:eyJ)?{_WORD}{{10,}}+(?:\.{_WORD}*+)*+"
        ),
    ),
    Shape(
        kind="aws-key",
        marks=("AKIA", "ASIA"),
        pattern=late(
            r"A(?:KIA|SIA)[A-Z0-9]{16}[^A-Za-z0-9/+]{1,8}(?:[A-Za-z_]{1,30}[^A-Za-z0-9/+]{1,8})?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
    ),
    Shape(
        kind="terraform-token",
        marks=(".atlasv1.",),
        pattern=late(rf"\.atlasv1\.(?<={_AN}{{14}}\.atlasv1\.)[A-Za-z0-9_=-]{{40,}}+"),
        before=14,
    ),
    Shape(
        kind="telegram-token", marks=(":AA",), pattern=late(rf":AA(?<=[0-9]{{8}}:AA){_WORD}{{33}}(?!{_WORD})"), before=8
    ),
    Shape(
        kind="azure-secret",
        marks=("Q~",),
        pattern=late(r"Q~(?<=[A-Za-z0-9_~.-]{3}[0-9]Q~)[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])"),
        before=4,
    ),
    Shape(kind="mailchimp-key", marks=("-us",), pattern=late(rf"-us(?<={_HEX}{{32}}-us)[0-9]{{1,2}}{_END}"), before=32),
    *(
        Shape(kind="azure-secret", marks=(mark,), pattern=late(f"{_begun(mark)}([A-Za-z0-9%/+]{{40,}}+=*+)"))
        for mark in ("AccountKey=", "SharedAccessKey=", "sig=")
    ),
    Shape(
        kind="webhook",
        marks=("hooks.slack.com/",),
        pattern=late(r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,}+)"),
    ),
    Shape(kind="webhook", marks=("/api/webhooks/",), pattern=late(r"/api/webhooks/([0-9]{5,25}/[A-Za-z0-9_-]{30,}+)")),
    # Authorization headers; a bare `Bearer` needs a longer token, as it is an ordinary word.
    *(
        Shape(
            kind="authorization",
            marks=(mark,),
            pattern=late(
                rf"{mark}[\"'\\]{{0,3}}\s{{0,4}}[:=]\s{{0,4}}[\"'\\]{{0,4}}"
                r"(?i:bearer|basic|token|digest|negotiate|apikey|bot)\s{1,4}([A-Za-z0-9._~+/=:-]{8,}+)"
            ),
        )
        for mark in ("uthorization", "UTHORIZATION")
    ),
    *(
        Shape(
            kind="authorization",
            marks=(mark,),
            pattern=late(
                rf"{mark}(?<=[Bb]{mark})(?<![A-Za-z][Bb]{mark})[ :=\t]{{1,4}}"
                r"((?=[A-Za-z._~+/-]{0,64}+[0-9])[A-Za-z0-9._~+/-]{20,}+=*+)"
            ),
        )
        for mark in ("earer", "EARER")
    ),
)

_PASSWORD_URL = late(r"://[^\s/:@\"'<>`\\]{0,128}:([^\s/\"'<>`\\]{2,256})@(?=[A-Za-z0-9\[_-])")
_TOKEN_URL = late(r"://([A-Za-z0-9_.~-]{20,256})@(?=[A-Za-z0-9\[_-])")
_STAND_IN = late(
    r"[$%{<\[*(]|(?:x+|\.+|pass(?:word|wd)?|pwd|secret|token|user|your.*|my.*|redacted|hidden|example)$", re.IGNORECASE
)
_BEGIN = late(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_FINISH = late(r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_RUN = late(r"[A-Za-z0-9+/=]{32}")
_BODY = late(
    r"(?:[A-Za-z0-9+/=]{16,}+|[A-Za-z0-9+/]{1,15}={0,2}(?=\s|\\n|$)|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]{0,100}+|\s|\\[nrt\\]|[>|│\"'+,])++"
)
_LONGEST_PEM = 65536


def shaped(text: str) -> Iterator[Secret]:
    """Every secret of the text that has a shape of its own."""
    for shape in SHAPES:
        for mark in shape.marks:  # a plain loop: this is most of what a short text costs
            if mark in text:
                group = shape.pattern.groups
                for match in shape.pattern.finditer(text):
                    yield Secret(start=match.start(group) - shape.before, end=match.end(group), kind=shape.kind)
                break
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)
    if "://" in text and "@" in text:
        yield from _credentials(text)


def _private_keys(text: str) -> Iterator[Secret]:
    """Whole blocks, from BEGIN to END; where the end was cut off, as far as it looks like one. A name alone is none."""
    begins = list(_BEGIN.finditer(text))
    ends = _FINISH.finditer(text)
    end = next(ends, None)
    for number, begin in enumerate(begins):
        while end is not None and end.start() < begin.end():
            end = next(ends, None)
        limit = begins[number + 1].start() if number + 1 < len(begins) else len(text)
        limit = min(limit, begin.end() + _LONGEST_PEM)
        if end is not None and end.start() <= limit:
            inside, until = end.start(), end.end()
        else:
            body = _BODY.match(text, begin.end(), limit)
            inside = until = body.end() if body is not None else begin.end()
            until = begin.end() + len(text[begin.end() : until].rstrip(" \t\r\n\"'>|│+,\\"))
        if _RUN.search(text, begin.end(), inside) is not None:
            yield Secret(start=begin.start(), end=until, kind="private-key")


def _credentials(text: str) -> Iterator[Secret]:
    for match in _PASSWORD_URL.finditer(text):
        if _STAND_IN.match(match[1]) is None:
            yield Secret(start=match.start(1), end=match.end(1), kind="url-password")
    for match in _TOKEN_URL.finditer(text):
        if any(map(str.isdigit, match[1])) and any(map(str.isalpha, match[1])):
            yield Secret(start=match.start(1), end=match.end(1), kind="url-password")
