"""Strict YAML: what it means, and what it refuses with a place and a way out."""

import pytest
import yaml

from orchestrator.strictyaml import Document, YamlRefused, decode, problem_at, read, unprintable
from orchestrator.strictyaml.compose import compose


def refused(text: str) -> YamlRefused:
    with pytest.raises(YamlRefused) as caught:
        read(text, path="f.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("42", 42),
        ("-7", -7),
        ("0", 0),
        ("0o17", 15),
        ("0xFF", 255),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1.10", 1.1),
        ("on", "on"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("007", "007"),
        ("-007", "-007"),
        ("00.5", "00.5"),
        ("2026-02-12", "2026-02-12"),
        ("2020-13-45", "2020-13-45"),
        ("2026-02-12T11:01:00Z", "2026-02-12T11:01:00Z"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("nan", "nan"),
        ("'true'", "true"),
        ('"42"', "42"),
        ("!", None),
    ],
)
def test_a_plain_scalar_is_what_its_author_meant(written: str, meant: object) -> None:
    if written == "!":
        assert "tag" in str(refused(f"a: {written} b"))
        return
    value = read(f"a: {written}\n", path="f.yaml").root.plain()
    assert value == {"a": meant}
    assert isinstance(value, dict)
    assert type(value["a"]) is type(meant)


@pytest.mark.parametrize(
    ("text", "place", "words", "fix"),
    [
        ("a: *foo\n", (1, 4), "alias", "'*foo'"),
        ("a: *foo bar\n", (1, 4), "alias", "'*foo bar'"),
        ("a: **bold**\n", (1, 4), "cannot start with `*`", "'**bold**'"),
        ("a: &x y\n", (1, 4), "anchor", "'&x y'"),
        ("a: !!python/name:os.system\n", (1, 4), "tag", "quote it"),
        ("a:\n  <<: {b: 1}\n", (2, 3), "merge", "write the fields out"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), "first on line 1", "keep one"),
        ("? [a]\n: 1\n", (1, 3), "key", "quote it"),
        ("{[a]: 1}\n", (1, 2), "key", "quote it"),
        ("a: .nan\n", (1, 4), ".nan", "'.nan'"),
        ("a: -.INF\n", (1, 4), "-.INF", "'-.INF'"),
        ("a: 1e999\n", (1, 4), "too large", "'1e999'"),
        ("a: " + "9" * 5000, (1, 4), "5,000 digits", "quote it"),
        ("%YAML 1.1\n---\na: 1\n", (1, 1), "directive", "delete"),
        ("a: 1\n---\nb: 2\n", (2, 1), "second document", "one document"),
        ("a: x\x07y\n", (1, 5), "U+0007", "delete it"),
        ("a: x\u202ey\n", (1, 5), "right-to-left override", "delete it"),
        ('a: "x\\u202ey"\n', (1, 4), "right-to-left override", "delete it"),
        ('a: "\\e[31m"\n', (1, 4), "ESC", "delete it"),
        ('a: "\\0"\n', (1, 4), "NUL", "delete it"),
        ('a: "\\ud800"\n', (1, 7), "escape", "single quotes"),
        ("a\rb: 1\n", (1, 2), "carriage return", "delete it"),
        ("a: \ufeffx\n", (1, 4), "U+FEFF", "delete it"),
        ("a:\n\tb: 1\n", (2, 1), "tab", "spaces"),
        ('a: "x\nb: 1\n', (1, 4), "never closed", "close it"),
        ("a: 'x\n", (1, 4), "never closed", "close it"),
        ("a: b: c\n", (1, 5), "must be quoted", "a: 'b: c'"),
        ("- a: it's b: c\n", (1, 12), "must be quoted", "- a: 'it''s b: c'"),
        ("a: 1\n  b: 2\n", (2, 4), "already has a value", "indentation"),
        ("a: @b\n", (1, 4), "cannot start with `@`", "'@b'"),
        ("a: `b`\n", (1, 4), "backtick", "'`b`'"),
        ("a: %b\n", (1, 4), "cannot start with `%`", "'%b'"),
        ("a: |b\n", (1, 4), "cannot start with", "'|b'"),
        ("a: [b, c\n", (1, 4), "not closed", "`]`"),
        ("a: {b\n", (1, 4), "not closed", "`}`"),
        ('a:\n  - "b" c\n', (2, 9), "closing quote", """- '"b" c'"""),
        ("a: - b\n", (1, 4), "list", "next line"),
        ("a:\n  - b\n  c: d\n", (3, 3), "list above", "- "),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "mapping above", "indentation"),
        ("a:\n  - b: c\n    1. one\n    d: e\n", (3, 5), "item of a list", "- one"),
        ('a: "\\d"\n', (1, 5), "escape", "\\\\"),
        ("[" * 100_000, (1, 101), "100 levels", "flatten"),
        ("- " * 5_000, (1, 201), "100 levels", "flatten"),
        ("[" + "x," * 60_000 + "]", (1, 100_002), "50,001", "split"),
    ],
)
def test_what_is_refused_has_a_place_and_a_way_out(text: str, place: tuple[int, int], words: str, fix: str) -> None:
    problem = refused(text).problems[0]
    assert (problem.line, problem.column) == place
    assert words in problem.message
    assert fix in problem.hint


