"""Ten thousand files dropped at once: none is lost, and memory stays flat.

    python tests/benchmarks/burst.py [--finished 100] [--files 10000]

Memory is sampled all the while. Afterwards files, events, index and git must agree: each task done, once.
"""

import argparse
import collections
import subprocess
import tempfile
import time
from pathlib import Path

from ground import daemon, environment, memory, product
from seed import AGENTS, BRANCH, copy, task_text


def main() -> None:
    """Measures and prints; ends with 1 where a task was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, default=100)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = copy(options.finished, Path(temporary) / "ours")
        work = root / "work"
        waiting = work / ".waiting"
        waiting.mkdir()
        names = []
        for number in range(options.files):
            task_id = f"2026-11-01T0900-burst-{number:05d}"
            (waiting / f"{task_id}.yaml").write_bytes(task_text(task_id, AGENTS[number % len(AGENTS)], number))
            names.append(task_id)
        with daemon(root) as running:
            before = memory(running.pid)
            began = time.perf_counter()
            for task_id in names:
                (waiting / f"{task_id}.yaml").rename(running.inbox / f"{task_id}.yaml")
            dropped = time.perf_counter() - began
            samples: list[tuple[float, float]] = []
            while any(running.inbox.iterdir()) or any((work / "collaboration" / "assigned").glob("*/*.yaml")):
                time.sleep(0.5)
                samples.append((time.perf_counter() - began, memory(running.pid)))
            seconds = time.perf_counter() - began
            peak = memory(running.pid, "VmHWM")
        waiting.rmdir()
        lost = _lost(root, names)
    quarters = [max(rss for _, rss in samples[len(samples) * q // 4 :] or samples) for q in range(4)]
    print(
        f"{options.files:,} files dropped in {dropped:.1f} s at {options.finished:,} finished tasks: done in "
        f"{seconds:.1f} s, {options.files / seconds:.0f} tasks/s; {len(lost)} lost or doubled; memory {before:.0f} MiB "
        f"before, peak {peak:.0f} MiB, highest in the last three quarters {quarters[1]:.0f}, "
        f"in the last {quarters[3]:.0f}"
    )
    if lost:
        raise SystemExit("\n".join(lost[:20]))


def _lost(root: Path, names: list[str]) -> list[str]:
    """What is wrong, in words: a task that is not done exactly once in files, events and git."""
    files = collections.Counter(path.stem for path in (root / "work" / "collaboration").rglob("*.yaml"))
    done = collections.Counter(path.stem for path in (root / "work" / "collaboration" / "done").rglob("*.yaml"))
    facts = {path.stem: path.read_bytes() for path in (root / "work" / "telemetry").rglob("*-burst-*.jsonl")}
    subjects = subprocess.run(
        ["git", "log", "--format=%s", BRANCH], cwd=root, env=environment(), check=True, capture_output=True, text=True
    )
    commits = collections.Counter(subjects.stdout.splitlines())
    wrong = []
    for name in names:
        runs = facts.get(name, b"").count(b'"event":"execution_started"')
        if (files[name], done[name], runs, commits[f"task: done {name}"]) != (1, 1, 1, 1):
            told = commits[f"task: done {name}"]
            wrong.append(f"{name}: {files[name]} files, {done[name]} in done/, {runs} runs, commits {told}")
    status = product(root, "status", "--json").stdout
    if b'"done":' not in status:
        wrong.append("status knows of none that is done")
    return wrong


if __name__ == "__main__":
    main()
