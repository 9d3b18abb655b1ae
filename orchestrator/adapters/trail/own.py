"""The trail in own mode: a branch of its own in a linked worktree, one commit a transition, in groups.

Handing over never waits. A committer thread writes; a housekeeping thread keeps the work folder's index and the packs
in order. All state that matters is on disk: the files, the branch, and the journal of what is under way.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.place import WORK_MARKER, Place
from orchestrator.adapters.trail import worktree
from orchestrator.adapters.trail.committer import Committer
from orchestrator.adapters.trail.compare import Comparison
from orchestrator.adapters.trail.house import House
from orchestrator.adapters.trail.journal import Journal
from orchestrator.adapters.trail.landing import Landing
from orchestrator.adapters.trail.maintenance import Maintenance
from orchestrator.adapters.trail.queue import Group, Queue, Waiting
from orchestrator.adapters.trail.refresh import Index, clear_leftovers
from orchestrator.adapters.trail.registration import admin_of
from orchestrator.adapters.trail.stream import checked
from orchestrator.core.layout import INBOX
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Transition
from orchestrator.errors import OrchestratorError
from orchestrator.ports import Recovered

_REST_AFTER = 5.0  # seconds without work, after which the child is ended
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each further try; the last one again and again
_WATCHED = 1.0  # seconds that such a command may go on after it wrote the index
_COURTESY = 1.0  # seconds that a person's git may hold the work folder's index.lock before we commit all the same
_CLOSING = 15.0  # seconds to become durable in when closing


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OwnTrail:
    """The port `Trail`. `worktree.create` must have been called once in this repository, or `recover`."""

    def __init__(self, place: Place, settings: TrailSettings, *, now: Callable[[], datetime] = _utc_now) -> None:
        """Starts nothing yet. Raises NotFoundError where there is no repository."""
        self._place = place
        self._settings = settings
        self._ref = worktree.ref_of(place, settings)
        self._journal = Journal(place.state / "trail.journal")
        self._committer = Committer(self._ref, record=place.state / worktree.RECORD)
        self._comparison = Comparison(self._ref.git, place.work)
        self._landing = Landing(
            committer=self._committer,
            comparison=self._comparison,
            journal=self._journal,
            admin=self._admin,
            mend=self._mend,
            now=now,
        )
        self._queue = Queue()
        self._lock = threading.RLock()  # the branch, the child and the landing belong to whoever has it
        self._index: Index | None = None
        self._upkeep = Maintenance(self._ref)
        self._house = House(index=self._find_index, tip=self.tip, check=self._look_around, upkeep=self._upkeep)
        self._thread: threading.Thread | None = None
        self._trouble = ""
        self._known_admin: Path | None = None
        self._forgone: deque[tuple[str, ...]] = deque()
        self._watched_until = 0.0  # somebody is at work in the work folder
        self._was_watched = False
        self._was_touched_before = False  # ... or was, before this process came
        self._closed = False

    @property
    def backlog(self) -> int:
        """Transitions handed over and not yet durable."""
        return self._queue.backlog

    @property
    def trouble(self) -> str:
        """Why nothing can be committed now, in a sentence; empty: all is well."""
        return self._trouble

    @property
    def waiting(self) -> str:
        """Never for anything."""
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know, since this was last asked: what came back, and links and huge files left out."""
        with self._lock:
            notes = (*self._landing.notes, *((self._upkeep.trouble,) if self._upkeep.trouble else ()))
            self._landing.notes.clear()
            self._upkeep.trouble = ""
            return notes

    @property
    def child(self) -> int:
        """The process id of the git child; 0 while none runs."""
        return self._committer.pid

    def intend(self, paths: Sequence[str]) -> int:
        """Notes that these paths are about to change, before the first of them does. Raises OSError where it cannot."""
        return self._journal.intend(paths)

    def record(self, intent: int, transition: Transition) -> None:
        """Hands the transition over to be committed; it must hold every intended path that changed.

        Raises:
            PathRefusedError: a path that no tree can have; nothing was handed over.
        """
        for change in transition.changes:
            checked(change.path)
        self._queue.put(Waiting(intent, transition))
        if self._thread is None:
            self._start()

    def forgo(self, intent: int) -> None:
        """Nothing will be recorded for that intent after all; its paths are compared with the branch."""
        self._forgone.append(self._journal.forgo(intent))  # looked at later: whoever calls is not to wait for a commit

    def flush(self, seconds: float) -> bool:
        """Waits until all that was handed over is durable; False where it is not by then."""
        return self._queue.flush(seconds)

    def prepare(self) -> tuple[str, ...]:
        """Makes the work folder a worktree of the branch, and whole, before anything in it is read; what was mended.

        Raises:
            OrchestratorError: it cannot be, and what to do.
            OSError: the disk refuses.
        """
        with self._lock:
            repaired = worktree.create(
                self._place, self._settings, last_tip=self._landing.tip, leave=self._journal.in_flight
            )
        return repaired.notes

    def _without_drops(self, paths: set[str]) -> set[str]:
        """What lies in the inbox was looked at by nobody yet: it may hold a secret. Whoever takes it up commits it."""
        lying = {path for path in paths if path.startswith(f"{INBOX}/") and os.path.lexists(self._place.work / path)}
        return paths - lying

    def recover(self, extra_paths: Sequence[str] = ()) -> Recovered:
        """Makes the work folder whole, then commits what is on disk and not on the branch.

        After a kill only what was under way is looked at; everything, where the journal cannot say what that was.

        Raises:
            OrchestratorError: it cannot be, and what to do.
            OSError: the disk refuses.
        """
        with self._lock:
            self._committer.clear()
            repaired = worktree.repair(
                self._place, self._settings, last_tip=self._landing.tip, leave=self._journal.in_flight
            )
            tip = self._ref.tip()
            paths = self._under_way(tip)
            notes = list(repaired.notes)
            is_everything = paths is None
            if paths is None:
                notes.append("everything on disk was compared with the branch")
                admin = self._admin()
                paths = set(self._comparison.suspects(admin, tip)) if admin else set()
            self._index = None
            if (admin := self._admin()) is not None:
                clear_leftovers(admin)
            index = self._find_index()
            self._was_touched_before = index is not None and index.was_touched() and not is_everything
            done = self._landing.commit_differences(self._without_drops(paths | set(extra_paths)), tip, "recovered")
            self._landing.foreign.append(tip)
            self._landing.tip = done.tip
            self._committer.settle()
            self._journal.restart(done.tip)
        self._house.commits(done.commits)
        self._house.start()
        return Recovered(
            commits=done.commits,
            paths=tuple(done.paths),
            restored=repaired.restored,
            notes=(*notes, *done.notes),
        )

    def idle(self) -> None:
        """Housekeeping, when nothing else goes on: the folder, the child, the index, packs, the journal."""
        try:
            with self._lock:
                self._mend_folder()
                self._landing.catch_up()
                if not self.backlog and self._upkeep.is_child_old():
                    self._committer.rest()
            self._house.tidy()
            self._journal.compact()
        except (OrchestratorError, OSError) as error:
            self._landing.notes.append(str(error))

    def tip(self) -> str:
        """The newest commit of ours, or ''."""
        return self._landing.tip

    def close(self) -> None:
        """Ends the child; what was handed over is durable or in the journal."""
        if self._closed:
            return
        self._closed = True
        self._queue.close()
        if self._thread is not None:
            self._thread.join(_CLOSING)
            if self._thread.is_alive():  # it hangs in a child that does not answer
                self._committer.abandon()
                self._thread.join()
        self._house.close()
        with self._lock:
            self._committer.finish()  # it does so while the index follows
        self._house.follow()
        with self._lock:
            self._committer.rest()
        self._journal.close()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="trail-committer", daemon=True)
                self._thread.start()
                self._house.start()

    def _run(self) -> None:
        while (batch := self._queue.take(None if self._committer.is_resting else _REST_AFTER)) is not None:
            if batch:
                if not self._land(batch):
                    return
            else:
                with self._lock:
                    self._committer.rest()

    def _land(self, batch: Group) -> bool:
        """Until it is durable; False where the trail is closed first: then the journal has it."""
        tries, waiting = 0, len(batch)
        closing_at = 0.0
        while waiting:
            self._let_a_commit_end()
            try:
                with self._lock:
                    self._landing.land(batch)
                self._trouble = ""
            except (OrchestratorError, OSError) as error:
                # A child that died once is normal (gc takes away its temporary pack); twice is a reason to speak.
                if tries:
                    self._trouble = _sentence(self._ref.git.folder.as_posix(), str(error))
                if self._queue.is_closed:
                    closing_at = closing_at or time.monotonic() + _CLOSING / 3
                    if time.monotonic() > closing_at:
                        return False
                    time.sleep(_PAUSES[0])  # a closed queue does not pause
                self._queue.pause(_PAUSES[min(tries, len(_PAUSES) - 1)] if tries else 0)
                tries += 1
            if landed := waiting - len(batch):  # the house may have seen the end of it, too
                waiting -= landed
                self._queue.acknowledge(landed)
                self._house.commits(landed)
        return True

    def _let_a_commit_end(self) -> None:
        """A person may be committing in the work folder: git holds its index.lock, and would say that HEAD moved."""
        admin = self._admin()
        until = time.monotonic() + _COURTESY
        while admin is not None and (admin / "index.lock").exists() and time.monotonic() < until:
            time.sleep(0.005)  # nothing tells when a lock goes

    def _under_way(self, tip: str) -> set[str] | None:
        """The paths that may differ from the branch; None: any."""
        found = self._journal.found
        if not found.trusted or not found.tip:
            return None
        foreign = self._comparison.changed_between(found.tip, tip)
        return None if foreign is None else {*foreign, *(path for paths in found.open.values() for path in paths)}

    def _look_around(self, index: Index) -> bool:
        """What others did meanwhile, to the branch and in the work folder; whether nothing is left to look at."""
        # A reset, checkout or stash in there may have brought back what our last commits changed, and may still go on
        # after it wrote the index: so all that changed lately is looked at, now and once more.
        if index.was_touched():
            self._watched_until = time.monotonic() + _WATCHED
        suspects: list[str] = []
        if self._was_touched_before and (admin := self._admin()) is not None:
            # While no daemon ran: nothing is known of it, so every file is looked at, while the work goes on.
            suspects = self._comparison.suspects(admin, self.tip())
        with self._lock:
            self._landing.catch_up()
            self._landing.doubtful.update(suspects)
            while self._forgone:
                self._landing.doubtful.update(self._forgone.popleft())
            self._was_touched_before = False
            for commit in self._landing.foreign:
                index.also_at(commit)
            self._landing.foreign.clear()
            is_watched = time.monotonic() < self._watched_until
            if is_watched or self._was_watched:
                self._landing.doubt_lately_changed()
            self._was_watched = is_watched
            self._landing.check_doubtful()
            return not self._landing.doubtful and not is_watched

    def _mend_folder(self) -> None:
        admin = self._admin()
        if admin is None or not self._place.work.joinpath(".git").exists():
            self._mend()

    def _mend(self) -> None:
        repaired = worktree.repair(
            self._place, self._settings, last_tip=self._landing.tip, leave=self._journal.in_flight
        )
        self._landing.notes += repaired.notes
        if repaired.restored:  # what was changing meanwhile came back as neither the branch nor we left it
            self._landing.doubtful.update(self._journal.in_flight())
            self._landing.doubt_lately_changed()
        self._index = None

    def _find_index(self) -> Index | None:
        admin = self._admin()
        if admin is not None and self._index is None:
            self._index = Index(admin, self._place.work)
        return self._index if admin is not None else None

    def _admin(self) -> Path | None:
        if self._known_admin is None or not (self._known_admin / WORK_MARKER).is_file():
            self._known_admin = admin_of(self._ref.git.folder)
        return self._known_admin


def _sentence(where: str, words: str) -> str:
    hint = "it is tried again every few seconds"
    if "No space left" in words or "File too large" in words or "Disk quota" in words:
        hint = "free some space; " + hint
    elif "Read-only" in words or "Permission denied" in words or "insufficient permission" in words:
        hint = "make it writable; " + hint
    elif ".lock" in words:
        hint = "if no git runs there, remove that lock; " + hint
    return f"{where}: nothing can be committed now, and nothing is lost ({words.rstrip('.')}): {hint}"
