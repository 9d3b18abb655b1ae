"""Tracked mode: `work/` lies on the branch that is checked out. Publishing is rare and calm (ARCHITECTURE, commits).

Transitions wait in `<state>/tracked.pending` and are published together, at most every `publish_every`, only while git
is quiet and HEAD is on the branch that it started on. The disk is the truth: nothing is ever written to it here.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters import tracked_quiet
from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.adapters.tracked_index import Checkout
from orchestrator.adapters.tracked_pace import Pace
from orchestrator.adapters.tracked_pending import Begun, Pending, Waiting
from orchestrator.adapters.tracked_publish import Publisher
from orchestrator.adapters.tracked_quiet import JustMovedError, NotNowError
from orchestrator.adapters.tracked_recovery import by_task, compared, paths_of, taken_back, uncommitted
from orchestrator.adapters.tracked_upstream import Upstream
from orchestrator.adapters.trail.journal import Journal
from orchestrator.adapters.trail.maintenance import Maintenance
from orchestrator.adapters.trail.ref import Ref, repository
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Transition
from orchestrator.errors import OrchestratorError
from orchestrator.ports import Recovered

_CALM = 1.0  # seconds between publishings, up to which a clone with a remote counts as the daemon's own
_BATCH = 2000  # transitions of one publishing
_TRIES = 5  # at once, where somebody commits while we make ours
_HOLD = 0.2  # seconds; 150 ms gave no bad commit in the measurement (GIT-FACTS 1e)
_FOLLOW = 30.0  # seconds between two looks at the remote while nothing is published
_WATCH = (0.3, 1.0, 2.0)  # seconds after a publishing at which the index is looked at again


@dataclass(frozen=True, slots=True)
class _Published:
    """The last publishing: a person's git that was at work then may still put the old index back."""

    old: str
    new: str
    paths: tuple[str, ...]
    until: float  # monotonic; what the index lacks later than that, a person took out of it


def checkout_of(place: Place) -> Checkout:
    """The checkout around a workspace.

    Raises:
        OrchestratorError: there is none (no git, a bare repository), or the work folder is not below it.
    """
    if place.git_dir is None or place.common_dir is None or place.bare:
        raise OrchestratorError(f"{place.root}: trail.mode tracked needs a checkout; use `trail: {{mode: own}}`")
    top = Path(Git(place.root).text("rev-parse", "--show-toplevel")).resolve()
    work = place.work.resolve()
    if top not in work.parents:
        raise OrchestratorError(
            f"{work} is not below {top}: trail.mode tracked needs it there; move it, or use mode own"
        )
    return Checkout(
        root=top, git_dir=place.git_dir, common=place.common_dir, prefix=work.relative_to(top).as_posix() + "/"
    )


def open_tracked(place: Place, settings: TrailSettings) -> "tuple[TrackedTrail, list[str]]":
    """The trail of tracked mode, ready, and what had to be mended for it.

    Raises:
        OrchestratorError: there is no checkout here to publish in.
    """
    place.work.mkdir(parents=True, exist_ok=True)
    return TrackedTrail(place, settings), []


