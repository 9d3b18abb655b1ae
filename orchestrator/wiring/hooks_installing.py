"""Puts git's hooks into a repository beside what is there, takes them out without a trace, and says which are there."""

import json
import os
import shutil
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
from orchestrator.adapters.hooks_folder import Found, HookFolder
from orchestrator.adapters.hooks_managers import Snippet
from orchestrator.adapters.place import Place
from orchestrator.errors import NotFoundError
from orchestrator.resources import folder
from orchestrator.wiring.hooks_checking import settings_in_force

EVENTS = ("pre-commit", "commit-msg", "post-commit", "post-merge", "post-rewrite", "post-checkout")
EVENTS_OF_BARE = ("pre-receive", "post-receive")
_RECORD = "hooks.json"  # what of git's configuration is ours to take out again
_LAUNCHER = "hook-program"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HookState:
    """One event."""

    event: str
    state: str  # in words
    is_there: bool
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which hooks there are."""

    hooks: tuple[HookState, ...]
    folder: Path
    manager: str = ""  # whose the folder or some of the events are
    program: str = ""  # that they call
    program_is_there: bool = True
    run: str = ""  # once: they start a daemon where none runs
    snippets: tuple[Snippet, ...] = ()  # what is still to be added

    @property
    def is_complete(self) -> bool:
        """Whether all of them work."""
        return self.program_is_there and all(hook.is_there for hook in self.hooks)


def install(place: Place, *, force: bool = False, run: str = "", version: tuple[int, ...] = ()) -> Installed:
    """Installs them; doing it again brings them up to date.

    `force`: also over a hook that the pre-commit framework or lefthook wrote, which is called first then; a folder that
    core.hooksPath names is never written to. `run`: `once` makes them start a daemon where none runs, `no` no more.
    `version` stands for that of git. Raises NotFoundError without a git repository.
    """
    common = _common(place)
    git = Git(place.root)
    events = events_of(place)
    notes: list[str] = []
    place.state.mkdir(parents=True, exist_ok=True)
    settings, note = settings_in_force(place)
    hooks_paths.keep(place, settings)
    record = _read_record(place) or {"made_folder": not (common / "hooks").is_dir()}
    _name_program(place, git, record)
    _choose_run(git, run, record)
    _write_record(place, record)
    if note:
        notes.append(note)
    if (version or configured.version(git)) >= configured.SINCE:
        return _by_configuration(place, common, git, events, notes)
    return _by_files(place, common, force=force, notes=notes)


def events_of(place: Place) -> tuple[str, ...]:
    """Those that matter there: to a bare repository is pushed, and nothing else."""
    return EVENTS_OF_BARE if place.bare else EVENTS


def _by_configuration(place: Place, common: Path, git: Git, events: Sequence[str], notes: Sequence[str]) -> Installed:
    copies = _copies(place)
    copies.put(events)
    configured.configure(git, copies.folder, events)
    _hooks(common).take_out(events)  # of an older git's time: they would run twice
    return Installed(folder=copies.folder, events=tuple(events), configured=True, notes=tuple(notes))


def _by_files(place: Place, common: Path, *, force: bool, notes: Sequence[str]) -> Installed:
    events = events_of(place)
    managed = managers.who_owns(place.root, common, events)
    owned = () if force and not managed.is_foreign else managed.events
    free = [event for event in events if event not in owned]
    chained = _hooks(common).put(free) if free else []
    asked: tuple[Snippet, ...] = ()
    if owned:
        _copies(place).put(owned)
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
    common = _common(place)
    git = Git(place.root)
    events = (*EVENTS, *EVENTS_OF_BARE)
    there = managers.snippets(place.root, managers.who_owns(place.root, common, events_of(place)))
    left = tuple(one for one in there if one.is_there)
    record = _read_record(place)
    removed = [*_hooks(common).take_out(events), *configured.unconfigure(git, events)]
    removed += [event for event in events if (place.state / _COPIES / event).exists()]
    _remove_copies(place)
    for name, key in ((configured.PROGRAM, "program"), (configured.RUN, "run")):
        if record.get(key) and configured.get_local(git, name) == record[key]:
            configured.take_out(git, name)
    for name in (hooks_paths.PATHS, hooks_paths.REFS, _LAUNCHER, _RECORD):
        (place.state / name).unlink(missing_ok=True)
    if record.get("made_folder"):
        with suppress(OSError):  # somebody else's is in it
            (common / "hooks").rmdir()
    return Removed(events=tuple(event for event in events if event in removed), snippets=left)


def status(place: Place) -> Standing:
    """Which are there, and what is missing. Raises NotFoundError without a git repository."""
    common = _common(place)
    git = Git(place.root)
    events = events_of(place)
    managed = managers.who_owns(place.root, common, events)
    asked = tuple(managers.snippets(place.root, managed))
    is_new = configured.version(git) >= configured.SINCE
    named = configured.configured(git, events) if is_new else []
    hooks = tuple(_state_of(place, common, event, named, managed, asked) for event in events)
    program = configured.get(git, configured.PROGRAM)
    return Standing(
        hooks=hooks,
        folder=_copies(place).folder if named else managed.folder,
        manager=managed.manager,
        program=program,
        program_is_there=bool(shutil.which(program or "orchestrator")),
        run=configured.get(git, configured.RUN),
        snippets=tuple(one for one in asked if not one.is_there and not named),
    )


def _state_of(
    place: Place,
    common: Path,
    event: str,
    named: Sequence[str],
    managed: managers.Managed,
    asked: Sequence[Snippet],
) -> HookState:
    if event in named:
        where = _copies(place).folder / event
        return HookState(event=event, state="installed, by git's configuration", is_there=True, where=str(where))
    look = _hooks(common).look(event) if not managed.is_foreign else Found.NOTHING
    if event in managed.events and look in {Found.NOTHING, Found.FOREIGN}:
        snippet = next(one for one in asked if event in one.events)
        state = f"called by {snippet.manager}" if snippet.is_there else f"missing: {snippet.manager} owns it"
        return HookState(event=event, state=state, is_there=snippet.is_there, where=snippet.file)
    words: Mapping[Found, str] = {
        Found.NOTHING: "missing",
        Found.OURS: "installed",
        Found.OLDER: "installed, of another version: orchestrator hooks install",
        Found.CHAINED: f"installed, after {event}.before-orchestrator",
        Found.FOREIGN: "missing: another hook is there, and would be called first",
        Found.NOT_EXECUTABLE: "git passes over it: it is not executable",
    }
    is_there = look in {Found.OURS, Found.OLDER, Found.CHAINED}
    return HookState(event=event, state=words[look], is_there=is_there, where=str(managed.folder / event))


def _common(place: Place) -> Path:
    if place.common_dir is None:
        raise NotFoundError(f"{place.root}: hooks are git's, and this workspace has no repository; run: git init")
    return place.common_dir


def _hooks(common: Path) -> HookFolder:
    return HookFolder(folder=common / "hooks", shipped=folder("hooks"))


def _copies(place: Place) -> HookFolder:
    return HookFolder(folder=place.state / _COPIES, shipped=folder("hooks"))


def _remove_copies(place: Place) -> None:
    copies = _copies(place)
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


def _choose_run(git: Git, run: str, record: dict[str, object]) -> None:
    if run == "once":
        if configured.get_local(git, configured.RUN) != "once":
            configured.put(git, configured.RUN, "once")
            record["run"] = "once"
    elif run == "no":
        configured.take_out(git, configured.RUN)
        record.pop("run", None)


def _read_record(place: Place) -> dict[str, object]:
    try:
        read = json.loads((place.state / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _write_record(place: Place, record: Mapping[str, object]) -> None:
    write_beside_and_rename(place.state / _RECORD, json.dumps(record).encode())
