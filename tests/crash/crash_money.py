"""The ledger after a crash: nothing is held for a run that is over, and it says what the events say."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from crash_faults import Fault, Subject

from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_rebuild import rebuild
from orchestrator.core.events import Event
from orchestrator.errors import OrchestratorError


def check_money(subject: Subject, events: Mapping[str, list[Event]]) -> None:
    """Holds it against one that is made of the events alone, somewhere else."""
    told = [event for of_task in events.values() for event in of_task]
    if not any("reserved_microusd" in event.details for event in told):
        return
    try:
        ledger = Ledger.open(subject.state)
    except OrchestratorError as error:
        subject.fault(Fault.MONEY, "ledger.db", str(error))
        return
    try:
        for hold in ledger.open_holds():
            subject.fault(Fault.MONEY, hold.about.task_id, f"{hold.amount} are still held for run {hold.invocation_id}")
        for fault in ledger.faults():
            subject.fault(Fault.MONEY, "ledger.db", fault)
        lives = ledger.balances()
    finally:
        ledger.close()
    with tempfile.TemporaryDirectory() as folder:
        rebuild(Path(folder), told)
        made = Ledger.open(Path(folder))
        try:
            says = made.balances()
        finally:
            made.close()
    for key in sorted({*lives, *says}, key=repr):
        if lives.get(key) != says.get(key):
            what = f"(held, spent) is {lives.get(key)} in it, and {says.get(key)} in one made of the events: {key}"
            subject.fault(Fault.MONEY, str(key[0]), what)
