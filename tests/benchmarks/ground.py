"""The ground that the benchmarks stand on: the environment, the compiled program, a running daemon, small statistics.

Figures are meaningless with PYTHONDONTWRITEBYTECODE set and nothing compiled: each start would compile all modules
anew, some 100 ms. So the variable is taken out of the environment, and the package is compiled first.
"""

import compileall
import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import orchestrator

PROGRAM = (sys.executable, "-m", "orchestrator")
TICKS = os.sysconf("SC_CLK_TCK")


@functools.cache
def _home() -> Path:
    """A home without anybody's configuration."""
    home = Path(tempfile.gettempdir()) / f"orchestrator-benchmarks-{os.getuid()}" / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = Bench\n\temail = bench@example.invalid\n[gc]\n\tauto = 0\n")
    return home


def environment(**more: str) -> dict[str, str]:
    """Hermetic: an own HOME, no GIT_*, and bytecode is written."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "ORCHESTRATOR_", "XDG_"))}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "NOTIFY_SOCKET"):
        kept.pop(name, None)
    home = str(_home())
    return kept | {"HOME": home, "GIT_CONFIG_GLOBAL": f"{home}/.gitconfig", "GIT_CONFIG_NOSYSTEM": "1"} | more


@functools.cache
def compiled() -> None:
    """Compiles the package, and every library where that was not done when it was installed."""
    compileall.compile_dir(str(Path(orchestrator.__file__).parent), quiet=2)
    for entry in sys.path:
        if entry.endswith("site-packages"):
            compileall.compile_dir(entry, quiet=2, workers=1)


def product(root: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the program in that workspace to its end; it must succeed."""
    compiled()
    return subprocess.run([*PROGRAM, *args], cwd=root, env=environment(), check=True, capture_output=True)


class Running:
    """A daemon that is ready."""

    def __init__(self, process: subprocess.Popen[bytes], root: Path, ready_after: float) -> None:
        self.process = process
        self.root = root
        self.ready_after = ready_after  # seconds from its start to READY=1

    @property
    def pid(self) -> int:
        """Of the daemon."""
        return self.process.pid

    @property
    def inbox(self) -> Path:
        """Where tasks are dropped."""
        return self.root / "work" / "collaboration" / "inbox"

    def stop(self) -> None:
        """Ends it well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        if code:
            raise SystemExit(f"the daemon ended with {code}: see {self.root}/daemon.log")


@contextmanager
def daemon(root: Path, command: Sequence[str] = PROGRAM) -> Iterator[Running]:
    """A daemon at work in that workspace, until the block ends."""
    compiled()
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        address = f"{folder}/notify"
        channel.bind(address)
        channel.settimeout(0.5)
        with (root / "daemon.log").open("ab") as log:
            began = time.perf_counter()
            process = subprocess.Popen(
                [*command, "daemon"], cwd=root, env=environment(NOTIFY_SOCKET=address), stdout=log, stderr=log
            )
        try:
            _await_ready(process, channel)
        except TimeoutError:
            process.kill()
            raise SystemExit(f"the daemon did not start: {(root / 'daemon.log').read_text()}") from None
        running = Running(process, root, time.perf_counter() - began)
        try:
            yield running
        finally:
            running.stop()


def _await_ready(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(TimeoutError):
            if b"READY=1" in channel.recv(4096):
                channel.settimeout(0)  # what it says later is not read
                return
    raise TimeoutError


def wait_until(condition: Callable[[], bool], what: str, *, every: float = 0.05, limit: float = 1800) -> None:
    """Waits for it; ends the benchmark where it does not come."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {limit:.0f} s")
        time.sleep(every)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        try:
            for thread in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of one process, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int, name: str = "VmRSS") -> float:
    """MiB. `VmHWM` is the peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def verdict(value: float, aim: float, *, at_least: bool = False) -> str:
    """Whether an aim is met, in a word."""
    return "met" if (value >= aim if at_least else value <= aim) else "MISSED"
