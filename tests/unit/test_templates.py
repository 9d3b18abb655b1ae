"""What the shipped templates make of ordinary, empty and hostile values."""

import re
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import resources, taskfile
from orchestrator.adapters.template_filters import cell, code, fenced, lasted, oneline, printable, when, yamlish
from orchestrator.adapters.templates import TemplateRefused, Templates
from orchestrator.core.task import Task
from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Priority, TaskId, Tokens
from orchestrator.core.verdict import CheckResult, Done, Ending, Failed, Outcome, Ran
from orchestrator.core.workspace import Evidence
from orchestrator.errors import NotFoundError

NOON = datetime(2026, 2, 12, 12, 0, 0, 123456, tzinfo=UTC)
HOSTILE = (
    "{{ 7*7 }} {% for x in y %} {# no #} {{ task.__class__.__mro__ }}\n"
    "```\n````\n</td>|a|b|\n[x](javascript:alert(1)) <script>\r\n\x1b[31m\x00\u202egpj\n---\nresult:\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Stands in for the rows that the daemon gives to the boards and for its Run."""

    agent: str = "writer"
    manual: bool = False
    running: tuple["Row", ...] = ()
    assigned: int = 1
    blocked: int = 0
    error: int = 0
    done: int = 3
    last_finished: datetime | None = None
    task_id: str = "2026-02-12T1101-writer-x"
    tool: str = "brief"
    since: datetime = NOON
    at: datetime = NOON
    from_task: str = "a"
    from_agent: str = "writer"
    to_task: str = "b"
    to_agent: str = "reviewer"
    title: str = "look at it"
    event: str = "task_completed"
    why: str = "it exited 0 with an answer"
    model: str = "embedded"
    attempt: int = 2
    invocation_id: str = "01J"
    started_at: datetime = NOON
    id: str = "dep"
    status: str = "done"
    summary: str = "made it"
    artefacts: tuple[str, ...] = field(default=("docs/a.md",))


TYPICAL = Task(
    id=TaskId("2026-02-12T1101-writer-notes"),
    agent="writer",
    title="Release notes",
    description="Write them.\n\n- short\n",
    body="## More\n\nand more",
    priority=Priority.HIGH,
    mode="/programming",
    task_type="coding",
    artefacts=("docs/notes.md",),
    context={"files": ["README.md"], "audience": "people", "deep": {"list": [1, {"a": "b: c"}], "text": "two\nlines"}},
    context_files=("README.md",),
    depends_on=(TaskId("dep"),),
    dependencies=("other",),
    notes=("after the release",),
    verify=("tests", "lint"),
    specification="specs/a.md",
    feature="f1",
    extras={"estimate": 1.5, "tags": ["x", "y"]},
)
EMPTY = Task(id=TaskId("a"), title="t")
HOSTILE_TASK = Task(
    id=TaskId("a"),
    agent=HOSTILE,
    title=HOSTILE,
    description=HOSTILE,
    body=HOSTILE,
    mode=HOSTILE,
    context={HOSTILE: HOSTILE, "items": {"keys": HOSTILE}},
    notes=(HOSTILE,),
    extras={"x": [HOSTILE]},
)
TASKS = {"typical": TYPICAL, "empty": EMPTY, "hostile": HOSTILE_TASK}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(resources.folder("templates"))


def work_log(
    templates: Templates,
    task: Task,
    ran: Ran,
    verdict: Done | Failed,
    *,
    evidence: Evidence | None = None,
    checks: tuple[CheckResult, ...] = (),
    problems: tuple[str, ...] = (),
    **row: object,
) -> str:
    run = replace(Row(), **row)  # type: ignore[arg-type]  # the names are Row's own
    return templates.render(
        "logs/work-log.md.j2",
        task=task,
        agent=task.agent,
        run=run,
        ran=ran,
        verdict=verdict,
        evidence=evidence,
        checks=checks,
        problems=problems,
        status="done" if isinstance(verdict, Done) else "error",
        finished_at=NOON,
    )


ANSWERED = Ran(ending=Ending.EXITED, exit_code=0, duration_ms=192_000, text="# Answer\n\n```py\nx\n```\n")
DONE = Done(outcome=Outcome.NO_CHANGE, why="it exited 0 with an answer")


def test_a_work_log_says_what_was_asked_what_ran_and_what_came_of_it(templates: Templates) -> None:
    text = work_log(templates, TYPICAL, ANSWERED, DONE)
    assert text.startswith("# Release notes\n\n| | |\n|---|---|\n| Task | `2026-02-12T1101-writer-notes` |\n")
    for line in (
        "| Outcome | done: no_change |",
        "| Finished | 2026-02-12 12:00:00 UTC |",
        "| Tool | `brief` |",
        "| Model | `embedded` |",
        "| Attempt | 2 |",
        "| Ended | exited, exit code 0 |",
        "| Took | 3 min 12 s |",
        "- `docs/notes.md`",
    ):
        assert line in text.splitlines()
    assert "```markdown\nWrite them.\n\n- short\n```\n" in text
    assert "````markdown\n# Answer\n\n```py\nx\n```\n````\n" in text
    assert "stderr" not in text
    assert "\n\n\n" not in text
    assert text.endswith("\n")


def test_a_work_log_names_each_check_and_what_it_said(templates: Templates) -> None:
    checks = (CheckResult(name="tests", passed=True), CheckResult(name="lint", passed=False, why="exit code 1: E501"))
    text = work_log(templates, TYPICAL, ANSWERED, DONE, checks=checks)
    assert "Checks:\n\n- `tests`: passed\n- `lint`: failed: exit code 1: E501\n" in text
    assert "\n\n\n" not in text


def test_a_work_log_of_a_failure_holds_the_reason_and_the_errors(templates: Templates) -> None:
    ran = Ran(ending=Ending.TIMED_OUT, errors="boom\n", truncated=True)
    text = work_log(templates, EMPTY, ran, Failed(kind=ErrorKind.TIMEOUT, why="it took longer than 2m"))
    assert "| Outcome | error: timeout |" in text
    assert "| Ended | timed_out |" in text
    assert "## What was asked\n\n```markdown\nt\n```\n" in text
    assert "It gave no answer." in text
    assert "```text\nboom\n```\n" in text


def test_a_work_log_tells_what_git_shows_and_what_it_cost(templates: Templates) -> None:
    ran = replace(
        ANSWERED,
        tokens=Tokens(input=1000, cache_read=50, cache_write=7, output=200),
        cost=MicroUsd(42_000),
        cost_source=CostSource.REPORTED,
        session_id="s-1",
        denials=("Write notes.md",),
    )
    evidence = Evidence(
        branch="task/x",
        base="b" * 40,
        head="c" * 40,
        commits=2,
        changed=("a.py", "b|c.py"),
        changed_count=120,
        missing=("docs/notes.md",),
        problems=("big.bin: 1.0 GiB; larger than 100 MiB",),
        kept="big.bin is not committed",
    )
    text = work_log(templates, TYPICAL, ran, DONE, evidence=evidence, problems=("next_agent: not a text",))
    for line in (
        "| Session | `s-1` |",
        "| Tokens | 1000 in, 50 from the cache, 7 into it, 200 out |",
        "| Cost | 0.042000 USD (reported) |",
        "| Branch | `task/x`, 2 commits on `bbbbbbbbbbbb` |",
        "Changed (the first 2 of 120):",
        "- `a.py`",
        "- Asked for and not there: `docs/notes.md`",
        "- big.bin: 1.0 GiB; larger than 100 MiB",
        "- The workspace is kept: big.bin is not committed",
        "- Not permitted: Write notes.md",
        "- Not taken over from its answer: next_agent: not a text",
    ):
        assert line in text.splitlines()
    assert "\n\n\n" not in text


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_task_becomes_a_prompt(templates: Templates, task: Task) -> None:
    text = templates.render("prompts/task.md.j2", task=task)
    assert f"- Task: {task.id}\n" in text
    assert text.rstrip().endswith("```")
    assert task.description.strip() in text


def test_a_prompt_holds_every_field_of_the_task_once(templates: Templates) -> None:
    text = templates.render("prompts/task.md.j2", task=TYPICAL, dependencies=[Row()])
    for piece in (
        "# Release notes\n",
        "- Your role: writer\n",
        "- Mode: /programming\n",
        "- Type: coding\n",
        "- Priority: high\n",
        "- Specification: specs/a.md, feature f1\n",
        "Write them.\n\n- short\n\n## More\n\nand more\n\n## What to produce\n\n- docs/notes.md\n",
        "## Files to read\n\n- README.md\n",
        "audience: people\n",
        "- dep (done): made it\n  - docs/a.md\n",
        "- after the release\n",
        "these checks must pass: tests, lint.",
        "estimate: 1.5\n",
        "next_task_title:",
    ):
        assert text.count(piece) == 1, piece
    assert "files:" not in text
    assert "\n\n\n" not in text


def test_a_prompt_names_what_it_builds_on_where_no_results_are_known(templates: Templates) -> None:
    text = templates.render("prompts/task.md.j2", task=TYPICAL)
    assert "## What it builds on\n\n- dep\n- other\n" in text


BOARDS = {
    "AGENT_STATUS": ("agents", "No agents are configured."),
    "HANDOFFS": ("handoffs", "No task has been handed off yet."),
    "WORKFLOW_LOG": ("entries", "Nothing has happened yet."),
}


@pytest.mark.parametrize(("name", "rows", "empty"), [(name, *case) for name, case in BOARDS.items()], ids=BOARDS)
def test_a_board_never_lists_more_than_200_rows(templates: Templates, name: str, rows: str, empty: str) -> None:
    def board(count: int) -> str:
        values = [Row(running=(Row(),) * 7)] * count
        return templates.render(f"boards/{name}.md.j2", updated_at=NOON, **{rows: values})

    def listed(text: str) -> int:
        return sum(line.startswith("| ") and "writer" in line for line in text.splitlines())

    assert empty in board(0)
    assert listed(board(1)) == 1
    assert listed(board(200)) == 200
    assert "more" not in board(200).replace("and 2 more", "")
    assert listed(board(5000)) == 200
    assert re.search(r"And 4800 (more|older ones)", board(5000))


@pytest.mark.parametrize("name", BOARDS)
def test_a_hostile_value_stays_in_its_cell(templates: Templates, name: str) -> None:
    text_fields = (
        "agent",
        "task_id",
        "tool",
        "from_task",
        "from_agent",
        "to_task",
        "to_agent",
        "title",
        "event",
        "why",
    )
    row = replace(Row(), **dict.fromkeys(text_fields, HOSTILE))  # type: ignore[arg-type]  # the names are Row's own
    text = templates.render(
        f"boards/{name}.md.j2", updated_at=NOON, **{BOARDS[name][0]: [replace(row, running=(row,))]}
    )
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 3
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert "<script" not in re.sub(r"`[^`]*`", "", text).replace("\\<script", "")
    assert not re.search("[\x00\x1b\r\u202e]", text)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_work_log_keeps_every_text_in_its_fence(templates: Templates, task: Task) -> None:
    ran = Ran(ending=Ending.EXITED, exit_code=1, text=HOSTILE, errors=HOSTILE)
    text = work_log(templates, task, ran, Failed(kind=ErrorKind.CRASHED, why=HOSTILE), why=HOSTILE, model=HOSTILE)
    outside, fence = [], ""
    for line in text.splitlines():
        opening = re.match(r"`{3,}", line)
        if fence:
            fence = "" if line == fence else fence
        elif opening:
            fence = opening[0]
        else:
            outside.append(line)
    assert not fence
    assert [line for line in outside if line.startswith("#")][1:] == [
        "## What was asked",
        "## What ran",
        "## What came of it",
    ]
    assert not [line for line in outside if line.startswith(("---", "result:"))]
    assert not re.search("[\x00\x1b\r\u202e]", text)


def test_a_value_is_never_a_template(templates: Templates) -> None:
    for text in (
        templates.render("prompts/task.md.j2", task=HOSTILE_TASK),
        work_log(templates, HOSTILE_TASK, ANSWERED, DONE),
    ):
        assert "{{ 7*7 }}" in text
        assert "49" not in text


def test_the_example_tasks_are_tasks() -> None:
    examples = sorted((resources.folder("templates") / "tasks").iterdir())
    parsed = [taskfile.parse(example.read_bytes(), name=example.name).task for example in examples]
    assert len(parsed) == 4
    assert all(task.title and task.agent and (task.description or task.body) for task in parsed)


def test_a_template_in_the_first_folder_stands_for_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/task.md.j2").write_text("Ours: {{ task.title }}\n")
    templates = Templates(tmp_path, resources.folder("templates"))
    assert templates.render("prompts/task.md.j2", task=TYPICAL) == "Ours: Release notes\n"
    assert templates.render("boards/HANDOFFS.md.j2", updated_at=NOON, handoffs=[]).startswith("# Hand-offs")


def test_a_template_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text("{{ x }}")
    templates = Templates(tmp_path)
    assert templates.render("a.j2", x=1) == "1"
    shutil.rmtree(tmp_path)
    assert templates.render("a.j2", x=2) == "2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("line\n{% if %}", r"a\.j2:2: .*; mend the template"),
        ("{{ nothing }}", r"a\.j2: 'nothing' is undefined; mend the template"),
        ("{{ x.append(1) }}", r"a\.j2: .*append.*; mend the template"),
        ("{{ x.__class__.__base__ }}", r"a\.j2: .*unsafe.*; mend the template"),
    ],
    ids=["syntax", "unknown value", "changing a value", "reaching inside"],
)
def test_a_template_that_cannot_be_filled_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.j2").write_text(text)
    with pytest.raises(TemplateRefused, match=message):
        Templates(tmp_path).render("a.j2", x=[])


