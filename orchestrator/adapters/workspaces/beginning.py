"""Branch and base of a task: begun anew, or found as an earlier attempt left them."""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git, GitError
from orchestrator.adapters.place import Place
from orchestrator.adapters.workspaces import entries
from orchestrator.adapters.workspaces.bases import base_with
from orchestrator.adapters.workspaces.naming import Names, is_commit
from orchestrator.adapters.workspaces.private import repository
from orchestrator.adapters.workspaces.saving import Branch, go_to
from orchestrator.core.workspace import Foundation, Unworkable, Wanted

# `git gc` holds packed refs for a moment; git waits for it by itself, with a limit.
PATIENT = ("-c", "core.filesRefLockTimeout=5000", "-c", "core.packedRefsTimeout=10000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where branch and base ref are to be."""

    base: str
    tip: str
    old_tip: str  # '' makes the branch
    old_base: str  # '' makes the ref


def begin(
    place: Place, wanted_branch: str, names: Names, wanted: Wanted, real: Git, objects: Git
) -> Begun | Unworkable:
    """Looks; changes nothing but objects."""
    tip, kept = real.tip(names.ref), real.tip(names.base_ref)
    if tip:
        return _found(names, wanted, real, objects, Begun(base="", tip=tip, old_tip=tip, old_base=kept))
    if kept and (names.record / "ready").is_file() and names.path.is_dir():
        return Begun(base=kept, tip=kept, old_tip="", old_base=kept)  # somebody deleted the branch, not the work
    start, where = _start(place, wanted_branch, real)
    if not start:
        return Unworkable(why=where)
    base = base_with(objects, start, where, wanted.foundations, wanted.task_id)
    if isinstance(base, Unworkable):
        return base
    return Begun(base=base, tip=base, old_tip="", old_base=kept)


def _start(place: Place, wanted_branch: str, real: Git) -> tuple[str, str]:
    """The commit to begin on and what it is in words; or '' and why there is none."""
    if wanted_branch:
        for ref in (f"refs/heads/{wanted_branch}", f"refs/remotes/{wanted_branch}"):
            if tip := real.tip(ref):
                return tip, f"the branch {wanted_branch}"
        return "", f"workspaces.base: there is no branch {wanted_branch}; make it, or name another one"
    assert place.common_dir is not None
    if tip := repository(place.common_dir, place.git_dir).tip("HEAD"):
        return tip, "what is checked out"
    return "", f"{place.root} has no commit yet to begin on; commit something there, then retry"


def _found(names: Names, wanted: Wanted, real: Git, objects: Git, begun: Begun) -> Begun | Unworkable:
    """An earlier attempt's branch; refuses where it is not ours, or somebody has it checked out."""
    for worktree in entries.listed(real):
        if worktree.path == str(names.path):
            if worktree.locked is not None:
                return Unworkable(
                    why=f"{names.path} is locked ({worktree.locked or 'without a reason'}); "
                    f"run `git worktree unlock {names.path}`, then retry"
                )
        elif worktree.ref == names.ref and Path(worktree.path).exists():
            return Unworkable(
                why=f"{worktree.path} has the branch {names.branch} checked out; switch to another there, then retry"
            )
    rename = f"rename or delete the branch {names.branch}, then retry"
    known = [commit for commit in (wanted.base, begun.old_base) if commit]
    if not known:
        return Unworkable(why=f"the branch {names.branch} exists and is not of this task's making; {rename}")
    there = [commit for commit in known if is_commit(commit) and objects.tip(commit)]
    if not there:
        return Unworkable(
            why=f"the commit {known[0][:12]} on which {names.branch} began is not in this repository any more; {rename}"
        )
    for commit in there:
        if objects.succeeds("merge-base", "--is-ancestor", commit, begun.tip):
            return Begun(base=commit, tip=begun.tip, old_tip=begun.tip, old_base=begun.old_base)
    return Unworkable(why=f"the branch {names.branch} no longer follows {there[0][:12]}, on which it began; {rename}")


def set_refs(real: Git, names: Names, begun: Begun) -> Unworkable | None:
    """Branch and base ref in one transaction; why not, where somebody else has moved or taken them."""
    lines = []
    for ref, new, old in (
        (names.ref, begun.tip, begun.old_tip),
        (names.base_ref, begun.base, begun.old_base),
    ):
        if new != old:
            lines.append(f"update {ref} {new} {old or '0' * len(new)}")
    if lines:
        try:
            real.raw(
                *PATIENT, "update-ref", "-m", "orchestrator: begin", "--stdin", stdin="\n".join([*lines, ""]).encode()
            )
        except GitError as error:
            words = error.stderr.partition("\n")[0]
            return Unworkable(why=f"the branch {names.branch} cannot be made: {words}; mend that, then retry")
    return None


def catch_up(branch: Branch, names: Names, wanted: Wanted) -> str | Unworkable:
    """Merges into an earlier attempt what it builds on by now and does not contain; the base, which contains it all.

    Everything in the worktree is committed.
    """
    tip = branch.tip()
    own = branch.own
    if all(is_commit(one.commit) and branch.contains(one.commit, tip) for one in wanted.foundations):
        return branch.base
    base = base_with(own, branch.base, "the commit on which it began", wanted.foundations, wanted.task_id)
    if isinstance(base, Unworkable):
        return base
    work = Foundation(task_id=wanted.task_id, commit=tip)
    new = base_with(own, base, "what it builds on", [work], wanted.task_id)
    if isinstance(new, Unworkable):
        return new
    (names.record / "at").unlink(missing_ok=True)
    if not go_to(own, tip, new):
        return Unworkable(
            why=f"{names.path}: files that are not committed are in the way of what the task builds on by now; "
            f"move them elsewhere, then retry"
        )
    refused = set_refs(
        branch.real, names, Begun(base=base, tip=new, old_tip=tip, old_base=branch.real.tip(names.base_ref))
    )
    return refused or base
