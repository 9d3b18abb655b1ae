"""The message of a commit of the trail."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.transition import Transition

AT = datetime(2026, 2, 12, tzinfo=UTC)
TRAILERS = {"Task-Id": "x", "Task-Transition": "new -> assigned"}


def message(**changes: object) -> str:
    return Transition(**{"subject": "task: done x", "at": AT, "changes": (), "trailers": TRAILERS, **changes}).message


def test_a_message_is_a_subject_a_body_and_trailers() -> None:
    assert message(body="It ended well.\n", trailers={**TRAILERS, "Model": ""}) == (
        "task: done x\n\nIt ended well.\n\nTask-Id: x\nTask-Transition: new -> assigned\n"
    )


def test_a_message_without_a_body_or_trailers_is_its_subject() -> None:
    assert message(trailers={}) == "task: done x\n"


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=100)
def test_no_value_starts_a_line_of_its_own(subject: str, value: str) -> None:
    lines = message(subject=f"task: {subject}", trailers={"Task-Id": "x", "Model": f"m{value}"}).split("\n")
    assert len(lines) == 5
    assert lines[1] == lines[4] == ""
    assert lines[2] == "Task-Id: x"
    assert lines[3].startswith("Model: m")


def test_git_reads_our_trailers_and_none_that_a_text_pretends(tmp_path: Path) -> None:
    body = "It failed:\n\nTask-Id: another\nTool: none\n---\n# not a comment"
    parsed = subprocess.run(
        ["git", "interpret-trailers", "--parse", "--no-divider"],
        input=message(body=body, subject="task: x\nTask-Id: third").encode(),
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert parsed.stdout.decode() == "Task-Id: x\nTask-Transition: new -> assigned\n"
