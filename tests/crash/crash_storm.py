"""Kills at random moments under load, and what they came to: for the test, and for the benchmark as long as asked."""

import random
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from crash_faults import Violation
from crash_launcher import Launcher
from crash_rig import How, Rig

from orchestrator.core.events import decode

LONGEST = 0.6  # seconds that a daemon lives at most before it is killed: start-up, and some of the work
LOAD = 4  # tasks that are kept waiting: at each start, as many are dropped as are missing
AGENTS = ("quick", "quick", "slow", "giver", "falls")


@dataclass(slots=True)
class Tally:
    """What happened."""

    kills: int = 0
    restarts: int = 0
    tasks: int = 0
    real_runs: int = 0
    announced_runs: int = 0
    unannounced_runs: int = 0  # that really began, and no event shows them
    lost_runs: int = 0
    checks: int = 0
    by_how: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """The sum of both."""
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            setattr(self, item.name, mine + theirs)

    def count(self, rig: Rig) -> None:
        """Adds the tasks of a workspace and their runs, announced and real."""
        journal = rig.journal.read_text().splitlines() if rig.journal.exists() else []
        began = Counter(line.split(" ")[2] for line in journal if line.startswith("began "))
        announced: set[str] = set()
        for path in rig.work.glob("telemetry/*/*.jsonl"):
            self.tasks += 1
            for event in filter(None, map(decode, path.read_bytes().splitlines())):
                if event.event == "execution_started":
                    announced.add(event.invocation_id)
                if event.event == "execution_finished":
                    self.lost_runs += event.reason == "lost"
        self.announced_runs += len(announced)
        self.real_runs += began.total()
        self.unannounced_runs += sum(n - (run in announced) for run, n in began.items())


class Storm:
    """One workspace in which daemons die. Two storms with the same dice drop and kill alike."""

    def __init__(self, folder: Path, launcher: Launcher, *, trail: str, dice: random.Random) -> None:
        self.rig = Rig(folder, launcher, trail=trail)
        self.tally = Tally()
        self._dice = dice

    def blow(self, kills: int) -> None:
        """So many kills, each at a random moment of a daemon's life. One that came to rest before it is not one."""
        ways = list(How)
        while self.tally.kills < kills:
            self._drop_some()
            self.rig.start()
            self.tally.restarts += 1
            if self.rig.ends_within(self._dice.uniform(0, LONGEST)):
                code = self.rig.wait()
                assert code == 0, f"it ended with {code}: {self.rig.said()}"
                continue
            how = ways[self.tally.kills % len(ways)]
            self.rig.kill(how)
            self.rig.wait()
            self.tally.kills += 1
            self.tally.by_how[how] += 1

    def settle(self) -> list[Violation]:
        """Lets a daemon come to rest; what is wrong then."""
        self.rig.rest()
        self.tally.restarts += 1
        return self.rig.violations()

    def _drop_some(self) -> None:
        waiting = sum(1 for _ in (self.rig.work / "collaboration/inbox").glob("*.yaml"))
        for _ in range(LOAD - waiting):
            number = len(self.rig.submitted)
            earlier = f"task-{number - 1}" if number and self._dice.random() < 0.2 else ""
            self.rig.drop(f"task-{number}", agent=self._dice.choice(AGENTS), depends_on=[earlier] if earlier else [])
