"""The ledger that lived equals the one that is rebuilt from its events, whatever died when."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import NOON, Desk, Journal, about, adjusted, finished, fresh, limit, policy, recover, started

from orchestrator.adapters.ledger import Ledger
from orchestrator.core.budget_facts import Adjustment
from orchestrator.core.budgets import Held
from orchestrator.core.settings import Period
from orchestrator.core.types import CostSource, MicroUsd

LIMITS = (
    limit(Period.DAY, 3_000),
    limit(Period.MONTH, 9_000, agent="writer"),
    limit(Period.TASK, 1_500),
    limit(Period.TOTAL, 20_000, model="opus", tool="claude"),
    limit(Period.WEEK, 2_000, hard=False, run="R"),
)


@dataclass(frozen=True)
class Step:
    """One run, or one adjustment. `dies` says after how many of its steps its process does; 9: it lives."""

    task: str
    agent: str
    model: str
    run: str
    billing: str
    amount: int
    cost: int | None
    dies: int
    hours: int
    adjusts: bool


STEPS = st.lists(
    st.builds(
        Step,
        task=st.sampled_from(["a", "b", "c"]),
        agent=st.sampled_from(["writer", "reader"]),
        model=st.sampled_from(["opus", "haiku"]),
        run=st.sampled_from(["", "R"]),
        billing=st.sampled_from(["api", "api", "api", "free"]),
        amount=st.integers(0, 1_200),
        cost=st.none() | st.integers(-50, 2_000),
        dies=st.sampled_from([0, 1, 2, 9, 9, 9]),
        hours=st.sampled_from([0, 0, 1, 30, -30]),
        adjusts=st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
)


def live(desk: Desk, journal: Journal, step: Step, number: int) -> bool:
    """What the straight path does, cut off after so many of its steps. False: it died."""
    desk.at += timedelta(hours=step.hours)
    if step.adjusts:
        one = Adjustment(
            key=f"A{number}", amount=MicroUsd(step.amount + 1), reason="why", at=NOON, scope={"agent": step.agent}
        )
        journal.append(adjusted(one))
        return step.dies > 0 and desk.ledger.adjust(one)
    subject = about(step.task, agent=step.agent, model=step.model, run=step.run, billing=step.billing)
    asked = desk.hold(step.amount, subject, name=f"I{number}")
    if not isinstance(asked, Held):
        return True
    if step.dies == 0:
        return False
    journal.append(started(asked))
    if step.dies == 1:
        return False
    journal.append(finished(asked, step.cost))
    if step.dies == 2:
        return False
    desk.ledger.settle(asked, None if step.cost is None else MicroUsd(step.cost), CostSource.REPORTED)
    return True


@settings(max_examples=60)
@given(steps=STEPS)
def test_the_ledger_that_lived_equals_the_one_rebuilt_from_its_events(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        journal = Journal(room / "events.jsonl")
        desk = Desk(fresh(room / "lived"), policy(*LIMITS, zone="Europe/Berlin"))
        for number, step in enumerate(steps):
            if not live(desk, journal, step, number):
                desk.ledger.close()
                desk.ledger = Ledger.open(room / "lived")
                recover(desk.ledger, journal)
        assert desk.ledger.faults() == []
        rebuilt = replace(desk, ledger=fresh(room / "rebuilt", journal.read()))
        assert rebuilt.ledger.balances() == desk.ledger.balances()
        assert rebuilt.ledger.open_holds() == desk.ledger.open_holds() == []
        for subject in (about("a"), about("b", agent="reader"), about("c", model="haiku", run="R")):
            assert rebuilt.sums(subject) == desk.sums(subject)
        for one in desk.ledger.standing(desk.limits(about("a")), desk.at):
            assert one.held == 0
        desk.ledger.close()
        rebuilt.ledger.close()


@settings(max_examples=40)
@given(steps=STEPS, twice=st.integers(0, 60))
def test_events_can_be_taken_in_again_and_change_nothing(steps: list[Step], twice: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        journal = Journal(room / "events.jsonl")
        desk = Desk(fresh(room / "lived"), policy(*LIMITS))
        for number, step in enumerate(steps):
            live(desk, journal, replace(step, dies=9), number)
        before = desk.ledger.balances()
        assert desk.ledger.take_in(journal.read()[-twice:]) == 0
        assert desk.ledger.balances() == before
        behind = fresh(room / "behind", journal.read()[: -twice or None])
        behind.take_in(journal.read())
        assert behind.balances() == before
        assert behind.faults() == []
        behind.close()
        desk.ledger.close()


# Dies at the nth statement that SQLite is about to run, or the nth line of the journal: each child is one n.
DIES = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ledger_world import Desk, Journal, about, finished, fresh, limit, policy, started
from orchestrator.adapters.ledger import Ledger
from orchestrator.core.settings import Period
from orchestrator.core.types import CostSource, MicroUsd

def child(room, last):
    left = [last]
    def count(_statement=""):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    ledger = Ledger.open(room / "lived")
    ledger._connection.set_trace_callback(count)
    journal = Journal(room / "events.jsonl")
    desk = Desk(ledger, policy(limit(Period.DAY, 100), limit(Period.TASK, 50)))
    for number in range(3):
        held = desk.held(20, about(f"t{number % 2}"))
        count()
        journal.append(started(held))
        count()
        journal.append(finished(held, 7 + number))
        count()
        ledger.settle(held, MicroUsd(7 + number), CostSource.REPORTED)

base = Path(sys.argv[2])
for last in range(10_000):
    room = base / str(last)
    fresh(room / "lived").close()
    pid = os.fork()
    if not pid:
        child(room, last)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status):
        print(last, os.waitstatus_to_exitcode(status), flush=True)
        break
"""


def test_after_a_kill_at_any_statement_the_ledger_equals_the_one_rebuilt(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", DIES, here, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    deaths, code = map(int, done.stdout.split())
    assert code == 0, done.stderr
    assert deaths > 40  # of so many children, each died at another statement
    for last in range(deaths + 1):
        room = tmp_path / str(last)
        journal = Journal(room / "events.jsonl")
        ledger = Ledger.open(room / "lived")
        assert len(ledger.open_holds()) <= 1
        recover(ledger, journal)
        assert ledger.faults() == []
        assert ledger.open_holds() == []
        rebuilt = fresh(room / "rebuilt", journal.read())
        assert rebuilt.balances() == ledger.balances(), last
        rebuilt.close()
        ledger.close()
        shutil.rmtree(room)


def test_a_process_that_is_killed_while_it_has_the_lock_stops_nobody(tmp_path: Path) -> None:
    fresh(tmp_path).close()
    text = (
        "import sys; from pathlib import Path; from orchestrator.adapters.ledger import Ledger\n"
        "ledger = Ledger.open(Path(sys.argv[1])); ledger._connection.execute('BEGIN IMMEDIATE')\n"
        "print('has it', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(30)
    ledger = Ledger.open(tmp_path)
    assert Desk(ledger, policy(limit(Period.DAY, 10))).held(5).amount == 5
    ledger.close()
