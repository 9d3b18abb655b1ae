"""Housekeeping beside the commits: the index for people, packs, what a person did in the work folder."""

import threading
import time
from collections.abc import Callable

from orchestrator.adapters.trail.maintenance import Maintenance
from orchestrator.adapters.trail.refresh import Index
from orchestrator.errors import OrchestratorError

_QUIET = 0.2  # seconds without a commit, after which the index follows
_UNDER_LOAD = 2.0  # seconds between two refreshes at least, while commits go on
_SHARE = 20  # ... and so many times what the last one took: a large index may not eat a core
_SHARE_QUIET = 4
_AGAIN = 0.5  # seconds, where somebody had the index; doubled each time
_AGAIN_AT_LEAST = 20.0
_MERGES_APART = 10.0


class House:
    """A thread that tidies when it is quiet, seldom under load, and sleeps while nothing happens."""

    def __init__(
        self,
        *,
        index: Callable[[], Index | None],
        tip: Callable[[], str],
        check: Callable[[Index], bool],
        upkeep: Maintenance,
    ) -> None:
        """`tip()` is the commit that the index is brought to; `check(index)` looks at what a person did in
        there, and says whether nothing is left to look at."""
        self._index = index
        self._tip = tip
        self._check = check
        self._upkeep = upkeep
        self._changed = threading.Condition()
        self._dirty = False
        self._dirty_since = 0.0
        self._closed = False
        self._last_commit = 0.0
        self._busy = threading.Lock()  # one refresh or merge at a time, by whichever thread
        self._took = 0.0
        self._commits = 0
        self._thread: threading.Thread | None = None
        self.trouble = ""

    def commits(self, count: int) -> None:
        """So many commits were just made."""
        with self._changed:
            self._last_commit = time.monotonic()
            self._commits += count
            if not self._dirty:
                self._dirty = True
                self._dirty_since = self._last_commit
                self._changed.notify_all()

    def start(self) -> None:
        """Starts the thread, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="trail-house", daemon=True)
            self._thread.start()

    def tidy(self) -> None:
        """Everything, now: what a person did, the index, packs, commit-graph, reflog."""
        self._follow()
        with self._busy:
            self._upkeep.merge()
            self._upkeep.graph(self._commits)
            self._upkeep.shorten_reflog()

    def follow(self) -> bool:
        """Brings the index to where the branch is; False where somebody has it."""
        return self._follow()

    def close(self) -> None:
        """Ends the thread and what it runs."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._upkeep.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        last = last_merge = 0.0
        again = _AGAIN
        while self._await_turn(last):
            last = time.monotonic()
            if self._follow():
                again = _AGAIN
            else:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, again)
                again = min(again * 2, _AGAIN_AT_LEAST)
            if last - last_merge > _MERGES_APART and self._upkeep.is_due():
                last_merge = last
                with self._busy:
                    self._upkeep.merge()

    def _await_turn(self, last: float) -> bool:
        """Waits until something is to be done; False when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._dirty or self._closed)
            while not self._closed:
                quiet = max(self._last_commit + _QUIET, last + _SHARE_QUIET * self._took)
                loaded = max(self._dirty_since + _UNDER_LOAD, last + _SHARE * self._took)
                wait = min(quiet, loaded) - time.monotonic()
                if wait <= 0:
                    break
                self._changed.wait_for(lambda: self._closed, wait)
            self._dirty = False
            return not self._closed

    def _follow(self) -> bool:
        with self._busy:
            begun = time.monotonic()
            try:
                index = self._index()
                if index is None:
                    return True
                done = self._check(index)
                done = index.refresh(self._tip()) and done
                self.trouble = ""
            except (OrchestratorError, OSError) as error:
                # The index is for people's eyes only: what went wrong with it is said, and it is tried again.
                self.trouble = str(error)
                done = False
            finally:
                self._took = time.monotonic() - begun
        if not done:
            with self._changed:
                self._dirty = True
                self._changed.notify_all()
        return done
