"""A worktree taken away once nothing in it would be lost."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from orchestrator.adapters.workspaces import beginning, entries
from orchestrator.adapters.workspaces.bases import shown
from orchestrator.adapters.workspaces.ground import Ground, phrase
from orchestrator.adapters.workspaces.naming import REMOVING, Names
from orchestrator.adapters.workspaces.saving import parent_of
from orchestrator.adapters.workspaces.turn import turn
from orchestrator.core.workspace import Workspace


def release(ground: Ground, workspace: Workspace, *, force: bool = False) -> str:
    """Removes it, and a branch on which nothing was committed; or why it is kept. `force`: whatever lies there."""
    names = ground.names_at(workspace)
    path = names.path
    entry = entries.entry_of(ground.common, path)
    if os.path.lexists(path):
        if not ground.is_ours(names, entry) or path.is_symlink() or not path.is_dir():
            return f"{path} is not ours; it is left alone"
        if not force and (why := left_in(ground, names, workspace.base)):
            return f"{path}: {why}"
        aside = path.with_name(f"{REMOVING}{names.task_id}-{secrets.token_hex(4)}")
        path.rename(aside)
        delete(aside)
    with turn(ground.lock_file):
        if entry is not None:
            entries.forget(entry)
        _drop_empty_branch(ground, names, workspace.base)
    shutil.rmtree(names.record, ignore_errors=True)
    return ""


def left_in(ground: Ground, names: Names, base: str) -> str:
    """What would be lost with the worktree, in a phrase. Ignored files do not count."""
    held = ground.hold(names, base)
    found = ground.look(held)
    loose = sorted({*found.gone, *found.changed, *found.refused})
    if loose:
        return phrase([f"{shown(name)} is not committed" for name in loose])
    if submodules := ground.submodules(held):
        return phrase(submodules)
    head, tip = parent_of(held.branch, ground.common, held.entry), held.branch.tip()
    if tip and held.branch.contains(head, tip):
        return ""
    if ground.real.text("for-each-ref", "--count=1", f"--contains={head}", "refs/heads/"):
        return ""
    return f"its commit {head[:12]} is on no branch"


def _drop_empty_branch(ground: Ground, names: Names, base: str) -> None:
    """A branch on which nothing was committed goes, unless a person has it checked out."""
    real = ground.real
    tip, kept = real.tip(names.ref), real.tip(names.base_ref)
    if not tip or tip != (base or kept):
        return
    if any(other.ref == names.ref for other in entries.listed(real)):
        return
    lines = [f"delete {names.ref} {tip}", *([f"delete {names.base_ref} {kept}"] if kept else [])]
    real.raw(*beginning.PATIENT, "update-ref", "--stdin", stdin="\n".join([*lines, ""]).encode())


def delete(folder: Path) -> None:
    """A folder of any size, as fast as the system can. Links in it are not followed."""
    subprocess.run(["rm", "-rf", "--", str(folder)], check=False, stdin=subprocess.DEVNULL, capture_output=True)
    if not folder.exists():
        return
    for top, folders, _ in os.walk(folder):  # some may not be written in: Go's module cache, for one
        for name in folders:
            if not Path(top, name).is_symlink():
                Path(top, name).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
