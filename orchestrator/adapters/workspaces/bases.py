"""On which commit a task begins: one that contains the work of everything that it builds on."""

import os
from collections.abc import Sequence

from orchestrator.adapters.git import Git
from orchestrator.adapters.workspaces.naming import is_commit
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Foundation, Unworkable

_SHOWN = 10  # files in conflict that a sentence names; all are in Unworkable.files


def base_with(git: Git, start: str, where: str, foundations: Sequence[Foundation], task_id: TaskId) -> str | Unworkable:
    """The commit that contains `start` and every foundation, made by merging where there is none.

    `git` answers about objects and has an identity to commit with; `where` says in words what `start` is. No checkout,
    no merge driver of anybody's configuration.
    """
    if gone := _vanished(git, foundations):
        return gone
    names = {foundation.commit: f"task {foundation.task_id}" for foundation in foundations} | {start: where}
    needed = _independent(git, start, [foundation.commit for foundation in foundations])
    found, held = needed[0], [names[needed[0]]]
    for commit in needed[1:]:
        merged = _merged(git, found, commit, held, names[commit], task_id)
        if isinstance(merged, Unworkable):
            return merged
        found = merged
        held.append(names[commit])
    for commit in names:
        if not git.succeeds("merge-base", "--is-ancestor", commit, found):
            return Unworkable(why=f"the base {found[:12]} does not contain {names[commit]} ({commit[:12]}); retry it")
    return found


def _vanished(git: Git, foundations: Sequence[Foundation]) -> Unworkable | None:
    for foundation in foundations:
        if not is_commit(foundation.commit) or not git.tip(foundation.commit):
            return Unworkable(
                why=f"the work of task {foundation.task_id}, commit {foundation.commit[:12]}, is not in this "
                f"repository any more; bring it back (git fetch, or git reflog), or retry that task first"
            )
    return None


def _independent(git: Git, start: str, commits: Sequence[str]) -> list[str]:
    """Those that no other one contains; the start first."""
    asked = list(dict.fromkeys([start, *commits]))
    if len(asked) == 1:
        return asked
    left = set(git.text("merge-base", "--independent", *asked).split())
    return [commit for commit in asked if commit in left]


def _merged(git: Git, ours: str, theirs: str, held: Sequence[str], name: str, task_id: TaskId) -> str | Unworkable:
    said = git.call("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, seconds=600)
    names = [os.fsdecode(item) for item in said.stdout.split(b"\0") if item]
    together = " and ".join([", ".join(held), name])
    if said.returncode == 1 and names:
        files = tuple(shown(path) for path in dict.fromkeys(names[1:]))
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        return Unworkable(
            why=f"{together} are in conflict in {', '.join(files[:_SHOWN])}{more}; "
            f"merge them by hand into one of their branches, then retry",
            files=files,
        )
    if said.returncode:
        words = said.stderr.decode(errors="replace").strip().splitlines()
        old = "git 2.38 or later is needed to merge the work of several tasks: " if said.returncode == 129 else ""
        return Unworkable(
            why=f"{together} cannot be merged: {old}{words[0] if words else 'git said nothing'}; "
            f"merge them by hand into one of their branches, then retry"
        )
    message = f"Merge what task {task_id} builds on\n\n{together}\n"
    return git.text("commit-tree", names[0], "-p", ours, "-p", theirs, "-F", "-", stdin=message.encode())


def shown(path: str) -> str:
    """A path fit for a message and for JSON: bytes that are no UTF-8 are escaped."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
