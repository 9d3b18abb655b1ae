"""An entry is put into a configuration file and taken out of it, and no other byte changes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config.splicing import Stanza, put_in, take_out
from orchestrator.config.stanza import stanza_in
from orchestrator.errors import NotFoundError, OrchestratorError, UsageError
from orchestrator.strictyaml import read

STANZA = Stanza(
    name="new",
    lines=("# what it is", "binary: new", "command: [a,", "          b]", "", "options:", "  x: '1'  # why"),
    value={"binary": "new", "command": ["a", "b"], "options": {"x": "1"}},
)

_COMMENTS = st.sampled_from(
    ["", "\n", "# at the left\n", "  # of an entry\n", "    # deeper\n", "\n    # after a blank\n", "\n\n"]
)
_VALUES = st.sampled_from(
    [
        "",
        " {binary: x}",
        " {binary: x,\n    models: [y]}  # why",
        "\n    binary: x",
        "\n    binary: x   # why\n    # and more",
        "\n    # first\n    command: [a,\n      b]\n    env: {}",
        "\n    install: |\n      one\n\n      # no comment\n      two\n",
        "\n    install: |+\n      one\n\n\n",
        "\n    install: >-\n      one\n      two\n\n\n",
        '\n    install: "one\n      two"',
        "\n      deep:\n        a: 1",
    ]
)


@st.composite
def block_files(draw: st.DrawFn) -> str:
    """Files with a section in block style, as people lay them out."""
    text = (
        draw(st.sampled_from(["", "# head\n\n", "---\n"]))
        + "tools:"
        + draw(st.sampled_from(["", "  # all of them"]))
        + "\n"
    )
    for number in range(draw(st.integers(0, 3))):
        text += draw(_COMMENTS) + f"  t{number}:" + draw(_VALUES) + "\n"
    text += draw(_COMMENTS)
    if draw(st.booleans()):
        text += "other:\n  a: 1\n"
    return text


_FLOW = st.sampled_from(
    [
        "tools: {}\n",
        "tools: { }  # none\n",
        "tools: {a: {binary: x}}\n",
        "tools: {a: {binary: x}, }\n",
        "tools: {\n  a: {binary: x},  # one\n  b: ,\n}\nother: 1\n",
        "{tools: {a: {binary: x}}, other: [1]}",
        '{"tools": {}}',
    ]
)
_FILES = st.builds(
    lambda text, crlf, cut: (text.rstrip("\n") if cut else text).replace("\n", "\r\n" if crlf else "\n"),
    st.one_of(block_files(), _FLOW),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(_FILES)
def test_what_is_put_in_and_taken_out_leaves_every_byte(text: str) -> None:
    before = read(text, path="tools.yaml")
    try:
        added = put_in(before, "tools", (STANZA,))
    except OrchestratorError:
        assert not text.endswith("\n")  # a text in a block whose last line has no end: any line below gives it one
        assert re.search(r"install: [|>]", re.split(r"  t\d:", text)[-1])
        return
    document = read(added, path="tools.yaml")
    node = document.at("tools", "new")
    assert node is not None
    assert node.plain() == STANZA.value
    assert take_out(document, "tools", "new") == text


@settings(max_examples=200, deadline=None)
@given(_FILES, st.data())
def test_taking_out_any_entry_keeps_the_others_and_the_comments_between_them(text: str, data: st.DataObject) -> None:
    document = read(text, path="tools.yaml")
    tools = document.at("tools")
    assert tools is not None
    names = list(tools.value) if isinstance(tools.value, dict) else []
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    try:
        left = take_out(document, "tools", name)
    except OrchestratorError:
        assert "|+" in text  # a text that keeps the blank lines below it, which are then below another one
        return
    after = read(left, path="tools.yaml").at("tools")
    assert after is not None
    assert list(after.value if isinstance(after.value, dict) else {}) == [one for one in names if one != name]
    assert left.count("# of an entry") == text.count("# of an entry")


def stanza(text: str, name: str = "mine", **chosen: str) -> Stanza:
    return stanza_in(text.encode(), name=name, path="mine.yaml", chosen=chosen)


def test_a_stanza_is_found_under_its_name_under_tools_and_alone() -> None:
    body = {"binary": "m", "options": {"a": "1"}}
    assert stanza("mine:\n  binary: m\n  options: {a: '1'}\n").value == body
    assert stanza("tools:\n    mine:\n        binary: m\n        options: {a: '1'}\n").value == body
    assert stanza("binary: m\noptions: {a: '1'}\n").value == body
    assert stanza("{mine: {binary: m, options: {a: '1'}}}").value == body
    for text in ("other: {binary: x}\n", "mine: 3\n", "- a\n", ""):
        with pytest.raises(NotFoundError, match=r"mine\.yaml has no stanza 'mine'"):
            stanza(text)


@pytest.mark.parametrize(
    "text",
    [
        "# about it\nmine:\n  binary: m   # why\n  install: |\n    one\n\n    two\n  options: {a: '1'}\n",
        "mine: {binary: m, install: \"one\\n\\ntwo\\n\", options: {a: '1'}}",
        "mine:\r\n  binary: m\r\n  install: |\r\n    one\r\n\r\n    two\r\n  options: {a: '1'}\r\n",
    ],
)
def test_a_stanza_says_the_same_where_it_is_put(text: str) -> None:
    one = stanza(text)
    assert one.value == {"binary": "m", "install": "one\n\ntwo\n", "options": {"a": "1"}}
    for file in (
        "tools:\n    a: {binary: x}\n",
        "tools: {a: {binary: x}}\n",
        "tools:\n",
        "tools:\r\n  a:\r\n    binary: x",
    ):
        node = read(put_in(read(file, path="t"), "tools", (one,)), path="t").at("tools", "mine")
        assert node is not None
        assert node.plain() == one.value


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20).filter(str.isprintable))
def test_an_option_is_set_to_any_text_and_nothing_else_changes(value: str) -> None:
    text = "mine:\n  binary: m  # why\n  options:\n    a: '1'  # one\n    b: '2'\n"
    one = stanza(text, a=value)
    assert one.value == {"binary": "m", "options": {"a": value, "b": "2"}}
    assert any(line.endswith("# one") for line in one.lines)


def test_what_a_stanza_cannot_be_set_is_told_with_what_it_can() -> None:
    text = "mine:\n  binary: m\n  timeout: 3m\n  options: {alpha: '1'}\n"
    assert stanza(text, timeout="1h", max_parallel="3").value == {
        "max_parallel": 3,
        "binary": "m",
        "timeout": "1h",
        "options": {"alpha": "1"},
    }
    with pytest.raises(UsageError, match=r"--set alpa: mine has no such option; did you mean alpha\?"):
        stanza(text, alpa="1")
    with pytest.raises(UsageError, match="it has alpha, binary"):
        stanza(text, zzz="1")


def test_a_section_that_is_not_there_yet_is_begun() -> None:
    for text, expected in (
        ("", "tools:\n  new:\n"),
        ("# only a comment\n", "# only a comment\ntools:\n  new:\n"),
        ("# no end", "# no end\ntools:\n  new:\n"),
    ):
        assert put_in(read(text, path="t"), "tools", (STANZA,)).startswith(expected)


def test_a_section_that_is_no_mapping_is_left_alone() -> None:
    for text in ("tools: ~\n", "tools: nothing\n", "tools:\n  - a\n"):
        with pytest.raises(OrchestratorError, match="edit the file by hand"):
            put_in(read(text, path="t"), "tools", (STANZA,))
