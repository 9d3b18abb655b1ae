"""What `exec` costs around a tool that does nothing, next to starting that tool from `python -c`.

    python tests/benchmarks/exec.py [--tasks 100] [--times 20]

Aims: with a warm cache the whole process takes at most 120 ms more than `subprocess.run(["true"])` in a bare Python,
and in any case less than 174 ms more. Both run in turn, round after round, so that a busy moment of the
machine meets both; the ratio says more than the difference on a machine that has other things to do.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ground import PROGRAM, compiled, environment, percentile, product, verdict

_BARE = (sys.executable, "-c", "import subprocess; subprocess.run(['true'])")
_TOOLS = """
tools:
  nothing: {binary: "true", command: ["{binary}"], capabilities: [silent], workspace: none}
"""
_AGENTS = """
agents:
  dev: {preferred_tool: nothing}
"""
_AIM, _AT_MOST = 120.0, 174.0  # ms more
_COLD = ("settings.json", "trail.hidden")


def workspace(root: Path, tasks: int) -> None:
    """One of our own, with so many finished tasks."""
    for args in (("init", "--quiet"), ("commit", "--quiet", "--allow-empty", "--message=Begin")):
        subprocess.run(["git", *args], cwd=root, env=environment(), check=True)
    product(root, "init")
    (root / "config" / "tools.yaml").write_text(_TOOLS.lstrip())
    (root / "config" / "agents.yaml").write_text(_AGENTS.lstrip())
    for number in range(tasks):
        task = root / "work" / "collaboration" / "inbox" / f"task-{number:04d}.yaml"
        task.write_text(f"agent: dev\ntitle: Task {number}\n")
    product(root, "daemon", "--until-idle")


def took(argv: Sequence[str], root: Path) -> float:
    """Milliseconds of the whole process, which must end well."""
    began = time.perf_counter()
    subprocess.run(argv, cwd=root, env=environment(), check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    compiled()
    ours = (*PROGRAM, "exec", "--agent", "dev", "--prompt", "Nothing")
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = Path(temporary)
        workspace(root, options.tasks)
        times: dict[str, list[float]] = {"bare": [], "warm": [], "cold": []}
        for number in range(options.times + 2):
            one = {"bare": took(_BARE, root), "warm": took(ours, root)}
            for name in _COLD:
                (root / ".git" / "orchestrator" / name).unlink()
            one["cold"] = took(ours, root)
            if number >= 2:
                for name, ms in one.items():
                    times[name].append(ms)
    half = {name: percentile(values, 50) for name, values in times.items()}
    print(f"python -c subprocess.run(['true']): median of {options.times} {half['bare']:.1f} ms")
    for name in ("warm", "cold"):
        more = half[name] - half["bare"]
        aims = f"(aim {_AIM:.0f}: {verdict(more, _AIM)}; at most {_AT_MOST:.0f}: {verdict(more, _AT_MOST)})"
        print(
            f"exec of true among {options.tasks} tasks, cache {name}: median {half[name]:.1f} ms, best "
            f"{min(times[name]):.1f} ms: {more:.1f} ms more, {half[name] / half['bare']:.1f} times {aims}"
        )


if __name__ == "__main__":
    main()
