"""A new task file from fields and a template: it says exactly what was given, and keeps what the template has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import resources, taskfile
from orchestrator.core.task import Task
from orchestrator.taskfile.drafting import Template, asked_for, draft, template_of

SHIPPED = sorted((resources.folder("templates") / "tasks").iterdir())
OWN = b"""# Every week.
agent: writer   # or the scribe
title: Look through the issues

# why: they grow
verify: [tests]
context: {files: [README.md], audience: us}
labels: [a, b]
# timeout: 20m   # enough so far
"""


def template(raw: bytes, name: str = "own.yaml") -> Template:
    return template_of(raw, name=name, path=f"templates/tasks/{name}")


def read(raw: bytes, task_id: str = "one") -> Task:
    return taskfile.parse(raw, name=f"{task_id}.yaml").task


def test_without_a_template_the_fields_stand_in_the_usual_order() -> None:
    fields = {"title": "T", "verify": ["tests"], "agent": "dev", "id": "one", "description": "a\n\nb", "status": "new"}
    assert draft(fields).decode() == (
        "id: one\nagent: dev\nstatus: new\ntitle: T\ndescription: |\n  a\n\n  b\nverify:\n  - tests\n"
    )


def test_a_template_keeps_its_remarks_and_fields_and_loses_what_told_how_to_use_it() -> None:
    own = template(OWN)
    assert (own.name, own.about, own.says("title"), own.asks("title")) == (
        "own",
        "Every week",
        "Look through the issues",
        "",
    )
    raw = draft({"id": "one", "status": "new", "timeout": "5m", "verify": ["lint", "tests"]}, own)
    assert raw.decode() == (
        "id: one\nstatus: new\nagent: writer   # or the scribe\ntitle: Look through the issues\n\n# why: they grow\n"
        "verify:\n  - tests\n  - lint\ncontext: {files: [README.md], audience: us}\nlabels: [a, b]\ntimeout: 5m\n"
    )


def test_files_are_added_to_the_context_that_a_template_has() -> None:
    task = read(draft({"id": "one", "context": {"files": ["a.md", "README.md"]}}, template(OWN)))
    assert task.context == {"files": ["README.md", "a.md"], "audience": "us"}


def test_an_id_and_a_status_of_the_template_give_way() -> None:
    raw = draft({"id": "one", "status": "new"}, template(b"id: own\nstatus: blocked\nagent: a\ntitle: T\n"))
    assert raw.decode() == "id: one\nstatus: new\nagent: a\ntitle: T\n"


def test_a_template_written_as_json_is_one_too() -> None:
    raw = draft({"id": "one", "title": "T: x"}, template(b'{"agent": "a", "title": "<what>", "labels": ["x"]}\n'))
    task = read(raw)
    assert (task.id, task.title, task.extras) == ("one", "T: x", {"labels": ["x"]})


def test_a_body_is_filled_in_or_left_out() -> None:
    letter = template(b"---\n# A letter.\nagent: a\ntitle: <what>\n---\n<to whom>\n")
    assert letter.asks("description") == "to whom"
    assert draft({"id": "one", "title": "T", "description": "Dear all,\n\n---\n"}, letter).decode() == (
        "---\nid: one\nagent: a\ntitle: T\n---\nDear all,\n\n---\n"
    )
    assert draft({"id": "one", "title": "T"}, letter).decode() == "---\nid: one\nagent: a\ntitle: T\n"
    kept = template(b"---\nagent: a\ntitle: T\n---\nAlways the same.\n")
    assert read(draft({"id": "one"}, kept)).body == "Always the same."


@pytest.mark.parametrize(
    ("text", "asked"),
    [("<what>", "what"), (" <what is it> \n", "what is it"), ("a <b> c", ""), ("<a> <b>", ""), ("<>", ""), ("", "")],
)
def test_only_a_text_that_is_all_in_brackets_is_to_be_filled_in(text: str, asked: str) -> None:
    assert asked_for(text) == asked


WORDS = st.text(st.sampled_from("ab :#-'\"{}[]<>|&*!%@`,?é\\"), min_size=1, max_size=30).filter(
    lambda text: text.strip() and not asked_for(text)
)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(title=WORDS, text=TEXTS, number=st.integers(0, len(SHIPPED)))
def test_whatever_is_given_is_what_the_file_says(title: str, text: str, number: int) -> None:
    chosen = template(SHIPPED[number].read_bytes(), SHIPPED[number].name) if number < len(SHIPPED) else None
    fields = {"id": "one", "status": "new", "agent": "dev", "title": title, "description": text}
    task = read(draft(fields, chosen))
    assert (task.title, task.agent) == (title.strip(), "dev")
    assert (task.description + task.body).strip() == text.strip()


def test_the_shipped_templates_ask_for_a_title_and_a_description() -> None:
    for path in SHIPPED:
        shipped = template(path.read_bytes(), path.name)
        assert shipped.about
        assert shipped.says("agent")
        assert shipped.asks("title")
        assert shipped.asks("description")
