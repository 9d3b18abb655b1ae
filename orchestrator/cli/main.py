"""The console script's entry: as little as possible, because a read-only command has 60 ms for everything."""

import gc
import sys


def main() -> int:
    """Runs the program on the arguments of the process and returns its exit code.

    Garbage is not looked for while modules load, nor among them at the end: that cost 10 ms of 60 and frees nothing.
    What lives longer than a moment calls `Call.stay`, which turns the collector on again.
    """
    gc.disable()
    try:
        if sys.argv[1:2] == ["hook"]:  # a commit waits for it
            from orchestrator.cli.hook_quick import run as run_hook

            if (code := run_hook(sys.argv[2:])) is not None:
                return code
        from orchestrator.cli.program import run

        return run(sys.argv[1:])
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
