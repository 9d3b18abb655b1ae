"""Secrets are taken out, and the rest of the text is left as it is."""

import base64
import json
import random
import re
import uuid
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
import yaml
from fake_secrets import CAPITALS, LETTERS_DIGITS, RECIPES, drawn, every, jwt, made, private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.redaction import Redactor, passed_secrets

PLAIN = Redactor()
# Put together here, so that no scanner takes this file for a leak.
MADE = "k9Xw2mQp" + "7LzR4tVb"
MADE_UP = "Tr0ub4" + "dor&3"
CONTEXTS = {
    "alone": "{}",
    "in a sentence": "I used {} to call it, and it worked.",
    "in a list": "- first\n- {}\n- last\n",
    "in json": '{{"note": "{}", "n": 1}}',
    "in a call": 'client = Client("{}", timeout=3)',
    "in a log": "2026-02-12T11:01:00Z DEBUG http: sent {} (200)\n",
    "in backticks": "It is `{}`.",
    "in brackets": "[{}]({})",
    "in a shell": "export THING={} && run",
    "in a fence": "```yaml\nthing: {}\n```\n",
    "in a table": "| a | {} |\n",
    "in a colour": "\x1b[31m{}\x1b[0m",
    "after an escape": '"line\\n{}\\n"',
    "in an address": "curl 'https://api.example.com/v1?x={}&y=2'",
    "at the end of a sentence": "The one I took was {}.",
}


@pytest.mark.parametrize("where", CONTEXTS)
def test_no_known_shape_survives_wherever_it_stands(where: str) -> None:
    for kind, secret in every(seed=len(where), each=12):
        text = CONTEXTS[where].replace("{{", "{").replace("}}", "}").replace("{}", secret)
        clean = PLAIN.text(text)
        body = secret[4:]
        assert body not in clean, f"{kind}: {text} -> {clean}"
        assert body[-12:] not in clean, f"{kind}: {text} -> {clean}"
        assert "[redacted:" in clean


