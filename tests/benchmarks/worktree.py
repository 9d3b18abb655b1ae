"""A task's worktree made and removed, against `git worktree add` and `git worktree remove` in the same run.

    python tests/benchmarks/worktree.py                       # 100,000 files: some minutes
    python tests/benchmarks/worktree.py --files 5000 --rounds 3

Ours also keeps an index of its own, looks for what is not committed before it removes, and runs nothing that the
repository's configuration names. Read the ratios: the machine is shared. Ours and git's take turns, and the median
of each counts.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.adapters import place as places
from orchestrator.adapters.workspaces.workspaces import Workspaces
from orchestrator.core.settings import WorkspaceKind, WorkspaceSettings
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Wanted, Workspace

ALLOWED = 1.2


def build(root: Path, files: int) -> None:
    """A repository of so many files of about a kilobyte, a hundred in a folder."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    parts = [b"commit refs/heads/main\ncommitter B <b@example.invalid> 1800000000 +0000\ndata 5\nBegin\n"]
    for number in range(files):
        text = b"line %d of a file\n" % number * 50
        parts.append(b"M 100644 inline d%04d/f%02d.txt\ndata %d\n%s\n" % (number // 100, number % 100, len(text), text))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=b"".join(parts), check=True)
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=root, check=True)


def timed(call: Callable[[], object]) -> float:
    """Seconds."""
    os.sync()
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to work: a disk, or memory")
    given = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="orchestrator-worktree-", dir=given.folder))
    try:
        measure(top, given.files, given.rounds)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def measure(top: Path, files: int, rounds: int) -> None:
    """Takes turns."""
    root = top / "repository"
    build(root, files)
    settings = WorkspaceSettings(folder=str(top / "ours"))
    port = Workspaces(places.find(root), lambda: settings)
    took: dict[str, list[float]] = {name: [] for name in ("git add", "add", "git remove", "remove", "conclude")}
    made: list[Workspace] = []

    def git(*arguments: str) -> None:
        subprocess.run(["git", "worktree", *arguments], cwd=root, check=True, capture_output=True)

    def prepare(number: int) -> None:
        found = port.prepare(Wanted(kind=WorkspaceKind.WORKTREE, task_id=TaskId(f"T{number}")))
        assert isinstance(found, Workspace), found
        made.append(found)

    def of_git(number: int) -> None:
        there = str(top / f"git{number}")
        took["git add"].append(timed(lambda: git("add", "-q", "-b", f"g{number}", there)))
        took["git remove"].append(timed(lambda: git("remove", there)))

    def of_ours(number: int) -> None:
        took["add"].append(timed(lambda: prepare(number)))
        (Path(made[-1].path) / "d0000" / "f00.txt").write_text("changed\n")
        took["conclude"].append(timed(lambda: port.conclude(made[-1], message="Work\n", artefacts=())))
        took["remove"].append(timed(lambda: port.release(made[-1])))
        assert not Path(made[-1].path).exists()

    for number in range(rounds):
        first, second = (of_git, of_ours) if number % 2 else (of_ours, of_git)
        first(number)
        second(number)
    middle = {name: statistics.median(times) for name, times in took.items()}
    print(f"{files} files, median of {rounds}")
    for name, theirs in (("add", "git add"), ("remove", "git remove")):
        ratio = middle[name] / middle[theirs]
        print(f"  {name:8} ours {middle[name]:7.3f} s  git {middle[theirs]:7.3f} s  ratio {ratio:.2f}")
    both = (middle["add"] + middle["remove"]) / (middle["git add"] + middle["git remove"])
    verdict = "within" if both <= ALLOWED else "past"
    print(f"  both     ratio {both:.2f}: {verdict} {ALLOWED:.1f}")
    print(f"  conclude with one changed file {middle['conclude']:.3f} s")


if __name__ == "__main__":
    main()
