"""A clone that the daemon has to itself follows its remote: fetch, our commits on top, push; again where it moved."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from orchestrator.adapters.remote import Remote, RemoteError
from orchestrator.adapters.tracked_index import Checkout
from orchestrator.adapters.tracked_publish import Publisher
from orchestrator.adapters.tracked_quiet import NotNowError
from orchestrator.adapters.trail.ref import repository
from orchestrator.core.transition import Change, Transition
from orchestrator.errors import OrchestratorError

_TRIES = 5
_SECONDS = 20.0  # for each answer of the remote
_BACK_OFF = 0.1  # seconds, doubled each time


class Upstream:
    """The branch of the same name on the remote. For one thread at a time."""

    def __init__(self, checkout: Checkout, publisher: Publisher, remote: str) -> None:
        self._checkout = checkout
        self._publisher = publisher
        self._repo = repository(checkout.common)
        self._remote = Remote(self._repo, remote, _SECONDS)
        self._last = 0.0
        self.why = ""  # why the last try did not get our commits to the remote; empty: it did

    def is_due(self, every: float) -> bool:
        """Whether the last look is that many seconds ago."""
        return not self._last or time.monotonic() - self._last >= every

    def follow(self, branch: str) -> bool:
        """Takes in what the remote has and pushes what it lacks; `why` says why not. Nothing is ever forced."""
        try:
            self._remote.check()
            for number in range(_TRIES):
                theirs = self._fetched(branch)
                self._put_on_top(branch, theirs)
                if self._push(branch, theirs):
                    self.why = ""
                    return True
                time.sleep(_BACK_OFF * 2**number)  # somebody else pushes too: let them be done
            self.why = f"{self._remote.name} moved {_TRIES} times while we pushed; it is tried again"
        except (OrchestratorError, OSError) as error:
            self.why = f"commits are here and not on {self._remote.name}: {error}"
        finally:
            self._last = time.monotonic()
        return False

    def _fetched(self, branch: str) -> str:
        """The remote's branch now, or '' where it has none."""
        tracking = f"refs/remotes/{self._remote.name}/{branch.removeprefix('refs/heads/')}"
        if branch not in self._remote.refs([branch]):
            return ""
        self._remote.fetch([f"+{branch}:{tracking}"])
        return self._repo.tip(tracking)

    def _put_on_top(self, branch: str, theirs: str) -> None:
        """Makes the branch and the checkout the remote's with our commits on top."""
        ours = self._publisher.tip(branch)
        if not theirs or theirs == ours or (ours and self._is_in(theirs, ours)):
            return
        new = theirs
        if ours and not self._is_in(ours, theirs):
            new = self._publisher.chain(list(self._replayed(theirs, ours)), theirs)
        self._publisher.check_quiet(branch)
        git = self._checkout.git()
        git.call("update-index", "-q", "--refresh", seconds=600)  # our own entries have no times yet
        # The rest of the tree follows as in a checkout: what somebody changed here is never overwritten.
        trees = (ours, new) if ours else (new,)
        said = git.call("read-tree", "-m", "-u", *trees, seconds=600)
        if said.returncode:
            words = said.stderr.decode(errors="replace").strip()[:500]
            raise NotNowError(f"what came from {self._remote.name} does not fit what lies here: {words}")
        self._repo.raw("update-ref", "-m", "orchestrator: follow", "--no-deref", branch, new, ours or "0" * len(new))

    def _push(self, branch: str, theirs: str) -> bool:
        """Whether the remote has our branch now; False where it moved meanwhile."""
        ours = self._publisher.tip(branch)
        if not ours or ours == theirs:
            return True
        pushed = self._remote.push([f"{ours}:{branch}"])
        result = pushed.refs.get(branch)
        if result is not None and result.is_there:
            return True
        why = pushed.trouble or (result.why if result else "")
        if any(
            words in why for words in ("non-fast-forward", "fetch first", "cannot lock ref", "failed to update ref")
        ):
            return False
        raise RemoteError(f"{self._remote.name} did not take them: {why or 'it did not say why'}")

    def _is_in(self, commit: str, tip: str) -> bool:
        return self._repo.succeeds("merge-base", "--is-ancestor", commit, tip)

    def _replayed(self, theirs: str, ours: str) -> Iterator[Transition]:
        """Our commits that the remote lacks, as transitions once more.

        Raises:
            RemoteError: a person committed something here that is not ours to move.
        """
        raw = self._repo.raw("rev-list", "--reverse", "--topo-order", "--header", f"^{theirs}", ours)
        for entry in (entry for entry in raw.split(b"\0") if entry.strip()):
            head, _, message = entry.partition(b"\n\n")
            commit = head.split(b"\n", 1)[0].decode()
            changes = self._changes(commit)
            if changes is None or head.count(b"\nparent ") != 1:
                raise RemoteError(
                    f"commit {commit[:12]} was made here by hand; git pull --rebase {self._remote.name} puts it on top"
                )
            yield _transition(head, message, changes)

    def _changes(self, commit: str) -> tuple[Change, ...] | None:
        """What a commit did in the work folder; None where it did something elsewhere."""
        raw = self._repo.raw("diff-tree", "-r", "-z", "--no-commit-id", "--no-renames", f"{commit}^", commit)
        tokens = iter(raw.split(b"\0"))
        changes: list[Change] = []
        prefix = self._checkout.prefix
        for token in tokens:
            if not token:
                continue
            _, mode, _, blob, _ = token.decode().split(" ")
            path = next(tokens).decode(errors="surrogateescape")
            if not path.startswith(prefix) or mode not in {"000000", "100644", "100755"}:
                return None
            content = None if mode == "000000" else self._repo.raw("cat-file", "blob", blob)
            changes.append(Change(path=path.removeprefix(prefix), content=content, executable=mode == "100755"))
        return tuple(changes)


def _transition(head: bytes, message: bytes, changes: tuple[Change, ...]) -> Transition:
    """A commit of `rev-list --header`, whose message is indented, as it was handed over."""
    author = next(line for line in head.split(b"\n") if line.startswith(b"author "))
    text = b"\n".join(line.removeprefix(b"    ") for line in message.split(b"\n")).decode(errors="replace")
    subject, _, body = text.strip("\n").partition("\n")
    at = datetime.fromtimestamp(int(author.rsplit(b" ", 2)[1]), tz=UTC)
    return Transition(subject=subject, at=at, changes=changes, body=body)
