"""Starts `orchestrator` many times without paying for its imports: one process that has them forks for each call.

It reads calls from its stdin, one JSON object a line: {argv, cwd, env, output, gate}. For each it answers `pid N`, and
once that process has ended, `status N` (a wait status). Run as a script; `Launcher` is the other side.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Launcher:
    """One call at a time."""

    def __init__(self) -> None:
        self._started = 0
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Path, gate: Path | None = None
    ) -> int:
        """The process id; its session is its own, and its output goes to the end of that file.

        `gate`: a named pipe; it begins when somebody opens that for writing.
        """
        call = {"argv": list(argv), "cwd": str(cwd), "env": dict(env), "output": str(output)}
        call["gate"] = str(gate or "")
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        self._started = self._answer("pid")
        return self._started

    def wait(self) -> int:
        """Waits until the started process has ended: its exit code, or minus the signal that ended it."""
        status = self._answer("status")
        self._started = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Ends the launcher, and what it started."""
        if self._started:
            with suppress(ProcessLookupError):
                os.kill(self._started, signal.SIGKILL)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _answer(self, word: str) -> int:
        assert self._process.stdout is not None
        said, _, number = self._process.stdout.readline().partition(" ")
        assert said == word, f"the launcher answered {said!r} for {word!r}"
        return int(number)


def _serve() -> None:
    """Forks for each call. Everything that a daemon needs is imported before, and no thread runs here."""
    import orchestrator.adapters.trail.own
    import orchestrator.cli.daemon
    import orchestrator.cli.index
    import orchestrator.cli.init
    import orchestrator.cli.program
    import orchestrator.wiring.running  # noqa: F401 - imported for the processes forked from here

    for line in sys.stdin:
        call = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(call)
        print(f"pid {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print(f"status {status}", flush=True)


def _become(call: dict[str, object]) -> None:
    from orchestrator.cli.program import run

    os.setsid()
    output = os.open(str(call["output"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, own in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, own)
    os.closerange(3, 64)
    os.chdir(str(call["cwd"]))
    env = call["env"]
    argv = call["argv"]
    assert isinstance(env, dict)
    assert isinstance(argv, list)
    os.environ.clear()
    os.environ.update(env)
    if call["gate"]:
        os.close(os.open(str(call["gate"]), os.O_RDONLY))
    code = 70
    try:
        code = run(argv)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - nobody is above it: this process is about to end, and says why
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