class TrackedTrail:
    """The trail on the checked-out branch. Handing over never waits; one thread publishes."""

    def __init__(
        self, place: Place, settings: TrailSettings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Reads what an earlier process left; publishes nothing before `recover` or `record`.

        Raises:
            OrchestratorError: there is no checkout here to publish in.
        """
        self._now = now
        every = settings.publish_every.total_seconds()
        self._checkout = checkout_of(place)
        is_own_clone = bool(settings.remote) and every <= _CALM
        self._publisher = Publisher(self._checkout, place.state, hold=0.0 if is_own_clone else _HOLD)
        self._journal = Journal(place.state / "tracked.journal")
        self._pending = Pending(place.state / "tracked.pending")
        self._branch = ""
        self._choose_branch()
        self._seen = ""  # the commit whose work folder was last made, or found, as it should be
        self._published: _Published | None = None
        self._upstream: Upstream | None = None  # only a clone of its own follows its remote and pushes by itself
        if is_own_clone:
            self._upstream = Upstream(self._checkout, self._publisher, settings.remote)
        self._turn = threading.Lock()  # the pace's thread, `recover` and `idle` work one at a time
        self._pace = Pace(
            every=every, has_work=lambda: bool(len(self._pending)), publish=self._publish, look=self._look
        )

    @property
    def backlog(self) -> int:
        """Transitions that are not on the branch yet."""
        return len(self._pending)

    @property
    def waiting(self) -> str:
        """What publishing waits for although nothing is wrong, in a sentence; empty: for nothing but its time."""
        count, why = len(self._pending), self._pace.waiting
        if count and why:
            return f"{count} {'commit waits' if count == 1 else 'commits wait'} to be published: {why}"
        return self._upstream.why if self._upstream else ""

    @property
    def trouble(self) -> str:
        """Why nothing can be published now, in a sentence; empty: all is well."""
        return self._pace.broken or self._pending.trouble

    def intend(self, paths: Sequence[str]) -> int:
        """Notes that these paths are about to change. Raises OSError where that cannot be noted."""
        return self._journal.intend(paths)

    def record(self, intent: int, transition: Transition) -> None:
        """Hands the transition over; it is published when it is time."""
        self._pending.add(intent, transition)
        self._pace.nudge()

    def forgo(self, intent: int) -> None:
        """Nothing will be recorded for that intent after all."""
        self._journal.forgo(intent)

    def flush(self, seconds: float) -> bool:
        """Publishes without waiting for its time; False where git was not quiet long enough."""
        numbers = {waiting.number for waiting in self._pending.all()}
        return self._pace.urge(seconds, lambda: not any(each.number in numbers for each in self._pending.all()))

    def tip(self) -> str:
        """The newest commit of the branch, or ''."""
        return self._publisher.tip(self._branch) if self._branch else ""

    def close(self) -> None:
        """Stops publishing; what waits is in the file and goes on at the next start."""
        self._pace.close()
        with self._turn:
            self._publisher.rest()
            self._journal.close()

    def idle(self) -> None:
        """Looks whether somebody's commit took files of ours back, merges packs, compacts the journal."""
        with suppress(OrchestratorError, OSError), self._turn:
            self._look_at_branch()
            self._journal.compact()
            if self._branch:
                Maintenance(Ref(repository(self._checkout.common), self._branch)).merge()
        if self._upstream and self._upstream.is_due(_FOLLOW):
            self._pace.look_in((0.0,))  # in its thread: a network may take its time
        if len(self._pending):
            self._pace.nudge()

    def follow(self) -> bool:
        """In a clone of its own: takes in what the remote has, puts our commits on top and pushes; whether it could.

        Elsewhere nothing happens: a person fetches and pushes.
        """
        if self._upstream is None or not self._branch:
            return True
        with self._turn:
            followed = self._upstream.follow(self._branch)
            self._look_at_branch()
        return followed

    def recover(self, extra_paths: Sequence[str] = ()) -> Recovered:
        """What an earlier process did not publish waits again; what it did not even hand over is recorded now."""
        with self._turn:
            self._publisher.clear()
            self._settle_begun()
            tip = self.tip()
            found = self._journal.found
            paths = {path for paths in found.open.values() for path in paths} | set(extra_paths)
            pending = self._pending.all()
            changes, notes = uncommitted(self._publisher, pending, paths, tip)
            if not found.trusted or not found.tip:
                others, more = compared(self._publisher, pending, paths, tip)
                changes, notes = changes + others, notes + more
            body = "On disk and not committed when the daemon started."
            transitions = by_task(changes, word="recovered", at=self._now(), body=body)
            for transition in transitions:
                self._pending.add(0, transition)
            self._journal.restart(tip)
            self._seen = tip
        if len(self._pending):
            self._pace.nudge()
        return Recovered(commits=len(transitions), paths=tuple(each.path for each in changes), notes=tuple(notes))

    def _settle_begun(self) -> None:
        """A process died while it published: either the branch moved, and the index has to follow, or it did not."""
        begun = self._pending.begun
        if begun is None:
            return
        tip = self._publisher.tip(begun.branch)
        batch = [each for each in self._pending.all() if each.number in begun.numbers]
        if not batch or not tip:
            return
        there = self._publisher.contains([each.transition for each in batch], begun.old, tip)
        done = [each for each, is_there in zip(batch, there, strict=True) if is_there]
        if done:
            self._published = _Published(begun.old, begun.new, paths_of(done), math.inf)
        self._acknowledge(done, tip)
        self._pace.look_in(_WATCH[:1])

    def _choose_branch(self) -> None:
        """The branch that what waits was made for, while it exists; else the one that is checked out."""
        meant = self._pending.branch
        self._branch = meant if meant and self._publisher.tip(meant) else tracked_quiet.head(self._checkout.git_dir)
        self._pending.go_to(self._branch)

    # --- publishing, in the pace's thread ----------------------------------------------------------------------

    def _publish(self) -> None:
        with self._turn:
            if not self._branch:
                self._choose_branch()
            if not self._branch:
                raise NotNowError("HEAD is detached; git switch to the branch that the queue is to be on")
            for left in range(_TRIES, 0, -1):
                try:
                    self._publisher.check_quiet(self._branch)
                    self._mend_index()
                    self._look_at_branch()
                    self._publish_batch()
                    break
                except JustMovedError:
                    if left == 1:
                        raise
        self._pace.look_in(_WATCH)
        self.follow()

    def _publish_batch(self) -> None:
        batch = self._pending.all()[:_BATCH]
        old = self.tip()
        new = self._publisher.chain([each.transition for each in batch], old)
        numbers = tuple(each.number for each in batch)
        paths = paths_of(batch)
        self._publisher.move(
            self._branch,
            old=old,
            new=new,
            paths=paths,
            begin=lambda: self._pending.begin(Begun(self._branch, old, new, numbers)),
        )
        self._seen = new
        self._published = _Published(old, new, paths, time.monotonic() + _WATCH[-1] + 1)
        self._acknowledge(batch, new)

    def _acknowledge(self, batch: Sequence[Waiting], tip: str) -> None:
        self._pending.finish([each.number for each in batch])
        self._journal.acknowledge([each.intent for each in batch if each.intent], tip)

    def _look(self) -> None:
        with self._turn:
            self._mend_index()
            self._look_at_branch()
        if self._upstream and self._upstream.is_due(_FOLLOW):
            self.follow()

    def _mend_index(self) -> None:
        """A person's git that had read the index before we published may have put it back: ours goes in again."""
        last = self._published
        if last is None or tracked_quiet.head(self._checkout.git_dir) != self._branch:
            return
        if time.monotonic() > last.until:
            self._published = None
            return
        tip = self.tip()
        if self._publisher.lags(last.old, tip, last.paths):
            self._published = replace(last, until=math.inf)  # it may take a while until git is quiet
            self._publisher.move(self._branch, old=tip, new=tip, base=last.old, paths=last.paths)
            self._published = replace(last, until=time.monotonic() + _WATCH[-1])

    def _look_at_branch(self) -> None:
        """A commit made from an index that was read before we published takes our files back: the disk is the truth."""
        tip = self.tip()
        if self._seen and tip != self._seen:
            busy = self._journal.in_flight() | set(paths_of(self._pending.all()))
            changes = taken_back(self._publisher, seen=self._seen, tip=tip, busy=busy)
            body = f"Commit {tip[:12]} was made from an index of before and took this back; the disk has it."
            for transition in by_task(changes, word="repaired", at=self._now(), body=body):
                self._pending.add(0, transition)
        self._seen = tip
