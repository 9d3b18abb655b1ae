"""The worktrees of all tasks: listed, opened again, tidied."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.workspaces import entries
from orchestrator.adapters.workspaces.ground import MARKER, PATH, Ground
from orchestrator.adapters.workspaces.making import prepare_or_say
from orchestrator.adapters.workspaces.naming import REMOVING, Names, is_id
from orchestrator.adapters.workspaces.removing import delete, left_in, release
from orchestrator.adapters.workspaces.turn import turn
from orchestrator.core.settings import WorkspaceKind
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Unworkable, Wanted, Workspace

_HEADS, _BASES = "refs/heads/task/", "refs/orchestrator/base/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The branch of a task, with its worktree where it has one."""

    task_id: TaskId
    branch: str
    base: str
    head: str
    commits: int
    path: str = ""  # '' where its worktree was removed
    left: str = ""  # what lies there uncommitted; '' where nothing does


def kept(ground: Ground) -> list[Kept]:
    """All tasks that have a branch or a worktree, by id; looks into each worktree for what is not committed."""
    found = []
    paths, bases, heads = _paths(ground), _refs(ground, _BASES), _refs(ground, _HEADS)
    for task_id in sorted({*paths, *(task_id for task_id in bases if task_id in heads)}):
        names = _names(ground, task_id, paths.get(task_id))
        base, head = bases.get(task_id, ""), heads.get(task_id, "")
        has_folder = task_id in paths and names.path.is_dir()
        left = ""
        if has_folder:
            with ground.alone(task_id):
                left = left_in(ground, names, base)
        count = ground.real.text("rev-list", "--count", f"{base}..{head}", "--") if base != head else "0"
        found.append(
            Kept(
                task_id=task_id,
                branch=names.branch if head else "",
                base=base,
                head=head,
                commits=int(count) if base and head else 0,
                path=str(names.path) if has_folder else "",
                left=left,
            )
        )
    return found


def reopen(ground: Ground, task_id: TaskId) -> Workspace | Unworkable:
    """The worktree of a task as it lies there, or made again from its branch."""
    paths = _paths(ground)
    names = _names(ground, task_id, paths.get(task_id)) if is_id(task_id) else None
    if names is not None and task_id in paths and names.path.is_dir() and not names.path.is_symlink():
        base = ground.real.tip(names.base_ref)
        return Workspace(
            kind=WorkspaceKind.WORKTREE, task_id=task_id, path=str(names.path), branch=names.branch, base=base
        )
    if names is None or not ground.real.tip(names.ref):
        return Unworkable(why=f"{task_id} has no worktree and no branch task/{task_id}; nothing was committed for it")
    return prepare_or_say(ground, Wanted(kind=WorkspaceKind.WORKTREE, task_id=task_id))


def remove(ground: Ground, task_id: TaskId, path: str, *, force: bool = False) -> str:
    """Removes its worktree; or why it is kept."""
    base = ground.real.tip(_names(ground, task_id, path).base_ref)
    workspace = Workspace(kind=WorkspaceKind.WORKTREE, task_id=task_id, path=path, branch=f"task/{task_id}", base=base)
    with ground.alone(task_id):
        return release(ground, workspace, force=force)


def tidy(ground: Ground, is_finished: Callable[[TaskId], bool]) -> list[str]:
    """Removes the worktrees of finished tasks whose work is committed; why the others of them are kept."""
    sweep(ground)
    return [
        f"task {task_id}: {why}"
        for task_id, path in sorted(_paths(ground).items())
        if is_finished(task_id) and (why := remove(ground, task_id, path))
    ]


def sweep(ground: Ground) -> None:
    """Deletes what a removal that was cut short left, and forgets the bases of branches that are gone."""
    paths = _paths(ground)
    for folder in {ground.names(TaskId("x")).path.parent, *(Path(path).parent for path in paths.values())}:
        if folder.is_dir():
            for name in os.listdir(folder):
                if name.startswith(REMOVING):
                    delete(folder / name)
    with turn(ground.lock_file):  # whoever begins a task makes branch and base in its turn
        heads = _refs(ground, _HEADS)
        for task_id, base in _refs(ground, _BASES).items():
            if task_id not in paths and task_id not in heads:
                ground.real.call("update-ref", "-d", f"{_BASES}{task_id}", base)


def _names(ground: Ground, task_id: TaskId, path: str | None) -> Names:
    usual = ground.names(task_id)
    return Names(task_id=task_id, path=Path(path) if path else usual.path, record=usual.record)


def _refs(ground: Ground, folder: str) -> dict[TaskId, str]:
    """The commits of the refs in that folder, by task."""
    listed = ground.real.text("for-each-ref", "--format=%(objectname) %(refname:lstrip=3)", folder)
    pairs = (line.split(" ", 1) for line in listed.splitlines())
    return {TaskId(name.rpartition("/")[2]): commit for commit, name in pairs}


def _paths(ground: Ground) -> dict[TaskId, str]:
    """Where the worktrees of tasks lie: as our records tell, and where they are lost, as git's entries do."""
    found: dict[TaskId, str] = {}
    for record in _folders(ground.records):
        if is_id(record.name) and (path := _text(record / PATH)):
            found[TaskId(record.name)] = path
    for entry in _folders(ground.common / "worktrees"):
        task_id, dot = _text(entry / MARKER).strip(), _text(entry / "gitdir").strip()
        if is_id(task_id) and dot and entries.is_whole(entry):
            found.setdefault(TaskId(task_id), str(Path(dot).parent))
    return {task_id: path for task_id, path in found.items() if os.path.lexists(path)}


def _folders(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    yield from (folder / name for name in names)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