def test_everything_that_is_wrong_is_said_at_once() -> None:
    problems = refused("a: &x 1\na: 2\nb: .nan\nc: *x\nd: [\n").problems
    assert [problem.line for problem in problems] == [1, 2, 3, 4, 5]


def test_a_refusal_shows_the_line_with_a_caret_and_hides_what_it_warns_of() -> None:
    assert str(refused("ok: 1\na: b: c\n")).endswith("    2 | a: b: c\n      |     ^")
    assert "\u202e" not in str(refused("a: \u202ex\n"))
    assert "\x1b" not in str(refused("a: \x1b[31m\n"))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("a: 1".encode("utf-16"), "UTF-16"),
        ("a: 1".encode("utf-32"), "UTF-32"),
        ("a: 1".encode("utf-16-le"), "NUL"),
        (b"a: 1\nb: \xffx\n", "f.yaml:2:4: byte 0xff is not UTF-8"),
        (b"a: \xed\xa0\x80", "is not UTF-8"),
        (b"a: 1\x00", "NUL"),
        (b"x" * 1_048_577, "1,048,577 bytes"),
    ],
)
def test_bytes_that_are_no_bounded_utf8_are_refused(raw: bytes, words: str) -> None:
    with pytest.raises(YamlRefused, match=words):
        decode(raw, path="f.yaml")


def test_a_byte_order_mark_is_accepted() -> None:
    assert decode(b"\xef\xbb\xbfa: 1", path="f.yaml") == "a: 1"


def test_depth_up_to_the_limit_is_read() -> None:
    assert read("[" * 100 + "]" * 100, path="f.yaml").root.plain()
    assert read("[[]]", path="f.yaml", max_depth=2).root.plain() == [[]]
    with pytest.raises(YamlRefused):
        read("[[[]]]", path="f.yaml", max_depth=2)


def test_an_empty_text_holds_nothing() -> None:
    assert read("", path="f.yaml").root.plain() is None
    assert read("# only a remark\n", path="f.yaml").root.plain() is None


TEXT = """\
first: 'one'  # remark
second:
  - two
  - {three: 3}

fourth: |
  text
empty:
"""


@pytest.fixture(params=["libyaml", "pure"])
def document(request: pytest.FixtureRequest) -> Document:
    if request.param == "pure":
        return compose(TEXT, path="f.yaml", max_depth=100, loader=yaml.SafeLoader)
    return read(TEXT, path="f.yaml")


def test_every_value_knows_its_place(document: Document) -> None:
    def source(*keys: str | int) -> str:
        node = document.at(*keys)
        assert node
        return document.source(node)

    assert source("first") == "'one'"
    assert source("second") == "- two\n  - {three: 3}"
    assert source("second", 1) == "{three: 3}"
    assert source("second", 1, "three") == "3"
    assert source("fourth") == "|\n  text\n"
    assert source("empty") == ""
    three = document.at("second", -1, "three")
    assert three
    assert three.key_span
    assert (three.span.line, three.span.column, three.key_span.column) == (4, 13, 6)
    assert document.at("second", 5) is None
    assert document.at("first", "x") is None
    assert document.line(4) == "  - {three: 3}"
    assert document.line(99) == ""


def test_a_problem_points_at_a_value_or_at_its_key(document: Document) -> None:
    node = document.at("first")
    assert node
    value = problem_at(document, node, "is odd", "change it", "first")
    assert (value.line, value.column, value.length, value.source) == (1, 8, 5, "first: 'one'  # remark")
    assert problem_at(document, node, "is odd", at_key=True).column == 1
    assert problem_at(document, node.span, "is odd").column == 8


@pytest.mark.parametrize("escape", ["\\UFFFFFFFF", "\\ud800", "\\x", "\\q"])
def test_without_libyaml_bad_escapes_are_refused_too(escape: str) -> None:
    with pytest.raises(YamlRefused):
        compose(f'a: "{escape}"\n', path="f.yaml", max_depth=100, loader=yaml.SafeLoader)


def test_windows_line_ends_mean_the_same() -> None:
    assert read(TEXT.replace("\n", "\r\n"), path="f.yaml").root.plain() == read(TEXT, path="f.yaml").root.plain()


def test_characters_that_would_be_refused_can_be_replaced() -> None:
    assert unprintable("a\x1bb\u202ec\ud800\r\nd\te") == "a\ufffdb\ufffdc\ufffd\r\nd\te"
