"""Keeping the repository small and quick while it fills: packs merged, a commit-graph, short reflogs.

Each in a child with a limit on time, never `gc`: only what cannot take anything from anybody.
"""

import os
import subprocess
from contextlib import suppress

from orchestrator.adapters.trail.ref import Ref

PACKS = 50  # more of them than that slow down every `git log` (1,869: 1.3 s instead of 0.08 s)
_SECONDS = 600
_GRAPH_AFTER = 2000  # commits since the last commit-graph
_REFLOG = 4 << 20  # bytes


class Maintenance:
    """The upkeep of one repository. For one thread at a time; `stop` from any."""

    def __init__(self, ref: Ref) -> None:
        self._ref = ref
        self._packs = ref.git.folder / "objects" / "pack"
        self._graphed = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self.trouble = ""  # why the last upkeep failed

    def packs(self) -> int:
        """Packs that could be merged: not kept, and none of a partial clone."""
        try:
            names = set(os.listdir(self._packs))
        except OSError:
            return 0
        if any(name.endswith(".promisor") for name in names):
            return 0
        return sum(name.endswith(".pack") and f"{name[:-5]}.keep" not in names for name in names)

    def is_child_old(self) -> bool:
        """Whether the packs of the living child, kept from being merged, are too many by themselves."""
        with suppress(OSError):
            return sum(name.endswith(".keep") for name in os.listdir(self._packs)) > PACKS
        return False

    def is_due(self, more_than: int = PACKS) -> bool:
        """Whether there are too many packs."""
        return self.packs() > more_than

    def merge(self, more_than: int = PACKS) -> None:
        """Merges the small packs into larger ones, where there are too many; one that is large stays as it is."""
        if self.is_due(more_than):
            self._run("-c", "pack.threads=1", "repack", "--geometric=2", "-d", "-l", "-q")

    def graph(self, commits: int) -> None:
        """Writes a layer of commit-graph with changed paths, after enough commits: `log -- path` in milliseconds."""
        if commits - self._graphed < _GRAPH_AFTER or not (tip := self._ref.tip()):
            return
        self._graphed = commits
        self._run("commit-graph", "write", "--stdin-commits", "--changed-paths", "--split", "--no-progress", told=tip)

    def shorten_reflog(self) -> None:
        """A reflog grows by a line a landing: a day of it is kept, and for long what a reset took away."""
        log = self._ref.git.folder / "logs" / self._ref.name
        with suppress(OSError):
            if log.stat().st_size > _REFLOG:
                self._run("reflog", "expire", "--expire=1.day", "--expire-unreachable=90.days", self._ref.name)

    def stop(self) -> None:
        """Ends what runs: all of it can be done another time."""
        self._stopped = True
        if (child := self._child) is not None:
            with suppress(OSError):
                child.terminate()

    def _run(self, *args: str, told: str = "") -> None:
        git = self._ref.git
        try:
            self._child = subprocess.Popen(
                git.command("-c", "core.fsync=committed,reference", *args),
                cwd=git.folder,
                env=git.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with self._child as child:
                if self._stopped:
                    child.terminate()
                self._wait(child, told)
        except OSError as error:
            self.trouble = f"git {args[0]}: {error}"
        finally:
            self._child = None

    def _wait(self, child: "subprocess.Popen[bytes]", told: str) -> None:
        try:
            _, said = child.communicate(told.encode() + b"\n", timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            self.trouble = f"merging packs took longer than {_SECONDS} s and was ended"
            return
        failed = child.returncode and not self._stopped
        self.trouble = said.decode(errors="replace").strip()[-500:] if failed else ""
