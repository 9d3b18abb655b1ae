"""Where committed task files come from, if the configuration names a branch."""

from collections.abc import Sequence

from orchestrator.adapters.git import Git
from orchestrator.adapters.intake import Intake
from orchestrator.core.types import TaskId
from orchestrator.ports import Offer, TaskSource
from orchestrator.wiring.opening import Opened


class BranchSource:
    """The task files of one branch. What was declined is not offered again while this daemon lives."""

    def __init__(self, opened: Opened) -> None:
        self._declined: set[tuple[str, str]] = set()
        self._index = opened.index
        git = Git(opened.place.root)
        self._intake = Intake(git, opened.configuration().intake, is_taken=self._is_taken, is_known=self._is_known)

    def find(self, limit: int) -> Sequence[Offer]:
        """What is offered now."""
        return self._intake.find(limit)

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
