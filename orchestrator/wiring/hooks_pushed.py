"""pre-receive: the task files that a push would leave on the branches that tasks are taken from."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator.adapters import hooks_objects as objects
from orchestrator.adapters import hooks_paths as paths
from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.core.problem import Problem
from orchestrator.core.types import Status
from orchestrator.errors import OrchestratorError
from orchestrator.wiring.hooks_checking import Checked, Given, settings_in_force, task_problems, tasks_among

if TYPE_CHECKING:
    from orchestrator.core.settings import Settings

_ADVICE = "this push was refused, and nothing of it is here: mend what is named above, commit it and push again"


def check_push(place: Place, updates: str, quarantine: str, alternates: str) -> Checked:
    """Checks the last state of each ref of ours; `updates` is what git gives to pre-receive: old, new, ref a line.

    What is bad in an earlier commit of the same push, and mended by a later one, is fine. Raises OrchestratorError
    where the configuration says nothing of which refs are ours: it could not be checked.
    """
    settings, note = settings_in_force(place)
    if note:
        raise OrchestratorError(note)
    git = objects.incoming_git(place.common_dir or place.root, quarantine, alternates)
    found: list[Problem] = []
    for old, new, ref in _updates(updates):
        if specs := [spec for name, spec in paths.of_refs(settings) if name == ref]:
            found += _of_ref(git, (old, new, ref), specs, settings)
    with suppress(OSError):  # they can be made another time
        paths.keep(place, settings)
    return Checked(problems=tuple(found), advice=_ADVICE)


def _updates(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        old, _, rest = line.partition(" ")
        new, _, ref = rest.partition(" ")
        if ref and new.strip("0"):  # else the ref is taken away
            yield old, new, ref


def _of_ref(
    git: Git, update: tuple[str, str, str], specs: Sequence[str], settings: "Settings | None"
) -> tuple[Problem, ...]:
    assert settings is not None  # else no ref is one of ours
    old, new, ref = update
    brought = [one for one in objects.pushed(git, old, new, specs) if not one.is_gone]
    read = objects.contents(
        git, [*(one.blob for one in brought if one.is_file), *(one.before for one in brought if one.before)]
    )
    is_trail = ref.removeprefix("refs/heads/") == settings.trail.branch
    label = f"{ref.removeprefix('refs/heads/')}:"
    given = [_given(one, read, label) for one in brought]
    # The trail is written by every machine that works here, each with agents of its own.
    checked_against = None if is_trail else settings
    return task_problems(tasks_among(given, settings.intake, ""), checked_against, os.environ)


def _given(one: objects.Brought, read: Mapping[str, bytes | None], label: str) -> Given:
    raw = read.get(one.blob) if one.is_file else b""
    former = read.get(one.before) if one.before else None
    before = former if former is not None and _is_final(former, one.path) else None
    return Given(path=one.path, raw=raw, is_file=one.is_file, before=before, label=label)


def _is_final(raw: bytes, path: str) -> bool:
    """Whether a task was done: moves between the ends of a push are not seen, but none leads from there."""
    from orchestrator import taskfile

    try:
        return taskfile.parse(raw, name=path.rpartition("/")[2]).task.status is Status.DONE
    except taskfile.TaskFileRefused:
        return False
