"""This machine: Python, the system, the clock, and limits that the daemon meets."""

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator import __version__
from orchestrator.core.finding import Finding, Topic

PROGRAM = Topic(name="program")
SYSTEM = Topic(name="system")
_OLDEST_PYTHON = (3, 11)
_FEW_FILES = 512  # open files; a running tool takes about ten
_IN_DELETE_SELF = 0x400
_BORN = 2025  # this program is not older


def program(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Python, the program, and whether it starts as fast as it can."""
    version = platform.python_version()
    if sys.version_info >= _OLDEST_PYTHON:
        yield PROGRAM.ok("python", f"{version} at {sys.executable}")
    else:
        yield PROGRAM.fail("python", f"{version} at {sys.executable}", "install Python 3.11 or newer")
    package = Path(__file__).parents[2]
    yield PROGRAM.ok("orchestrator", f"{__version__} at {package}")
    compiled = (package / "__pycache__").is_dir()
    if compiled or not (environ.get("PYTHONDONTWRITEBYTECODE") or not os.access(package, os.W_OK)):
        yield PROGRAM.ok("compiled code", "is there" if compiled else "is made at the first run")
        return
    yield PROGRAM.warn(
        "compiled code",
        "is not there and will not be made: each command takes about twice as long to start",
        f"run: {sys.executable} -m compileall -q {package}",
    )


def system(release: str | None = None) -> Iterator[Finding]:
    """Which system it is, and what is different there."""
    kernel = platform.release() if release is None else release
    name = f"{platform.system()} {kernel} on {platform.machine()}"
    if "microsoft" in kernel.lower():
        yield SYSTEM.ok("system", f"{name} (WSL): keep the repository on a Linux disk, not below /mnt")
    elif sys.platform.startswith("linux"):
        yield SYSTEM.ok("system", name)
    elif sys.platform == "darwin":
        yield SYSTEM.warn(
            "system",
            f"{name}: a process that leaves its tool's group cannot be found again here",
            "prefer Linux for tools that start servers",
        )
    else:
        yield SYSTEM.fail("system", f"{name}: not supported", "use Linux, macOS, or WSL on Windows")


def clock(now: datetime, newest: datetime | None) -> Iterator[Finding]:
    """Whether the time can be right. `now` is aware; `newest` is the time of the newest event, if any."""
    offset = now.astimezone().utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    zone = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC, local time is {zone}"
    if now.year < _BORN:
        yield SYSTEM.fail("clock", said, "set the clock: costs, dates and the order of events come from it")
    elif newest is not None and newest - now > timedelta(seconds=2):
        at = f"{newest:%Y-%m-%d %H:%M:%S}"
        yield SYSTEM.warn(
            "clock", f"{said}: before the newest event, of {at} UTC", "set the clock, or wait until it has caught up"
        )
    else:
        yield SYSTEM.ok("clock", said)


def open_files() -> Iterator[Finding]:
    """The limit of open files."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _FEW_FILES:
        many = "no limit" if soft == resource.RLIM_INFINITY else f"at most {soft}"
        yield SYSTEM.ok("open files", many)
    else:
        yield SYSTEM.warn("open files", f"at most {soft}", f"allow {_FEW_FILES * 2}: ulimit -n {_FEW_FILES * 2}")


Watching = Callable[[], int]


def watches(begin: Watching | None = None) -> Iterator[Finding]:
    """Whether one more program can be told of changes in folders. `begin` tries, and returns 0 or an errno."""
    if begin is None and not sys.platform.startswith("linux"):
        yield SYSTEM.skip("inotify", "this system tells of changes in its own way")
        return
    code = (begin or _begin_watch)()
    limits = ", ".join(
        f"{name} {number}" for name in ("max_user_instances", "max_user_watches") if (number := _limit(name))
    )
    if code == 0:
        yield SYSTEM.ok("inotify", f"a folder can be watched ({limits or 'limits unknown'})")
        return
    name = "max_user_instances" if code == errno.EMFILE else "max_user_watches"
    yield SYSTEM.warn(
        "inotify",
        f"no folder can be watched: {os.strerror(code)} ({limits}); changes are seen within a second instead",
        f"raise it: sysctl fs.inotify.{name}={(_limit(name) or 8192) * 2}",
    )


def _limit(name: str) -> int:
    try:
        return int(Path(f"/proc/sys/fs/inotify/{name}").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _begin_watch() -> int:
    """Begins a watch of the root folder, and ends it; the errno where it is refused."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor: int = library.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        return ctypes.get_errno()
    try:
        return 0 if library.inotify_add_watch(descriptor, b"/", _IN_DELETE_SELF) >= 0 else ctypes.get_errno()
    finally:
        os.close(descriptor)
