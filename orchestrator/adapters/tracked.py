"""Tracked mode: `work/` lies on the branch that is checked out. Publishing is rare and calm (ARCHITECTURE, commits).

Transitions wait in `<state>/tracked.pending` and are published together, at most every `publish_every`, only while git
is quiet and HEAD is on the branch that it started on. The disk is the truth: nothing is ever written to it here.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from orchestrator.adapters.trail import files
from orchestrator.adapters.trail.compare import task_of
from orchestrator.adapters.trail.journal import Journal
from orchestrator.adapters.trail.maintenance import Maintenance
from orchestrator.adapters.trail.ref import Ref, repository
from orchestrator.core.layout import INBOX
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Change, Transition
from orchestrator.errors import OrchestratorError
from orchestrator.ports import Recovered

_BATCH = 2000  # transitions of one publishing
_TRIES = 5  # at once, where somebody commits while we make ours
_HOLD = 0.2  # seconds; 150 ms gave no bad commit in the measurement (GIT-FACTS 1e)
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
        self._publisher = Publisher(self._checkout, place.state, hold=_HOLD if every else 0.0)
        self._journal = Journal(place.state / "tracked.journal")
        self._pending = Pending(place.state / "tracked.pending")
        self._branch = ""
        self._choose_branch()
        self._seen = ""  # the commit whose work folder was last made, or found, as it should be
        self._published: _Published | None = None
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
        """What publishing waits for, in a sentence; empty: for nothing but its time."""
        count = len(self._pending)
        return f"{count} commits wait to be published: {self._pace.waiting}" if count and self._pace.waiting else ""

    @property
    def trouble(self) -> str:
        """Why nothing can be published now, in a sentence; empty: all is well."""
        return self._pace.broken or self._pending.trouble or self.waiting

    def intend(self, paths: Sequence[str]) -> int:
        """Notes that these paths are about to change. Raises OSError where that cannot be noted."""
        return self._journal.intend(paths)

    def record(self, intent: int, transition: Transition) -> None:
        """Hands the transition over; it is published when it is time."""
        self._pending.add(intent, transition)
        self._pace.nudge()

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
        if len(self._pending):
            self._pace.nudge()

    def recover(self, extra_paths: Sequence[str] = ()) -> Recovered:
        """What an earlier process did not publish waits again; what it did not even hand over is recorded now."""
        with self._turn:
            self._publisher.clear()
            self._settle_begun()
            tip = self.tip()
            found = self._journal.found
            paths = {path for paths in found.open.values() for path in paths} | set(extra_paths)
            changes, notes = self._uncommitted(paths, tip)
            if not found.trusted or not found.tip:
                others, more = self._uncommitted(set(self._publisher.suspects(tip)) - paths, tip)
                notes += more
                # What a person has put into the inbox is theirs to commit until it is claimed.
                changes += [each for each in others if each.content is None or not each.path.startswith(f"{INBOX}/")]
            transitions = _by_task(changes, self._now())
            for transition in transitions:
                self._pending.add(0, transition)
            self._journal.restart(tip)
            self._seen = tip
        if len(self._pending):
            self._pace.nudge()
        return Recovered(commits=len(transitions), paths=tuple(each.path for each in changes), notes=tuple(notes))

    def _uncommitted(self, paths: set[str], tip: str) -> tuple[list[Change], list[str]]:
        """Where the disk is neither as in the commit nor as in what waits to be put on it."""
        waiting = {change.path: change for each in self._pending.all() for change in each.transition.changes}
        changes, notes = self._publisher.differences(sorted(paths), tip)
        differing = {change.path: change for change in changes}
        for path in paths & waiting.keys():
            on_disk = _on_disk(self._checkout, path)
            if _same(on_disk, waiting[path]):
                differing.pop(path, None)
            else:
                differing[path] = on_disk
        return list(differing.values()), notes

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
            self._published = _Published(begun.old, begun.new, _paths(done), math.inf)
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

    def _publish_batch(self) -> None:
        batch = self._pending.all()[:_BATCH]
        old = self.tip()
        new = self._publisher.chain([each.transition for each in batch], old)
        numbers = tuple(each.number for each in batch)
        paths = _paths(batch)
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

    def _mend_index(self) -> None:
        """A person's git that had read the index before we published may have put it back: ours goes in again."""
        last = self._published
        if last is None or time.monotonic() > last.until:
            return
        tip = self.tip()
        if self._publisher.lags(last.old, tip, last.paths):
            self._publisher.move(self._branch, old=tip, new=tip, base=last.old, paths=last.paths)

    def _look_at_branch(self) -> None:
        """A commit made from an index that was read before we published takes our files back: the disk is the truth.

        What the disk does not have either was taken away on purpose, and stays away.
        """
        tip = self.tip()
        if not self._seen or tip == self._seen:
            self._seen = tip
            return
        busy = self._journal.in_flight() | set(_paths(self._pending.all()))
        paths = [path for path in self._publisher.changed_between(self._seen, tip) if path not in busy]
        off, _ = self._publisher.differences(paths, tip)
        still_off = {
            change.path for change in self._publisher.differences([change.path for change in off], self._seen)[0]
        }
        taken_back = tuple(change for change in off if change.path not in still_off)
        if taken_back:
            count = len(taken_back)
            self._pending.add(
                0,
                Transition(
                    subject=f"task: repaired {count} {'file' if count == 1 else 'files'}",
                    at=self._now(),
                    body=f"Commit {tip[:12]} was made from an index of before and took them back; the disk has them.",
                    trailers={"Task-Transition": "repaired"},
                    changes=taken_back,
                ),
            )
        self._seen = tip


def _paths(batch: Sequence[Waiting]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(change.path for each in batch for change in each.transition.changes))


def _on_disk(checkout: Checkout, path: str) -> Change:
    match files.read(checkout.root / checkout.prefix, path):
        case files.OnDisk(content=content, executable=executable):
            return Change(path=path, content=content, executable=executable)
        case _:
            return Change(path=path, content=None)


def _same(one: Change, other: Change) -> bool:
    return one.content == other.content and (one.content is None or one.executable == other.executable)


def _by_task(changes: Sequence[Change], now: datetime) -> list[Transition]:
    """One commit a task, and one for what belongs to none."""
    groups: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda change: change.path):
        groups.setdefault(task_of(change.path), []).append(change)
    return [
        Transition(
            subject=f"task: recovered {task_id or f'{len(group)} files'}",
            at=now,
            body="On disk and not committed when the daemon started.",
            trailers={"Task-Id": task_id, "Task-Transition": "recovered"},
            changes=tuple(group),
        )
        for task_id, group in groups.items()
    ]
