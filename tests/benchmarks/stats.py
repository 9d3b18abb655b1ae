"""How long the sums of `orchestrator stats` take over a warm index, against `SELECT count(*)` over the same rows.

    python tests/benchmarks/stats.py [--events 1000000] [--per-task 10]

The history is that of index_rebuild.py, with several agents and models. Prints figures; it asserts nothing.
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from index_rebuild import make

from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.adapters.index_stats import IndexStats
from orchestrator.core.settings import Agent, Model, Settings
from orchestrator.core.statistics import By, Wanted
from orchestrator.core.types import AgentKey
from orchestrator.query_stats import StatsService

AGENTS = ("analyst", "architect", "backend-dev", "frontend-dev", "reviewer", "writer")
MODELS = ("haiku", "sonnet", "opus", "codex")
LOOKS = 5


def vary(database: Path) -> int:
    """Several agents, models and durations, which the history of the other benchmark has not; the number of runs."""
    dice = random.Random(7)
    connection = sqlite3.connect(database)
    connection.create_function("agent_of", 0, lambda: dice.choice(AGENTS))
    connection.create_function("model_of", 0, lambda: dice.choice(MODELS))
    connection.create_function("took", 0, lambda: dice.randrange(1, 2_000_000))
    with connection:
        changed = connection.execute(
            "UPDATE invocations SET agent = agent_of(), model = model_of(), duration_ms = took()"
        ).rowcount
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return changed


def timed(what: Callable[[], object]) -> float:
    """The median of some looks, after one that warms."""
    what()
    taken = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        what()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """Makes, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--per-task", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="make the history here and leave it; or use it, where it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = options.keep or Path(temporary)
        state, work = root / "state", root / "work"
        if not (state / "index.db").exists():
            make(work, options.events, options.per_task)
            rebuild(state, work)
            vary(state / "index.db")
        connection = sqlite3.connect(state / "index.db")
        runs = connection.execute("SELECT count(*) FROM invocations").fetchone()[0]
        # Not count(*) alone: SQLite counts leaves without reading a row.
        plain = timed(lambda: connection.execute("SELECT count(*) FROM invocations WHERE duration_ms >= 0").fetchone())
        connection.close()
        print(f"{options.events:,} events, {runs:,} runs; count(*) over their rows: {plain * 1e3:.0f} ms")
        settings = Settings(
            agents={AgentKey(name): Agent(key=AgentKey(name), preferred_model="opus") for name in AGENTS},
            tools={},
            models={name: Model(name=name) for name in MODELS},
        )
        service = StatsService(settings, open_reader=lambda: IndexStats(state, work))
        asked: dict[str, tuple[Wanted, list[By]]] = {
            "by agent and model": (Wanted(), [By.AGENT, By.MODEL]),
            "by day, UTC": (Wanted(), [By.DAY]),
            "by day, Europe/Berlin": (Wanted(timezone="Europe/Berlin"), [By.DAY]),
            "by all seven": (Wanted(), list(By)),
        }
        for name, (wanted, by) in asked.items():
            seconds = timed(lambda wanted=wanted, by=by: service.report(wanted, by))  # type: ignore[misc]  # lambda defaults
            print(f"  {name + ':':<24}{seconds * 1e3:6.0f} ms, {seconds / plain:5.1f} times that")


if __name__ == "__main__":
    main()
