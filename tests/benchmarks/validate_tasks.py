"""Whole-process time of `task validate` for 252 task files, next to the interpreter alone.

    python tests/benchmarks/validate_tasks.py [--files 252] [--times 15] [--tasks FOLDER]

The files are those of a real history (`--tasks`, by default the corpus beside the checkout), taken again and again
under other folders until there are enough; without a history the examples of the tests. They are checked twice: outside
a workspace, against the format alone, and in one, with agents and folders. The aim is the reference figure that was
measured for the same kind of files: 549 ms. On a busy machine the processor's time says more than the clock's.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ground import PROGRAM, compiled, environment, percentile, product, verdict

REFERENCE = 549.0  # ms
HERE = Path(__file__).resolve()
CORPUS = HERE.parents[3] / "shared" / "corpus" / "tasks"
EXAMPLES = HERE.parents[1] / "data" / "tasks"


def fill(folder: Path, source: Path, count: int) -> int:
    """Puts that many files below the folder, as the history has them; their bytes together."""
    files = sorted(path for path in source.rglob("*") if path.suffix in {".yaml", ".yml"})
    size = 0
    for number in range(count):
        turn, which = divmod(number, len(files))
        target = folder / f"turn-{turn}" / files[which].relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = files[which].read_bytes()
        target.write_bytes(raw)
        size += len(raw)
    return size


def processor() -> float:
    """Milliseconds that the processor spent on our children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def run(argv: Sequence[str], folder: Path, says: str) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor; it must have looked at all of them."""
    before, began = processor(), time.perf_counter()
    ended = subprocess.run(argv, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    took = (time.perf_counter() - began) * 1000
    if ended.returncode not in {0, 1} or says not in ended.stdout + ended.stderr:
        raise SystemExit(f"{argv}: exit {ended.returncode}: {ended.stderr[-2000:]}")
    return took, processor() - before


def measure(root: Path, source: Path, count: int, times: int) -> None:
    """Prints a table."""
    outside, inside = root / "outside", root / "inside"
    size = fill(outside / "tasks", source, count)
    inside.mkdir()
    subprocess.run(("git", "init", "-q"), cwd=inside, env=environment(), check=True)
    product(inside, "init")
    fill(inside / "tasks", source, count)
    validate = (*PROGRAM, "task", "validate", "tasks")
    bare = "python -c pass"
    commands = {
        bare: ((sys.executable, "-c", "pass"), outside, ""),
        "task validate, by the format": (validate, outside, f"{count}"),
        "task validate, in a workspace": (validate, inside, f"{count}"),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(times + 2):
        for name, (argv, folder, says) in commands.items():
            one = run(argv, folder, says)
            if number >= 2:
                took[name].append(one)
    floor = percentile([clock for clock, _ in took[bare]], 50)
    print(f"{count} task files, {size / 1000:.0f} kB, {times} times each, in turn:")
    for name, each in took.items():
        half, used = percentile([clock for clock, _ in each], 50), percentile([used for _, used in each], 50)
        aim = f"  (aim {REFERENCE:.0f}: {verdict(half, REFERENCE)})" if name != bare else ""
        figures = f"median {half:>6.1f} ms, best {min(each)[0]:>6.1f} ms, processor {used:>6.1f} ms"
        print(f"  {name:<30} {figures}, {half / floor:>5.1f} times the floor{aim}")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=252)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--tasks", type=Path, default=CORPUS if CORPUS.is_dir() else EXAMPLES)
    options = parser.parse_args()
    compiled()
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        measure(Path(temporary), options.tasks, options.files, options.times)


if __name__ == "__main__":
    main()
