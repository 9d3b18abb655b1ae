"""Kills a daemon at its n-th call of one system call, by strace: the kernel's own view of "at any instruction"."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from crash_rig import Rig, until

# What changes anything on disk between the claim and the close of a task, in the daemon and in the git processes that
# it starts. Where one of those makes the call it dies, and the daemon must come through that as well.
CHANGING = ("renameat2", "rename", "link", "unlink", "fsync", "fdatasync", "ftruncate", "mkdir", "pwrite64", "write")
KILLED = "killed by SIGKILL"


def unusable(folder: Path) -> str:
    """Why strace cannot be used here; empty: it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    trial = folder / "trial"
    argv = ["strace", "-f", "-q", "-o", str(trial), "-e", "inject=close:signal=KILL", "true"]
    said = subprocess.run(argv, capture_output=True, check=False)
    if KILLED in (trial.read_text() if trial.exists() else ""):
        return ""
    return f"strace cannot trace here: {said.stderr.decode(errors='replace')[:200]}"


def kill_at(rig: Rig, call: str, number: int) -> bool:
    """Runs a daemon to its rest, or to the n-th `call` of one of its threads or children; whether somebody was killed.

    The killed one dies at the entry of that call: it is not made. Only once: then the daemon, if it was not that, goes
    on without strace. (Not --seccomp-bpf, which would be faster: strace 6.1 injects nothing with it.)
    """
    trace, gate = rig.root.parent / "trace", rig.root.parent / "gate"
    for path in (trace, gate):
        path.unlink(missing_ok=True)
    os.mkfifo(gate)
    pid = rig.start(gate=gate)
    argv = ["strace", "-f", "-o", str(trace), "-p", str(pid), "-e", f"trace={call}"]
    argv += ["-e", f"inject={call}:signal=KILL:when={number}"]
    strace = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert strace.stderr is not None
    assert b"attached" in (said := strace.stderr.readline()), said
    os.close(os.open(gate, os.O_WRONLY))
    try:
        until(lambda: strace.poll() is not None or _has_killed(trace), "somebody was killed, or all is done")
    finally:
        # Not asked to end: before it lets go it waits for each process to stop, and one in a vfork never does.
        strace.kill()
        strace.communicate()
    rig.wait()
    return _has_killed(trace)


def sweep(rig: Rig, call: str, numbers: Iterable[int]) -> int:
    """One task for each number, a kill while it is worked on, and a restart; how many kills. Ends where none falls."""
    kills = 0
    for number in numbers:
        rig.drop(f"{call}-{number}", agent="giver")
        if not kill_at(rig, call, number):
            break
        kills += 1
        rig.rest()
    rig.rest()
    return kills


def _has_killed(trace: Path) -> bool:
    return trace.exists() and KILLED in trace.read_text(errors="replace")
