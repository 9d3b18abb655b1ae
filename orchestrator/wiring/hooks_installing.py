"""Puts git's hooks into a repository beside what is there, and takes them out without a trace."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters import hooks_configured as configured
from orchestrator.adapters import hooks_managers as managers
from orchestrator.adapters import hooks_paths
from orchestrator.adapters.files import write_beside_and_rename
from orchestrator.adapters.git import Git
from orchestrator.adapters.hooks_folder import HookFolder
from orchestrator.adapters.hooks_managers import Snippet
from orchestrator.adapters.place import Place
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.resources import folder
from orchestrator.wiring.hooks_checking import settings_in_force

EVENTS = ("pre-commit", "commit-msg", "post-commit", "post-merge", "post-rewrite", "post-checkout")
EVENTS_OF_BARE = ("pre-receive", "post-receive")
_RECORD = "hooks.json"  # what of git's configuration is ours to take out again
_LAUNCHER = "hook-program"
RUN_ONCE = "hook-run-once"  # a mark for hooks/orchestrator-nudge, which would start a git to see the same
FILES, CONFIGURATION = "files", "configuration"  # the ways to install
_COPIES = "hooks"  # in the state folder: for those who are not called from git's own folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What was done."""

    folder: Path  # where the hooks are
    events: tuple[str, ...]  # that call ours now
    chained: tuple[str, ...] = ()  # of these, those whose former hook is called first
    snippets: tuple[Snippet, ...] = ()  # for the others: what a person has to add
    configured: bool = False  # by git's configuration, and not by files in its folder
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was taken out."""

    events: tuple[str, ...]
    snippets: tuple[Snippet, ...] = ()  # what a person added to another program's file, and takes out there


def install(
    place: Place, *, force: bool = False, run: str = "", way: str = "", version: tuple[int, ...] = ()
) -> Installed:
    """Installs them; doing it again brings them up to date.

    `force`: also over a hook that the pre-commit framework or lefthook wrote, which is called first then; a folder that
    core.hooksPath names is never written to. `run`: `once` makes them start a daemon where none runs, `no` no more.
    `way`: as FILES or by git's CONFIGURATION; else as it was chosen last, or by the configuration where git can.
    `version` stands for that of git. Raises NotFoundError without a git repository, UsageError where git cannot.
    """
    common = common_of(place)
    git = Git(place.root)
    events = events_of(place)
    is_new = (version or configured.version(git)) >= configured.SINCE
    if way == CONFIGURATION and not is_new:
        since = ".".join(map(str, configured.SINCE))
        raise UsageError(f"this git does not run hooks of its configuration, {since} is the first: --as {FILES}")
    notes: list[str] = []
    place.state.mkdir(parents=True, exist_ok=True)
    settings, note = settings_in_force(place)
    hooks_paths.keep(place, settings)
    record = _read_record(place) or {"made_folder": not (common / "hooks").is_dir()}
    if way:
        record["way"] = way
    _name_program(place, git, record)
    _choose_run(place, git, run, record)
    _write_record(place, record)
    if note:
        notes.append(note)
    if is_new and record.get("way") != FILES:
        return _by_configuration(place, common, git, events, notes)
    return _by_files(place, common, force=force, notes=notes)


def events_of(place: Place) -> tuple[str, ...]:
    """Those that matter there: to a bare repository is pushed, and nothing else."""
    return EVENTS_OF_BARE if place.bare else EVENTS


def _by_configuration(place: Place, common: Path, git: Git, events: Sequence[str], notes: Sequence[str]) -> Installed:
    copies = copies_of(place)
    copies.put(events)
    configured.configure(git, events)
    hooks_of(common).take_out(events)  # of an older git's time: they would run twice
    asked = managers.snippets(place.root, managers.who_owns(place.root, common, events))
    twice = [
        f"{one.manager} calls ours a second time: take out of {one.file} what names orchestrator"
        for one in asked
        if one.is_there
    ]
    return Installed(folder=copies.folder, events=tuple(events), configured=True, notes=(*notes, *twice))


def _by_files(place: Place, common: Path, *, force: bool, notes: Sequence[str]) -> Installed:
    events = events_of(place)
    managed = managers.who_owns(place.root, common, events)
    owned = () if force and not managed.is_foreign else managed.events
    free = [event for event in events if event not in owned]
    chained = hooks_of(common).put(free) if free else []
    asked: tuple[Snippet, ...] = ()
    if owned:
        copies_of(place).put(owned)
        asked = tuple(managers.snippets(place.root, managed))
    else:
        _remove_copies(place)
    configured.unconfigure(Git(place.root), events)  # of a newer git's time
    by_snippet = [event for one in asked if one.is_there for event in one.events]
    return Installed(
        folder=managed.folder,
        events=(*free, *by_snippet),
        chained=tuple(chained),
        snippets=tuple(one for one in asked if not one.is_there),
        notes=tuple(notes),
    )


def remove(place: Place) -> Removed:
    """Takes them out, and puts back what was there before. Raises NotFoundError without a git repository."""
    common = common_of(place)
    git = Git(place.root)
    events = (*EVENTS, *EVENTS_OF_BARE)
    there = managers.snippets(place.root, managers.who_owns(place.root, common, events_of(place)))
    left = tuple(one for one in there if one.is_there)
    record = _read_record(place)
    removed = [*hooks_of(common).take_out(events), *configured.unconfigure(git, events)]
    removed += [event for event in events if (place.state / _COPIES / event).exists()]
    _remove_copies(place)
    for name, key in ((configured.PROGRAM, "program"), (configured.RUN, "run")):
        if record.get(key) and configured.get_local(git, name) == record[key]:
            configured.take_out(git, name)
    for name in (hooks_paths.PATHS, hooks_paths.REFS, _LAUNCHER, RUN_ONCE, _RECORD):
        (place.state / name).unlink(missing_ok=True)
    if record.get("made_folder"):
        with suppress(OSError):  # somebody else's is in it
            (common / "hooks").rmdir()
    return Removed(events=tuple(event for event in events if event in removed), snippets=left)


def common_of(place: Place) -> Path:
    """Git's own folder, which all worktrees share. Raises NotFoundError without a git repository."""
    if place.common_dir is None:
        raise NotFoundError(f"{place.root}: hooks are git's, and this workspace has no repository; run: git init")
    return place.common_dir


