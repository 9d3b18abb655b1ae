"""What an idle daemon costs: CPU over half a minute, and memory, its git child included.

    python tests/benchmarks/idle.py [--finished 100000] [--seconds 30]

It does a few tasks first, so that everything that ever starts has started; then it is left alone until its children
have gone to rest. Aims: below 0.5 % of a core, below 90 MiB.
"""

import argparse
import tempfile
import time
from pathlib import Path

from ground import cpu_seconds, daemon, family, memory, verdict
from latency import drop
from seed import copy


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--settle", type=float, default=20, help="seconds between the last task and the clock")
    parser.add_argument("--mode", choices=["own", "none"], default="own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = copy(options.finished, Path(temporary) / "ours", mode=options.mode)
        waiting = root / "work" / ".waiting"
        waiting.mkdir()
        with daemon(root) as running:
            for number in range(20):
                drop(running, waiting, f"2026-11-01T0900-drop-{number:05d}", number)
            time.sleep(options.settle)
            before = {pid: cpu_seconds(pid) for pid in family(running.pid)}
            switches = _switches(running.pid)
            began = time.perf_counter()
            time.sleep(options.seconds)
            seconds = time.perf_counter() - began
            used = sum(cpu_seconds(pid) - before.get(pid, 0.0) for pid in family(running.pid))
            switches = _switches(running.pid) - switches
            children = [pid for pid in family(running.pid) if pid != running.pid]
            resident = memory(running.pid) + sum(memory(pid) for pid in children)
            peak = memory(running.pid, "VmHWM")
    share = 100 * used / seconds
    print(
        f"idle at {options.finished:,} finished tasks, {seconds:.0f} s: {share:.2f} % of a core "
        f"(aim 0.5: {verdict(share, 0.5)}), {switches / seconds:.0f} wake-ups/s; {resident:.0f} MiB resident with "
        f"{len(children)} children (aim 90: {verdict(resident, 90)}), the daemon's peak was {peak:.0f} MiB"
    )


def _switches(pid: int) -> int:
    """How often its threads have woken up."""
    found = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for line in (thread / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                found += int(line.split()[1])
    return found


if __name__ == "__main__":
    main()
