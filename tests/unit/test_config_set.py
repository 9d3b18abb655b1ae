"""A value of a configuration file is set or taken out, and no other byte changes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config.places import At, alike, dotted, with_value, without
from orchestrator.config.placing import placed, rekeyed
from orchestrator.config.setting import file_of, meant, place_of
from orchestrator.config.taking import removed, removed_keeping_remarks
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.strictyaml import Document, read

TEXT = """\
# head
policies:
  default:                    # an agent
    timezone: UTC             # in which
    max_parallel: 4           # how many

    privacy: 'redacted'         # of prompts
    # limits:                   # hard
    #   - {period: task}
checks: {}
retention:
  archive_after: 30d          # finished
intake:
  paths:
    - a/   # one
    - b/

    - c/
workspaces: {setup: [npm, ci], copy: [.env,  # the keys
                                      .npmrc]}
"""

# What is set, how it was written, the lines that go and the lines that come.
PLACED: dict[str, tuple[str, object, str, list[str], list[str]]] = {
    "a number": (
        "policies.default.max_parallel",
        2,
        "2",
        ["    max_parallel: 4           # how many"],
        ["    max_parallel: 2           # how many"],
    ),
    "the digits that were typed": (
        "policies.default.max_parallel",
        2.5,
        "2.50",
        ["    max_parallel: 4           # how many"],
        ["    max_parallel: 2.50           # how many"],
    ),
    "a text in the quotes that stand there": (
        "policies.default.privacy",
        "full",
        "full",
        ["    privacy: 'redacted'         # of prompts"],
        ["    privacy: 'full'         # of prompts"],
    ),
    "a text that YAML would take for a number": (
        "policies.default.timezone",
        "5",
        "",
        ["    timezone: UTC             # in which"],
        ["    timezone: '5'             # in which"],
    ),
    "a key that is not there": ("policies.default.review", "merge", "merge", [], ["    review: merge"]),
    "a key whose parents are not there": (
        "policies.other.limits[0].max_usd",
        3,
        "3",
        [],
        ["  other:", "    limits:", "      - max_usd: 3"],
    ),
    "a key within empty braces": (
        "checks.tests.command",
        ["pytest", "-q"],
        "[pytest, -q]",
        ["checks: {}"],
        ["checks: {tests: {command: [pytest, -q]}}"],
    ),
    "a section that is not there": ("trail.mode", "none", "none", [], ["trail:", "  mode: none"]),
    "an item in a block": ("intake.paths[1]", "d/", "d/", ["    - b/"], ["    - d/"]),
    "one more item in a block": ("intake.paths[3]", "d/", "d/", [], ["    - d/"]),
    "an item between brackets": (
        "workspaces.setup[1]",
        "install",
        "install",
        ["workspaces: {setup: [npm, ci], copy: [.env,  # the keys"],
        ["workspaces: {setup: [npm, install], copy: [.env,  # the keys"],
    ),
    "one more item on lines of their own": (
        "workspaces.copy[2]",
        "x",
        "x",
        ["                                      .npmrc]}"],
        ["                                      .npmrc,", "                                      x]}"],
    ),
    "a list that becomes shorter": ("intake.paths", ["a/", "c/"], "[a/, c/]", ["    - b/"], []),
    "a mapping of which one key changes": (
        "retention",
        {"archive_after": "60d"},
        "{archive_after: 60d}",
        ["  archive_after: 30d          # finished"],
        ["  archive_after: 60d          # finished"],
    ),
}


def document(text: str = TEXT) -> Document:
    return read(text, path="policies.yaml")


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, without what is the same at both ends."""
    old, new = before.split("\n"), after.split("\n")
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return old, new


@pytest.mark.parametrize("case", PLACED)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_only_the_lines_of_the_value_change(case: str, end: str) -> None:
    key, value, written, gone, come = PLACED[case]
    before = document(TEXT.replace("\n", end))
    after = placed(before, place_of(key, before), value, written=written)
    if end == "\r\n":
        assert "\n" not in after.text.replace("\r\n", "")
    assert changed(TEXT, after.text.replace("\r\n", "\n")) == (gone, come)


