"""The task files of a real project and the broken ones of its history: each is read, or refused so as to be mended."""

from pathlib import Path

import pytest

from orchestrator.core.types import Status
from orchestrator.taskfile import TaskFile, TaskFileRefused, parse, rewrite

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
TASKS = sorted(CORPUS.glob("tasks/**/*.y*ml"))
MALFORMED = sorted(CORPUS.glob("malformed/*.y*ml"))

pytestmark = pytest.mark.skipif(not TASKS, reason="the corpus of real task files is not beside this checkout")


def name_of(path: Path) -> str:
    return path.name.split("__", 1)[-1]


def read(path: Path) -> TaskFile | TaskFileRefused:
    try:
        return parse(path.read_bytes(), name=name_of(path))
    except TaskFileRefused as refused:
        return refused


def test_real_files_are_read_but_for_those_without_an_own_id_or_anything_to_do() -> None:
    refused = {name_of(path)[15:]: str(found) for path in TASKS if isinstance(found := read(path), TaskFileRefused)}
    assert len(TASKS) == 137
    assert sorted(refused) == [
        "-backend-dev-agent-profile-parser.yaml",
        "-build-automation-ollama-worker-pipeline.yaml",
        "-mfd-task-1.3-schema-conventions.yaml",
        "-mfd-task-1.5-base-validator.yaml",
        "-mfd-task-2.1-opencode-generator.yaml",
    ]
    for name, message in refused.items():
        assert ("and the file is called" if "-mfd-" in name else "does not say what to do") in message


def test_of_the_broken_files_only_those_that_are_no_yaml_are_refused() -> None:
    refused = [path for path in MALFORMED if isinstance(read(path), TaskFileRefused)]
    assert (len(MALFORMED), len(refused)) == (56, 14)


@pytest.mark.parametrize("path", TASKS + MALFORMED, ids=lambda path: path.name)
def test_each_file_is_read_or_refused_with_a_reason_that_a_person_can_act_on(path: Path) -> None:
    found = read(path)
    problems = found.problems if isinstance(found, TaskFileRefused) else ()
    assert isinstance(found, TaskFile) or problems
    for problem in problems:
        assert problem.message
        assert problem.hint
        assert bool(problem.line) == bool(problem.source)


@pytest.mark.parametrize("path", TASKS + MALFORMED, ids=lambda path: path.name)
def test_a_rewrite_keeps_every_other_line(path: Path) -> None:
    found = read(path)
    if isinstance(found, TaskFileRefused):
        pytest.skip("refused")
    assert rewrite(found, {}) == found.raw
    wanted = Status.BLOCKED if found.task.status is not Status.BLOCKED else Status.ASSIGNED
    raw = rewrite(found, {"status": wanted})
    assert parse(raw, name=name_of(path)).task.status is wanted
    before, after = found.raw.split(b"\n"), raw.split(b"\n")
    if any(line.startswith(b"status:") for line in before):
        changes = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert len(changes) == 1
        assert changes[0][0].startswith(b"status:")
    else:
        added = next(line for line in after if line.startswith(b"status:"))
        after.remove(added)
        assert after == before
