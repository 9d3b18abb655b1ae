"""Makes a workspace: configuration, folders, the trail, hooks. What is there already stays as it is.

All or nothing: everything is rendered and checked before the first byte is written; whatever can fail is done before
the moment at which the files are there (`initialising_writing`), and is taken back where it fails.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.mailbox import FolderMailbox
from orchestrator.adapters.place import Place
from orchestrator.adapters.scan import repository
from orchestrator.config import ConfigRefused
from orchestrator.config.machine import EMBEDDED, FoundTool, Scan
from orchestrator.config.sets import ConfigSet, Plan, planned
from orchestrator.core.layout import CONFIG_FILES
from orchestrator.core.settings import Settings, TrailMode
from orchestrator.errors import OrchestratorError
from orchestrator.wiring.configuring import UNFINISHED, read_settings
from orchestrator.wiring.initialising_ignoring import NAME, ignore_file
from orchestrator.wiring.initialising_scan import rendered
from orchestrator.wiring.initialising_undoing import Before, restore_folder
from orchestrator.wiring.initialising_writing import Batch, NewFile, Step, clear_away, finish
from orchestrator.wiring.trails import open_trail
from orchestrator.wiring.validating import validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asked for."""

    chosen: ConfigSet = ConfigSet.QUICK_START
    trail: str = ""  # empty: the one that fits
    force: bool = False
    hooks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it. Paths are below the root."""

    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # files of configuration that were there
    template: str = ""  # empty: no file was written
    trail: str = ""
    notes: tuple[str, ...] = ()
    agent: str = ""  # who can do the first task, with nothing
    contents: Mapping[str, str] | None = None  # of a dry run: what would be written


def _on(_: str) -> None:
    """Nobody stops us."""


def initialise(place: Place, *, mode: str | None, force: bool) -> dict[str, object]:
    """What needs nothing but this program: for the demo, which must never start another tool."""
    made = set_up(place, Wish(trail=mode or "", force=force), embedded_alone(place))
    return {"made": list(made.made), "trail": made.trail, "notes": list(made.notes)}


def embedded_alone(place: Place) -> Scan:
    """A scan that found no tool."""
    return Scan(tools=(FoundTool(name=EMBEDDED, wants_key=False),), repository=repository(place))


def files_there(place: Place) -> tuple[str, ...]:
    """The files of configuration that are there."""
    return tuple(name for name in CONFIG_FILES if os.path.lexists(place.config / name))


def set_up(place: Place, wish: Wish, scan: Scan, *, step: Step = _on) -> Made:
    """Makes it, or finishes what an earlier one began. Raises OrchestratorError where it cannot be; then everything is
    as it was."""
    was_there = place.state.exists()
    try:
        step("make the state folder")
        (place.state / "requests").mkdir(parents=True, exist_ok=True)  # by it the git hooks know that somebody listens
        with WorkspaceLock(place.state, what="init"):
            return _held(place, wish, scan, step)
    except BaseException as error:
        if not was_there:
            restore_folder(place.state)  # it could not be locked
        if isinstance(error, OSError):
            raise OrchestratorError(_refused(place, error)) from error
        raise


def _refused(place: Place, error: OSError) -> str:
    """The system's words, and how things stand now."""
    what = f"{error.filename}: " if error.filename else ""
    if (place.state / UNFINISHED).exists():
        stands = "the new configuration holds, and its files are not all in their places; to finish"
    else:
        stands = "nothing was changed; make room, or see who may write there, then"
    return f"{what}{error.strerror or error}; {stands}: orchestrator init"


def _held(place: Place, wish: Wish, scan: Scan, step: Step) -> Made:
    before, batch = Before.of(place), Batch(place, step)
    try:
        step("begin")
        notes = finish(place, step)
        clear_away(place.config, CONFIG_FILES)
        clear_away(place.root, (NAME,))
        draft = _drafted(place, wish, scan)
        batch.stage(draft.files)
        is_new = not (place.work / "collaboration").is_dir()
        notes += _open_work(place, draft.settings, step, is_new=is_new)
        notes += batch.commit()
    except BaseException:  # Ctrl-C as well
        if not batch.is_committed:
            batch.undo()
            before.restore()
        raise
    made = [*_backups(draft), *(file.path for file in draft.files), *(["work/"] if is_new else [])]
    if wish.hooks:
        step("hooks")
        notes += _install_hooks(place, made)
    return _made(place, wish, draft, tuple(made), tuple(notes))


