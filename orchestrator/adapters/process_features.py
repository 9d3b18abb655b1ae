"""What this system offers to hold a tool and all that it starts, for `orchestrator doctor`. Nothing stays changed."""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.process_table import is_readable

_PR_GET_CHILD_SUBREAPER = 37
_LANDLOCK_CREATE_RULESET = 444  # the same number on every architecture
_LANDLOCK_VERSION = 1  # flag: tell the version, make nothing
_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One thing that the system may offer."""

    name: str
    present: bool
    why: str  # what it is used for, or why it is not there


def features() -> tuple[Feature, ...]:
    """All of them, in the order of what they matter."""
    return (_subreaper(), _pidfd(), _proc(), _cgroup(), _bubblewrap(), _user_namespaces(), _landlock())


def _feature(name: str, present: bool, yes: str, no: str) -> Feature:
    return Feature(name=name, present=present, why=yes if present else no)


def _is_linux() -> bool:
    return sys.platform.startswith("linux")


def _subreaper() -> Feature:
    answer = ctypes.c_int()
    present = _is_linux() and ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) == 0
    return _feature(
        "child subreaper",
        present,
        "orphans of a tool come back to its guard",
        "orphans of a tool go to process 1: only its process group can be ended",
    )


def _pidfd() -> Feature:
    present = False
    if hasattr(os, "pidfd_open"):
        try:
            os.close(os.pidfd_open(os.getpid()))
            present = True
        except OSError:
            pass
    return _feature("pidfd", present, "the end of a process is told, and not looked for", "ends are looked for")


def _proc() -> Feature:
    return _feature(
        "process table",
        is_readable(),
        "/proc tells what runs",
        "no /proc: what left its group and lost its parent cannot be found",
    )


def _cgroup() -> Feature:
    """Whether we may make a group below our own: one is made, and removed."""
    name = "cgroup v2"
    no = "limits are held by looking at the processes instead"
    try:
        text = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return Feature(name=name, present=False, why=f"this system has none: {no}")
    own = next((line.removeprefix("0::/") for line in text.splitlines() if line.startswith("0::/")), None)
    root = next((path for path in map(Path, ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")) if _is_v2(path)), None)
    if own is None or root is None:
        return Feature(name=name, present=False, why=f"not mounted: {no}")
    probe = root / own / f"orchestrator-doctor-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        return Feature(name=name, present=False, why=f"not delegated to this user ({error.strerror}): {no}")
    controllers = _controllers(root / own)
    if not {"memory", "pids"} <= controllers:
        return Feature(name=name, present=False, why=f"without the controllers memory and pids: {no}")
    return Feature(name=name, present=True, why="delegated, with memory and pids")


def _is_v2(root: Path) -> bool:
    return (root / "cgroup.controllers").is_file()


def _controllers(group: Path) -> set[str]:
    try:
        return set((group / "cgroup.controllers").read_text(encoding="ascii").split())
    except OSError:
        return set()


def _bubblewrap() -> Feature:
    found = shutil.which("bwrap")
    if not found:
        return Feature(name="bubblewrap", present=False, why="bwrap is not on PATH")
    works = _runs(found, "--ro-bind", "/", "/", "--unshare-pid", "true")
    return _feature("bubblewrap", works, f"{found} works", f"{found} is there, and is not allowed to work")


def _user_namespaces() -> Feature:
    found = shutil.which("unshare")
    if not found:
        return Feature(name="user namespaces", present=False, why="cannot be tried: unshare is not on PATH")
    works = _runs(found, "--user", "--map-current-user", "true")
    return _feature("user namespaces", works, "may be made by this user", "not allowed to this user")


def _runs(*argv: str) -> bool:
    try:
        ended = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def _landlock() -> Feature:
    name = "Landlock"
    if not _is_linux() or platform.machine() not in {"x86_64", "aarch64", "riscv64", "ppc64le", "s390x", "i686"}:
        return Feature(name=name, present=False, why="not on this system")
    library = ctypes.CDLL(None, use_errno=True)
    version = library.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version < 0:
        return Feature(name=name, present=False, why=f"not in this kernel: {os.strerror(ctypes.get_errno())}")
    return Feature(name=name, present=True, why=f"version {version}")
