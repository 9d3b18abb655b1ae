"""Task files that were committed on a branch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from world import Died, Fake

from orchestrator import intaking
from orchestrator.core import layout
from orchestrator.core.types import Status, TaskId


@dataclass(frozen=True)
class Offer:
    path: str
    content: bytes
    blob: str = "b1"
    commit: str = "c" * 40

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass
class Source:
    """What a branch offers, until it is taken in or declined."""

    fake: Fake
    offers: list[Offer]
    declined: list[Offer] = field(default_factory=list)

    def find(self, limit: int) -> Sequence[Offer]:
        taken = self.fake.index.is_taken_in
        return [one for one in self.offers if one not in self.declined and not taken(one.path, one.blob)][:limit]

    def moved(self) -> bool:
        return True

    def decline(self, offer: Offer) -> None:
        self.declined.append(offer)


TASK = b"agent: dev\ntitle: from the branch\n"


def test_a_committed_task_is_dropped_once_with_its_origin_and_runs(fake: Fake) -> None:
    source = Source(fake, [Offer("tasks/x.yaml", TASK)])
    assert intaking.take_in(fake.world, source) == 1
    assert intaking.take_in(fake.world, source) == 0
    assert fake.text(f"{layout.INBOX}/x.yaml") == TASK.decode()
    [told] = fake.events.told[TaskId("x")]
    assert told.details == {"origin_path": "tasks/x.yaml", "origin_blob": "b1", "origin_commit": "c" * 40}
    assert told.why == "committed at tasks/x.yaml in cccccccccccc"
    fake.run()
    assert fake.status("x") is Status.DONE


@pytest.mark.parametrize("number", range(3))
def test_a_death_anywhere_takes_it_in_once(fake: Fake, number: int) -> None:
    source = Source(fake, [Offer("tasks/x.yaml", TASK)])
    fake.effects.die_at = number
    if number < 2:
        with pytest.raises(Died):
            intaking.take_in(fake.world, source)
    fake.come_back()
    intaking.take_in(fake.world, source)
    assert fake.where("x") == ["inbox"]
    assert fake.events.kinds("x") == ["task_submitted"]


@pytest.mark.parametrize("status", ["done", "in_progress", "error"])
def test_work_that_is_done_or_begun_elsewhere_is_declined(fake: Fake, status: str) -> None:
    source = Source(fake, [Offer("tasks/x.yaml", TASK + f"status: {status}\n".encode())])
    assert intaking.take_in(fake.world, source) == 0
    assert len(source.declined) == 1
    assert fake.effects.done == []


def test_a_committed_file_that_is_no_task_is_rejected_where_people_look(fake: Fake) -> None:
    source = Source(fake, [Offer("tasks/x.yaml", b"- a list\n")])
    assert intaking.take_in(fake.world, source) == 1
    fake.clock.go_on(seconds=3)
    fake.run()
    assert fake.where("x") == ["rejected"]
    assert fake.events.kinds("x") == ["task_submitted", "task_rejected"]
    state = fake.index.state(TaskId("x"))
    assert state is not None
    assert state.rejected


def test_a_persons_own_file_of_that_name_is_not_taken_for_the_committed_one(fake: Fake) -> None:
    fake.drop("x", "# a person's own")
    source = Source(fake, [Offer("tasks/x.yaml", TASK)])
    assert intaking.take_in(fake.world, source) == 0
    assert "# a person's own" in fake.text(f"{layout.INBOX}/x.yaml")
    assert fake.events.kinds("x") == []
