"""Whole-process times of commands, next to the interpreter alone.

    python tests/benchmarks/commands.py [--finished 100000] [--times 20]

Aims: --help, version, status and completion below 60 ms, a command that validates (a submit that is refused) below
150 ms. Commands run in turn, round after round, so that a busy moment of the machine meets them all.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ground import PROGRAM, compiled, daemon, environment, percentile, verdict
from seed import copy


@dataclass(frozen=True, slots=True)
class Command:
    """One to be measured."""

    name: str
    argv: Sequence[str]
    aim: float  # ms; 0: none
    code: int = 0
    env: dict[str, str] = field(default_factory=dict)
    says: bytes = b""  # must be in what it prints


def commands(root: Path) -> list[Command]:
    """What is measured."""
    script = Path(sys.executable).with_name("orchestrator")
    program = (str(script),) if script.exists() else PROGRAM
    bad = root / "bad.yaml"
    bad.write_text("agent: writer\npriority: soonish\ntitle: It is refused\n")
    complete = {"_ORCHESTRATOR_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    return [
        Command("python -c pass", (sys.executable, "-c", "pass"), 0),
        Command("python -I -S -c pass", (sys.executable, "-I", "-S", "-c", "pass"), 0),
        Command("--help", (*program, "--help"), 60, says=b"submit"),
        Command("version", (*program, "version"), 60, says=b"orchestrator"),
        Command("status", (*program, "status"), 60, says=b"done"),
        Command("status --json", (*program, "status", "--json"), 60, says=b"orchestrator.status/1"),
        Command("task list", (*program, "task", "list"), 60, says=b"done"),
        Command("completion bash", (*program, "completion", "bash"), 60, says=b"COMP"),
        Command("completing a command", program, 60, env=complete | {"COMP_WORDS": "orchestrator sta"}, says=b"status"),
        Command(
            "completing a task id",
            program,
            60,
            env=complete | {"COMP_WORDS": "orchestrator show 2026-10-3", "COMP_CWORD": "2"},
            says=b"2026-10-3",
        ),
        Command("show ID", (*program, "show", _some_task(root)), 0, says=b"done"),
        Command("submit, refused", (*program, "submit", "bad.yaml"), 150, code=1, says=b"soonish"),
    ]


def _some_task(root: Path) -> str:
    folder = next((root / "work" / "collaboration" / "done").iterdir())
    return next(next(folder.iterdir()).iterdir()).stem


def run(command: Command, root: Path) -> float:
    """Milliseconds; it must do what it is to do."""
    began = time.perf_counter()
    ended = subprocess.run(command.argv, cwd=root, env=environment(**command.env), capture_output=True, check=False)
    took = (time.perf_counter() - began) * 1000
    if ended.returncode != command.code or command.says not in ended.stdout + ended.stderr:
        raise SystemExit(f"{command.name}: exit {ended.returncode}: {ended.stdout + ended.stderr!r:.2000}")
    return took


def measure(root: Path, times: int) -> None:
    """Prints a table."""
    every = commands(root)
    took: dict[str, list[float]] = {command.name: [] for command in every}
    for number in range(times + 2):
        for command in every:
            one = run(command, root)
            if number >= 2:
                took[command.name].append(one)
    for command in every:
        half, best = percentile(took[command.name], 50), min(took[command.name])
        aim = f"(aim {command.aim:.0f}: {verdict(half, command.aim)})" if command.aim else ""
        print(f"  {command.name:<22} median {half:>6.1f} ms, best {best:>6.1f} ms {aim}")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    compiled()
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = copy(options.finished, Path(temporary) / "ours")
        print(f"commands at {options.finished:,} finished tasks, no daemon, {options.times} times each:")
        measure(root, options.times)
        with daemon(root):
            print("the same while a daemon is there, idle:")
            time.sleep(8)
            measure(root, options.times)


if __name__ == "__main__":
    main()
