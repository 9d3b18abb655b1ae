"""The ledger as the straight path keeps it: taken away or damaged while runs go on, it is made again, holds and all."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_world import NOON, about, finished, limit, policy, started

from orchestrator.adapters.kept_ledger import KeptLedger
from orchestrator.adapters.ledger_schema import NAME
from orchestrator.core.budgets import Held, Over, chain
from orchestrator.core.events import Event, encode
from orchestrator.core.settings import Period
from orchestrator.core.types import CostSource, InvocationId, MicroUsd

POLICY = policy(limit(Period.DAY, 100))


class House:
    """A workspace's events, and its ledger."""

    def __init__(self, root: Path) -> None:
        self.state, self.telemetry = root / "state", root / "work" / "telemetry" / "2026-11-21"
        self.state.mkdir()
        self.telemetry.mkdir(parents=True)
        self.told: list[str] = []
        self.ledger = KeptLedger(self.state, root / "work", lambda _model: "acme", self.told.append)

    def hold(self, task: str, amount: int) -> Held | Over:
        subject = about(task)
        return self.ledger.hold(chain(POLICY, subject, NOON), InvocationId(task), subject, MicroUsd(amount), NOON)

    def tell(self, task: str, *events: Event) -> None:
        with (self.telemetry / f"{task}.jsonl").open("ab") as file:
            file.writelines(encode(event) for event in events)

    @property
    def spoken_for(self) -> tuple[int, int]:
        """Held and spent of the day's limit."""
        (standing,) = self.ledger.standing(chain(POLICY, about("any"), NOON), NOON)
        return standing.held, standing.spent


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def taken_away(state: Path) -> None:
    for file in state.glob(f"{NAME}*"):
        if not file.name.endswith("lock"):
            file.unlink()


def replaced_by_garbage(state: Path) -> None:
    taken_away(state)
    (state / NAME).write_bytes(b"no database" * 500)


@pytest.mark.parametrize("damage", [taken_away, replaced_by_garbage])
def test_what_was_held_and_spent_is_there_again(house: House, damage: Callable[[Path], None]) -> None:
    done, running, unannounced = house.hold("a", 40), house.hold("b", 30), house.hold("c", 20)
    assert isinstance(done, Held)
    assert isinstance(running, Held)
    house.tell("a", started(done), finished(done, 35))
    house.tell("b", started(running))
    house.ledger.settle(done, MicroUsd(35), CostSource.REPORTED)
    assert house.spoken_for == (50, 35)
    damage(house.state)
    assert house.spoken_for == (50, 35)
    assert isinstance(house.hold("d", 16), Over)
    assert len(house.told) == 1
    assert "rebuilt from the events" in house.told[0]
    assert isinstance(unannounced, Held)
    assert house.ledger.release(unannounced, "it never began")
    assert house.spoken_for == (30, 35)


def test_a_run_that_ends_meanwhile_is_charged_once(house: House) -> None:
    held = house.hold("a", 40)
    assert isinstance(held, Held)
    house.tell("a", started(held), finished(held, 25))
    taken_away(house.state)
    assert house.ledger.settle(held, MicroUsd(25), CostSource.REPORTED).amount == 25
    assert house.spoken_for == (0, 25)


def test_many_at_once_that_find_it_gone_are_granted_no_more_than_there_is(house: House) -> None:
    assert isinstance(house.hold("first", 10), Held)
    taken_away(house.state)
    gate = threading.Barrier(8)
    granted: list[Held | Over] = []

    def ask(number: int) -> None:
        gate.wait()
        granted.extend(house.hold(f"{number}-{again}", 10) for again in range(4))

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join(timedelta(minutes=1).total_seconds())
    assert sum(isinstance(one, Held) for one in granted) == 9
    assert house.spoken_for == (100, 0)
    assert len(house.told) == 1
