"""pre-commit and commit-msg: what is staged and what is written, before git makes a commit of it."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.adapters import hooks_objects as objects
from orchestrator.adapters import hooks_paths as paths
from orchestrator.adapters.git import Git
from orchestrator.adapters.hooks_configured import quoted
from orchestrator.adapters.place import Place
from orchestrator.core.layout import CONFIG_FILES
from orchestrator.core.problem import Problem
from orchestrator.wiring.hooks_checking import (
    Checked,
    Given,
    settings_in_force,
    task_problems,
    tasks_among,
    work_prefix,
)

if TYPE_CHECKING:
    from orchestrator.core.settings import Settings

_MOST_OF_A_MESSAGE = 1 << 20  # bytes; `git commit -v` puts the diff below it
_ADVICE = (
    "nothing was committed: mend what is named above, `git add` it and commit again"
    " (orchestrator task fix FILE mends old spellings); git commit --no-verify goes past this check"
)


def check_commit(place: Place, top: Path, index: str) -> Checked:
    """Checks what the index holds of ours, at the top of the checkout that is committed in.

    `index` is the one that git named, relative to `top` or absolute; '' is the checkout's own.
    """
    in_force, note = settings_in_force(place)
    settings = in_force
    git = objects.index_git(top, index)
    brought = objects.staged(git, paths.of_commit(place, settings) if settings else paths.kept(place))
    found: list[Problem] = []
    if _has_config(place, top, brought):
        instead = _config_in_index(place, git)
        found += _config_problems(replace(place, root=top, config=top / place.config.name), instead)
        settings, note = (None if found else _settings_of(place, top, instead)), ""
    intake = settings.intake if settings else paths.kept_intake(place)
    tasks = tasks_among(_given(git, brought), intake, work_prefix(place, str(top)))
    found += task_problems(tasks, settings, os.environ)
    found += _profile_problems(git, brought, settings)
    with suppress(OSError):  # they can be made another time: in a tool's sandbox nothing can be written there
        paths.keep(place, in_force or settings)
    return Checked(problems=tuple(found), notes=(note,) if note else (), advice=_ADVICE)


def check_message(top: Path, file: str) -> Checked:
    """Checks the trailers of a message that says that it is of a task."""
    from orchestrator.core.trailers import faults

    with (top / file).open("rb") as opened:
        message = opened.read(_MOST_OF_A_MESSAGE).decode(errors="replace")
    said = Git(top).call("config", "--get", "core.commentChar").stdout.decode(errors="replace").strip()
    found = faults(message, path="commit message", comment=said if len(said) == 1 else "#")
    advice = (
        f"nothing was committed, and the message is kept: git commit --edit --file={quoted(file)};"
        " git commit --no-verify goes past this check"
    )
    return Checked(problems=found, advice=advice)


def _has_config(place: Place, top: Path, brought: Sequence[objects.Brought]) -> bool:
    if not work_prefix(place, str(top)):
        return False  # the work folder's own checkout has none
    ours = {f"{place.config.name}/{name}" for name in CONFIG_FILES}
    return any(one.path in ours for one in brought)


def _config_in_index(place: Place, git: Git) -> dict[str, bytes]:
    """The files of the configuration as they would be committed; those that are not in git are read from disk."""
    names = {f"{place.config.name}/{name}": name for name in CONFIG_FILES}
    blobs = objects.indexed(git, list(names))
    read = objects.contents(git, blobs.values())
    return {names[path]: content for path, blob in blobs.items() if (content := read.get(blob)) is not None}


def _config_problems(place: Place, instead: Mapping[str, bytes]) -> tuple[Problem, ...]:
    from orchestrator.wiring.validating import validate

    return validate(place, instead=instead).problems


def _settings_of(place: Place, top: Path, instead: Mapping[str, bytes]) -> "Settings":
    from orchestrator.wiring.configuring import read_settings

    return read_settings(replace(place, root=top, config=top / place.config.name), instead)


def _given(git: Git, brought: Sequence[objects.Brought]) -> list[Given]:
    """The files that are brought, each with its former version: a task that moved had it in another folder."""
    left = {one.path.rpartition("/")[2]: one for one in brought if one.is_gone}
    former: dict[str, tuple[str, str]] = {}
    for one in brought:
        if one.before:
            former[one.path] = one.before, ""
        elif moved := left.get(one.path.rpartition("/")[2]):
            former[one.path] = moved.before, moved.path
    kept = [one for one in brought if not one.is_gone]
    read = objects.contents(
        git, [*(one.blob for one in kept if one.is_file), *(former[one.path][0] for one in kept if one.path in former)]
    )
    found = []
    for one in kept:
        blob, where = former.get(one.path, ("", ""))
        raw = read.get(one.blob) if one.is_file else b""
        before = read.get(blob) if blob else None
        found.append(Given(path=one.path, raw=raw, is_file=one.is_file, before=before, before_path=where))
    return found


def _profile_problems(git: Git, brought: Sequence[objects.Brought], settings: "Settings | None") -> tuple[Problem, ...]:
    """What is wrong with the profiles that agents name; where that is not known, with whatever is called like one."""
    agents = settings.agents.values() if settings else ()
    named = {agent.profile.removeprefix("./") for agent in agents if agent.profile}
    ours = [
        one
        for one in brought
        if one.is_file and (one.path in named or (settings is None and one.path.endswith(".agent.md")))
    ]
    if not ours:
        return ()
    from orchestrator.config import profiles

    read = objects.contents(git, (one.blob for one in ours))
    parsed = [profiles.parse(content, path=one.path) for one in ours if (content := read.get(one.blob)) is not None]
    return tuple(problem for profile in parsed for problem in profile.problems)
