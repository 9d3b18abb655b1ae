"""Kills the daemon at random moments under load, as often as asked, and checks that nothing is lost or doubled.

    python tests/benchmarks/crash.py [--kills 10000] [--seed 1] [--trail own|none]
    python tests/benchmarks/crash.py --calls

Each storm is a workspace of its own with so many kills; between two kills the daemon is started again and more tasks
are dropped. At the end of a storm a daemon comes to rest, and files, event files, the journal of the tools and git are
held against each other (tests/crash/crash_check.py). Prints the counts; exits 1 on any violation, and then keeps the
workspace that shows it. `--calls` kills, by strace, at every system call that changes the disk, one after the other.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))

from crash_check import describe
from crash_faults import Fault, Violation
from crash_launcher import Launcher
from crash_rig import Rig
from crash_storm import Storm, Tally
from crash_strace import CHANGING, sweep, unusable

KILLS_A_STORM = 20
MOST_CALLS = 1_000  # of one system call; a daemon with one task makes far fewer


class Field:
    """Where storms blow: the folder, the launcher, and the sum of what happened."""

    def __init__(self) -> None:
        self.ground = Path(tempfile.mkdtemp(prefix="orchestrator-crash-"))
        _be_hermetic(self.ground)
        self.launcher = Launcher()
        self.total = Tally()
        self.kept = False

    def run(self, name: str, round_: Callable[[Path], list[Violation]]) -> None:
        """One workspace: kept where it shows something, else taken away."""
        folder = self.ground / name
        folder.mkdir()
        try:
            found = round_(folder)
        except AssertionError as error:  # a daemon that ends badly, or does not end
            found = [Violation(fault=Fault.UNEXPLAINED, about="the daemon", what=str(error))]
        self.total.faults.update(str(violation.fault) for violation in found)
        self.total.checks += 1
        if found:
            self.kept = True
            print(f"\n{name}, kept in {folder}:\n{describe(found)}", flush=True)
        else:
            shutil.rmtree(folder)
        _show(f"\r{self.total.kills} kills, {self.total.tasks} tasks, {self.total.faults.total()} violations ")

    def close(self) -> None:
        """Takes away what shows nothing."""
        self.launcher.close()
        if not self.kept:
            shutil.rmtree(self.ground, ignore_errors=True)
        _show("\n")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="the same seed drops and kills alike; the machine does not")
    parser.add_argument("--trail", choices=["own", "none"], default="own")
    parser.add_argument("--calls", action="store_true", help="kill at each system call instead of random moments")
    asked = parser.parse_args()
    began = time.monotonic()
    field = Field()
    try:
        if asked.calls:
            if why := unusable(field.ground):
                print(why, file=sys.stderr)
                return 1
            _every_call(field, asked.trail)
        else:
            _storms(field, asked.trail, asked.seed, asked.kills)
    finally:
        field.close()
    _print(field.total, asked.trail, time.monotonic() - began)
    return 1 if field.total.faults else 0


def _storms(field: Field, trail: str, seed: int, kills: int) -> None:
    for number in range((kills + KILLS_A_STORM - 1) // KILLS_A_STORM):
        dice = random.Random(f"{seed}-{number}")
        wanted = min(KILLS_A_STORM, kills - number * KILLS_A_STORM)

        def storm(folder: Path, dice: random.Random = dice, wanted: int = wanted) -> list[Violation]:
            one = Storm(folder, field.launcher, trail=trail, dice=dice)
            try:
                one.blow(wanted)
                return one.settle()
            finally:
                one.tally.count(one.rig)
                field.total.add(one.tally)

        field.run(f"storm-{number}", storm)


def _every_call(field: Field, trail: str) -> None:
    for call in CHANGING:

        def calls(folder: Path, call: str = call) -> list[Violation]:
            rig = Rig(folder, field.launcher, trail=trail)
            kills = sweep(rig, call, range(1, MOST_CALLS))
            tally = Tally(kills=kills, restarts=2 * kills + 2)
            tally.by_how[call] = kills
            tally.count(rig)
            field.total.add(tally)
            return rig.violations()

        field.run(call, calls)


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
        "runs more than events show": total.unannounced_runs,
        "runs that died with their daemon": total.lost_runs,
        **{str(fault): total.faults[str(fault)] for fault in Fault},
        "checks": total.checks,
        "seconds": round(seconds),
    }
    for name, value in rows.items():
        print(f"{name:34} {value}")


if __name__ == "__main__":
    sys.exit(main())
