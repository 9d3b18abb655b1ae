"""Commits transitions onto one branch of one repository: a chain of commits in one pack, synced once.

Independent of any worktree. It answers with a commit only when the branch is there: a mark alone is no proof.
"""

import os
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.trail.child import DiedError, FastImport
from orchestrator.adapters.trail.leftovers import Leftovers
from orchestrator.adapters.trail.ref import Ref
from orchestrator.adapters.trail.stream import encode
from orchestrator.core.transition import Transition
from orchestrator.errors import OrchestratorError

_TRANSITIONS_A_CHILD = 50_000  # its memory grows with what it wrote (43 MB at 10,000)
_LANDINGS_A_CHILD = 256  # the packs of a living child are kept from being merged


class MovedError(OrchestratorError):
    """The branch is not where the batch was to be put on: somebody else moved it. Nothing of the batch is on it."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(f"{name} was moved by somebody else, to {found or 'nothing'}")


class Committer:
    """Writes commits through one long-lived child. For one thread at a time."""

    def __init__(self, ref: Ref, *, record: Path, prefix: str = "") -> None:
        """`ref.git` runs in the common directory; `record` is a file of ours in the state folder, for this ref alone;
        `prefix` is put before every path ("work/", or nothing)."""
        self.ref = ref
        self._prefix = prefix
        self._leftovers = Leftovers(ref, record)
        self._child: FastImport | None = None
        self._at = ""  # where the child has the branch
        self._identity = b""
        self._is_doubtful = False  # a child died: what it wrote and the next one relies on may be swept away
        self._written = 0
        self._landings = 0

    def commit(self, batch: Sequence[Transition], onto: str) -> str:
        """Puts one commit a transition onto `onto` ('' begins the branch), and returns the last one, durable.

        Raises:
            MovedError: the branch is elsewhere.
            DiedError: the child ended, or git refused; whether the batch is on the branch must be looked up.
        """
        if not batch:
            return onto
        child, known = self._ready(onto)
        try:
            child.send(
                encode(
                    batch,
                    ref=self.ref.name,
                    parent="" if known else onto,
                    identity=self._identity,
                    prefix=self._prefix,
                )
            )
            wrote = child.land()
        except DiedError:
            self._is_doubtful = True
            self.abandon()
            raise
        self._written += len(batch)
        self._landings += 1
        if not self._is_landed(wrote):
            words = child.words()
            self.abandon()
            if (found := self.ref.tip()) != onto:
                raise MovedError(self.ref.name, found)
            raise DiedError(words or f"{self.ref.name} did not move")
        _sync_folder(self.ref.path.parent)
        self._at = wrote
        if self._is_doubtful:
            self._make_sure(wrote, onto)
        self._leftovers.release()
        if self._written >= _TRANSITIONS_A_CHILD or self._landings >= _LANDINGS_A_CHILD:
            self.rest()
        return wrote

    @property
    def is_resting(self) -> bool:
        """Whether no child runs."""
        return self._child is None

    @property
    def pid(self) -> int:
        """The child's process id; 0 while resting."""
        return self._child.pid if self._child else 0

    def finish(self) -> None:
        """Begins to rest, without waiting for the child's end. `rest` follows, or the next batch."""
        self._give_way()
        if self._child is not None:
            self._child.finish()

    def rest(self) -> None:
        """Ends the child well, so that its memory is free and its packs can be merged. The next batch starts one."""
        if self._child is not None and not self._child.is_finishing:
            self._give_way()
        if self._child is not None:
            self._child.end()
            self._child = None
            self._leftovers.end()

    def _give_way(self) -> None:
        if self._child is not None and self._at and self.ref.tip() != self._at:
            # A person set the branch back: as its last act the child would bring it forward again.
            self.abandon()
            self.settle()

    def abandon(self) -> None:
        """Ends the child at once and takes away what it leaves."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._leftovers.clear()

    def clear(self) -> list[str]:
        """Takes away what a child of an earlier process left; the names."""
        self._is_doubtful = self._is_doubtful or self._leftovers.has_dead
        return self._leftovers.clear()

    def settle(self) -> None:
        """No batch is to be repeated: nothing that a dead child wrote is needed any more."""
        self._leftovers.release()

    def _ready(self, onto: str) -> tuple[FastImport, bool]:
        """A child, and whether it has the branch at `onto` already."""
        if self._child is not None and self._child.is_finishing:
            self.rest()
        if self._child is not None and (self._at != onto or not self._child.is_alive()):
            self.abandon()
        if self._child is not None:
            return self._child, True
        self._leftovers.clear()
        if lock := self._leftovers.lock:
            raise DiedError(f"{lock} exists: a git holds the branch")
        if (found := self.ref.tip()) != onto:
            raise MovedError(self.ref.name, found)
        self._identity = identity(self.ref.git)
        self._child = FastImport(self.ref.git, options=_options())
        self._written = self._landings = 0
        self._leftovers.begin(self._child.pid)
        return self._child, False

    def _make_sure(self, wrote: str, onto: str) -> None:
        """Checks that all of the batch is there, once no gc runs that began before it landed. A child that died by
        itself has let its packs go, and the one after it did not write again what it found in them.

        Raises:
            DiedError: something is missing; the branch is set back, and the batch is to be repeated.
        """
        self._leftovers.await_sweepers()
        since = (f"^{onto}",) if onto else ()
        said = self.ref.git.call("rev-list", "--objects", "--quiet", wrote, *since, "--")
        if said.returncode:
            self.abandon()
            back = ("--no-deref", self.ref.name, onto, wrote) if onto else ("-d", self.ref.name, wrote)
            self.ref.git.call("update-ref", *back)
            raise DiedError("a gc took away what a dead child had written")
        self._is_doubtful = False

    def _is_landed(self, wrote: str) -> bool:
        found = self.ref.tip()
        if found == wrote:
            return True
        # Somebody may have committed on top of it in this very moment.
        return bool(found) and self.ref.git.succeeds("merge-base", "--is-ancestor", wrote, found)


def identity(git: Git) -> bytes:
    """Who commits: the repository's configured user, else `orchestrator <orchestrator@HOSTNAME>`."""
    said = git.call("var", "GIT_COMMITTER_IDENT")
    if said.returncode == 0 and (found := re.match(rb"(.*<[^<>\n]*>) \d+ [+-]\d{4}$", said.stdout.strip())):
        return found[1]
    host = re.sub(r"[^A-Za-z0-9.-]", "", socket.gethostname()) or "localhost"
    return f"orchestrator <orchestrator@{host}>".encode()


@cache
def _options() -> tuple[str, ...]:
    """unpackLimit: a pack is synced once, loose objects are not synced at all. core.fsync exists since git 2.36."""
    options: tuple[str, ...] = ("-c", "fastimport.unpackLimit=1", "-c", "core.logAllRefUpdates=false")
    # `git pack-refs` of a gc holds the branch for a moment: 100 ms of patience are not enough on a busy machine.
    options += ("-c", "core.filesRefLockTimeout=1000", "-c", "core.packedRefsTimeout=2000")
    said = Git(Path("/")).text("version")
    version = tuple(int(number) for number in re.findall(r"\d+", said)[:2])
    if version >= (2, 36):
        return (*options, "-c", "core.fsync=committed,reference")
    return (*options, "-c", "core.fsyncObjectFiles=true")


def _sync_folder(folder: Path) -> None:
    """Makes the rename of the ref itself durable: git syncs the file, not the folder that names it."""
    with suppress(OSError):  # packed refs and reftable have no such folder
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