def preview(place: Place, wish: Wish, scan: Scan) -> Made:
    """What `set_up` would write. Nothing is written."""
    draft = _drafted(place, wish, scan)
    paths = tuple(file.path for file in draft.files)
    contents = {file.path: file.content.decode() for file in draft.files}
    folders = () if (place.work / "collaboration").is_dir() else ("work/",)
    notes = ("git's hooks would be installed",) if wish.hooks else ()
    return _made(place, wish, draft, (*_backups(draft), *paths, *folders), notes, contents)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What is to be written, checked."""

    plan: Plan
    files: tuple[NewFile, ...]
    settings: Settings
    kept: tuple[str, ...]

    @property
    def configures(self) -> bool:
        return any(file.path.endswith(".yaml") for file in self.files)


def _drafted(place: Place, wish: Wish, scan: Scan) -> _Draft:
    kept = () if wish.force else files_there(place)
    plan = planned(wish.chosen, scan)
    trail = wish.trail or _fitting_trail(scan)
    texts: dict[str, bytes] = {}
    if len(kept) < len(CONFIG_FILES):
        texts = {name: text.encode() for name, text in rendered(plan, scan, trail).items() if name not in kept}
        if problems := validate(place, instead=texts).problems:
            raise ConfigRefused(problems)
    now = datetime.now(UTC)
    files = [_new_file(place, name, content, now) for name, content in texts.items()]
    settings = read_settings(place, texts) if texts else read_settings(place)
    mode = TrailMode.NONE if place.git_dir is None else settings.trail.mode
    if ignored := ignore_file(place, mode, [file.backup for file in files if file.backup]):
        files.append(ignored)
    return _Draft(plan=plan, files=tuple(files), settings=settings, kept=kept)


def _new_file(place: Place, name: str, content: bytes, now: datetime) -> NewFile:
    target = place.config / name
    folder = place.config.name
    if target.is_symlink():
        raise OrchestratorError(f"{folder}/{name} is a link; move it away, then: orchestrator init")
    backup = f"{folder}/{name}.{now:%Y%m%dT%H%M%S}.bak" if target.exists() else ""
    return NewFile(path=f"{folder}/{name}", content=content, backup=backup)


def _backups(draft: _Draft) -> tuple[str, ...]:
    return tuple(file.backup for file in draft.files if file.backup)


def _open_work(place: Place, settings: Settings, step: Step, *, is_new: bool) -> list[str]:
    """The trail, and the folders of tasks; what had to be mended."""
    notes: list[str] = []
    step("make the trail")
    trail = open_trail(place, settings.trail, notes)
    try:
        step("make the folders of work/")
        FolderMailbox(place.work).make_folders()
        notes += trail.recover().notes
        return [] if is_new else notes  # where nothing was, nothing was mended
    finally:
        trail.close()


def _install_hooks(place: Place, made: list[str]) -> list[str]:
    """The workspace is good without them: where they cannot be put in, that is told and no more."""
    from orchestrator.wiring.hooks_installing import install

    try:
        installed = install(place)
    except (OrchestratorError, OSError) as error:
        return [f"the hooks were not installed: {error}; try again with: orchestrator hooks install"]
    if installed.events:
        where = "git's configuration" if installed.configured else installed.folder
        made.append(f"hooks in {where}: {', '.join(installed.events)}")
    snippets = [f"{one.manager} has the hooks here; add to {one.file}: {one.text}" for one in installed.snippets]
    return [*installed.notes, *snippets]


def _made(
    place: Place,
    wish: Wish,
    draft: _Draft,
    paths: tuple[str, ...],
    notes: tuple[str, ...] = (),
    contents: Mapping[str, str] | None = None,
) -> Made:
    mode = TrailMode.NONE if place.git_dir is None else draft.settings.trail.mode
    if wish.trail and wish.trail != mode and place.git_dir is not None:
        said = f"{place.config.name}/policies.yaml is there and says `trail: {{mode: {mode}}}`"
        notes = (*notes, f"{said}: --trail {wish.trail} was not followed; change it there")
    return Made(
        made=paths,
        kept=draft.kept,
        template=draft.plan.chosen.value if draft.configures else "",
        trail=str(mode),
        notes=notes,
        agent=_first_agent(draft.settings),
        contents=contents,
    )


def _first_agent(settings: Settings) -> str:
    """Who works with what the program brings along: `analyst` where that is so, as the tutorial calls it."""
    able = [str(agent.key) for agent in settings.agents.values() if agent.preferred_tool == EMBEDDED]
    return "analyst" if "analyst" in able else next(iter(able), "")


def _fitting_trail(scan: Scan) -> str:
    if not scan.repository.has_git:
        return TrailMode.NONE.value
    return TrailMode.TRACKED.value if scan.repository.tracks_work else TrailMode.OWN.value
