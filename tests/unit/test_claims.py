"""The task that a finished one hands over to."""

from datetime import UTC, datetime

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator import taskfile
from orchestrator.adapters.answers import read_claims
from orchestrator.adapters.templates import Templates
from orchestrator.core.claims import Claims, follow_up, slug
from orchestrator.core.task import Task
from orchestrator.core.types import TaskId
from orchestrator.resources import folder
from orchestrator.taskfile.rules import id_fault

AT = datetime(2026, 2, 12, 11, 1, 5, tzinfo=UTC)
NEXT = Claims(next_agent="Writer", next_task_title="Write: it up!", next_task_notes="n", next_artefacts=("a.md",))


def test_a_follow_up_names_who_where_from_and_what_it_waits_for() -> None:
    found = follow_up(TaskId("x"), NEXT, AT)
    assert found is not None
    assert found.task_id.startswith("2026-02-12T110105-writer-write-it-up-")
    assert found.fields == {
        "id": found.task_id,
        "agent": "Writer",
        "status": "new",
        "title": "Write: it up!",
        "depends_on": ["x"],
        "created_at": AT,
        "created_by": "x",
        "description": "n",
        "artefacts": ["a.md"],
    }


def test_the_same_run_gives_the_same_id_and_another_tasks_run_another() -> None:
    ids = [follow_up(TaskId(parent), NEXT, AT) for parent in ("x", "x", "y")]
    assert all(ids)
    first, again, other = (found.task_id for found in ids if found is not None)
    assert first == again != other


def test_without_an_agent_and_a_title_there_is_none() -> None:
    assert follow_up(TaskId("x"), Claims(next_agent="w"), AT) is None
    assert follow_up(TaskId("x"), Claims(next_task_title="t"), AT) is None


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_a_slug_is_always_a_piece_of_an_id(text: str) -> None:
    assert id_fault(slug(text)) == ""
    assert len(slug(text)) <= 60


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300), st.text(max_size=300))
@settings(max_examples=100)
def test_whatever_a_tool_claims_makes_a_file_that_is_a_task_with_that_id(agent: str, title: str, notes: str) -> None:
    assume(title.strip())  # claims are stripped, and one without a title hands nothing over
    found = follow_up(TaskId("x"), Claims(next_agent=agent, next_task_title=title, next_task_notes=notes), AT)
    assert found is not None
    name = f"{found.task_id}.yaml"
    task = taskfile.parse(taskfile.compose(found.fields), name=name).task
    assert (task.id, task.depends_on) == (found.task_id, ("x",))


def test_a_tool_that_repeats_its_prompt_hands_nothing_over() -> None:
    prompt = Templates(folder("templates")).render("prompts/task.md.j2", task=Task(id=TaskId("x"), title="t"))
    claims = read_claims(f"You said:\n\n{prompt}")
    assert claims.problems == ()
    assert claims.next_agent == ""
    assert follow_up(TaskId("x"), claims, AT) is None
    answer = prompt.replace("\n    ", "\n")  # written as it is meant, without the indentation
    assert follow_up(TaskId("x"), read_claims(answer), AT) is not None
