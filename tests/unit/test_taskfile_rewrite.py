"""Rewriting a task file: the fields that must change do, and every other byte stays."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import taskfile
from orchestrator.strictyaml import decode, read
from orchestrator.strictyaml.emit import cleaned
from orchestrator.taskfile import TaskFile, TaskFileRefused, compose, parse, rewrite
from orchestrator.taskfile.frontmatter import split

FILES = sorted((Path(__file__).parents[1] / "data" / "tasks").iterdir())
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def file(text: str) -> TaskFile:
    return parse(text.encode(), name="t.yaml")


def changed(text: str, **changes: object) -> str:
    return rewrite(file(text), changes).decode()


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("title: x\nstatus: new  # why\n", {"status": "assigned"}, "title: x\nstatus: assigned  # why\n"),
        ('title: x\nstatus: "new"\n', {"status": "done"}, 'title: x\nstatus: "done"\n'),
        ("title: x\nstatus: 'new'", {"status": "done"}, "title: x\nstatus: 'done'"),
        ("title: x\nstatus : new\n", {"status": "done"}, "title: x\nstatus : done\n"),
        ("title: x\nstatus:\nz: 1\n", {"status": "done"}, "title: x\nstatus: done\nz: 1\n"),
        ("title: x\nstatus:   # why\nz: 1\n", {"status": "done"}, "title: x\nstatus: done   # why\nz: 1\n"),
        ("title: x\nstatus:\n  new  # why\nz: 1\n", {"status": "done"}, "title: x\nstatus: done\nz: 1\n"),
        ("title: >\n  x\n\nz: 1\n", {"title": "w"}, "title: w\n\nz: 1\n"),
        ("title: | # why\n  x\nz: 1\n", {"title": "w"}, "title: w # why\nz: 1\n"),
        ("title: x\n  goes on\nz: 1\n", {"title": "w"}, "title: w\nz: 1\n"),
        ("title: x # why\nz: 1\n", {"title": "a\nb\n"}, "title: | # why\n  a\n  b\nz: 1\n"),
        ("title: x\nr:\n- 1 # one\n\n# two\nz: 1\n", {"r": [2, 3]}, "title: x\nr:\n  - 2\n  - 3\n\n# two\nz: 1\n"),
        (
            "title: x\nr: # why\n  a: 1\nz: 1\n",
            {"r": {"b": [{"c": "d", "e": []}]}},
            "title: x\nr: # why\n  b:\n    - c: d\n      e: []\nz: 1\n",
        ),
        ("title: x\nr: [1]\n", {"r": {"a": None}}, "title: x\nr:\n  a: null\n"),
        ("title: x\nr: {a: 1}\n", {"r": {}}, "title: x\nr: {}\n"),
        ("title: x\n", {"status": "new", "m": 1}, "title: x\nstatus: new\nm: 1\n"),
        ("title: x", {"status": "new"}, "title: x\nstatus: new"),
        ("title: x\r\n", {"status": "new"}, "title: x\r\nstatus: new\r\n"),
        ("title: x\r\nz: 1", {"z": "a\nb"}, "title: x\r\nz: |-\r\n  a\r\n  b"),
        ("title: x\n\n# the end\n", {"status": "new"}, "title: x\nstatus: new\n\n# the end\n"),
        ("title: x\nr:\n  a: 1\n  # of r\n# of all\n", {"s": 1}, "title: x\nr:\n  a: 1\n  # of r\ns: 1\n# of all\n"),
        ("title: |+\n  x\n\n", {"s": 1}, "title: |+\n  x\n\ns: 1\n"),
        ("title: x\n# of z\nz: |\n  no line end", {"s": 1}, "title: x\ns: 1\n# of z\nz: |\n  no line end"),
        ("z: 1\ntitle: |\n  x\n     ", {"s": 1}, "z: 1\ns: 1\ntitle: |\n  x\n     "),
        ("title: |\n  no line end", {"s": 1}, "s: 1\ntitle: |\n  no line end"),
        ("title: |\n  x\nz: 1", {"z": None}, "title: |\n  x\n"),
        ("title: |\n  x\n\n", {"s": 1}, "title: |\n  x\ns: 1\n\n"),
        ("---\ntitle: x\n---\n\nbody\n", {"s": 1}, "---\ntitle: x\ns: 1\n---\n\nbody\n"),
        ("title: x\n...\n", {"s": 1}, "title: x\ns: 1\n...\n"),
        ("title: x\nz: 1 # gone\n# stays\ny: 2\n", {"z": None}, "title: x\n# stays\ny: 2\n"),
        ("title: x\nz:\n- 1\n- 2\ny: 2\n", {"z": None}, "title: x\ny: 2\n"),
        ("title: x\nz: 1", {"z": None}, "title: x"),
        ("title: x\r\nz: 1", {"z": None}, "title: x"),
        ("title: x\nz: 1\n", {"z": None, "w": 2}, "title: x\nw: 2\n"),
        ("title: x\nz: 1", {"z": None, "w": 2}, "title: x\nw: 2"),
        ("z: 1\n---\nbody\n", {"z": None, "w": 2}, "w: 2\n---\nbody\n"),
        ("title: x\nz:\n", {"z": None}, "title: x\n"),
        ("title: x\n", {"z": None}, "title: x\n"),
        ("title: x\nt: 2026-03-04T05:06:07Z\n", {"t": NOW}, "title: x\nt: 2026-03-04T05:06:07Z\n"),
        ("title: x\n", {"t": NOW}, "title: x\nt: '2026-03-04T05:06:07Z'\n"),
        ("title: x\n", {"p": True, "f": 0.1, "e": ""}, "title: x\np: true\nf: 0.1\ne: ''\n"),
        ("  title: x\n  z: 1\n", {"z": ["a"], "w": "b\nc"}, "  title: x\n  z:\n    - a\n  w: |-\n    b\n    c\n"),
        ('{"title": "x", "z": 1}', {"z": 2, "y": [NOW]}, '{"title": "x", "z": 2, "y": ["2026-03-04T05:06:07Z"]}'),
        ('{\n  "title": "x",\n  "z": 1\n}\n', {"y": 2}, '{\n  "title": "x",\n  "z": 1,\n  "y": 2\n}\n'),
        ("{title: x, z: 1,}", {"y": 2}, '{title: x, z: 1, "y": 2,}'),
        ("{z: 1, title: x}", {"z": None}, "{title: x}"),
        ("{title: x, z: 1, y: 2}", {"z": None, "y": None, "a": 1}, '{title: x, "a": 1}'),
        ("{title: x, z, y: }", {"z": 1, "y": 2}, "{title: x, z: 1, y: 2}"),
        ("title: x\n", {"s": "a\x1bb\u202e"}, "title: x\ns: 'a\ufffdb\ufffd'\n"),
    ],
)
def test_only_what_must_change_does(before: str, changes: dict[str, object], after: str) -> None:
    assert changed(before, **changes) == after


def test_text_that_would_take_the_lines_below_it_in_is_written_on_one_line() -> None:
    before = "title: x\nr:\n  a: 1\n  # of r\n"
    assert changed(before, r="one\ntwo\n") == 'title: x\nr: "one\\ntwo\\n"\n  # of r\n'


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_rewrite_without_a_change_is_the_same_bytes(path: Path) -> None:
    raw = path.read_bytes()
    read = parse(raw, name=path.name)
    assert rewrite(read, {}) == raw
    same = read.document.root.plain()
    assert isinstance(same, dict)
    assert rewrite(read, {name: value for name, value in same.items() if value is not None}) == raw


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_there_and_back_again_is_the_same_file(path: Path) -> None:
    read = parse(path.read_bytes(), name=path.name)
    added = parse(rewrite(read, {"zz_new": {"a": [1, "two\nlines\n"]}, "zz_other": NOW}), name=path.name)
    assert rewrite(added, {"zz_new": None, "zz_other": None}) == read.raw


def test_the_byte_order_mark_and_the_body_stay() -> None:
    raw = b"\xef\xbb\xbf---\ntitle: x\nstatus: new\n---\r\nbody \xe2\x9c\x93 \r\n\r\n"
    after = rewrite(parse(raw, name="t.yaml"), {"status": "assigned"})
    assert after == raw.replace(b"status: new", b"status: assigned")


@pytest.mark.parametrize("value", [float("nan"), object(), NOW.replace(tzinfo=None), {"a": [float("inf")]}])
def test_what_no_file_can_hold_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        rewrite(file("title: x\n"), {"a": value})


NAMES = st.sampled_from(
    ["status", "title", "zz", "created_by", "result", "estimate", "context", "artefacts", "tags", "batch"]
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["a", " b", "c: d", "# e", "- f", "", "'", '"', "---", "\t", "\x1b", "\r"]), max_size=6
    ).map("\n".join),
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False, width=32), TEXTS
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(FILES), st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_rewrite_has_the_changes_and_nothing_else(path: Path, changes: dict[str, object]) -> None:
    before = parse(path.read_bytes(), name=path.name)
    after = decode(rewrite(before, changes), path="after")
    parts = split(after)
    assert after[parts.yaml_end :] == before.text[split(before.text).yaml_end :]
    expected = before.document.root.plain()
    assert isinstance(expected, dict)
    for name, value in changes.items():
        if value is None:
            expected.pop(name, None)
        else:
            expected[name] = cleaned(value)
    found = read(after[: parts.yaml_end], path="after").root.plain()
    assert isinstance(found, dict)
    assert repr(sorted(found.items())) == repr(sorted(expected.items()))
    remarks = [line for line in before.text.split("\n") if line.startswith("#")]
    assert all(line in after for line in remarks)


def outcome(make: Callable[[], TaskFile]) -> TaskFile | str:
    try:
        return make()
    except TaskFileRefused as refused:
        return str(refused)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FILES), st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_changed_file_is_what_reading_the_rewritten_bytes_gives(path: Path, changes: dict[str, object]) -> None:
    before = parse(path.read_bytes(), name=path.name, path=path.name)
    raw = rewrite(before, changes)
    assert outcome(lambda: taskfile.changed(before, changes, path=path.name)) == outcome(
        lambda: parse(raw, name=path.name, path=path.name)
    )


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=5))
def test_a_new_file_says_the_fields_that_it_was_made_of(fields: dict[str, object]) -> None:
    made = read(decode(compose(fields), path="new"), path="new").root.plain()
    assert repr(made) == repr({name: cleaned(value) for name, value in fields.items()})


def test_a_new_file_reads_as_a_person_would_have_written_it() -> None:
    fields = {"title": "x: y", "created_at": NOW, "artefacts": ["a.md"], "context": {"notes": "one\ntwo\n"}}
    assert compose(fields).decode() == (
        "title: 'x: y'\ncreated_at: '2026-03-04T05:06:07Z'\n"
        "artefacts:\n  - a.md\ncontext:\n  notes: |\n    one\n    two\n"
    )
