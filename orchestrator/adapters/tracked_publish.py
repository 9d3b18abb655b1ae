"""One publishing in tracked mode: a chain of commits on a private ref, then branch and index moved together.

`git commit` reads the index before it locks it, so the lock alone does not keep a person's commit from putting the old
index back. So it is done
rarely, the lock is held for a moment longer, and the outcome is looked at afterwards.
"""

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from orchestrator.adapters import tracked_index, tracked_quiet
from orchestrator.adapters.tracked_index import Checkout
from orchestrator.adapters.tracked_quiet import JustMovedError, NotNowError
from orchestrator.adapters.trail.committer import Committer
from orchestrator.adapters.trail.compare import Comparison
from orchestrator.adapters.trail.ref import Ref, repository
from orchestrator.core.transition import Change, Transition

_PRIVATE = "refs/orchestrator/tracked"
_TRIES = 3  # for the index to stand still between its copy and its lock


class Publisher:
    """Puts transitions onto the checked-out branch of one checkout. For one thread at a time."""

    def __init__(self, checkout: Checkout, state: Path, *, hold: float) -> None:
        """`hold`: seconds for which the index stays locked afterwards, longer than a git needs from read to lock."""
        self.checkout = checkout
        self._hold = hold
        self._repo = repository(checkout.common)
        self._private = Ref(self._repo, _PRIVATE)
        self._committer = Committer(self._private, record=state / "tracked.child", prefix=checkout.prefix)

    def tip(self, branch: str) -> str:
        """The branch's commit, or ''."""
        return Ref(self._repo, branch).tip()

    def clear(self) -> list[str]:
        """Takes away what a dead process of ours left; the names."""
        return [*self._committer.clear(), *tracked_index.clear_leftovers(self.checkout)]

    def rest(self) -> None:
        """Ends the child."""
        self._committer.rest()

    def chain(self, batch: Sequence[Transition], onto: str) -> str:
        """Writes the commits; on no branch yet. The last one.

        Raises:
            DiedError, GitError: git refused.
        """
        if self._private.tip() != onto:
            self._committer.rest()
            change = ("update-ref", _PRIVATE, onto) if onto else ("update-ref", "-d", _PRIVATE)
            self._repo.raw(*change)
        new = self._committer.commit(batch, onto)
        self._committer.rest()
        return new

    def move(
        self,
        branch: str,
        *,
        old: str,
        new: str,
        paths: Collection[str],
        base: str | None = None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """Moves the branch from `old` to `new` and the index with it; `begin` is called just before.

        `base` is the commit that the index has those paths of, where that is not `old`.

        Raises:
            NotNowError: git is not quiet, or somebody moved the branch; nothing has changed.
        """
        for _ in range(_TRIES):
            prepared = tracked_index.prepare(self.checkout, old=old if base is None else base, new=new, paths=paths)
            try:
                with tracked_index.locked(self.checkout):
                    if not prepared.is_current(self.checkout):
                        continue
                    self.check_quiet(branch)
                    if self.tip(branch) != old:
                        raise JustMovedError("the branch has just been moved by somebody else")
                    begin()
                    if old != new:
                        self._swap(branch, old, new)
                    prepared.copy.replace(self.checkout.index)
                    time.sleep(self._hold)  # a git that read the old index comes to its lock now, and finds ours
                    return
            finally:
                prepared.copy.unlink(missing_ok=True)
        raise NotNowError("the index changes all the time: somebody's git is at work")

    def lags(self, old: str, tip: str, paths: Collection[str]) -> bool:
        """Whether the index has any of these paths as they were in `old` and not as in `tip`."""
        return bool(tracked_index.lagging(self.checkout.git(), self.checkout.prefix, old=old, new=tip, paths=paths))

    def check_quiet(self, branch: str) -> None:
        """Raises NotNowError unless git is quiet and HEAD on that branch."""
        here = tracked_quiet.head(self.checkout.git_dir)
        wanted = branch.removeprefix("refs/heads/")
        if not here:
            raise NotNowError(f"HEAD is detached; git switch {wanted} lets them go on")
        if here != branch:
            raise NotNowError(
                f"{here.removeprefix('refs/heads/')} is checked out and the queue is on {wanted}; "
                f"git switch {wanted} lets them go on"
            )
        if busy := tracked_quiet.why_busy(self.checkout.git_dir, self.checkout.root):
            raise NotNowError(busy)

    def _swap(self, branch: str, old: str, new: str) -> None:
        said = self._repo.call(
            "update-ref", "-m", "orchestrator: publish", "--no-deref", branch, new, old or "0" * len(new)
        )
        if said.returncode:
            raise JustMovedError(f"git would not move the branch: {said.stderr.decode(errors='replace').strip()[:300]}")

    def differences(self, paths: Collection[str], commit: str) -> tuple[list[Change], list[str]]:
        """Those of `paths` where the disk is not as in the commit, as it is on disk; and notes on what is unfit."""
        found: list[Change] = []
        notes: list[str] = []
        tree = self._tree(commit)
        for difference in self._comparison().differences(paths, tree):
            if difference.change is None:
                notes.append(difference.note)
            elif not self._is_only_line_ends(difference.change, tree):
                found.append(difference.change)
        return found, notes

    def changed_between(self, old: str, new: str) -> list[str]:
        """Paths of the work folder that differ between two commits."""
        before, after = self._tree(old), self._tree(new)
        if not after:
            return self._comparison().changed_between("", before) or [] if before else []
        return self._comparison().changed_between(before, after) or []

    def suspects(self, commit: str) -> list[str]:
        """Every path where disk and commit may differ, by the index's times: nothing is read, no filter runs."""
        git = self.checkout.git()
        prefix = self.checkout.prefix
        found = git.zlist("ls-files", "-o", "-z", "--exclude-standard", "--full-name", "--", prefix, seconds=600)
        if commit:
            found += git.zlist("diff-index", "-z", "--name-only", "--no-renames", commit, "--", prefix, seconds=600)
        return sorted({path.removeprefix(prefix) for path in found if not path.endswith("/")})

    def contains(self, transitions: Sequence[Transition], since: str, tip: str) -> list[bool]:
        """Which of these are in the history after `since`, whatever a rebase or an amend has made of their ids."""
        range_ = (tip,) if not since or not self._repo.tip(since) else (f"^{since}", tip)
        raw = self._repo.raw("rev-list", "--max-count=20000", "--header", *range_)
        there = {_identity(entry) for entry in raw.split(b"\0") if entry.strip()}
        return [(int(each.at.timestamp()), each.message.rstrip("\n")) in there for each in transitions]

    def _comparison(self) -> Comparison:
        return Comparison(self._repo, self.checkout.root / self.checkout.prefix)

    def _tree(self, commit: str) -> str:
        """The work folder's tree in that commit, or ''."""
        if not commit:
            return ""
        asked = f"{commit}:{self.checkout.prefix.rstrip('/')}"
        return self._repo.call("rev-parse", "--verify", "--quiet", "--end-of-options", asked).stdout.decode().strip()

    def _is_only_line_ends(self, change: Change, tree: str) -> bool:
        """core.autocrlf writes CRLF into the checkout: that is no change of the file."""
        if not tree or change.content is None or b"\r\n" not in change.content:
            return False
        said = self._repo.call("cat-file", "blob", f"{tree}:{change.path}")
        return said.returncode == 0 and said.stdout == change.content.replace(b"\r\n", b"\n")


def _identity(entry: bytes) -> tuple[int, str]:
    """Author time and message of a raw commit of `rev-list --header`, whose message is indented."""
    head, _, message = entry.partition(b"\n\n")
    author = next((line for line in head.split(b"\n") if line.startswith(b"author ")), b"author x 0 +0000")
    lines = [line.removeprefix(b"    ") for line in message.split(b"\n")]
    return int(author.rsplit(b" ", 2)[1]), b"\n".join(lines).decode(errors="replace").rstrip("\n")