def hooks_of(common: Path) -> HookFolder:
    """Where git looks for files."""
    return HookFolder(folder=common / "hooks", shipped=folder("hooks"))


def copies_of(place: Place) -> HookFolder:
    """Where those are that are called otherwise."""
    return HookFolder(folder=place.state / _COPIES, shipped=folder("hooks"))


def _remove_copies(place: Place) -> None:
    copies = copies_of(place)
    copies.take_out((*EVENTS, *EVENTS_OF_BARE))
    with suppress(OSError):
        copies.folder.rmdir()


def _name_program(place: Place, git: Git, record: dict[str, object]) -> None:
    """Hooks are run with the PATH of whoever commits, often a short one: so ours is named, unless a person did."""
    said = configured.get(git, configured.PROGRAM)
    if said and said != record.get("program"):
        record.pop("program", None)
        return
    wanted = _program(place)
    if said != wanted:
        configured.put(git, configured.PROGRAM, wanted)
    record["program"] = wanted


def _program(place: Place) -> str:
    """The program that is running, as one word to call."""
    called = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("orchestrator")
    if called.name == "orchestrator" and os.access(called, os.X_OK) and called.is_file():
        return str(called.absolute())
    if os.access(beside, os.X_OK):
        return str(beside)
    launcher = place.state / _LAUNCHER
    text = f'#!/bin/sh\nexec {configured.quoted(sys.executable)} -P -m orchestrator "$@"\n'
    write_beside_and_rename(launcher, text.encode())
    launcher.chmod(0o755)
    return str(launcher)


def _choose_run(place: Place, git: Git, run: str, record: dict[str, object]) -> None:
    if run == "once":
        if configured.get_local(git, configured.RUN) != "once":
            configured.put(git, configured.RUN, "once")
            record["run"] = "once"
    elif run == "no":
        configured.take_out(git, configured.RUN)
        record.pop("run", None)
    mark = place.state / RUN_ONCE
    if configured.get(git, configured.RUN) == "once":
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


def _read_record(place: Place) -> dict[str, object]:
    try:
        read = json.loads((place.state / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _write_record(place: Place, record: Mapping[str, object]) -> None:
    write_beside_and_rename(place.state / _RECORD, json.dumps(record).encode())
