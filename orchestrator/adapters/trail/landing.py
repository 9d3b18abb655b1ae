"""Putting batches on the branch, whoever else moves it: nothing twice, nothing lost, the disk is the truth."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path

from orchestrator.adapters.trail.committer import Committer
from orchestrator.adapters.trail.compare import Comparison, Difference, task_of
from orchestrator.adapters.trail.journal import Journal
from orchestrator.adapters.trail.queue import MOST, Group
from orchestrator.adapters.trail.registration import head_of
from orchestrator.adapters.trail.stream import message_bytes, raw_time
from orchestrator.core.transition import Change, Transition

_BYTES_AT_ONCE = 32 << 20
_CHECKED_AT_ONCE = 2000  # paths: commits wait meanwhile
_LATELY = 15.0  # seconds of our commits that a command of a person's may work against
_FILES_A_COMMIT = 512  # where files belong to no task


@dataclass(slots=True, kw_only=True)
class Committed:
    """What comparing with the disk led to."""

    tip: str
    commits: int
    paths: list[str]
    notes: list[str]


class Landing:
    """The branch as we last left it, and the way onto it. Guarded by the trail's lock."""

    def __init__(
        self,
        *,
        committer: Committer,
        comparison: Comparison,
        journal: Journal,
        admin: Callable[[], Path | None],
        mend: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """`admin()` is the git directory of the work folder; `mend()` brings a deleted branch back."""
        self._committer = committer
        self._comparison = comparison
        self._journal = journal
        self._admin = admin
        self._mend = mend
        self._now = now
        self._batch: Group = deque()  # what is being landed; shared with whoever asked for it
        self._unanswered: list[Transition] = []  # sent to a child that died before it answered
        self.tip = journal.found.tip or committer.ref.tip()
        self.doubtful: set[str] = set()  # paths to compare with the disk once they are no longer changing
        self._lately: deque[tuple[float, list[str]]] = deque()  # what each landing changed, and when
        self.foreign: list[str] = []  # where others moved the branch to, since somebody last asked
        self.notes: list[str] = []

    def land(self, batch: Group) -> None:
        """Commits the batch and empties it as it becomes durable. To be called again with the rest where it raises.

        Raises:
            OrchestratorError, OSError: it cannot be now.
        """
        self._batch = batch
        self.catch_up()
        self._unanswered = [waiting.transition for waiting in batch]
        self.tip = self._committer.commit(self._unanswered, self.tip)
        self._acknowledge(len(batch))

    def catch_up(self) -> None:
        """Notices what became of the last batch, and what others did to the branch meanwhile. Raises as `land`."""
        found = self._committer.ref.tip()
        if found == self.tip:
            return
        if self._unanswered:
            self._count_landed(found)
        if not found:
            self._mend()
            found = self._committer.ref.tip()
        if found != self.tip:
            self._absorb(found)

    def doubt_lately_changed(self) -> None:
        """Somebody is at work in the work folder: what our last commits changed may have been undone on disk.

        Not the difference of two commits: a task that was claimed and finished meanwhile is in neither.
        """
        for _, paths in self._lately:
            self.doubtful.update(paths)

    def check_doubtful(self) -> None:
        """Compares with the disk what could not be compared before. Raises as `land`."""
        if not self.doubtful or not self._has_branch():
            return
        ready = set(islice(self.doubtful - self._journal.in_flight(), _CHECKED_AT_ONCE))
        self.tip = self.commit_differences(ready, self.tip, "repaired").tip
        self.doubtful -= ready

    def commit_differences(self, paths: Collection[str], tip: str, word: str) -> Committed:
        """Commits those of the paths where the disk is not as in `tip`, one commit a task. Raises as `land`."""
        done = Committed(tip=tip, commits=0, paths=[], notes=[])
        ordered = sorted(paths, key=lambda path: (task_of(path), path))
        for chain in _in_chains(self._transitions(self._comparison.differences(ordered, tip), word, done)):
            done.tip = self._committer.commit(chain, done.tip)
            done.commits += len(chain)
        return done

    def _count_landed(self, found: str) -> None:
        """A child died before it answered: those of its commits that are on the branch are not made again."""
        landed = 0
        commits = self._since(found) if found else []
        for (commit, written), transition in zip(commits, self._unanswered, strict=False):
            if written != (raw_time(transition.at).split()[0], message_bytes(transition).strip()):
                break
            self.tip, landed = commit, landed + 1
        self._unanswered = []
        self._acknowledge(landed)

    def _since(self, found: str) -> list[tuple[str, tuple[bytes, bytes]]]:
        """The commits between our tip and that one, oldest first: id, time and message."""
        of = [f"{self.tip}..{found}"] if self.tip else [found]
        said = self._committer.ref.git.call(
            "-c", "i18n.logOutputEncoding=UTF-8",
            "log", "-z", "--reverse", "--first-parent", "--format=%H %ct %B", "--end-of-options", *of, "--",
        )  # fmt: skip
        items = [item.split(b" ", 2) for item in said.stdout.split(b"\0") if item]
        return [(commit.decode(), (time, message.strip())) for commit, time, message in items]

    def _acknowledge(self, count: int) -> None:
        if count:
            landed = [self._batch.popleft() for _ in range(count)]
            self._remember(change.path for waiting in landed for change in waiting.transition.changes)
            self._journal.acknowledge([waiting.intent for waiting in landed], self.tip)
            self._unanswered = []

    def _remember(self, paths: Iterable[str]) -> None:
        now = time.monotonic()
        self._lately.append((now, list(paths)))
        while self._lately[0][0] < now - _LATELY:
            self._lately.popleft()

    def _absorb(self, found: str) -> None:
        """Somebody else moved the branch: where that is not as on disk, the disk is right, and committed."""
        self.foreign.append(found)
        paths = self._comparison.changed_between(self.tip, found)
        admin = self._admin()
        if paths is None:
            paths = self._comparison.suspects(admin, found) if admin else []
        changing = self._journal.in_flight() if self._has_branch() else set(paths)
        done = self.commit_differences([path for path in paths if path not in changing], found, "repaired")
        self.doubtful.update(path for path in paths if path in changing)
        self.notes += done.notes
        self._remember(paths)
        self.tip = done.tip

    def _has_branch(self) -> bool:
        """Whether the work folder shows our branch: else what is on disk there says nothing about it."""
        admin = self._admin()
        return admin is not None and head_of(admin) in {self._committer.ref.name, "refs/heads/.invalid"}

    def _transitions(self, found: Iterable[Difference], word: str, done: Committed) -> Iterator[Transition]:
        for task, differences in groupby(_changes(found, done), key=lambda change: task_of(change.path)):
            yield from self._of_task(task, differences, word)

    def _of_task(self, task: str, changes: Iterable[Change], word: str) -> Iterator[Transition]:
        subject = f"task: {word} {task}" if task else f"work: {word}"
        trailers = {"Task-Id": task, "Task-Transition": word}
        bundle: list[Change] = []
        for change in changes:
            bundle.append(change)
            if not task and len(bundle) == _FILES_A_COMMIT:
                yield Transition(subject=subject, at=self._now(), changes=tuple(bundle), trailers=trailers)
                bundle = []
        if bundle:
            yield Transition(subject=subject, at=self._now(), changes=tuple(bundle), trailers=trailers)


def _changes(found: Iterable[Difference], done: Committed) -> Iterator[Change]:
    for difference in found:
        if difference.change is None:
            done.notes.append(difference.note)
            continue
        done.paths.append(difference.change.path)
        yield difference.change


def _in_chains(transitions: Iterable[Transition]) -> Iterator[list[Transition]]:
    """In portions that fit into memory and one pack."""
    chain: list[Transition] = []
    size = 0
    for transition in transitions:
        chain.append(transition)
        size += sum(len(change.content or b"") for change in transition.changes)
        if len(chain) == MOST or size > _BYTES_AT_ONCE:
            yield chain
            chain, size = [], 0
    if chain:
        yield chain
