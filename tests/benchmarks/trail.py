"""How fast the trail commits, how soon, how small, and how much faster than `git add` and `git commit`.

    python tests/benchmarks/trail.py                      # the full run: about ten minutes
    python tests/benchmarks/trail.py --finished 100 5000 --transitions 3000 --seconds 4

Each size gets a repository of its own with so many finished tasks (three files each, in folders of at most 256), real
files on disk included. Read the ratios: the machine is shared.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from orchestrator.adapters import place as places
from orchestrator.adapters.trail import worktree
from orchestrator.adapters.trail.own import OwnTrail
from orchestrator.core.layout import FULL, bucket
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Change, Transition

SETTINGS = TrailSettings()
AGENTS = 8
TASK = """id: {task}
agent: {agent}
status: {status}
title: "Write the cache layer, part {number}"
priority: normal
created_at: 2026-11-21T10:00:00Z
context:
  files: [src/cache.py, tests/test_cache.py]
  notes: keep the public functions as they are, and measure before and after
"""
RESULT = """result:
  summary: wrote src/cache_{number}.py and its test, {number} lines
  completed_at: 2026-11-21T10:03:12Z
  metrics: {{duration_seconds: 192, tokens: {{input: {number}, output: 2210}}, cost_usd: 0.42}}
"""
FACT = (
    '{{"v":1,"event_id":"01J{number:013d}{step}","ts":"2026-11-21T10:0{step}:00.{number:06d}Z","event":"{word}",'
    '"task_id":"{task}","agent":"{agent}","tool":"true","attempt":1,"host":"bench","pid":4242}}\n'
)
LOG = "# {task}\n\nWhat was asked, what ran, what came of it: {number}.\n\nchecks: tests passed in {number} ms\n"


class Tasks:
    """The three transitions of one task after the other, as the product makes them."""

    def __init__(self, work: Path, begin: int = 0) -> None:
        self.work = work
        self.numbers = count(begin)

    def names(self, number: int) -> tuple[str, str, str, str, str, str]:
        """Task id, agent, and the paths of its files: assigned, done, facts, log."""
        agent = f"agent-{number % AGENTS}"
        task = f"2026-11-21T1000-{agent}-cache-layer-{number:06d}"
        folder = bucket("2026-11-21", number // AGENTS // FULL + 1)
        facts = f"telemetry/{bucket('2026-11-21', number // FULL + 1)}/{task}.jsonl"
        assigned, done = (
            f"collaboration/assigned/{agent}/{task}.yaml",
            f"collaboration/done/{agent}/{folder}/{task}.yaml",
        )
        return task, agent, assigned, done, facts, f"reports/logs/{agent}/{folder}/{task}.md"

    def transitions(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        """Without end: the commit's word and task, and what its files become."""
        for number in self.numbers:
            task, agent, assigned, done, facts, log = self.names(number)
            text, lines = "", ""
            for step, (word, events) in enumerate([("claimed", 2), ("started", 3), ("done", 3)]):
                for event in range(events):
                    lines += FACT.format(number=number, step=step * 3 + event, word=word, task=task, agent=agent)
                text = TASK.format(task=task, agent=agent, status=word, number=number)
                if word == "done":
                    text += RESULT.format(number=number)
                    yield (
                        f"{word} {task}",
                        {assigned: None, done: text, facts: lines, log: LOG.format(task=task, number=number)},
                    )
                else:
                    yield f"{word} {task}", {assigned: text, facts: lines}

    def write(self, files: dict[str, str | None]) -> None:
        """On disk."""
        for path, text in files.items():
            target = self.work / path
            if text is None:
                target.unlink(missing_ok=True)
                continue
            try:
                target.write_text(text)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)


def transition_of(subject: str, files: dict[str, str | None]) -> Transition:
    """The commit."""
    word, task = subject.split()
    changes = tuple(Change(path=path, content=None if text is None else text.encode()) for path, text in files.items())
    trailers = {"Task-Id": task, "Task-Transition": f"assigned -> {word}", "Agent": "agent", "Tool": "true",
                "Invocation-Id": f"01J{abs(hash(task)):020d}"[:26]}  # fmt: skip
    return Transition(subject=f"task: {subject}", at=datetime.now(UTC), changes=changes, trailers=trailers)


def fill(trail: OwnTrail, tasks: Tasks, finished: int) -> None:
    """So many finished tasks, 256 a commit: the history itself is not what is measured."""
    numbers = islice(tasks.numbers, finished)
    while chunk := list(islice(numbers, FULL)):
        files: dict[str, str | None] = {}
        for number in chunk:
            *_, (_, last) = islice(Tasks(tasks.work, number).transitions(), 3)
            files |= {path: text for path, text in last.items() if text is not None}
        intent = trail.intend([])
        tasks.write(files)
        trail.record(intent, transition_of("done bulk", files))
        while trail.backlog > 40:
            time.sleep(0.05)
    assert trail.flush(600), trail.trouble


def at_full_speed(trail: OwnTrail, tasks: Tasks, transitions: int) -> float:
    """Transitions a second, handed over as fast as it goes, until all are durable. The files are on disk already: what
    writing them costs is not the trail's."""
    made = list(islice(tasks.transitions(), transitions))
    last: dict[str, str | None] = {}
    for _, files in made:
        last |= files
    tasks.write(last)
    begun = time.perf_counter()
    for subject, files in made:
        trail.record(trail.intend(list(files)), transition_of(subject, files))
    assert trail.flush(600), trail.trouble
    return transitions / (time.perf_counter() - begun)


