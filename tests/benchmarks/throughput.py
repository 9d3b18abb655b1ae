"""Tasks a second on the whole path with a tool that does nothing, against the plain way in the same run.

    python tests/benchmarks/throughput.py [--finished 100 10000 100000] [--tasks 2000] [--mode own]

The plain way is a shell loop as one would write it: move the file, commit; mark it, commit; run `true`, write the
result, move it, commit: `git add` and `git commit` each time. It is measured twice: in a copy of the very repository
that ours runs in (three tracked files for each finished task: the task, its events, its log), and in a lean one of its
own that tracks the task file alone. Time is from the first drop until git has the last commit.
"""

import argparse
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ground import Running, cpu_seconds, daemon, environment, memory, verdict, wait_until
from seed import AGENTS, BRANCH, copy, task_text

# One task the plain way. Everything is synced as git is configured to, by default.
LOOP = r"""
set -e
cd "$1"
for file in collaboration/inbox/*.yaml; do
  name=${file##*/}; agent=%s; day=2026-11-01
  mkdir -p collaboration/assigned/$agent collaboration/done/$agent/$day
  mv "$file" collaboration/assigned/$agent/$name
  echo "status: assigned" >> collaboration/assigned/$agent/$name
  git add -- collaboration/assigned/$agent/$name
  git commit -q -m "task: assigned ${name%%.yaml}" -m "Task-Id: ${name%%.yaml}"
  sed -i 's/^status: .*/status: in_progress/' collaboration/assigned/$agent/$name
  git add -- collaboration/assigned/$agent/$name
  git commit -q -m "task: in_progress ${name%%.yaml}" -m "Task-Id: ${name%%.yaml}"
  true
  sed -i 's/^status: .*/status: done/' collaboration/assigned/$agent/$name
  printf 'result:\n  summary: it ended well\n' >> collaboration/assigned/$agent/$name
  mv collaboration/assigned/$agent/$name collaboration/done/$agent/$day/$name
  git add -- collaboration/assigned/$agent collaboration/done/$agent/$day/$name
  git commit -q -m "task: done ${name%%.yaml}" -m "Task-Id: ${name%%.yaml}"
done
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run came to."""

    tasks: int
    seconds: float
    cpu: float = 0.0  # of the daemon, without git
    peak: float = 0.0  # MiB

    @property
    def rate(self) -> float:
        """Tasks a second."""
        return self.tasks / self.seconds


def plain(root: Path, tasks: int) -> Figure:
    """The shell loop."""
    inbox = root / "work" / "collaboration" / "inbox"
    agent = AGENTS[0]
    for number in range(tasks):
        (inbox / f"2026-11-01T0900-{agent}-new-{number:05d}.yaml").write_bytes(
            task_text(f"2026-11-01T0900-{agent}-new-{number:05d}", agent, number)
        )
    began = time.perf_counter()
    subprocess.run(["bash", "-c", LOOP % agent, "loop", "work"], cwd=root, env=environment(), check=True)
    return Figure(tasks, time.perf_counter() - began)


def ours(root: Path, tasks: int, *, trail: bool, warm: int) -> Figure:
    """The daemon: `warm` tasks before anything is measured, then `tasks`."""
    with daemon(root) as running:
        if warm:
            _run(running, root, "warm", warm, trail=trail)
            time.sleep(3)  # the boards, the index of the worktree
        cpu = cpu_seconds(running.pid)
        seconds = _run(running, root, "new", tasks, trail=trail)
        return Figure(tasks, seconds, cpu_seconds(running.pid) - cpu, memory(running.pid, "VmHWM"))


def _run(running: Running, root: Path, name: str, tasks: int, *, trail: bool) -> float:
    waiting = root / "work" / f".{name}"  # the same file system: a drop is a rename
    waiting.mkdir()
    names = []
    for number in range(tasks):
        agent = AGENTS[number % len(AGENTS)]
        task_id = f"2026-11-01T0900-{agent}-{name}-{number:05d}"
        (waiting / f"{task_id}.yaml").write_bytes(task_text(task_id, agent, number))
        names.append(f"{task_id}.yaml")
    before = _tip(root) if trail else ""
    began = time.perf_counter()
    for file in names:
        (waiting / file).rename(running.inbox / file)
    waiting.rmdir()
    wait_until(lambda: not any(running.inbox.iterdir()), "an empty inbox", every=0.1)
    if trail:
        wait_until(lambda: _committed(root, before) >= tasks, f"{tasks} commits that say done", every=0.05)
    else:
        wait_until(lambda: not any(_assigned(root)), "nothing assigned", every=0.01)
    return time.perf_counter() - began


def _assigned(root: Path) -> list[Path]:
    return list((root / "work" / "collaboration" / "assigned").glob("*/*.yaml"))


def _tip(root: Path) -> str:
    return _git(root, "rev-parse", BRANCH)


def _committed(root: Path, since: str) -> int:
    if _assigned(root):
        return 0  # do not make git count while it works
    return int(_git(root, "rev-list", "--count", "--grep=^task: done ", f"{since}..{BRANCH}"))


def _git(root: Path, *args: str) -> str:
    ended = subprocess.run(["git", *args], cwd=root, env=environment(), check=True, capture_output=True, text=True)
    return ended.stdout.strip()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--warm", type=int, default=50, help="tasks done before the clock starts")
    parser.add_argument("--mode", choices=["own", "none"], default="own")
    parser.add_argument("--no-plain", action="store_true", help="leave out the plain way")
    options = parser.parse_args()
    print(f"{'finished':>9} {'ours':>22} {'the loop: same files':>29} {'lean':>25}   daemon: CPU/task, peak RSS")
    rates: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        for finished in options.finished:
            root = copy(finished, Path(temporary) / "ours", mode=options.mode)
            mine = ours(root, options.tasks, trail=options.mode == "own", warm=options.warm)
            _forget(root)
            rates[finished] = mine.rate
            row = f"{finished:>9,} {mine.rate:>10.0f} tasks/s {mine.seconds:>5.1f} s"
            if not options.no_plain:
                for kind in ("ours", "plain"):
                    root = copy(finished, Path(temporary) / "plain", kind=kind)
                    theirs = plain(root, 100 if finished <= 1_000 else 30 if finished <= 20_000 else 8)
                    _forget(root)
                    row += f" {theirs.rate:>9.2f} tasks/s {mine.rate / theirs.rate:>6.1f}x"
            print(f"{row}   {mine.cpu / mine.tasks * 1000:.2f} ms, {mine.peak:.0f} MiB", flush=True)
    if len(rates) > 1:
        first, last = min(rates), max(rates)
        share = 100 * rates[last] / rates[first]
        print(f"at {last:,}: {share:.0f} % of the rate at {first:,} (aim 80: {verdict(share, 80, at_least=True)})")


def _forget(root: Path) -> None:
    subprocess.run(["rm", "-rf", str(root)], check=True)


if __name__ == "__main__":
    main()
