"""Where committed task files come from, if the configuration names a branch."""

import time
from collections.abc import Sequence

from orchestrator.adapters.git import Git
from orchestrator.adapters.intake import Intake
from orchestrator.core import layout
from orchestrator.core.settings import TrailMode
from orchestrator.core.types import TaskId
from orchestrator.ports import Offer, TaskSource
from orchestrator.taskfile.rules import id_fault
from orchestrator.wiring.opening import Opened
from orchestrator.wiring.syncing import open_claims

ASK_AGAIN_SECONDS = 30.0


class BranchSource:
    """The task files of one branch. What was declined is not offered again while this daemon lives."""

    def __init__(self, opened: Opened) -> None:
        self._not_before = 0.0
        self._declined: set[tuple[str, str]] = set()
        self._index = opened.index
        trail = opened.configuration().trail
        self._claims = open_claims(opened.place, trail) if trail.remote and trail.mode is TrailMode.OWN else None
        git = Git(opened.place.root)
        self._intake = Intake(git, opened.configuration().intake, is_taken=self._is_taken, is_known=self._is_known)

    def find(self, limit: int) -> Sequence[Offer]:
        """What is offered now. Where machines share a remote, only what this one could claim there."""
        offers: Sequence[Offer] = self._intake.find(limit)
        if self._claims is None or not offers:
            return offers
        if time.monotonic() < self._not_before:
            return []
        ids = {layout.stem(offer.name): offer for offer in offers}
        claimed = self._claims.claim([TaskId(task_id) for task_id in ids if not id_fault(task_id)])
        for task_id in claimed.lost:
            self.decline(ids[task_id])
        if claimed.failed:  # the remote cannot be asked: not again at each look
            self._not_before = time.monotonic() + ASK_AGAIN_SECONDS
        # What is no task is nobody's: it goes into the inbox here, where what is wrong with it is said.
        return [offer for task_id, offer in ids.items() if task_id in claimed.won or id_fault(task_id)]

    def moved(self) -> bool:
        """Whether the branch moved since the last look."""
        return self._intake.has_moved()

    def decline(self, offer: Offer) -> None:
        """It is no new task: it is not wanted."""
        self._declined.add((offer.path, offer.blob))

    def _is_taken(self, path: str, blob: str) -> bool:
        return (path, blob) in self._declined or self._index.is_taken_in(path, blob)

    def _is_known(self, task_id: TaskId) -> bool:
        return task_id in self._index.known([task_id])


def open_source(opened: Opened) -> TaskSource | None:
    """The intake, where one is configured."""
    if opened.place.git_dir is None or not opened.configuration().intake.branch:
        return None
    return BranchSource(opened)
