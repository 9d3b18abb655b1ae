"""A task's worktree, made at its base or found as an earlier attempt left it."""

import os
from pathlib import Path

from orchestrator.adapters.git import GitError
from orchestrator.adapters.workspaces import beginning, entries, filling
from orchestrator.adapters.workspaces.beginning import Begun
from orchestrator.adapters.workspaces.ground import AT, INDEX, MARKER, PATH, READY, Ground, Held
from orchestrator.adapters.workspaces.naming import Names, is_id
from orchestrator.adapters.workspaces.saving import go_to, parent_of
from orchestrator.adapters.workspaces.turn import turn
from orchestrator.core.settings import WorkspaceKind
from orchestrator.core.workspace import Unworkable, Wanted, Workspace

UNFINISHED = "attempt left unfinished"


def prepare_or_say(ground: Ground, wanted: Wanted) -> Workspace | Unworkable:
    """The worktree, with nobody else at it meanwhile; what git itself refuses becomes the reason why there is none."""
    try:
        with ground.alone(wanted.task_id):
            return prepare(ground, wanted)
    except GitError as error:
        return Unworkable(why=f"{ground.place.root}: no worktree for {wanted.task_id}: {error}")


def prepare(ground: Ground, wanted: Wanted) -> Workspace | Unworkable:
    """The worktree, with all that an earlier attempt left in it committed."""
    if not is_id(wanted.task_id):
        return Unworkable(why=f"{wanted.task_id} cannot be the name of a branch (.., .lock, a dot at its end)")
    names = ground.names(wanted.task_id)
    names.record.mkdir(parents=True, exist_ok=True)
    objects = ground.own(names, files=False)
    begun = beginning.begin(ground.place, ground.settings().base, names, wanted, ground.real, objects)
    if isinstance(begun, Unworkable):
        return begun
    entry = _folder(ground, names, begun)
    if isinstance(entry, Unworkable):
        return entry
    is_fresh = not ((names.record / READY).is_file() or (entry / MARKER).is_file())
    held = ground.hold(names, begun.base, objects=objects)
    if is_fresh:
        _fill(ground, names, entry, held)
    elif refused := _take_up(ground, held):
        return refused
    base = beginning.catch_up(held.branch, names, wanted)
    if isinstance(base, Unworkable):
        return base
    entries.settle(ground.common, entry, names.ref, names.record / INDEX)
    return Workspace(
        kind=WorkspaceKind.WORKTREE,
        task_id=wanted.task_id,
        path=str(names.path),
        branch=names.branch,
        base=base,
        is_fresh=is_fresh,
    )


def _folder(ground: Ground, names: Names, begun: Begun) -> Path | Unworkable:
    """Branch, entry and folder; the entry. All that others could do at the same moment is done in turn."""
    with turn(ground.lock_file):
        path = names.path
        entry = entries.entry_of(ground.common, path)
        is_there = os.path.lexists(path) and not _is_empty(path)
        if is_there and not ground.is_ours(names, entry):
            return Unworkable(why=f"{path} is in the way and is not ours; move it elsewhere, then retry")
        if is_there and (path.is_symlink() or not path.is_dir()):
            return Unworkable(why=f"{path} became a link or a file; take it away, then retry")
        if refused := beginning.set_refs(ground.real, names, begun):
            return refused
        if is_there:
            return _connected(ground, names, entry)
        if entry is not None:
            entries.forget(entry)
        for name in (READY, PATH, INDEX, AT, filling.EXCLUDE, filling.COPIED):
            (names.record / name).unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (names.record / PATH).write_text(str(path), encoding="utf-8", errors="surrogateescape")
        entries.add(ground.real, path, names.branch)
        entry = entries.entry_of(ground.common, path)
        assert entry is not None, f"git made no entry for {path}"
        return entry


def _connected(ground: Ground, names: Names, entry: Path | None) -> Path:
    """The entry of a folder that is there, mended where a tool or a person broke it."""
    if entry is not None and not entries.is_whole(entry):
        entries.forget(entry)
        entry = None
    if entry is None:
        beside = names.path.with_name(f".new-{names.task_id}")
        return entries.register(ground.common, names.path, names.branch, beside)
    entries.connect(entry, names.path)
    return entry


def _fill(ground: Ground, names: Names, entry: Path, held: Held) -> None:
    tip = held.branch.tip()
    filling.check_out(held.branch.own, tip)
    ground.note_aligned(held, tip)
    wanted = ground.settings().copy
    copied: list[str] = []
    if wanted and ground.place.bare:
        ground.told("workspaces.copy: a bare repository has no checkout to copy from")
    elif wanted:
        copied = filling.copy_in(wanted, ground.place.root, names.path, ground.told)
    filling.note_rules(ground.common, names.record, copied, ground.environ)
    for file in (names.record / READY, entry / MARKER):
        file.write_text(f"{names.task_id}\n", encoding="utf-8")


def _take_up(ground: Ground, held: Held) -> Unworkable | None:
    """Commits what a dead run left, and puts the folder on the branch where the tool had left it."""
    saved, _ = ground.keep(held, UNFINISHED)
    if saved.is_settled:
        return None
    head = parent_of(held.branch, ground.common, held.entry)
    (held.names.record / AT).unlink(missing_ok=True)
    if not go_to(held.branch.own, head, saved.tip):
        return Unworkable(
            why=f"{held.names.path} cannot be put back on {held.names.branch}: files that are not committed are in the "
            f"way; move them elsewhere, then retry"
        )
    return None


def _is_empty(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    with os.scandir(path) as found:
        return next(found, None) is None
