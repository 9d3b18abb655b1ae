"""What came of a task in its worktree: committed to its branch, and told."""

from collections.abc import Sequence

from orchestrator.adapters.git import Git
from orchestrator.adapters.workspaces import filling
from orchestrator.adapters.workspaces.evidence import difference, missing
from orchestrator.adapters.workspaces.ground import Ground, phrase
from orchestrator.core.workspace import Evidence, Workspace


def conclude(ground: Ground, workspace: Workspace, message: str, artefacts: Sequence[str]) -> Evidence:
    """Commits what the tool left, and says what git shows. Said again, it says the same."""
    names = ground.names_at(workspace)
    path = names.path
    is_there = path.is_dir() and not path.is_symlink()
    held = ground.hold(names, workspace.base, files=is_there)
    problems = [f"{path} is gone or became a link: what was not committed in it is lost"]
    kept: list[str] = []
    if is_there:
        saved, kept = ground.keep(held, message)
        problems = saved.problems
    own = held.branch.own
    head = held.branch.tip() or workspace.base
    shows = difference(own, workspace.base, head, filling.copied_into(names.record))
    absent = missing(path, artefacts, own, head) if is_there else tuple(artefacts)
    ignored = _ignored(own, head, [name for name in artefacts if name not in absent])
    kept += ignored
    return Evidence(
        branch=names.branch,
        base=workspace.base,
        head=head,
        commits=shows.commits,
        changed=shows.changed,
        changed_count=shows.count,
        missing=absent,
        problems=(*problems, *ignored, *shows.problems),
        kept=f"{path}: {phrase(kept)}" if kept else "",
    )


def _ignored(own: Git, head: str, artefacts: Sequence[str]) -> list[str]:
    """Declared artefacts that are there and that git does not have."""
    return [
        f"{artefact}: is there, and not committed; is it ignored by .gitignore?"
        for artefact in artefacts
        if not own.raw("ls-tree", "-z", "--name-only", head, "--", artefact.strip("/"))
    ]
