"""The checks of `.pre-commit-hooks.yaml`: files as they are named to us, for repositories that use that framework.

The framework puts aside what is not staged while its hooks run: what lies on disk then is what would be committed.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.adapters import hooks_objects as objects
from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.core import layout
from orchestrator.core.settings import IntakeSettings
from orchestrator.taskfile.vetting import Candidate
from orchestrator.wiring.hooks_checking import (
    LARGEST,
    Checked,
    Given,
    candidate_of,
    file_problems,
    redactor,
    secrets_in,
    settings_in_force,
    work_prefix,
)

NAMES = ("check-config", "check-task", "check-no-secrets")
_ADVICE = "mend what is named above and commit again; SKIP=orchestrator-{name} git commit goes past this check"


def check_files(place: Place, top: Path, name: str, files: Sequence[str]) -> Checked:
    """Checks these files; their names are relative to the top of the checkout, where the framework calls us."""
    advice = _ADVICE.format(name=name.removeprefix("check-"))
    if name == "check-config":
        from orchestrator.wiring.validating import validate

        return Checked(problems=validate(place).problems, advice=advice)
    settings, note = settings_in_force(place)
    notes = (note,) if note else ()
    given = [_given(top, file) for file in files]
    if name == "check-no-secrets":
        known = redactor(settings, os.environ)
        found = tuple(problem for one in given for problem in secrets_in(one, known))
        return Checked(problems=found, notes=notes, advice=advice)
    intake = settings.intake if settings else IntakeSettings()
    inside = work_prefix(place, str(top))
    former = _former(Git(top), files)
    tasks = []
    for one in given:
        known_before = replace(one, before=former.get(one.path))
        candidate = candidate_of(known_before, intake, inside) or _anywhere(known_before)
        if candidate is not None:
            tasks.append((known_before, candidate))
    problems = tuple(problem for one, candidate in tasks for problem in file_problems(one, candidate, settings))
    return Checked(problems=problems, notes=notes, advice=advice)


def _given(top: Path, file: str) -> Given:
    path = top / file
    if path.is_symlink() or not path.is_file():
        return Given(path=file, raw=b"", is_file=False)
    with path.open("rb") as opened:
        raw = opened.read(LARGEST + 1)
    return Given(path=file, raw=raw if len(raw) <= LARGEST else None)


def _anywhere(given: Given) -> Candidate | None:
    """Where the repository has folders of its own for tasks, they are named in its .pre-commit-config.yaml."""
    name = given.path.rpartition("/")[2]
    if not layout.is_task_name(name) or f"/{layout.REJECTED}/" in f"/{given.path}":
        return None
    return Candidate(path=given.shown, raw=given.raw or b"", folder=None)


def _former(git: Git, files: Sequence[str]) -> dict[str, bytes]:
    """What HEAD has of these; nothing where there is no commit yet."""
    ended = git.call("--literal-pathspecs", "ls-tree", "-z", "HEAD", "--", *files)
    blobs = {}
    for item in ended.stdout.split(b"\0") if ended.returncode == 0 else ():
        head, _, path = item.partition(b"\t")
        if path:
            blobs[os.fsdecode(path)] = head.split(b" ")[2].decode()
    read = objects.contents(git, blobs.values())
    return {path: content for path, blob in blobs.items() if (content := read.get(blob)) is not None}
