"""A worktree as it was once all of it was committed: what a check left in it since goes."""

import os
from pathlib import Path

from orchestrator.adapters.workspaces.ground import Ground
from orchestrator.core.workspace import Workspace


def restore(ground: Ground, workspace: Workspace, *, all_was_committed: bool) -> None:
    """Brings back what changed or went, and deletes what came. What git ignores stays.

    Where not all was committed, what cannot be (a link to somewhere else, a file too large) may be the tool's: it
    stays too.
    """
    names = ground.names_at(workspace)
    if not names.path.is_dir() or names.path.is_symlink():
        return
    own = (held := ground.hold(names, workspace.base)).branch.own
    found = ground.look(held)
    came = [*found.changed, *(found.refused if all_was_committed else ())]
    if not (found.gone or came):
        return
    known = {os.fsdecode(name) for name in own.raw("ls-files", "-z", seconds=600).split(b"\0") if name}
    for path in came:
        there = Path(names.path, path)
        if path not in known and (there.is_symlink() or not there.is_dir()):
            there.unlink(missing_ok=True)
    ours = [path for path in (*found.gone, *came) if path in known]
    listed = b"".join(os.fsencode(path) + b"\0" for path in ours)
    own.call("checkout-index", "-f", "-z", "--stdin", stdin=listed, seconds=600)
