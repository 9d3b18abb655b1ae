"""Kills the daemon at random moments under load, as often as asked, and checks that nothing is lost and nothing doubled.

    python tests/benchmarks/crash.py [--kills 10000] [--seed 1] [--trail own|none]

Each storm is a workspace of its own with so many kills; between two kills the daemon is started again and more tasks
are dropped. At the end of a storm a daemon comes to rest, and files, event files, the journal of the tools and git are
held against each other (tests/crash/crash_check.py). Prints the counts; exits 1 on any violation, and then keeps the
workspace that shows it.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))

from crash_check import Fault, describe
from crash_launcher import Launcher
from crash_storm import Storm, Tally

KILLS_A_STORM = 20


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="the same seed drops and kills alike; the machine does not")
    parser.add_argument("--trail", choices=["own", "none"], default="own")
    asked = parser.parse_args()
    began = time.monotonic()
    total = Tally()
    kept: list[Path] = []
    ground = Path(tempfile.mkdtemp(prefix="orchestrator-crash-"))
    _be_hermetic(ground)
    launcher = Launcher()
    try:
        for number in range((asked.kills + KILLS_A_STORM - 1) // KILLS_A_STORM):
            folder = ground / f"storm-{number}"
            folder.mkdir()
            storm = Storm(folder, launcher, trail=asked.trail, dice=random.Random(f"{asked.seed}-{number}"))
            storm.blow(min(KILLS_A_STORM, asked.kills - total.kills))
            found = storm.settle()
            total.add(storm.tally)
            if found:
                kept.append(folder)
                print(f"\nstorm {number}, kept in {folder}:\n{describe(found)}", flush=True)
            else:
                shutil.rmtree(folder)
            _show(f"\r{total.kills} kills, {total.tasks} tasks, {sum(total.faults.values())} violations ")
    finally:
        launcher.close()
        if not kept:
            shutil.rmtree(ground, ignore_errors=True)
    _show("\n")
    _print(total, asked.trail, time.monotonic() - began)
    return 1 if total.faults else 0


def _be_hermetic(ground: Path) -> None:
    """The person's own git configuration and variables stay outside."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "ORCHESTRATOR_", "XDG_")):
            del os.environ[name]
    config = ground / "gitconfig"
    config.write_text("[user]\n\tname = Crash\n\temail = crash@example.invalid\n[init]\n\tdefaultBranch = main\n")
    os.environ |= {"HOME": str(ground), "GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}


def _show(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(text)
        sys.stderr.flush()


def _print(total: Tally, trail: str, seconds: float) -> None:
    ways = ", ".join(f"{number} {how}" for how, number in sorted(total.by_how.items()))
    rows = {
        f"kills (trail {trail})": f"{total.kills} ({ways})",
        "restarts": total.restarts,
        "tasks": total.tasks,
        "runs announced": total.announced_runs,
        "runs that really began": total.real_runs,
        "runs more than events show": max(0, total.real_runs - total.announced_runs),
        "runs that died with their daemon": total.lost_runs,
        **{str(fault): total.faults[str(fault)] for fault in Fault},
        "checks": total.checks,
        "seconds": round(seconds),
    }
    for name, value in rows.items():
        print(f"{name:34} {value}")


if __name__ == "__main__":
    sys.exit(main())
