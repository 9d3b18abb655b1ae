"""Kills a daemon at its n-th call of one system call, by strace: the kernel's own view of "at any instruction"."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from crash_rig import DEADLINE, Rig

# What changes anything on disk between the claim and the close of a task, in the daemon and in its git child. In
# children it is they that die: the daemon must come through that as well.
CHANGING = ("renameat2", "rename", "link", "unlink", "fsync", "fdatasync", "ftruncate", "mkdir", "pwrite64", "write")


def unusable(folder: Path) -> str:
    """Why strace cannot be used here; empty: it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    said = subprocess.run(
        ["strace", "-f", "-q", "-o", str(folder / "trial"), "-e", "inject=fsync:signal=KILL", "true"],
        capture_output=True,
        check=False,
    )
    return "" if said.returncode == 0 else f"strace cannot trace here: {said.stderr.decode(errors='replace')[:200]}"


def kill_at(rig: Rig, call: str, number: int) -> bool:
    """Runs a daemon to its rest, or to the n-th `call` of one of its threads or children; whether somebody was killed.

    The killed one dies at the entry of that call: it is not made.
    """
    trace = rig.root.parent / "trace"
    # Not --seccomp-bpf, which would be faster: strace 6.1 does not inject with it.
    argv = ["strace", "-f", "-q", "-o", str(trace)]
    argv += ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
    argv += [sys.executable, "-m", "orchestrator", "daemon", "--until-idle"]
    with rig.output.open("ab") as output:
        subprocess.run(argv, cwd=rig.root, env=rig.env, stdout=output, stderr=output, timeout=DEADLINE, check=False)
    return "killed by SIGKILL" in trace.read_text(errors="replace")


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