def test_what_is_set_to_what_it_is_changes_nothing() -> None:
    before = document()
    for key, value in (("policies.default.max_parallel", 4), ("intake.paths", ["a/", "b/", "c/"]), ("checks", {})):
        assert placed(before, place_of(key, before), value).text == TEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "trail:\n  mode: own\n"),
        ("# only a comment\n", "# only a comment\ntrail:\n  mode: own\n"),
        ("# no end", "# no end\ntrail:\n  mode: own"),
        ("---\n", "---\ntrail:\n  mode: own\n"),
        ("trail:\n", "trail:\n  mode: own\n"),
        ("trail: ~\n", "trail: {mode: own}\n"),
        ("trail:  # here\n  # and here\nother: 1\n", "trail:  # here\n  # and here\n  mode: own\nother: 1\n"),
        ("{}\n", "{trail: {mode: own}}\n"),
        ('{"other": 1}', '{"other": 1, "trail": {"mode": "own"}}'),
        ('{\n  "other": 1\n}\n', '{\n  "other": 1,\n  "trail": {"mode": "own"}\n}\n'),
        ("trail:\n    remote: x\n", "trail:\n    remote: x\n    mode: own\n"),
        ("other:\n    a:\n        b: 1\n", "other:\n    a:\n        b: 1\ntrail:\n    mode: own\n"),
        ("trail: {remote: x, }  # one\n", "trail: {remote: x, mode: own, }  # one\n"),
        ("trail: {mode: }\n", "trail: {mode: own}\n"),
        ("trail: {mode}\n", "trail: {mode: own}\n"),
        ("trail:\n  mode:   # which\n", "trail:\n  mode: own   # which\n"),
        ("trail:\n  mode: |  # why\n    none\n\nother: 1\n", "trail:\n  mode: own  # why\n\nother: 1\n"),
    ],
)
def test_a_section_is_begun_where_it_is_missing_in_the_style_of_the_file(text: str, expected: str) -> None:
    assert placed(document(text), ("trail", "mode"), "own", written="own").text == expected


def test_what_cannot_be_set_is_refused_with_the_reason() -> None:
    before = document()
    for key, value, message in (
        ("policies.default.timezone.x", 1, "policies.default.timezone is no mapping; set it as a whole"),
        ("intake.paths[7]", "x", r"intake\.paths is a list of 3; the next one is intake\.paths\[3\]"),
        ("intake.paths.x", "x", "intake.paths is a list of 3"),
        ("policies.default[0]", "x", "policies.default is no list"),
        ("intake.paths", "all", "intake.paths holds comments, which would be lost"),
    ):
        with pytest.raises(OrchestratorError, match=message):
            placed(before, place_of(key, before), value)


REMOVED = {
    "policies.default.timezone": ["    timezone: UTC             # in which"],
    "policies.default.privacy": ["", "    privacy: 'redacted'         # of prompts"],
    "intake.paths[1]": ["    - b/"],
    "intake.paths[2]": ["", "    - c/"],
    "retention.archive_after": ["  archive_after: 30d          # finished"],
    "checks": ["checks: {}"],
}


@pytest.mark.parametrize("key", REMOVED)
def test_what_is_taken_out_takes_its_lines_alone(key: str) -> None:
    before = document()
    assert changed(TEXT, removed(before, place_of(key, before)).text) == (REMOVED[key], [])


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("t: {a: 1, b: 2}\n", ("t", "a"), "t: {b: 2}\n"),
        ("t: {a: 1, b: 2}\n", ("t", "b"), "t: {a: 1}\n"),
        ("t: {a: 1, }\n", ("t", "a"), "t: { }\n"),
        ("t: {\n  a: 1,  # one\n  b: 2   # two\n}\n", ("t", "b"), "t: {\n  a: 1  # one\n     # two\n}\n"),
        ("t: {e: {a: {b: 1}, c: 2}}\n", ("t", "e", "a", "b"), "t: {e: {c: 2}}\n"),
        ("t:\n  e:\n    a:\n      b: 1\n    c: 2\n", ("t", "e", "a", "b"), "t:\n  e:\n    c: 2\n"),
        ("t:\n  e:\n    a: [x]\n    c: 2\n", ("t", "e", "a", 0), "t:\n  e:\n    c: 2\n"),
        ("t:\n  - a: 1\n    b: 2\n", ("t", 0, "a"), "t:\n  - b: 2\n"),
    ],
)
def test_what_is_left_empty_below_an_entry_goes_too(text: str, at: At, expected: str) -> None:
    assert removed(document(text), at).text == expected


def test_a_key_is_renamed_in_its_quotes() -> None:
    assert rekeyed(document("t: {'a': 1, b: 2}  # x\n"), ("t", "a"), "c").text == "t: {'c': 1, b: 2}  # x\n"
    assert rekeyed(document("a: 1\n"), ("a",), "c").text == "c: 1\n"
    with pytest.raises(OrchestratorError, match="edit the file by hand"):
        rekeyed(document("a: 1\nb: 2\n"), ("a",), "b")


def test_comments_of_what_is_taken_out_stay_where_that_is_asked() -> None:
    text = "t:\n  a:   # one\n    # two\n    b: '# no'  # three\n  # four\n  c: 1\n"
    left = removed_keeping_remarks(document(text), ("t", "a"), but="# three").text
    assert left == "t:\n  # one\n  # two\n  # four\n  c: 1\n"


