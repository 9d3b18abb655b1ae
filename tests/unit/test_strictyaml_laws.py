"""Laws of strict YAML: nothing escapes from it, and what is written reads back."""

import math
from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.problem import Problem
from orchestrator.strictyaml import YamlRefused, decode, read, unprintable
from orchestrator.strictyaml.compose import compose
from orchestrator.strictyaml.emit import block, cleaned, flow, flow_json

SIGNS = ": |- |? |[|]|{|}|,|#| #|'|\"|&a|*a|!|!!str |%|@|`|<<|~|\\|\\u202e|\n|\n  |\n\t|\r|---\n|...\n"
PIECES = st.sampled_from([*SIGNS.split("|"), "|", "|+2", ">-", "a", "b: ", ".nan", "007", "1e999", "é", "🎉"])
TEXTS = st.lists(PIECES, max_size=30).map("".join)
NOISE = st.one_of(st.binary(max_size=200), TEXTS.map(str.encode))


@settings(max_examples=400, deadline=None)
@given(NOISE)
def test_no_bytes_bring_anything_but_a_document_or_a_refusal(raw: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        read(decode(raw, path="f.yaml"), path="f.yaml").root.plain()
    except YamlRefused as refused:
        problems = refused.problems or (Problem(path="f.yaml", message=""),)
    for problem in problems:
        assert problem.message
        assert problem.hint
        assert problem.source == unprintable(problem.source)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_with_and_without_libyaml_a_text_is_refused_or_means_the_same(text: str) -> None:
    values = []
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        try:
            values.append(repr(compose(text.replace("\r", ""), path="f", max_depth=20, loader=loader).root.plain()))
        except YamlRefused:
            return  # the two differ in what they take; what both take must mean the same
    assert values[0] == values[1]


STRINGS = st.one_of(st.text(max_size=40), TEXTS, st.lists(st.text(max_size=12), max_size=5).map("\n".join))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**60), 10**60), st.floats(-1e90, 1e90), STRINGS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(STRINGS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_what_is_written_reads_back_as_the_same_value(value: object) -> None:
    wanted = cleaned(value)
    lines = block(wanted, indent=2)
    texts = [f"a: {flow(wanted)}\n", f"a: {flow(wanted, quote=chr(39))}\n", f'{{"a": {flow_json(wanted)}}}']
    if lines:
        texts.append("\n".join([f"a: {lines[0]}", *lines[1]]) + "\n")
    for text in texts:
        assert repr(read(text, path="f.yaml").root.plain()) == repr({"a": wanted})


@settings(max_examples=150, deadline=None)
@given(STRINGS)
def test_text_stays_text_for_readers_of_older_yaml(text: str) -> None:
    wanted = cleaned(text)
    assert yaml.safe_load(f"a: {flow(wanted)}\n") == {"a": wanted}


@pytest.mark.parametrize(
    "text", ["on", "No", "2026-02-12", "1_000", "12:30", "0o7", "~", "1e3", "null", "- x", "a: b", "x #y", ""]
)
def test_text_that_older_yaml_takes_for_something_else_is_quoted(text: str) -> None:
    assert flow(text) == f"'{text}'"


def test_text_of_several_lines_is_written_as_it_stands() -> None:
    assert block("one\n  two\n\nthree\n", indent=2) == ("|", ("  one", "    two", "", "  three"))
    assert block("one\ntwo", indent=2) == ("|-", ("  one", "  two"))
    assert block(" one\ntwo", indent=2) is None


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 10**200, datetime.fromisoformat("2026-01-01"), object(), b"x", {"k" * 600: 1}],
    ids=["nan", "infinity", "huge", "without a zone", "object", "bytes", "long key"],
)
def test_what_has_no_place_in_a_file_is_not_written(value: object) -> None:
    with pytest.raises(ValueError):
        cleaned([value])


def test_a_time_is_written_in_utc_to_the_second() -> None:
    assert cleaned(datetime(2026, 2, 12, 11, 1, 0, 999, tzinfo=UTC)) == "2026-02-12T11:01:00Z"
