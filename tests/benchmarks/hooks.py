"""Whole `git commit` times with our hooks, next to the same commit without any hook.

    python tests/benchmarks/hooks.py [--times 15] [--as files|configuration]

Aims: 15 ms with our hooks and no file of ours, 120 ms with one task file, 400 ms with 100. The kinds of commit are made
in turn, round after round, so that a busy moment of the machine meets them all.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ground import environment, percentile, product, verdict

EVENTS = ("pre-commit", "commit-msg", "post-commit")
NO_HOOKS = ("-c", "core.hooksPath=/dev/null", *(w for e in EVENTS for w in ("-c", f"hook.{e}.enabled=false")))
TASK = "agent: {agent}\ntitle: Something number {number}\npriority: high\ndescription: |\n  Say what it is.\n"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of commit."""

    name: str
    prepare: Callable[[Path, int], None]  # writes and stages
    aim: float  # ms; 0: none
    hooks: bool = True


def other(root: Path, number: int) -> None:
    """A file that is none of ours."""
    (root / "src.txt").write_text(f"{number} {time.monotonic_ns()}\n")
    git(root, "add", "src.txt")


def tasks(count: int) -> Callable[[Path, int], None]:
    """So many new task files where tasks are taken in from."""

    def write(root: Path, number: int) -> None:
        for one in range(count):
            text = TASK.format(agent="analyst", number=one)
            (root / "tasks" / f"t{count}-{number}-{one}.yaml").write_text(text)
        git(root, "add", "tasks")

    return write


def git(root: Path, *args: str) -> None:
    """Git there; it must succeed."""
    subprocess.run(["git", *args], cwd=root, env=environment(), check=True, capture_output=True)


def commit(root: Path, kind: Kind, number: int) -> float:
    """Milliseconds of the commit alone."""
    kind.prepare(root, number)
    hooks = [] if kind.hooks else list(NO_HOOKS)
    began = time.perf_counter()
    git(root, *hooks, "commit", "-q", "-m", f"{kind.name} {number}")
    return (time.perf_counter() - began) * 1000


def workspace(root: Path, way: str) -> None:
    """A repository of 200 files with a workspace that takes tasks in, and our hooks."""
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    product(root, "init")
    with (root / "config" / "policies.yaml").open("a") as file:
        file.write("intake: {branch: main, paths: [tasks/]}\n")
    (root / "tasks").mkdir()
    for number in range(200):
        (root / f"file-{number}.txt").write_text(f"{number}\n")
    product(root, "hooks", "install", *(["--as", way] if way else []))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "begin")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--as", dest="way", choices=["files", "configuration"], default="")
    options = parser.parse_args()
    kinds = [
        Kind("no hooks", other, 0, hooks=False),
        Kind("our hooks, no file of ours", other, 15),
        Kind("no hooks, one task file", tasks(1), 0, hooks=False),
        Kind("our hooks, one task file", tasks(1), 120),
        Kind("no hooks, 100 task files", tasks(100), 0, hooks=False),
        Kind("our hooks, 100 task files", tasks(100), 400),
    ]
    took: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = Path(temporary) / "repository"
        workspace(root, options.way)
        for number in range(options.times + 1):
            for kind in kinds:
                one = commit(root, kind, 2 * number + kind.hooks)
                if number:
                    took[kind.name].append(one)
    bare = 0.0
    for kind in kinds:
        half = percentile(took[kind.name], 50)
        bare = half if not kind.hooks else bare
        aim = f"(aim {kind.aim:.0f}: {verdict(half, kind.aim)}), {half / bare:.1f} times without" if kind.aim else ""
        print(f"  {kind.name:<28} median {half:>6.1f} ms, best {min(took[kind.name]):>6.1f} ms {aim}")


if __name__ == "__main__":
    main()
