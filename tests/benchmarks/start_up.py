"""From the daemon's start to READY=1, with an index that is there.

    python tests/benchmarks/start_up.py [--finished 100000] [--times 5]

Aim: below 2 s at 100,000 tasks. The first start after a copy is printed too: it finds every folder cold.
"""

import argparse
import tempfile
from pathlib import Path

from ground import daemon, percentile, verdict
from seed import copy


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    took = []
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        root = copy(options.finished, Path(temporary) / "ours")
        for _ in range(options.times + 1):
            with daemon(root) as running:
                took.append(running.ready_after)
    half = percentile(took[1:], 50)
    print(
        f"start to READY at {options.finished:,} finished tasks: median of {options.times} {half:.2f} s "
        f"(aim 2: {verdict(half, 2)}), worst {max(took[1:]):.2f} s, the first {took[0]:.2f} s"
    )


if __name__ == "__main__":
    main()
