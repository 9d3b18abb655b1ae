"""How fast index.db is rebuilt, against only reading the same files with json.loads; then what catching up costs.

    python tests/benchmarks/index_rebuild.py [--events 1000000] [--per-task 10]

Prints figures; it asserts nothing. The rebuild runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.adapters.events import EventIds
from orchestrator.adapters.index import Index
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.core.events import Event, EventKind, encode
from orchestrator.core.layout import FULL, TELEMETRY, bucket

START = datetime(2026, 1, 1, tzinfo=UTC)
A_DAY = 2_000  # tasks


def make(work: Path, events: int, per_task: int) -> int:
    """Writes the history; the number of tasks."""
    ids = EventIds()
    tasks = events // per_task
    folder = ""
    for number in range(tasks):
        day, of_day = divmod(number, A_DAY)
        now = START + timedelta(days=day, seconds=of_day * 40)
        name = bucket(f"{now:%Y-%m-%d}", of_day // FULL + 1)
        if name != folder:
            folder = name
            (work / TELEMETRY / folder).mkdir(parents=True, exist_ok=True)
        task_id = f"{now:%Y-%m-%dT%H%M}-backend-dev-task-{number:07d}"
        text = b"".join(encode(event) for event in _history(ids, task_id, now, per_task))
        (work / TELEMETRY / folder / f"{task_id}.jsonl").write_bytes(text)
    return tasks


def _history(ids: EventIds, task_id: str, now: datetime, count: int) -> list[Event]:
    agent, tool, model = "backend-dev", "claude", "claude-sonnet-5-5"
    path = f"collaboration/done/{agent}/{now:%Y-%m-%d}/{task_id}.yaml"
    head: list[dict[str, object]] = [
        {"event": EventKind.TASK_SUBMITTED, "agent": agent, "details": {"host": "box", "pid": 4711}},
        {
            "event": EventKind.TASK_CLAIMED,
            "agent": agent,
            "details": {"title": "Make a cache layer", "priority": "high"},
        },
    ]
    run: list[dict[str, object]] = [
        {"event": EventKind.ROUTE_PLANNED, "tool": tool, "model": model, "why": "the agent's own tool and model"},
        {"event": EventKind.EXECUTION_STARTED, "tool": tool, "model": model, "invocation_id": "I", "attempt": 1},
        {
            "event": EventKind.EXECUTION_FINISHED,
            "tool": tool,
            "model": model,
            "invocation_id": "I",
            "duration_ms": 192_000,
            "exit_code": 0,
            "details": {
                "tokens": {"input": 15_210, "output": 2_210},
                "cost_microusd": 420_000,
                "cost_source": "reported",
            },
        },
        {"event": EventKind.CHECK_FINISHED, "why": "tests passed", "details": {"check": "tests"}},
    ]
    tail: list[dict[str, object]] = [
        {"event": EventKind.TASK_COMPLETED, "agent": agent, "path": path, "details": {"verdict": "done"}, "why": "done"}
    ]
    body = [run[number % len(run)] for number in range(max(0, count - len(head) - len(tail)))]
    made: list[Event] = []
    for number, fields in enumerate([*head, *body, *tail][:count]):
        at = now + timedelta(seconds=number)
        run_id = {"invocation_id": f"{task_id[-7:]}-{(number - 2) // 4}"} if "invocation_id" in fields else {}
        made.append(Event(event_id=ids.new(at), ts=at, task_id=task_id, **(fields | run_id)))  # type: ignore[arg-type]  # a table
    return made


def only_read(work: Path) -> tuple[int, float]:
    """Reads every file with json.loads and keeps nothing."""
    started = time.perf_counter()
    lines = 0
    for folder in sorted(os.scandir(work / TELEMETRY), key=lambda entry: entry.name):
        for entry in os.scandir(folder.path):
            with Path(entry.path).open("rb") as file:
                for line in file:
                    json.loads(line)
                    lines += 1
    return lines, time.perf_counter() - started


def measure(root: Path) -> None:
    """The child: rebuilds, and prints a line of JSON."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rebuilt = rebuild(root / "state", root / "work")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"events": rebuilt.events, "seconds": rebuilt.seconds, "before": before, "peak": peak}))


def main() -> None:
    """Makes, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--per-task", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="make the history here and leave it")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = options.keep or Path(temporary)
        started = time.perf_counter()
        tasks = make(root / "work", options.events, options.per_task)
        print(f"made {options.events:,} events of {tasks:,} tasks in {time.perf_counter() - started:.1f} s")
        lines, plain = only_read(root / "work")
        print(f"json.loads alone: {lines:,} events in {plain:.1f} s, {lines / plain:,.0f} events/s")
        child = subprocess.run(
            [sys.executable, __file__, "--measure", str(root)], check=True, capture_output=True, text=True
        )
        found = json.loads(child.stdout)
        print(
            f"rebuild:          {found['events']:,} events in {found['seconds']:.1f} s, "
            f"{found['events'] / found['seconds']:,.0f} events/s, {found['seconds'] / plain:.1f} times that; "
            f"peak {found['peak'] / 1024:.0f} MiB (before it {found['before'] / 1024:.0f}); "
            f"index.db {(root / 'state' / 'index.db').stat().st_size / 2**20:.0f} MiB"
        )
        started = time.perf_counter()
        index = Index.open(root / "state", root / "work")
        opened = time.perf_counter()
        index.catch_up()
        caught_up = time.perf_counter()
        print(f"open with its check: {opened - started:.2f} s; catch_up, nothing new: {caught_up - opened:.2f} s")
        index.close()


if __name__ == "__main__":
    main()
