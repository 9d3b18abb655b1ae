"""Task files as people and agents write them: what each says, and what is wrong with those that say nothing usable."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.durations import parse_duration
from orchestrator.core.task import Task
from orchestrator.core.types import Priority, Status
from orchestrator.taskfile import TaskFileRefused, parse

DATA = Path(__file__).parents[1] / "data"
FILES = sorted((DATA / "tasks").iterdir())
REFUSED = sorted((DATA / "refused-tasks").iterdir())


def task(text: str, name: str = "t.yaml") -> Task:
    return parse(text.encode(), name=name).task


def refused(text: str, name: str = "t.yaml") -> TaskFileRefused:
    with pytest.raises(TaskFileRefused) as caught:
        parse(text.encode(), name=name)
    return caught.value


def sample(start: str) -> Task:
    path = next(path for path in FILES if path.name.startswith(start))
    return parse(path.read_bytes(), name=path.name).task


def test_every_field_is_read() -> None:
    found = sample("2026-03-02T0900")
    assert found.id == "2026-03-02T0900-backend-dev-cache-prices"
    assert (found.agent, found.status, found.priority) == ("backend-dev", Status.NEW, Priority.HIGH)
    assert found.title == "Cache the price list: it is read 400 times a page"
    assert (found.mode, found.task_type) == ("/programming", "coding")
    assert found.artefacts == ("src/shop/prices.py", "tests/test_prices.py")
    assert found.context_files == ("src/shop/prices.py",)
    assert found.context["notes"] == ["Prices change once a day.", "The nightly job writes them."]
    assert found.depends_on == ("2026-03-01T0900-backend-dev-price-table",)
    assert found.dependencies == ("2026-03-01T1000-writer-price-notes",)
    assert found.notes == ("the shop team agrees",)
    assert found.verify == ("tests", "lint")
    assert found.budget == 1_500_000
    assert found.timeout == timedelta(minutes=90)
    assert found.created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert found.created_by == "shop"
    assert found.extras == {"estimate": {"hours": 2, "sure": "no"}}


def test_front_matter_is_followed_by_a_body_that_is_the_description() -> None:
    found = sample("2026-03-02T0901")
    assert found.status is Status.NEW
    assert found.created_at == datetime(2026, 3, 2, 9, 1, tzinfo=UTC)
    assert found.body.startswith("# Explain the cache\n\n**Why:**")
    assert found.body.endswith("- `* how` it works\n- what to do when it is stale")
    assert "\n---\n" in found.body
    assert found.extras == {"tags": ["docs"]}


def test_the_fence_above_may_be_left_out() -> None:
    found = sample("2026-03-02T0902")
    assert (found.agent, found.body) == ("writer", "Write it *short*.")
    assert found.created_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_plain_yaml_may_stand_between_fences() -> None:
    found = sample("2026-03-02T0903")
    assert (found.body, found.description, found.status) == ("", "Two lines\n  of text.\n", Status.BLOCKED)


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    found = sample("2026-03-02T0904")
    assert (found.id, found.title) == ("2026-03-02T0904-curator-windows", "Made on Windows")
    assert found.context == {"notes": "one\ntwo\n"}


def test_a_task_may_be_json() -> None:
    assert sample("2026-03-02T0905").pinned
    assert sample("2026-03-02T0905").artefacts == ("a.py",)
    assert sample("2026-03-02T0906").title == "one line"


def test_spellings_of_older_histories_are_read_as_todays() -> None:
    found = sample("2026-03-02T0907")
    assert found.status is Status.DONE
    assert found.completed_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert found.last_modified is None
    assert found.extras == {"updated": "some time ago"}
    assert found.notes == ("prerequisites: a machine",)
    assert found.result is not None
    assert found.result["summary"] == "Did it: all of it"
    assert found.error == {"message": "it was slow"}


def test_no_scalar_is_a_surprise() -> None:
    found = sample("2026-03-02T0908")
    assert (found.title, found.agent, found.description, found.mode) == ("007", "on", "yes", "no")
    assert found.extras == {
        "batch": 1.1,
        "when": "2020-13-45",
        "octal": 15,
        "hex": 255,
        "old_octal": "017",
        "exponent": 1000.0,
        "clock": "12:30:45",
        "grouped": "1_000",
        "nothing": None,
        "truth": True,
        "lie": "false",
    }


def test_a_number_where_text_is_wanted_keeps_its_spelling() -> None:
    assert task("title: 4.10\nmodel: 1e3\nrun: 0x1F\n").title == "4.10"
    assert task("title: 4.10\nmodel: 1e3\n").model == "1e3"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_our_own_files_are_read(path: Path) -> None:
    assert parse(path.read_bytes(), name=path.name).task.name


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_our_broken_files_are_refused_with_what_to_do(path: Path) -> None:
    problems = refused(path.read_text(), path.name).problems
    assert problems
    assert all(problem.message and problem.hint and problem.path == path.name for problem in problems)


def test_everything_wrong_with_a_file_is_said_in_the_order_of_its_lines() -> None:
    path = next(path for path in REFUSED if "T0904" in path.name)
    problems = refused(path.read_text(), path.name).problems
    assert [(problem.line, problem.key) for problem in problems] == [
        (1, "id"),
        (2, "agent"),
        (3, "priority"),
        (4, "status"),
        (5, "artefacts"),
        (5, "artefacts"),
        (6, "budget_usd"),
        (7, "timeout"),
        (8, "pinned"),
        (9, "created_at"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: other\ntitle: x\n", "rename the file to other.yaml, or write `id: t`"),
        ("title: x\nstatus: assignde\n", "did you mean assigned?"),
        ("title: x\nstatus: zzz\n", "use one of new, assigned, in_progress"),
        ("title: x\npriority: hihg\n", "did you mean high?"),
        ("title: x\ntimeout: 600\n", "write e.g. 600s"),
        ("title: x\ntimeout: 0s\n", "no time at all"),
        ("title: x\ntimeout: -5m\n", "is not a duration"),
        ("title: x\nbudget_usd: 1.0000001\n", "finer than a millionth"),
        ("title: x\nbudget_usd: 1000001\n", "more than 1,000,000"),
        ("title: x\nbudget_usd: NaN\n", "not an amount"),
        ("title: x\npinned: yes\n", "true or false"),
        ("title: {a: b}\n", "must be text and is a mapping"),
        ("title: x\nartefacts: {a: b}\n", "must be a list"),
        ("title: x\nartefacts: [{a: b}]\n", "must be text and is a mapping"),
        ("title: x\ncontext: {files: [~/.ssh/id_rsa]}\n", "context.files"),
        ("title: x\ncontext: {files: a/../../b}\n", "leads out"),
        ("title: x\ncontext: {files: 'a\\b'}\n", "backslash"),
        ("title: x\ncontext: {files: .git/config}\n", "git's own folder"),
        ("title: x\nartefacts: ['C:/x']\n", "not relative"),
        ("title: x\nartefacts: [':(top)x']\n", "not a path"),
        ("title: x\ndepends_on: [../x]\n", "is not a task id"),
        ("title: x\ndepends_on: [a..b]\n", "`..`"),
        ("title: x\ncreated_at: yesterday\n", "write e.g. 2026-02-12T11:01:00Z"),
        ("agent: writer\n", "does not say what to do"),
        ("", "holds no fields"),
        ("---\n---\nbody\n", "holds no fields"),
        ("- a\n", "this is a list"),
        ("just text\n", "plain text"),
        ("? title\n: x\n", "write `title: value`"),
        ("title: x\n---\nid: a\ntitle: y\n", "a second task"),
        ("title: x\n---\nbody \x1b[31m\n", "ESC"),
        (
            "---\ntitle: x\n\n# Head\n\n**Bold:** x\n",
            "if line 4 is where the Markdown body starts, put a line `---` above",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_fix(text: str, words: str) -> None:
    assert words in str(refused(text))


@pytest.mark.parametrize("name", ["a b.yaml", "..yaml", "a..b.yaml", "-x.yaml", "ü.yaml", "x" * 201 + ".yaml", ".yaml"])
def test_a_file_whose_name_cannot_be_an_id_is_refused(name: str) -> None:
    problem = refused("title: x\n", name).problems[0]
    assert problem.line == 0
    assert "rename the file" in problem.hint


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("inbox", Status.NEW),
        ("Pending", Status.NEW),
        ("TODO", Status.NEW),
        ("~", Status.NEW),
        ("In Progress", Status.IN_PROGRESS),
        ("in-progress", Status.IN_PROGRESS),
        ("COMPLETE", Status.DONE),
        ("canceled", Status.CANCELLED),
    ],
)
def test_statuses_of_older_histories_are_read(written: str, status: Status) -> None:
    assert task(f"title: x\nstatus: {written}\n").status is status


@pytest.mark.parametrize(
    ("written", "micro"), [("0", 0), ("1", 1_000_000), ("0.000001", 1), ("'2.50'", 2_500_000), ("1e3", 1_000_000_000)]
)
def test_money_is_exact(written: str, micro: int) -> None:
    assert task(f"title: x\nbudget_usd: {written}\n").budget == micro


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("30d", 2_592_000), (" 1d2h3m4s ", 93_784)],
)
def test_durations_are_read(written: str, seconds: int) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["", "10", "0m", "-1m", "1.5h", "m", "1m2h", "5 m", "9999999d", "4000d", "1w"])
def test_what_is_no_duration_says_how_to_write_one(written: str) -> None:
    with pytest.raises(ValueError, match=r"use e\.g\. "):
        parse_duration(written)


def test_free_text_dependencies_are_notes_and_ids_within_them_are_found() -> None:
    found = task(
        "title: x\ndependencies:\n- a-task.yaml\n- ✅ decided\n"
        "- {type: prerequisite, task_id: other, description: why}\n- [1, 2]\n-\n"
    )
    assert found.dependencies == ("a-task", "other")
    assert found.notes == ("✅ decided", "type: prerequisite; description: why", "1, 2")


def test_one_text_stands_for_a_list_of_one() -> None:
    found = task("title: x\nartefacts: a.md\nverify: tests\ndepends_on: other\n")
    assert (found.artefacts, found.verify, found.depends_on) == (("a.md",), ("tests",), ("other",))


def test_a_task_with_a_thousand_faults_is_refused_quickly_and_briefly() -> None:
    text = "title: x\nartefacts:\n" + "- ../x\n" * 20_000
    assert len(refused(text).problems) == 20
