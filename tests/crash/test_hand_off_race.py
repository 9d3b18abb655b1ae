"""A hand-off that is repeated after a crash, while the daemon already claims what the first one dropped."""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orchestrator import closing
from orchestrator.adapters.mailbox import FolderMailbox
from orchestrator.core.claims import FollowUp
from orchestrator.core.types import TaskId
from orchestrator.ports import Known

FOLLOWER = FollowUp(task_id=TaskId("next"), fields={"id": "next", "agent": "quick", "title": "go on"})
DROPPED, CLAIMED = "collaboration/inbox/next.yaml", "collaboration/assigned/quick/next.yaml"


class ClaimedMeanwhile:
    """An index that is asked a moment before the claim is told, and answers a moment after the claim is over."""

    def __init__(self, mailbox: FolderMailbox) -> None:
        self._mailbox = mailbox

    def known(self, ids: Collection[TaskId]) -> Mapping[TaskId, Known]:
        self._mailbox.move(DROPPED, CLAIMED)
        return {}


def test_a_repeated_hand_off_drops_nothing_where_the_first_is_being_claimed(tmp_path: Path) -> None:
    mailbox = FolderMailbox(tmp_path)
    mailbox.make_folders()
    mailbox.create(DROPPED, b"as the first hand-off dropped it")
    world: Any = SimpleNamespace(mailbox=mailbox, index=ClaimedMeanwhile(mailbox))
    closing._hand_off(world, FOLLOWER)
    found = [mailbox.exists(path) for path in (DROPPED, CLAIMED)]
    assert found.count(True) == 1, "the follow-up is there twice"
