"""Whether limits on money bind when many processes draw on them at once, and how quick a decision is.

    python tests/benchmarks/ledger.py [--limit 1000] [--processes 8] [--decisions 20000] [--runs 400]

Exits 1 where a unit too many or too few is granted, fewer than 5,000 decisions are made a second, or a hard limit is
overshot. The rate is compared with one process that writes the same rows and checks no limit.
"""

import argparse
import math
import multiprocessing
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_rebuild import rebuild
from orchestrator.core.budgets import Held, Subject, chain
from orchestrator.core.settings import Limit, Period, Policy
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENOUGH = 5_000  # decisions a second
# What 400 runs of a coding agent cost: log-normal with p50 0.53 and p90 1.42 (mean 0.72, p99 3.01 follow closely).
P50, SIGMA = 0.53, math.log(1.42 / 0.53) / 1.2816
CAP = MicroUsd(3_000_000)


def subject(task: str) -> Subject:
    """A run of that task."""
    return Subject(agent="a", tool="t", model="m", provider="p", task_id=TaskId(task))


def day(limit: int) -> Policy:
    """One hard limit on everything."""
    return Policy(name="p", limits=(Limit(period=Period.DAY, max_usd=MicroUsd(limit)),))


def draw(
    state: str, me: int, limit: int, decisions: int, start: Barrier, answers: "multiprocessing.Queue[object]"
) -> None:
    """Asks for one unit, again and again; tells how many it was granted, when it began and when it ended."""
    ledger = Ledger.open(Path(state))
    limits = chain(day(limit), subject(""), AT) if limit else ()
    start.wait()
    began = time.monotonic()
    granted = 0
    for number in range(decisions):
        asked = ledger.hold(limits, InvocationId(f"{me}-{number}"), subject(f"t{me}"), MicroUsd(1), AT)
        granted += isinstance(asked, Held)
    answers.put((granted, began, time.monotonic()))
    ledger.close()


def contest(folder: Path, processes: int, limit: int, decisions: int) -> tuple[int, float, int]:
    """(granted, decisions a second, what the ledger holds afterwards)."""
    rebuild(folder, [])
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(processes)
    answers: multiprocessing.Queue[tuple[int, float, float]] = context.Queue()
    each = decisions // processes
    workers = [
        context.Process(target=draw, args=(str(folder), me, limit, each, start, answers)) for me in range(processes)
    ]
    for worker in workers:
        worker.start()
    told = [answers.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    rate = each * processes / (max(one[2] for one in told) - min(one[1] for one in told))
    ledger = Ledger.open(folder)
    held = sum(held.amount for held in ledger.open_holds())
    ledger.close()
    return sum(one[0] for one in told), rate, held


def spend(
    state: str, me: int, costs: list[int], limit: int, start: Barrier, answers: "multiprocessing.Queue[object]"
) -> None:
    """Runs that hold their cap and cost what they cost, capped as the tool caps them; how many were refused."""
    ledger = Ledger.open(Path(state))
    limits = chain(day(limit), subject(""), AT)
    start.wait()
    refused = 0
    for number, cost in enumerate(costs):
        at = AT + timedelta(milliseconds=number)
        held = ledger.hold(limits, InvocationId(f"{me}-{number}"), subject("t"), CAP, at)
        if isinstance(held, Held):
            time.sleep(0.001)  # the run: others are under way meanwhile
            ledger.settle(held, MicroUsd(min(cost, held.amount)), CostSource.REPORTED)
        else:
            refused += 1
    answers.put(refused)
    ledger.close()


def replay(folder: Path, costs: list[int], workers: int, limit: int) -> tuple[int, int]:
    """(spent, refused)."""
    rebuild(folder, [])
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(workers)
    answers: multiprocessing.Queue[int] = context.Queue()
    crew = [
        context.Process(target=spend, args=(str(folder), me, costs[me::workers], limit, start, answers))
        for me in range(workers)
    ]
    for worker in crew:
        worker.start()
    refused = sum(answers.get(timeout=300) for _ in crew)
    for worker in crew:
        worker.join()
    ledger = Ledger.open(folder)
    spent = ledger.standing(chain(day(limit), subject(""), AT), AT)[0].spent
    faults = ledger.faults()
    ledger.close()
    if faults:
        raise SystemExit(f"the ledger is not sound: {faults}")
    return spent, refused


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--decisions", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=400)
    asked = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)

        def folder(name: str) -> Path:
            (room / name).mkdir()
            return room / name

        granted, rate, held = contest(folder("many"), asked.processes, asked.limit, asked.decisions)
        print(
            f"{asked.processes} processes, a limit of {asked.limit}: granted {granted}, held {held}, "
            f"{rate:,.0f} decisions/s"
        )
        if granted != asked.limit or held != asked.limit:
            failed.append("the limit was not kept to the unit")
        if rate < ENOUGH:
            failed.append(f"fewer than {ENOUGH:,} decisions/s")
        _, all_granted, _ = contest(folder("wide"), asked.processes, asked.decisions, asked.decisions)
        print(f"{asked.processes} processes, each decision granted: {all_granted:,.0f} decisions/s")
        if all_granted < ENOUGH:
            failed.append(f"fewer than {ENOUGH:,} decisions/s where each is granted")
        _, plain, _ = contest(folder("none"), 1, 0, asked.decisions)
        print(
            f"1 process, no limit: {plain:,.0f} holds/s; {asked.processes} processes on a limit: {rate / plain:.2f} "
            f"of it, and {all_granted / plain:.2f} where each is granted"
        )

        chance = random.Random(7)
        costs = [int(P50 * math.exp(SIGMA * chance.gauss(0, 1)) * 1_000_000) for _ in range(asked.runs)]
        limit = sum(costs) // 3
        for workers in (1, 4, 8):
            spent, refused = replay(folder(f"replay{workers}"), costs, workers, limit)
            over = max(0, spent - limit)
            print(
                f"{asked.runs} runs, {workers} workers: spent {spent / limit:.1%} of the limit, {refused} refused, "
                f"overshoot {over}"
            )
            if over:
                failed.append(f"{workers} workers overshot by {over} micro-dollars")
            if spent + CAP < limit:
                failed.append(f"{workers} workers left more than one hold unused")
    for why in failed:
        print(f"FAILED: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