def paced(trail: OwnTrail, tasks: Tasks, rate: int, seconds: float) -> list[float]:
    """Milliseconds from handing over to durable, at that rate."""
    recorded: dict[int, float] = {}
    durable: dict[int, float] = {}
    acknowledge = trail._journal.acknowledge

    def noting(intents: list[int], tip: str) -> None:
        now = time.perf_counter()
        acknowledge(intents, tip)
        durable.update(dict.fromkeys(intents, now))

    trail._journal.acknowledge = noting  # type: ignore[method-assign]  # the moment of being durable is not public
    begun = time.perf_counter()
    for number, (subject, files) in enumerate(islice(tasks.transitions(), int(rate * seconds))):
        wait = begun + number / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        intent = trail.intend(list(files))
        tasks.write(files)
        recorded[intent] = time.perf_counter()
        trail.record(intent, transition_of(subject, files))
    assert trail.flush(600), trail.trouble
    trail._journal.acknowledge = acknowledge  # type: ignore[method-assign]
    return sorted((durable[intent] - at) * 1000 for intent, at in recorded.items())


def plain(folder: Path, source: Path, tasks: Tasks, commits: int) -> float:
    """Commits a second the plain way: write, `git add`, `git commit`, in a checkout with the same files."""
    git(folder.parent, "init", "-q", str(folder))
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    git(folder, "add", "-A")
    git(folder, "-c", "gc.auto=0", "commit", "-q", "-m", "all")
    git(folder, "config", "gc.auto", "0")
    here = Tasks(folder, next(tasks.numbers))
    begun = time.perf_counter()
    for subject, files in islice(here.transitions(), commits):
        here.write(files)
        git(folder, "add", "-A", "--", *files)
        git(folder, "commit", "-q", "-m", subject)
    return commits / (time.perf_counter() - begun)


def git(folder: Path, *args: str) -> None:
    """Quietly."""
    subprocess.run(["git", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def objects_size(common: Path) -> int:
    """Bytes of all objects on disk."""
    return sum(
        path.stat().st_size for path in (common / "objects").rglob("*") if path.is_file() and path.suffix != ".graph"
    )


def restart(trail: OwnTrail, place: places.Place, *, without_journal: bool = False) -> tuple[OwnTrail, float]:
    """Closes, opens, recovers; how long recovery took."""
    trail.close()
    if without_journal:
        (place.state / "trail.journal").unlink()
    again = OwnTrail(place, SETTINGS)
    begun = time.perf_counter()
    recovered = again.recover()
    took = time.perf_counter() - begun
    assert recovered.commits == 0, recovered.paths[:5]
    return again, took


def measure(folder: Path, finished: int, options: argparse.Namespace) -> float:
    """Prints the figures of one size; its rate."""
    repository = folder / "repository"
    git(folder, "init", "-q", str(repository))
    worktree.create(places.find(repository), SETTINGS)
    place = places.find(repository)
    assert place.common_dir is not None
    trail = OwnTrail(place, SETTINGS)
    trail.recover()
    tasks = Tasks(place.work)
    fill(trail, tasks, finished)
    trail.idle()
    trail._upkeep.merge(more_than=1)
    before = objects_size(place.common_dir)
    rates = [at_full_speed(trail, tasks, options.transitions) for _ in range(options.repeat)]
    rate = statistics.median(rates)
    say(f"{rate:7.0f} transitions/s committed and synced (of {[round(one) for one in rates]})", f"{finished} finished:")
    begun = time.perf_counter()
    trail._house.follow()
    say(f"{(time.perf_counter() - begun) * 1000:7.0f} ms for the index to follow what was left")
    begun = time.perf_counter()
    trail.idle()
    trail._upkeep.merge(more_than=1)
    tidied = time.perf_counter() - begun
    size = (objects_size(place.common_dir) - before) / (options.transitions * options.repeat / 3)
    say(f"{size:7.0f} bytes of repository a task (3 commits, 3 files), packs merged in {tidied:.2f} s")
    for pace in options.rates:
        used = cpu()
        waits = paced(trail, tasks, pace, options.seconds)
        share = (cpu() - used) / options.seconds * 100
        late = waits[int(len(waits) * 0.99)]
        median = statistics.median(waits)
        say(f"{median:7.1f} ms median, {late:.1f} ms p99 to durable at {pace}/s, {share:.0f} % of a core for it all")
    trail.idle()
    trail, took = restart(trail, place)
    say(f"{took * 1000:7.0f} ms to recover")
    trail, took = restart(trail, place, without_journal=True)
    say(f"{took * 1000:7.0f} ms to recover without a journal (everything compared)")
    trail.close()
    by_hand = plain(folder / "plain", place.work, tasks, options.plain)
    say(f"{by_hand:7.1f} commits/s with git add and git commit: the trail does {rate / by_hand:.0f} times that")
    return rate


def say(figure: str, about: str = "") -> None:
    """A line of the report."""
    print(f"{about:>17} {figure}", flush=True)


def cpu() -> float:
    """Seconds of processor that we and our ended children used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Measures each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, nargs="+", default=[100, 100_000], help="finished tasks in the tree")
    parser.add_argument("--transitions", type=int, default=9000, help="how many at full speed")
    parser.add_argument("--repeat", type=int, default=3, help="how often; the median counts")
    parser.add_argument("--rates", type=int, nargs="*", default=[20, 500], help="transitions a second, paced")
    parser.add_argument("--seconds", type=float, default=10, help="how long paced")
    parser.add_argument("--plain", type=int, default=30, help="commits the plain way")
    parser.add_argument("--folder", type=Path, help="where; default: a temporary folder")
    options = parser.parse_args()
    rates = []
    for finished in options.finished:
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="trail-") as folder:
            rates.append(measure(Path(folder), finished, options))
    if len(rates) > 1:
        print(
            f"{rates[-1] / rates[0] * 100:.0f} % of the first rate at the last size; {threading.active_count()} threads"
        )


if __name__ == "__main__":
    main()
