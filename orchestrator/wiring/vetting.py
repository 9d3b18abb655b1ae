"""`task validate`: files from anywhere, vetted against the workspace that they lie in, or against the format alone."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.core import layout
from orchestrator.core.pattern import late
from orchestrator.core.problem import Problem
from orchestrator.core.settings import Settings
from orchestrator.errors import NotFoundError, OrchestratorError
from orchestrator.taskfile.vetting import Candidate, Twins, candidate_at, examine
from orchestrator.wiring.agent_names import settings_of

STDIN = "-"
_NO_NAME = "has not the name of a task file, and would be left alone; call it something.yaml, without a dot in front"
LARGEST = 1 << 20  # bytes of a task file; one more is read, so that the format says that it is too large
_WRITTEN_ID = late(r"^[ \t]*[\"']?id[\"']?[ \t]*:[ \t]*[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of all of them."""

    files: int
    bad: int  # files with problems
    problems: tuple[Problem, ...] = ()  # file by file, in the order in which they were given
    remarks: tuple[Problem, ...] = ()
    left_out: str = ""  # why agents, checks, tools and models were not looked at; empty: they were

    @property
    def is_good(self) -> bool:
        """Whether each of them is a task."""
        return not self.problems


def check(place: Place | None, names: Sequence[str], *, stdin: bytes = b"", stdin_name: str = "") -> Checked:
    """Vets files, folders (their *.yaml and *.yml, at any depth) and stdin (`-`).

    Raises:
        NotFoundError: no such file or folder; OrchestratorError: it cannot be read.
    """
    settings, left_out = _settings(place)
    problems: list[Problem] = []
    remarks: list[Problem] = []
    twins = Twins()
    files = 0
    bad = 0
    for candidate in _candidates(place, names, stdin, stdin_name):
        files += 1
        vetted = examine(candidate, settings)
        found = [*vetted.problems, *(twins.problems_of(vetted.file) if vetted.file is not None else ())]
        problems += found
        remarks += vetted.remarks
        bad += bool(found)
    return Checked(files=files, bad=bad, problems=tuple(problems), remarks=tuple(remarks), left_out=left_out)


def _settings(place: Place | None) -> tuple[Settings | None, str]:
    if place is None or not (place.work / layout.COLLABORATION).is_dir():
        return None, "there is no workspace here; make one with: orchestrator init"
    return settings_of(place)


def _candidates(place: Place | None, names: Sequence[str], stdin: bytes, stdin_name: str) -> Iterator[Candidate]:
    work = os.path.realpath(place.work) + os.sep if place is not None else ""
    seen: set[str] = set()
    for name in names:
        if name == STDIN:
            yield _from_stdin(stdin, stdin_name)
            continue
        for path, given in _files(name):
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            candidate = _candidate(path, real, work, given=given)
            if candidate is not None:
                yield candidate


def _files(name: str) -> Iterator[tuple[str, bool]]:
    """The files that a word means, and whether it names them itself."""
    try:
        mode = Path(name).stat().st_mode
    except OSError as error:
        raise NotFoundError(f"{name}: {error.strerror}; name a task file, or a folder of them") from error
    if not stat.S_ISDIR(mode):
        if not stat.S_ISREG(mode):
            raise OrchestratorError(f"{name}: is no file; name a task file, or a folder of them, or - for stdin")
        yield name, True
        return
    for folder, folders, files in os.walk(name):
        folders[:] = sorted(inner for inner in folders if not inner.startswith("."))
        for file in sorted(files):
            if layout.is_task_name(file):
                yield os.path.normpath(os.path.join(folder, file)), False  # noqa: PTH118 - thousands of them


def _candidate(path: str, real: str, work: str, *, given: bool) -> Candidate | None:
    """The candidate; None for what lies in a folder of the workspace that holds no tasks, unless it was named."""
    if work and real.startswith(work):
        inner = real[len(work) :].replace(os.sep, "/")
        found = candidate_at(inner, _read(path), shown=path)
        if found is not None or not given:
            return found
    is_named = layout.is_task_name(path.rpartition("/")[2])
    return Candidate(path=path, raw=_read(path), folder=None, astray="" if is_named else _NO_NAME)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise OrchestratorError(f"{path}: {error.strerror}; make it readable, or leave it out") from error


def _from_stdin(raw: bytes, name: str) -> Candidate:
    """What has no name is called by its own id."""
    name = name or written_id(raw) or "stdin"
    if not name.endswith(layout.TASK_SUFFIXES):
        name += ".yaml"
    return Candidate(path="<stdin>", raw=raw, folder=None, name=name)


def written_id(raw: bytes) -> str:
    """The id that a text gives itself, as far as that can be told without reading it strictly; empty: none."""
    found = _WRITTEN_ID.search(raw[:LARGEST].decode(errors="replace"))
    return found[1] if found else ""