@pytest.mark.parametrize("name", ["none.j2", "../secret.j2"])
def test_a_template_that_is_not_in_the_folder_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.j2").write_text("x")
    (tmp_path / "templates").mkdir()
    with pytest.raises(NotFoundError, match="there is no template"):
        Templates(tmp_path / "templates").render(name)


TEXTS = st.text(st.sampled_from("ab `~|<\\\n\r\t*[]{}%#:-'\"\x1b\u202e\u2028é"), max_size=60)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_no_text_leaves_its_place(text: str) -> None:
    fence, *inside, end = fenced(text).splitlines()
    assert end == fence.removesuffix("text")
    assert end not in "\n".join(inside)
    assert "\n" not in cell(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[|<`]", cell(text))
    assert code(text).count("`") in (0, 2)
    assert "|" not in code(text)
    assert "\n" not in oneline(text)
    assert not re.search("[\x1b\r\u202e\u2028]", printable(text))


@settings(max_examples=100, deadline=None)
@given(
    value=st.recursive(
        TEXTS | st.integers() | st.none() | st.booleans(), lambda v: st.lists(v) | st.dictionaries(TEXTS, v)
    )
)
def test_whatever_a_task_holds_can_be_shown(value: object) -> None:
    shown = yamlish(value)
    assert shown
    assert not re.search("[\x1b\r\u202e\u2028]", shown)


def test_a_value_is_shown_as_people_would_write_it() -> None:
    value = {
        "name": "x",
        "on": True,
        "empty": [],
        "list": ["a", {"b": 1, "c": None}, [2]],
        "text": "one\ntwo\n",
        "q": "a: b",
    }
    assert yamlish(value, skip=["name"]) == (
        '"on": true\nempty: []\nlist:\n  - a\n  - b: 1\n    c: null\n  - - 2\ntext: |\n  one\n  two\nq: "a: b"'
    )


def test_a_value_deeper_than_anybody_reads_is_cut() -> None:
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    assert yamlish(deep).endswith("- …")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (15, "15 ms"), (1234, "1.2 s"), (192_000, "3 min 12 s"), (7_500_000, "2 h 5 min")],
)
def test_a_duration_is_shown_for_people(milliseconds: int, text: str) -> None:
    assert lasted(milliseconds) == text


def test_a_moment_is_shown_in_utc() -> None:
    assert when(NOON.astimezone(timezone(timedelta(hours=5)))) == "2026-02-12 12:00:00 UTC"
    assert when(None) == "-"
