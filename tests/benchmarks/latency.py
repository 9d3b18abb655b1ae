"""From drop to claim: a file is renamed into the inbox, and is gone from it.

    python tests/benchmarks/latency.py [--finished 100000] [--drops 300]

Drops are paced, at random distances, so that they meet the watcher at every moment of its rounds. Aims: half of them
within 50 ms, 99 of 100 within 150 ms.
"""

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from ground import Running, daemon, percentile, verdict
from seed import AGENTS, copy, task_text


def drop(running: Running, waiting: Path, task_id: str, number: int) -> float:
    """Milliseconds until it is gone."""
    source, target = waiting / f"{task_id}.yaml", f"{running.inbox}/{task_id}.yaml"
    source.write_bytes(task_text(task_id, AGENTS[number % len(AGENTS)], number))
    began = time.perf_counter()
    source.rename(target)
    while os.path.lexists(target):
        time.sleep(0.0005)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--drops", type=int, default=300)
    parser.add_argument("--apart", type=float, default=0.12, help="seconds between two drops, on average")
    parser.add_argument("--mode", choices=["own", "none"], default="own")
    options = parser.parse_args()
    dice = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = copy(options.finished, Path(temporary) / "ours", mode=options.mode)
        waiting = root / "work" / ".waiting"
        waiting.mkdir()
        took = []
        with daemon(root) as running:
            for number in range(-10, options.drops):
                time.sleep(dice.uniform(0.5, 1.5) * options.apart)
                one = drop(running, waiting, f"2026-11-01T0900-drop-{number + 10:05d}", number)
                if number >= 0:
                    took.append(one)
    half, most = percentile(took, 50), percentile(took, 99)
    print(
        f"drop to claim at {options.finished:,} finished tasks, {len(took)} drops {options.apart} s apart: "
        f"median {half:.1f} ms (aim 50: {verdict(half, 50)}), 99 % {most:.1f} ms (aim 150: {verdict(most, 150)}), "
        f"worst {max(took):.1f} ms"
    )


if __name__ == "__main__":
    main()