@pytest.mark.parametrize("kind", RECIPES)
def test_a_secret_torn_over_lines_or_coloured_in_the_middle_does_not_survive(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(12):
        secret = made(rng, RECIPES[kind])
        half = rng.randrange(len(secret) // 3, len(secret) * 2 // 3)
        first, second = secret[:half], secret[half:]
        for between in ("\x1b[0m", "\x1b[1;32m", "\u200b", "\x1b]8;;x\x07"):
            clean = PLAIN.text(f"key {first}{between}{second} end")
            assert first not in clean, (first, second, clean)
            assert second not in clean, (first, second, clean)
            assert clean.endswith(" end")


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n  ", " \\\n    ", " │\n│ ", "\n> "])
def test_a_long_token_over_a_line_end_does_not_survive_and_the_lines_stay(between: str) -> None:
    rng = random.Random(between)
    survived = 0
    for kind in ("anthropic", "openai", "openai-service", "github-fine", "pypi", "xai", "groq", "slack"):
        for _ in range(20):
            secret = made(rng, RECIPES[kind])
            half = rng.randrange(16, len(secret) - 12)
            text = f"the key: {secret[:half]}{between}{secret[half:]}\nThen go on: yes\n"
            clean = PLAIN.text(text)
            survived += secret[half:][:24] in clean
            assert secret[:half][8:] not in clean
            assert clean.count("\n") == text.count("\n")
            assert clean.endswith("\nThen go on: yes\n")
    assert survived == 0


def test_private_keys_go_whole_also_indented_escaped_or_cut() -> None:
    rng = random.Random(3)
    for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "):
        block = private_key(rng, kind)
        indented = "key: |\n" + "".join(f"  {line}\n" for line in block.splitlines()) + "next: 1\n"
        cut = block[:300]
        for text in (block, indented, json.dumps({"key": block, "n": 1}), f"see:\n{cut}"):
            clean = PLAIN.text(text)
            assert "[redacted:private-key]" in clean
            assert not re.search(r"[A-Za-z0-9+/]{20}", clean), clean
        assert yaml.safe_load(PLAIN.text(indented))["next"] == 1
        assert json.loads(PLAIN.text(json.dumps({"key": block, "n": 1}))) == {"key": "[redacted:private-key]", "n": 1}


def test_a_certificate_and_the_mere_name_of_a_key_are_left() -> None:
    body = base64.b64encode(random.Random(1).randbytes(300)).decode()
    for text in (
        f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n",
        "if '-----BEGIN PRIVATE " + "KEY-----' in text: find('-----END PRIVATE " + "KEY-----')",
    ):
        assert PLAIN.text(text) is text


BESIDE_NAMES = {
    "yaml": "password: {}\n",
    "yaml quoted": 'db_password: "{}"\n',
    "json": '{"clientSecret": "{}"}',
    "json in json": '{\\"apiKey\\": \\"{}\\"}',
    "env": "SESSION_SECRET={}\n",
    "export": "export DB_PASSWORD='{}'\n",
    "flag": "tool --api-key {} --verbose",
    "flag with =": "tool --token={} --verbose",
    "arguments": '["tool", "--password", "{}", "-v"]',
    "python": 'api_key = "{}"',
    "annotated": 'api_key: str = "{}"',
    "dictionary": "{'secret_key': '{}'}",
    "header": "X-Api-Key: {}\n",
    "authorization": "Authorization: Bearer {}\n",
    "lower": "authorization: token {}",
    "query": "https://x.example/cb?access_token={}&state=1",
    "xml": "<password>{}</password>",
    "toml": 'auth_token = "{}"',
    "npmrc": "//registry.example/:_authToken={}\n",
    "sentence": "the password is {} for now",
    "url": "postgres://app:{}@db.example:5432/app",
    "curl": "curl -u admin:{} https://x.example",
    "ini": "aws_secret_access_key = {}\n",
    "block": "secret: |\n  {}\n",
    "subscript": "os.environ['API_TOKEN'] = '{}'",
    "session": "session_token={}",
    "camel": "sessionToken: '{}'",
    "ruby": ":api_key => '{}'",
}


@pytest.mark.parametrize("where", BESIDE_NAMES)
def test_a_random_value_beside_a_name_that_calls_it_secret_does_not_survive(where: str) -> None:
    rng = random.Random(where)
    for size in (20, 24, 32, 40, 64):
        for alphabet in (LETTERS_DIGITS, "0123456789abcdef", CAPITALS, LETTERS_DIGITS + "-_"):
            secret = drawn(rng, LETTERS_DIGITS, 1) + drawn(rng, alphabet, size - 2) + drawn(rng, LETTERS_DIGITS, 1)
            text = BESIDE_NAMES[where].replace("{}", secret)
            clean = PLAIN.text(text)
            assert secret not in clean, f"{text} -> {clean}"
            assert secret[-10:] not in clean, f"{text} -> {clean}"
            assert PLAIN.text(clean) == clean


@pytest.mark.parametrize(
    "password", [MADE_UP, "hunter" + "2024!", "P@ss" + "w0rd", "s3cr3t" + "-Thing", "Winter" + "2026!"]
)
def test_a_password_that_a_person_made_up_does_not_survive_beside_its_name(password: str) -> None:
    for text in (
        f"password: {password}\n",
        f'{{"password": "{password}"}}',
        f"DB_PASSWORD={password}",
        f"--password {password}",
    ):
        assert password not in PLAIN.text(text)


ORDINARY = [
    "commit 5f4dcc3b5aa765d61d8327deb882cf99a1b2c3d4",
    f"id: {uuid.UUID(int=2**97 + 12345)}",
    "01J9ZQ3N8XK5V7B2M4R6T8W0Y1 task_claimed",
    '"integrity": "sha512-' + base64.b64encode(random.Random(2).randbytes(64)).decode() + '"',
    "requests==2.32.0 --hash=sha256:" + random.Random(4).randbytes(32).hex(),
    "![x](data:image/png;base64," + base64.b64encode(random.Random(5).randbytes(900)).decode() + ")",
    "!function(e,t){var n=e.token||t;return n?r(e,n):o(e)}(a,b);for(var i=0,k=c.length;i<k;i++)key[i]=c[i]",
    "max_tokens=4000, input_tokens: 15210, token_count: 812, tokens: {input: 1, output: 2}",
    "token = parser.next_token()\nsecret = os.environ['SECRET']\npassword=getpass.getpass()",
    "api_key: ${ANTHROPIC_API_KEY}\npassword: <your password>\nsecret: changeme\ntoken: $GITHUB_TOKEN",
    "def login(self, password: str = '', token: str | None = None) -> bool:",
    'env_required: [ANTHROPIC_API_KEY]\nenv: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}',
    "The password must hold at least 8 characters; the token expires after 24h.",
    "primary_key: id\ncache_key=users/42/profile\nforeign-key: account_id\nkey: value-1",
    "/home/user/projects/tokenizer/src/secret_store/password_reset.py:120:15: error",
    "task-2026-02-12T1101-backend-dev-cache-layer is done; risk-assessment, desk-proj-notes",
    "Password: required\nSecret: optional\n| token | string | required |",
    "https://example.com/a/b?page=2#token and git@github.com:owner/repo.git, ssh://git@host/x",
    "https://user:password@example.com and postgres://app:${DB_PASSWORD}@db/app",
    "csrf_token_name = 'csrfmiddlewaretoken'; session_key_prefix: 'sess:'",
    "session_id: 01J9ZQ3N8XK5V7B2M4R6T8W0Y1\nanswer_sha256: " + random.Random(6).randbytes(32).hex(),
    "secret_name: prod/db/main-2\ntoken_url: https://auth.example.com/oauth2/token",
]


@pytest.mark.parametrize("text", ORDINARY, ids=range(len(ORDINARY)))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert PLAIN.text(text) is text


VALUES = {
    "ACME_TOKEN": "zq81/Kp" + '+"Wé 7=x',
    "DB_PASSWORD": MADE_UP,
    "LICENSE_KEY": "AAAA-" + "bbbb-1234",
}
KNOWING = Redactor(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_was_passed_does_not_survive_in_any_spelling(name: str) -> None:
    value = VALUES[name]
    spellings = {
        "as it is": value,
        "json": json.dumps(value)[1:-1],
        "json as it is": json.dumps(value, ensure_ascii=False)[1:-1],
        "json twice": json.dumps(json.dumps(value)[1:-1])[1:-1],
        "url": quote(value, safe=""),
        "url path": quote(value),
        "query": quote_plus(value),
        "small escapes": re.sub("%..", lambda match: match[0].lower(), quote(value, safe="")),
        "hex": value.encode().hex(),
    }
    for how, spelled in spellings.items():
        clean = KNOWING.text(f"we saw {spelled} there")
        assert clean == f"we saw [redacted:{name}] there", how


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("before", ["", "u", "me", "user", "admin", "x:y:z"])
def test_a_value_within_base64_does_not_survive(name: str, before: str) -> None:
    raw = before.encode() + VALUES[name].encode()
    for encoded in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw + b":more").decode()):
        clean = KNOWING.text(f"Basic {encoded}")
        assert f"[redacted:{name}]" in clean
        left = clean.removeprefix("Basic ").replace(f"[redacted:{name}]", "")
        assert len(left) <= len(base64.b64encode(before.encode() + b":more")) + 6


@pytest.mark.parametrize("between", ["\n", "\r\n  ", "\x1b[0m", " ", "\\\n", " │\n│ "])
def test_a_value_in_pieces_does_not_survive(between: str) -> None:
    for name, value in VALUES.items():
        for at in range(3, len(value) - 3):
            clean = KNOWING.text(f"see {value[:at]}{between}{value[at:]} there")
            assert f"[redacted:{name}]" in clean
            assert clean.replace(between, "").count(value[at:]) == 0


def test_the_beginning_of_a_value_at_the_end_of_a_text_that_was_cut_does_not_survive() -> None:
    assert KNOWING.text("it printed Tr0ub4do…") == "it printed [redacted:DB_PASSWORD]…"


def test_only_what_was_passed_and_is_no_path_word_or_address_is_hidden() -> None:
    environment = {
        "PATH": "/usr/bin:/bin:/home/x9Qk2/bin",
        "HOME": "/home/someone",
        "LANG": "en_US.UTF-8",
        "MODEL": "claude-sonnet-5-5",
        "BASE_URL": "https://api.example.com/v1",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/someone/key.json",
        "PASSWORD": "required",
        "SHORT_TOKEN": "a1b2c3",
        "CI": "true",
        "API_KEY": MADE,
        "DB_PASSWORD": "correct-horse-battery-staple",
        "DATABASE_URL": f"postgres://app:{MADE[:9]}@db.example/app",
        "OPAQUE": drawn(random.Random(1), LETTERS_DIGITS, 32),
    }
    assert set(passed_secrets(environment, safe=("PATH",))) == {"API_KEY", "DB_PASSWORD", "DATABASE_URL", "OPAQUE"}


def test_nested_values_lose_their_secrets_and_keep_their_form() -> None:
    rng = random.Random(9)
    token = made(rng, RECIPES["github"])
    before = {
        "why": f"it used {token}",
        "list": [token, 1, None, True, 2.5],
        "deep": {"client_secret": MADE, "max_tokens": 4000, "password": 88392017},
        "argv": ["tool", "--token", MADE, "--model", "claude-sonnet-5-5"],
        token: "a key",
        "commit": "5f4dcc3b5aa765d61d8327deb882cf99a1b2c3d4",
    }
    assert PLAIN.data(before) == {
        "why": "it used [redacted:github-token]",
        "list": ["[redacted:github-token]", 1, None, True, 2.5],
        "deep": {"client_secret": "[redacted:secret]", "max_tokens": 4000, "password": "[redacted:secret]"},
        "argv": ["tool", "--token", "[redacted:secret]", "--model", "claude-sonnet-5-5"],
        "[redacted:github-token]": "a key",
        "commit": "5f4dcc3b5aa765d61d8327deb882cf99a1b2c3d4",
    }


def test_a_value_nested_without_end_is_cut_and_does_not_crash() -> None:
    value: object = "x"
    for _ in range(5000):
        value = [value]
    assert "too-deep" in str(PLAIN.data(value))


_RNG = random.Random(11)
SECRETS = [secret for _, secret in every(seed=12, each=2)] + [jwt(_RNG), private_key(_RNG), *VALUES.values()]
WORDS = st.sampled_from(
    [
        "password",
        "token:",
        "api_key=",
        " ",
        "\n",
        "é",
        "日本",
        '"',
        "'",
        "\\",
        "-----BEGIN PRIVATE " + "KEY-----",
        "://",
        ":",
        "@",
        "[redacted:x]",
        "[",
        "]",
        "- ",
        ": ",
        "{",
        "}",
        ",",
        "\x1b[0m",
        "\x1b[",
        "--token ",
        "Bearer ",
        MADE[::-1],
        "%2F",
        "eyJ",
    ]
)
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from(SECRETS), st.text(max_size=6)), max_size=14).map("".join)


