"""Task files are mended where their meaning is certain, and left alone where it is not."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.task import Task
from orchestrator.taskfile import TaskFileRefused, parse
from orchestrator.taskfile.mending import Mended, mend

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def task(raw: bytes, name: str = "t.yaml") -> Task | None:
    """The task that the bytes say; None where they are refused."""
    try:
        return parse(raw, name=name).task
    except TaskFileRefused:
        return None


def mended(text: str) -> str:
    """The text mended, which it must be able to be."""
    found = mend(text.encode(), name="t.yaml")
    assert found.left == ()
    assert task(found.raw) is not None
    assert mend(found.raw, name="t.yaml").raw == found.raw
    return found.raw.decode()


# What is refused, and what it becomes.
REFUSED = {
    "a text with a colon": ("agent: w\ntitle: Fares: winter\n", "agent: w\ntitle: 'Fares: winter'\n"),
    "a text with a colon and an apostrophe": ("title: It's: x  \n", "title: 'It''s: x'  \n"),
    "a text with a colon in a list": (
        "title: x\nnotes:\n  - do: this: now\n",
        "title: x\nnotes:\n  - do: 'this: now'\n",
    ),
    "a text of two lines with a colon": (
        "description: Fares: winter\n  and summer's\nagent: w\n",
        "description: 'Fares: winter\n  and summer''s'\nagent: w\n",
    ),
    "a text that starts with a star": ("title: *important* thing\n", "title: '*important* thing'\n"),
    "a bold text in a list": ("title: x\nnotes:\n- **bold** it\n", "title: x\nnotes:\n- '**bold** it'\n"),
    "a text that starts with an at sign": ("title: @alice asks\n", "title: '@alice asks'\n"),
    "a text that starts with a backtick": ("title: `make` it\n", "title: '`make` it'\n"),
    "a text that starts with a percent sign": ("title: %d of them\n", "title: '%d of them'\n"),
    "a text that goes on behind a quote": (
        'title: "Hello World" for all\n',
        "title: '\"Hello World\" for all'\n",
    ),
    "an apostrophe between quotes": ("title: 'it's here'\n", "title: 'it''s here'\n"),
    "tabs": (
        "title: x\ncontext:\n\taudience: people\n\tlength: 3\n",
        "title: x\ncontext:\n  audience: people\n  length: 3\n",
    ),
    "a key that is there twice": ("title: x\nagent: w\ntitle: x\n", "title: x\nagent: w\n"),
    "a list that is there twice": (
        "title: x\nartefacts:\n- a\n- b\nagent: w\nartefacts: [a, b]\n",
        "title: x\nartefacts:\n- a\n- b\nagent: w\n",
    ),
    "a body without its fence": (
        "---\nagent: w\ntitle: x\n\n# The **task**\n\n**Project:** one\n",
        "---\nagent: w\ntitle: x\n\n---\n# The **task**\n\n**Project:** one\n",
    ),
    "a body with fields in its code": (
        "agent: w\n\n# How\n\n- `one`: two: three\n\n```yaml\nagent: x\ntitle: y\n```\n",
        "agent: w\n\n---\n# How\n\n- `one`: two: three\n\n```yaml\nagent: x\ntitle: y\n```\n",
    ),
    "prose without its fence": (
        "---\nagent: w\ntitle: x\n\nPlease do it: now.\nAnd - well.\n\n* this\n",
        "---\nagent: w\ntitle: x\n\n---\nPlease do it: now.\nAnd - well.\n\n* this\n",
    ),
    "fields without a space": ("agent:w\ntitle: x\nstatus:new\n", "agent: w\ntitle: x\nstatus: new\n"),
    "nothing but fields without a space": ("agent:w\ntitle:x y\n", "agent: w\ntitle: x y\n"),
    "a file between code fences": ("```yaml\nagent: w\ntitle: x\n```\n", "agent: w\ntitle: x\n"),
    "a mark within the text": ("agent: w\n\ufefftitle: x\n", "agent: w\ntitle: x\n"),
    "colours of a terminal": ("agent: w\ntitle: \x1b[31mred\x1b[0m\n", "agent: w\ntitle: red\n"),
    "control characters at the end": ("agent: w\x07\ntitle: x\n\x1a", "agent: w\ntitle: x\n"),
    "line ends of an old Macintosh": ("agent: w\rtitle: x\r", "agent: w\ntitle: x\n"),
    "line ends that were doubled": ("agent: w\r\r\ntitle: x\r\r\n", "agent: w\r\ntitle: x\r\n"),
    "several at once": (
        "assignee: w\ntitle: a: b\nnotes:\n- @x\n- it: is: so\nstatus: TODO\n",
        "agent: w\ntitle: 'a: b'\nnotes:\n- '@x'\n- it: 'is: so'\nstatus: new\n",
    ),
    "windows line ends": ("agent: w\r\ntitle: a: b\r\n", "agent: w\r\ntitle: 'a: b'\r\n"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_becomes_the_task_that_was_meant(case: str) -> None:
    before, after = REFUSED[case]
    assert task(before.encode()) is None
    assert mended(before) == after


def test_a_byte_order_mark_and_everything_else_stays() -> None:
    raw = "\ufeff# mine\nagent: w   # who\ntitle: a: b\n\n\n".encode()
    assert mend(raw, name="t.yaml").raw == "\ufeff# mine\nagent: w   # who\ntitle: 'a: b'\n\n\n".encode()


def test_other_encodings_are_saved_as_utf8_where_they_are_certain() -> None:
    text = "agent: w\ntitle: Café, naïve\n"
    for encoding in ("utf-16", "utf-32", "utf-16-le", "utf-16-be"):
        mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
        assert mend(mark + text.encode(encoding), name="t.yaml").raw == text.encode()
    signs = b"agent: w\ntitle: \x93It\x92s\x94 here \x96 and don\x92t [\x85]\n"
    assert mend(signs, name="t.yaml").raw.decode() == (
        "agent: w\ntitle: \u201cIt\u2019s\u201d here \u2013 and don\u2019t [\u2026]\n"
    )


# What could mean two things, and why it is left.
UNCERTAIN: dict[str, tuple[bytes, str]] = {
    "a letter of an encoding that nobody knows": (b"agent: w\ntitle: Caf\xe9\n", "is not UTF-8"),
    "a byte that is a letter in DOS": (b"agent: w\ntitle: K\x94ln\n", "is not UTF-8"),
    "a word of French in DOS": (b"agent: w\ntitle: voil\x85 o\x97\n", "is not UTF-8"),
    "a word of Swedish in DOS": (b"agent: w\ntitle: Malm\x94 now\n", "is not UTF-8"),
    "an apostrophe that may be a letter": (b"agent: w\ntitle: \x91x\x92y\n", "is not UTF-8"),
    "an alias of an anchor": (b"title: &a x\nmode: *a\n", "anchor"),
    "a comment behind the text": (b"title: a: b # c\n", "text that holds `: `"),
    "a text in quotes with quotes in it": (b'title: "say "x""\n', "closing quote"),
    "two texts in quotes": (b'title: "x" and "y"\n', "closing quote"),
    "a bullet of Markdown": (b"title: x\nnotes:\n  - a:\n    * b\n", "text cannot start with `*`"),
    "a key that says two things": (b"title: x\ntitle: y\n", "is there twice"),
    "a key that says the same with a comment": (b"title: x\ntitle: x  # why\n", "is there twice"),
    "tabs within a text": (b"title: x\ndescription: |\n\ta\n\t\tb\n", "a tab stands"),
    "fields below a heading": (b"agent: w\n\n# More\n\n*x*\nstatus: new\n", "text cannot start with `*`"),
    "prose that fields follow": (b"---\ntitle: x\n\nDo it\nstatus: new\n", "neither `key: value`"),
    "prose in a file that is no front matter": (b"title: x\n\nDo it.\n", "neither `key: value`"),
    "a web address for a field": (b"title://x\n", "this is plain text"),
    "an id of another name": (b"id: other\ntitle: x\n", 'the id is "other" and the file is called "t"'),
    "a status that is none": (b"title: x\nstatus: ready\n", '"ready" is not a status'),
    "nothing to do": (b"agent: w\n", "does not say what to do"),
    "characters that turn the text around": ("title: a\u202eb\n".encode(), "invisible character"),
    "what is no YAML at all": (b"[a: {", "is opened here"),
    "nothing": (b"", "holds no fields"),
}


@pytest.mark.parametrize("case", UNCERTAIN)
def test_what_could_mean_two_things_is_left_with_the_reason(case: str) -> None:
    raw, reason = UNCERTAIN[case]
    found = mend(raw, name="t.yaml")
    assert (found.raw, found.repairs) == (raw, ())
    assert any(reason in problem.message for problem in found.left), found.left


def test_the_reason_names_the_line_in_the_file_as_it_is() -> None:
    raw = b"agent: w\ntitle: a: b\nagent: w\nstatus: ready\n"
    (left,) = mend(raw, name="t.yaml").left
    assert (left.line, left.source) == (4, "status: ready")


def test_each_repair_is_told_with_its_line() -> None:
    found = mend(b"assignee: w\ntitle: a: b\nmode: `x`\npriority: HIGH\n", name="t.yaml")
    assert [(one.line, one.what) for one in found.repairs] == [
        (2, "text that YAML takes for something else is quoted"),
        (3, "text that YAML takes for something else is quoted"),
        (1, "`assignee` is written `agent` today"),
        (4, "priority `HIGH` is written `high` today"),
    ]


# ---- older spellings

_MOMENTS = st.sampled_from(['"2026-01-29"', "2026-02-08T06:33", "'2026-02-08T06:33:00Z'", "soon", "~", "2026"])
_SPELLINGS = {
    "artifacts": st.sampled_from(["[a, b]", "x", "\n  - a  # one\n  - b"]),
    "artefacts": st.sampled_from(["[a, c]", "~"]),
    "assignee": st.sampled_from(["w", "'w'  # who"]),
    "to_agent": st.sampled_from(["Backend Benny", '"w"']),
    "agent": st.sampled_from(["w", "~"]),
    "objective": st.sampled_from(["do it", "|\n  one\n\n  two"]),
    "description": st.just("all of it"),
    "created": _MOMENTS,
    "created_date": _MOMENTS,
    "created_at": st.just("2026-02-12T11:01:00Z"),
    "completed": _MOMENTS,
    "completed_date": _MOMENTS,
    "updated": _MOMENTS,
    "status": st.sampled_from(["TODO", '"Complete"', "'in progress'", "inbox", "new", "Done  # at last", "CANCELED"]),
    "priority": st.sampled_from(["HIGH", "'Low'", "normal"]),
    "context_files": st.just("[a]"),
}


@st.composite
def spelled(draw: st.DrawFn) -> bytes:
    """A task with fields in older and in today's spelling, some twice, with comments, a mark, a body."""
    names = draw(st.lists(st.sampled_from(list(_SPELLINGS)), unique=True))
    fields = [f"{name}: {draw(_SPELLINGS[name])}" for name in names]
    lines = ["title: x  # what", *fields]
    if draw(st.booleans()) and all("\n" not in line and "#" not in line for line in fields):
        text = "{" + ", ".join(line.removesuffix("  # what") for line in lines) + "}\n"
    else:
        text = "\n".join(lines) + "\n"
    if draw(st.booleans()):
        text = f"---\n{text}---\n# Body\n\nstatus: TODO\n"
    text = draw(st.sampled_from(["", "\ufeff"])) + text
    return (text.replace("\n", "\r\n") if draw(st.booleans()) else text).encode()


