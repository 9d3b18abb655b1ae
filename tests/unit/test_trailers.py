"""The trailers of commits of tasks: those of the trail are well formed, and each way of getting one wrong is told."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.problem import render
from orchestrator.core.trailers import faults
from orchestrator.core.transition import Transition

TRAIL = """\
task: done 2026-02-12T1101-backend-dev-cache-layer

Tool claude with claude-sonnet-5-5, 3 min 12 s, $0.42, checks: tests passed.

Task-Id: 2026-02-12T1101-backend-dev-cache-layer
Task-Transition: in_progress -> done
Agent: backend-dev
Tool: claude
Model: claude-sonnet-5-5
Route-Reason: cost_optimization
Tokens-In: 15210
Tokens-Out: 2210
Cost-USD: 0.420000
Cost-Source: reported
Run-Id: RUN-20260212-001
Invocation-Id: 01M7YQY1MTFVK3CF4MEPCCDH54
Result-Branch: task/2026-02-12T1101-backend-dev-cache-layer
"""


def told(message: str, comment: str = "#") -> list[str]:
    """Each problem, as far as its first line."""
    return [render(problem).splitlines()[0] for problem in faults(message, path="message", comment=comment)]


def test_the_example_of_the_formats_is_well_formed() -> None:
    assert told(TRAIL) == []


@pytest.mark.parametrize(
    ("wrong", "right", "where", "what"),
    [
        ("Task-Transition: in_progress -> done", "Task-Transition: running -> done", "6:18", '"running -> done" is no'),
        ("Task-Transition: in_progress -> done", "Task-Transition: in_progress->done", "6:18", "write e.g."),
        ("Task-Transition: in_progress -> done", "Task-Transition:", "6:17", "says nothing"),
        ("Task-Transition: in_progress -> done", "Task-Transition: in_progress -> error", "6:18", "says done"),
        ("Task-Transition: in_progress -> done\n", "", "1:1", "has no Task-Transition"),
        ("Task-Id: 2026-02-12T1101-backend-dev-cache-layer\n", "", "1:1", "has no Task-Id"),
        ("Task-Id: 2026-02-12T1101-backend-dev-cache-layer", "Task-Id: other", "5:10", "is other, and the subject"),
        ("Task-Id: 2026-02-12T1101-backend-dev-cache-layer", "Task-Id: a..b", "5:10", '"a..b" is no Task-Id'),
        ("Agent: backend-dev", "Agent:   ", "7:7", "Agent says nothing"),
        ("Tokens-In: 15210", "Tokens-In: 15,210", "11:12", "is no Tokens-In"),
        ("Tokens-Out: 2210", "Tokens-Out: -1", "12:13", "is no Tokens-Out"),
        ("Cost-USD: 0.420000", "Cost-USD: $0.42", "13:11", "is no Cost-USD"),
        ("Cost-Source: reported", "Cost-Source: guessed", "14:14", "reported, computed, estimated"),
        ("Run-Id: RUN-20260212-001", "Run-Id: 1", "15:9", "is no Run-Id"),
        ("Invocation-Id: 01M7YQY1MTFVK3CF4MEPCCDH54", "Invocation-Id: 01J...", "16:16", "is no Invocation-Id"),
        ("Result-Branch: task/", "Result-Branch: task ", "17:16", "is no Result-Branch"),
        ("Tool: claude", "tool: claude", "8:1", "write Tool"),
        ("Tool: claude", "Agent: again", "8:1", "twice, first in line 7"),
    ],
)
def test_each_way_of_getting_one_wrong_is_told_at_its_place(wrong: str, right: str, where: str, what: str) -> None:
    assert wrong in TRAIL
    found = told(TRAIL.replace(wrong, right))
    assert len(found) == 1, found
    assert found[0].startswith(f"message:{where}: ")
    assert what in found[0]


def test_trailers_that_git_takes_for_prose_are_told() -> None:
    above = told("Fix it\n\nTask-Id: one\n\nThat was all.\n")
    assert [line.partition(": ")[0] for line in above] == ["message:3:1"]
    mixed = told("Fix it\n\nTask-Id: one\nand some prose\n")
    assert "outside the trailers" in mixed[0]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n\n",
        "Fix the login\n",
        "Fix it\n\nSigned-off-by: A <a@example.invalid>\n",
        "tasks: sort them\n\nTool: hammer\nCost-USD: much\n",
        "Fix it\n\nTask-Id: one\nCo-authored-by: A <a@example.invalid>\n",
        "# task: done x\nFix it\n",
        "Fix it\n\n# ------------------------ >8 ------------------------\nTask-Id: ?\n",
        "task: rejected my file.yaml\n\nTask-Id: my file\nTask-Transition: new -> rejected\n",
        "task: recovered one\n\nTask-Id: one\nTask-Transition: recovered\n",
        "task: waiting one\n\nTask-Id: one\nTask-Transition: dropped -> new\n",
        "task: frozen one\n\nTask-Id: one\nTask-Transition: error -> frozen\n",
    ],
)
def test_messages_of_other_things_and_every_kind_of_the_trail_are_well_formed(message: str) -> None:
    assert told(message) == []


def test_another_comment_character_is_heeded() -> None:
    assert told("; task: done x\nFix it\n", comment=";") == []
    assert told("task: done x\n; Task-Id: x\n", comment=";") != []


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_whatever_a_message_says_its_problems_have_places_within_it(text: str) -> None:
    for message in (text, f"task: {text}", f"Fix\n\nTask-Id: {text}"):
        lines = message.split("\n")
        for problem in faults(message, path="message"):
            assert 1 <= problem.line <= max(len(lines), 1)
            assert problem.source == lines[problem.line - 1].rstrip()
            assert 1 <= problem.column <= len(problem.source) + 1
            assert render(problem)


@given(st.text(max_size=80), st.text(max_size=80))
def test_what_the_trail_commits_is_well_formed_whatever_a_task_is_called(title: str, reason: str) -> None:
    transition = Transition(
        subject="task: done one",
        body="It ended well.",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        changes=(),
        trailers={
            "Task-Id": "one",
            "Task-Transition": "in_progress -> done",
            "Agent": title.strip(),
            "Route-Reason": reason.strip(),
        },
    )
    assert told(transition.message) == []