# ---- laws over files as people lay them out

_NAMES = st.sampled_from(["a", "b", "c d", "e.f", "on", "7"])
_SCALARS = st.one_of(
    st.sampled_from(["x", "", "true", "007", "7", "a: b", "# no", "*x", "it's", 'say "x"', "two\nlines", " edge "]),
    st.integers(-5, 500),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=4,
)
_ABOVE = st.sampled_from(["", "", "", "\n", "{pad}# above\n", "\n{pad}# apart\n", "# at the left\n"])
_BESIDE = st.sampled_from(["", "", "  # beside", " # it's: {x}"])
_WRITTEN = st.sampled_from(
    [
        "x",
        "'q'",
        '"d"',
        "7",
        "2.50",
        "~",
        "",
        "[a, 'b']",
        "{k: v}",
        "{}",
        "[]",
        "[a,  # in\n{pad}  b]",
        "|\n{pad}  t\n\n{pad}  u",
    ]
)


@st.composite
def mappings(draw: st.DrawFn, pad: str = "", depth: int = 0) -> str:
    """A mapping in block style, with comments and blank lines between its lines."""
    text = ""
    for name in draw(st.lists(st.sampled_from(["a", "b", "'c d'", "e.f"]), min_size=1, max_size=3, unique=True)):
        text += draw(_ABOVE).format(pad=pad)
        kind = draw(st.integers(0, 3)) if depth < 2 else 0
        if kind == 1:
            text += f"{pad}{name}:{draw(_BESIDE)}\n" + draw(mappings(pad + "  ", depth + 1))
        elif kind == 2:
            text += f"{pad}{name}:{draw(_BESIDE)}\n"
            for item in draw(st.lists(st.sampled_from(["x", "{k: 1}", "k: 1\n{pad}    l: 2"]), min_size=1, max_size=3)):
                text += f"{pad}  - {item.format(pad=pad) if 'pad' in item else item}\n"
        else:
            written = draw(_WRITTEN).replace("{pad}", pad)
            text += f"{pad}{name}: {written}{draw(_BESIDE) if '|' not in written else ''}\n"
    return text


@st.composite
def files(draw: st.DrawFn) -> str:
    text = (
        draw(st.sampled_from(["", "# head\n\n", "---\n"])) + draw(mappings()) + draw(st.sampled_from(["", "# tail\n"]))
    )
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def places(value: object, at: At = ()) -> list[At]:
    """Every place in a plain value."""
    found: list[At] = [at] if at else []
    if isinstance(value, dict):
        found += [place for key, child in value.items() for place in places(child, (*at, key))]
    if isinstance(value, list):
        found += [place for number, child in enumerate(value) for place in places(child, (*at, number))]
    return found


def plain_at(value: Any, at: At) -> Any:
    """What a plain value holds at a place."""
    for step in at:
        value = value[step]
    return value


def comments(text: str) -> list[str]:
    return sorted(re.findall(r"(?:^|\s)(# (?:above|apart|at the left|beside|it's: \{x\}|in|head|tail))", text))


def done_or_refused(edit: Callable[[], Document], reason: str) -> Document | None:
    """What the edit gives; None where it is refused with that reason."""
    try:
        return edit()
    except OrchestratorError as error:
        refused = str(error)
    assert re.search(reason, refused)
    return None


def lines_outside(before: str, after: str) -> None:
    """Line ends stay what they were, and what lies before the first and behind the last change is the same."""
    assert ("\r\n" in before) or "\r" not in after
    assert "\r\n" not in before or "\n" not in after.replace("\r\n", "").replace("\\n", "")


@settings(max_examples=400, deadline=None)
@given(files(), st.data())
def test_a_value_that_is_set_is_there_and_everything_else_says_what_it_said(text: str, data: st.DataObject) -> None:
    before = document(text)
    plain = before.root.plain()
    at = data.draw(st.sampled_from(places(plain)))
    node = before.at(*at)
    assert node is not None
    if isinstance(node.value, dict) and data.draw(st.booleans()):
        at = (*at, data.draw(_NAMES), *data.draw(st.sampled_from([(), ("new",), ("new", 0)])))
    value = data.draw(_VALUES)
    after = done_or_refused(lambda: placed(before, at, value), "by hand|is no|is a list")
    if after is None:
        return
    assert alike(after.root.plain(), with_value(plain, at, value))
    lines_outside(text, after.text)
    if not isinstance(node.value, dict | list):
        assert comments(after.text) == comments(text)