@settings(max_examples=300, deadline=None)
@given(spelled())
def test_what_is_a_task_is_the_same_task_afterwards(raw: bytes) -> None:
    before = task(raw)
    found = mend(raw, name="t.yaml")
    if before is None:
        return
    assert found.left == ()
    assert task(found.raw) == before
    assert mend(found.raw, name="t.yaml") == Mended(raw=found.raw)
    assert len(found.raw.splitlines()) == len(raw.splitlines())


# ---- laws

_WORDS = st.text(st.sampled_from("ab '\":*@`%#-[]{}&!|>,\n\t\r?~é\u202e\x07\ufeff01"), max_size=60)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["title: ", "- ", "  ", "agent: ", "id: ", "# ", "---\n", ""]), _WORDS), max_size=8
    )
)
def test_whatever_is_in_a_file_it_is_mended_or_left_with_a_reason(parts: list[tuple[str, str]]) -> None:
    raw = "\n".join(head + text for head, text in parts).encode("utf-8", "surrogatepass")
    check_law(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_whatever_the_bytes_are_they_are_mended_or_left_with_a_reason(raw: bytes) -> None:
    check_law(raw)


def check_law(raw: bytes) -> None:
    before, found = task(raw), mend(raw, name="t.yaml")
    if found.left:
        assert before is None
        assert found.raw == raw
        assert all(problem.message and problem.hint for problem in found.left)
    else:
        after = task(found.raw)
        assert after is not None
        assert before is None or after == before


_TEXTS = st.text(st.sampled_from("abc :'*@`%-."), min_size=1, max_size=20).map(str.strip).filter(bool)


@settings(max_examples=200, deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=4))
def test_text_that_somebody_forgot_to_quote_comes_out_as_it_was_typed(texts: list[str]) -> None:
    raw = ("title: x\nnotes:\n" + "".join(f"  n{number}: {text}\n" for number, text in enumerate(texts))).encode()
    found = mend(raw, name="t.yaml")
    after = task(found.raw)
    if found.left or after is None or not found.repairs:
        return
    notes = after.extras["notes"]
    assert isinstance(notes, dict)
    for number, text in enumerate(texts):
        quoted = f"n{number}: '" in found.raw.decode() and f"n{number}: {text}" not in found.raw.decode()
        if quoted:
            assert notes[f"n{number}"] == text or (text[0] == text[-1] == "'" and notes[f"n{number}"] == text[1:-1])


# ---- the files of a real project


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real task files is not beside this checkout")
def test_of_real_files_those_that_are_certain_are_mended_and_no_task_changes() -> None:
    numbers = {"good": 0, "mended": 0, "left": 0}
    for path in sorted([*CORPUS.glob("malformed/*.y*ml"), *CORPUS.glob("tasks/**/*.y*ml")]):
        raw, name = path.read_bytes(), path.name.split("__", 1)[-1]
        before, found = task(raw, name), mend(raw, name=name)
        if before is not None:
            assert task(found.raw, name) == before
            numbers["good"] += 1
        elif found.left:
            assert found.raw == raw
            numbers["left"] += 1
        else:
            assert task(found.raw, name) is not None
            numbers["mended"] += 1
    assert numbers == {"good": 174, "mended": 8, "left": 11}