@settings(max_examples=400)
@given(TEXTS)
def test_doing_it_again_changes_nothing(text: str) -> None:
    once = KNOWING.text(text)
    assert KNOWING.text(once) == once


@settings(max_examples=300)
@given(st.dictionaries(st.text(max_size=8), st.one_of(TEXTS, st.lists(TEXTS, max_size=3), st.integers()), max_size=4))
def test_json_stays_json(value: dict[str, object]) -> None:
    for ascii_only in (True, False):
        json.loads(KNOWING.text(json.dumps(value, ensure_ascii=ascii_only, indent=1)))


SCALARS = st.lists(
    st.one_of(st.sampled_from(SECRETS[:60]), st.sampled_from(["word", "two words", "x1"])), min_size=1, max_size=3
)


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["password", "title", "api_key", "note"]), SCALARS.map(" ".join), min_size=1),
    st.booleans(),
)
def test_yaml_stays_yaml_with_the_same_keys_and_texts(value: dict[str, str], flow: bool) -> None:
    text = yaml.safe_dump(value, width=10_000, default_flow_style=flow, sort_keys=False)
    after = yaml.safe_load(PLAIN.text(text))
    assert list(after) == list(value)
    assert all(isinstance(item, str) for item in after.values())


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_can_be_read_and_what_is_found_is_in_order(text: str) -> None:
    found = KNOWING.found(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
