"""Commits what a tool left in its worktree to the task's branch, whatever the tool did to branch and HEAD meanwhile."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.adapters.git import Git, GitError
from orchestrator.adapters.workspaces import entries
from orchestrator.adapters.workspaces.bases import shown
from orchestrator.adapters.workspaces.private import repository
from orchestrator.adapters.workspaces.scan import Found
from orchestrator.adapters.workspaces.troubles import check_disk
from orchestrator.core.types import TaskId

_TRIES = 3  # a person may move the branch in this very moment
_REFUSALS = 50  # paths that git itself refuses, looked for one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The branch of a task in its repository."""

    real: Git  # the repository, for refs
    own: Git  # with a git directory of our own, for objects, index and files
    ref: str
    base: str
    task_id: TaskId

    def tip(self) -> str:
        """Where it is, or ''."""
        return self.real.tip(self.ref)

    def contains(self, commit: str, inside: str) -> bool:
        """Whether `inside` has `commit` in its history."""
        return commit == inside or self.own.succeeds("merge-base", "--is-ancestor", commit, inside)


@dataclass(slots=True)
class Saved:
    """What came of it."""

    tip: str = ""  # of the branch
    commit: str = ""  # what lies in the folder, committed
    is_settled: bool = True  # the branch holds what lies in the folder
    problems: list[str] = field(default_factory=list)


def save(branch: Branch, entry: Path | None, common: Path, found: Found, message: str) -> Saved:
    """Commits `found` on top of what is checked out, and brings the branch there.

    The tool's own commits stay as they are: where they do not follow the branch, both are kept.
    """
    problems = stage(branch.own, found)
    head = parent_of(branch, common, entry)
    commit = _committed(branch, head, message)
    if entry is not None and not branch.contains(branch.base, commit):
        # The branch is going back to its base: what lies in the folder stays with the commit that it follows.
        repository(common, entry).raw("update-ref", "--no-deref", "HEAD", commit)
    saved = _brought_at_last(branch, commit)
    saved.commit = commit
    saved.problems += problems
    return saved


def _brought_at_last(branch: Branch, commit: str) -> Saved:
    for _ in range(_TRIES - 1):
        try:
            return _brought(branch, commit)
        except GitError:
            continue  # somebody moved the branch meanwhile: look at where it is now
    return _brought(branch, commit)


def parent_of(branch: Branch, common: Path, entry: Path | None) -> str:
    """The commit that what lies in the folder follows."""
    head = entries.head_of(common, entry) if entry is not None else ""
    return (head if head and branch.own.tip(head) else "") or branch.tip() or branch.base


def align(own: Git, commit: str) -> None:
    """Gives the index the content of that commit, and keeps what it knows of files that are the same there."""
    if own.call("read-tree", "-m", commit, seconds=600).returncode:  # damaged, or there is none
        index = Path(own.env["GIT_INDEX_FILE"])
        index.unlink(missing_ok=True)
        index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
        own.raw("read-tree", commit, seconds=600)


def go_to(own: Git, before: str, after: str) -> bool:
    """Changes the files from the one commit to the other; False where others are in the way, and nothing is changed."""
    own.call("update-index", "-q", "--refresh", seconds=3600)  # a file that was only touched is in nobody's way
    return own.call("read-tree", "-m", "-u", before, after, seconds=3600).returncode == 0


def stage(own: Git, found: Found) -> list[str]:
    """Puts it into the index; what git refuses, with its words. Such paths are in `found.refused` afterwards."""
    for paths in (found.gone, found.changed):
        for path, words in _staged(own, paths):
            found.refused[path] = words
            paths.remove(path)
    return [f"{shown(path)}: {why}" for path, why in sorted(found.refused.items())]


def _staged(own: Git, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Halves what git refuses until the paths are found that it refuses."""
    waiting = [list(paths)]
    refused: list[tuple[str, str]] = []
    while waiting:
        some = waiting.pop()
        if not some:
            continue
        listed = b"".join(os.fsencode(path) + b"\0" for path in some)
        said = own.call("update-index", "-z", "--add", "--remove", "--replace", "--stdin", stdin=listed, seconds=3600)
        if said.returncode == 0 and b"Ignoring path " not in said.stderr:
            continue
        words = said.stderr.decode(errors="replace").strip()
        check_disk(words, str(own.folder))
        if len(some) == 1 or len(refused) >= _REFUSALS:
            refused += [(path, f"git refuses it: {words.partition(chr(10))[0]}") for path in some]
            continue
        middle = len(some) // 2
        waiting += [some[middle:], some[:middle]]
    return refused


def _committed(branch: Branch, head: str, message: str) -> str:
    """A commit of the index on `head`; `head` itself where nothing differs."""
    tree = branch.own.text("write-tree", seconds=600)
    if tree == branch.own.text("rev-parse", f"{head}^{{tree}}"):
        return head
    text = message.replace("\0", "").encode("utf-8", "replace")
    return branch.own.text("commit-tree", tree, "-p", head, "-F", "-", stdin=text)


def _brought(branch: Branch, commit: str) -> Saved:
    """Moves the branch so that it contains the commit, by compare and swap; keeps beside it what it cannot contain.

    Raises GitError where somebody else moved the branch in between.
    """
    tip, base = branch.tip(), branch.base
    target = commit
    if not branch.contains(base, commit) or (tip and branch.contains(commit, tip) and branch.contains(base, tip)):
        # The work does not follow what the task was given, or the tool only looks at an older commit.
        target = tip if tip and branch.contains(base, tip) else base
    for left in dict.fromkeys((tip, commit)):
        if left and not branch.contains(left, target):
            _keep_beside(branch, left)
    if tip != target:
        _move(branch.real, branch.ref, target, tip)
    return Saved(tip=target, is_settled=target == commit, problems=_beside(branch, target))


def _beside(branch: Branch, tip: str) -> list[str]:
    """What is kept beside the branch and is not in it, by this run or an earlier one."""
    told = []
    for number, (name, commit) in _numbered(branch).items():
        if not branch.contains(commit, tip) and not branch.real.tip(
            f"refs/orchestrator/base/{branch.task_id}.{number}"
        ):
            told.append(
                f"commits of the tool that {branch.ref.removeprefix('refs/heads/')} does not follow are on {name} "
                f"({commit[:12]}); look at them, then merge or delete that branch"
            )
    return told


def _numbered(branch: Branch) -> dict[int, tuple[str, str]]:
    """The branches task/<id>.N: name and commit."""
    listed = branch.real.text("for-each-ref", "--format=%(objectname) %(refname)", f"{branch.ref}.*")
    found: dict[int, tuple[str, str]] = {}
    for line in listed.splitlines():
        commit, _, ref = line.partition(" ")
        number = ref.removeprefix(f"{branch.ref}.")
        if number.isascii() and number.isdigit():
            found[int(number)] = (ref.removeprefix("refs/heads/"), commit)
    return dict(sorted(found.items()))


def _move(real: Git, ref: str, to: str, old: str) -> None:
    real.raw("update-ref", "-m", "orchestrator: what the tool left", "--no-deref", ref, to, old or "0" * len(to))


def _keep_beside(branch: Branch, commit: str) -> None:
    """A branch task/<id>.N at that commit, unless there is one."""
    numbered = _numbered(branch)
    if all(commit != there for _, there in numbered.values()):
        _move(branch.real, f"{branch.ref}.{max(numbered, default=0) + 1}", commit, "")