@settings(max_examples=300, deadline=None)
@given(files(), st.data())
def test_a_value_that_is_taken_out_leaves_the_rest_and_the_comments_above(text: str, data: st.DataObject) -> None:
    before = document(text)
    plain = before.root.plain()
    at = data.draw(st.sampled_from(places(plain)))
    after = done_or_refused(lambda: removed(before, at), "by hand")
    if after is None:
        return
    gone = at
    while (len(gone) > 3 or isinstance(gone[-1], int)) and len(plain_at(plain, gone[:-1])) == 1:
        gone = gone[:-1]  # nothing was left of what held it
    if len(plain_at(plain, gone[:-1])) > 1:
        assert alike(after.root.plain(), without(plain, gone))
    else:
        assert not plain_at(after.root.plain(), gone[:-1])
    at = gone
    lines_outside(text, after.text)
    node = before.at(*at)
    assert node is not None
    within = text[(node.key_span or node.span).start : node.span.end]
    assert text.count("# above") - after.text.count("# above") <= within.count("# above")


@settings(max_examples=200, deadline=None)
@given(files(), st.sampled_from(["new", "x y"]), _SCALARS)
def test_a_key_that_was_set_and_is_taken_out_leaves_the_very_bytes(text: str, name: str, value: object) -> None:
    before = document(text)
    try:
        after = placed(before, (name,), value)
    except OrchestratorError:
        assert "|" in text  # a text in a block whose last line has no end: any line below gives it one
        return
    assert removed(after, (name,)).text == text


# ---- keys and values


@pytest.mark.parametrize(
    ("key", "file", "at"),
    [
        ("policies.default.max_parallel", "policies.yaml", ("policies", "default", "max_parallel")),
        ("agents.writer.fallback_chain[1]", "agents.yaml", ("agents", "writer", "fallback_chain", 1)),
        ("policies.default.limits[0].max_usd", "policies.yaml", ("policies", "default", "limits", 0, "max_usd")),
        ('models."gpt-6.1".price', "models.yaml", ("models", "gpt-6.1", "price")),
        ("models.gpt-6.1.price.input_mtok", "models.yaml", ("models", "gpt-6.1", "price", "input_mtok")),
        ("models.gpt-7.2.price", "models.yaml", ("models", "gpt-7.2", "price")),
        ("orphan_grace", "policies.yaml", ("orphan_grace",)),
        ("tools.x.env.A", "tools.yaml", ("tools", "x", "env", "A")),
        ("agents.a.task_types.big.one", "agents.yaml", ("agents", "a", "task_types", "big", "one")),
    ],
)
def test_a_key_names_a_place_as_messages_do(key: str, file: str, at: At) -> None:
    assert file_of(key) == file
    assert place_of(key, read("models:\n  gpt-6.1: {price: free}\n", path="models.yaml")) == at
    if '"' not in key:
        assert dotted(at) == key


@pytest.mark.parametrize("key", ["", "a..b", "[1]", "policies.", "a b", "policies[x]", ".a", 'models."a'])
def test_what_is_no_key_is_told_with_an_example(key: str) -> None:
    with pytest.raises(UsageError, match=r"is no key; write e\.g\. policies\.default\.max_parallel"):
        file_of(key)


def test_a_section_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"agentz\.a: there is no section 'agentz'; did you mean agents\?"):
        file_of("agentz.a")


TOOL = ("tools", "x")


@pytest.mark.parametrize(
    ("at", "text", "value"),
    [
        ((*TOOL, "max_parallel"), "2", 2),
        ((*TOOL, "timeout"), "30m", "30m"),
        ((*TOOL, "options", "level"), "2", "2"),
        ((*TOOL, "options", "level"), "1.10", "1.10"),
        ((*TOOL, "options", "level"), "", ""),
        ((*TOOL, "options", "level"), "a: b", "a: b"),
        ((*TOOL, "install"), "*x # y", "*x # y"),
        ((*TOOL, "tested_versions"), "[1.0, 2, x]", ["1.0", "2", "x"]),
        ((*TOOL, "tested_versions", 3), "1.10", "1.10"),
        ((*TOOL, "options"), "{a: 1, b: x}", {"a": "1", "b": "x"}),
        (TOOL, "{options: {a: 1}}", {"options": {"a": "1"}}),
        (("agents", "a", "aliases"), "[007, true]", ["007", "true"]),
        (("agents", "a", "manual"), "true", True),
        (("policies", "p", "limits", 2, "max_usd"), "2.50", 2.5),
        (("models", "m", "price"), "{input_mtok: 2, output_mtok: 10}", {"input_mtok": 2, "output_mtok": 10}),
        (("trail", "remote"), "7", "7"),
    ],
)
def test_a_value_is_what_yaml_says_unless_the_schema_wants_text(at: At, text: str, value: object) -> None:
    assert alike(meant(at, text).value, value)


@pytest.mark.parametrize("text", ["a: 2", "2 # two", "*x", "- a\n- b", "{a: ", "\x07"])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no value"):
        meant(("policies", "default", "max_parallel"), text)
