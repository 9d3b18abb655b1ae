"""Which of our hooks git runs in a repository, and what is missing."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters import hooks_configured as configured
from orchestrator.adapters import hooks_managers as managers
from orchestrator.adapters.git import Git
from orchestrator.adapters.hooks_folder import Found
from orchestrator.adapters.hooks_managers import Snippet
from orchestrator.adapters.place import Place
from orchestrator.wiring.hooks_installing import RUN_ONCE, common_of, copies_of, events_of, hooks_of


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
    run_is_known: bool = True  # to them; else it was set since they were installed
    snippets: tuple[Snippet, ...] = ()  # what is still to be added

    @property
    def is_complete(self) -> bool:
        """Whether all of them work."""
        return self.program_is_there and all(hook.is_there for hook in self.hooks)


def status(place: Place) -> Standing:
    """Which are there, and what is missing. Raises NotFoundError without a git repository."""
    common = common_of(place)
    git = Git(place.root)
    events = events_of(place)
    managed = managers.who_owns(place.root, common, events)
    asked = tuple(managers.snippets(place.root, managed))
    is_new = configured.version(git) >= configured.SINCE
    named = configured.configured(git, events) if is_new else {}
    hooks = tuple(_state_of(place, common, event, named, managed, asked) for event in events)
    program = configured.get(git, configured.PROGRAM)
    run = configured.get(git, configured.RUN)
    return Standing(
        hooks=hooks,
        folder=copies_of(place).folder if named else managed.folder,
        manager=managed.manager,
        program=program,
        program_is_there=bool(shutil.which(program or "orchestrator")),
        run=run,
        run_is_known=(run == "once") == (place.state / RUN_ONCE).exists(),
        snippets=tuple(one for one in asked if not one.is_there and not named),
    )


def _state_of(
    place: Place,
    common: Path,
    event: str,
    named: Mapping[str, str],
    managed: managers.Managed,
    asked: Sequence[Snippet],
) -> HookState:
    if event in named:
        return _state_of_configured(place, event, named[event])
    look = hooks_of(common).look(event) if not managed.is_foreign else Found.NOTHING
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


def _state_of_configured(place: Place, event: str, off: str) -> HookState:
    """`off`: the name in git's configuration that switches it off; '' where none does."""
    copies = copies_of(place)
    look = copies.look(event)
    is_there = not off and look in {Found.OURS, Found.OLDER}
    state = "installed, by git's configuration"
    if off:
        state = f"switched off: {off} is false"
    elif look is Found.OLDER:
        state += ", of another version: orchestrator hooks install"
    elif not is_there:
        state = "missing: named in git's configuration, but the script is gone"
    return HookState(event=event, state=state, is_there=is_there, where=str(copies.folder / event))
