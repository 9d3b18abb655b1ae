"""A workspace with quick tools that count their real runs, and its daemon: started, killed, started again."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import Path

from crash_check import check
from crash_faults import Subject, Violation
from crash_launcher import Launcher

DEADLINE = 60.0  # seconds for anything that ought to take one

# The tool notes in the journal when it begins and when it ends; each note is one small append, so none is lost or torn
# when it is killed. It holds a lock while it runs: a second run of the same task at the same time would meet it.
TOOL = """\
import fcntl, os, sys, time
journal, locks, task_file, pause, follower = sys.argv[1:]
task = os.path.basename(task_file).removesuffix(".yaml")
notes = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
note = lambda word: os.write(notes, f"{word} {task} {os.environ['ORCHESTRATOR_INVOCATION']}\\n".encode())
lock = os.open(os.path.join(locks, task), os.O_RDWR | os.O_CREAT, 0o644)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    note("overlap")
note("began")
time.sleep(float(pause))  # its work: so that a kill can fall into it
if follower == "fails":
    note("ended")
    sys.exit(1)
if follower:
    print(f"Done.\\n\\n```yaml\\nresult:\\n  summary: made\\n  next_agent: quick\\n  next_task_title: {task}\\n```")
note("ended")
"""

AGENTS = """\
agents:
  quick: {preferred_tool: quick, preferred_model: some}
  slow: {preferred_tool: slow, preferred_model: some}
  giver: {preferred_tool: giver, preferred_model: some}
  falls: {preferred_tool: fails, preferred_model: some, fallback_chain: ["quick:some"]}
"""

POLICIES = """\
# No hard limit for a task: what is left of one would be held, and a run that is lost be charged all of it.
policies:
  default:
    max_parallel: 3
    limits: [{period: day, max_usd: 1000, type: hard}, {period: task, max_usd: 5, type: soft}]
trail: {mode: TRAIL}
"""

MODELS = "models:\n  some: {provider: here, price: {input_mtok: 1, output_mtok: 5}}\n"


class How(StrEnum):
    """Who is killed."""

    ALONE = "alone"  # the daemon
    GROUP = "group"  # its process group
    ALL = "all"  # and everything that descends from it, as when a container ends


class Rig:
    """One workspace. `trail` is own or none."""

    def __init__(self, folder: Path, launcher: Launcher, *, trail: str = "own") -> None:
        self.root = folder / "repo"
        self.work = self.root / "work"
        self.state = self.root / (".git/orchestrator" if trail == "own" else ".orchestrator")
        self.journal = folder / "journal"
        self.output = folder / "output"
        self.trail = trail
        self.submitted: dict[str, bytes] = {}
        self.killed_runs: set[str] = set()  # those whose guard was killed with the daemon
        self._locks = folder / "locks"
        self._launcher = launcher
        self._pid = 0
        self.env = {"PYTHONWARNINGS": "error", **os.environ}
        self._make(folder)

    def _make(self, folder: Path) -> None:
        for made in (self.root / "config", self._locks):
            made.mkdir(parents=True)
        tool = folder / "tool.py"
        tool.write_text(TOOL)
        if self.trail == "own":
            subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        config = self.root / "config"
        (config / "agents.yaml").write_text(AGENTS)
        (config / "models.yaml").write_text(MODELS)
        (config / "policies.yaml").write_text(POLICIES.replace("TRAIL", self.trail))
        (config / "tools.yaml").write_text("tools:\n" + "".join(self._stanza(tool, *kind) for kind in _KINDS))
        assert self.run("init") == 0, self.said()

    def _stanza(self, tool: Path, name: str, pause: str, follower: str) -> str:
        words = ["{binary}", "-I", "-S", str(tool), str(self.journal), str(self._locks), "{task_file}", pause, follower]
        listed = ", ".join(f"'{word}'" for word in words)
        return (
            f"  {name}:\n    binary: '{{python}}'\n    command: [{listed}]\n    models: [some]\n    billing: api\n"
            f"    capabilities: [{'' if follower == 'yes' else 'silent'}]\n"
        )

    # --- tasks ---

    def drop(
        self, task_id: str, *, agent: str = "quick", depends_on: Collection[str] = (), inbox: Path | None = None
    ) -> None:
        """Puts a task into the inbox, whole in one rename; or aside, to be put there later."""
        needs = f"depends_on: [{', '.join(depends_on)}]\n" if depends_on else ""
        text = (
            f"# dropped by a test\nid: {task_id}\nagent: {agent}   # as it is\nstatus: new\n"
            f"title: 'Do {task_id}'\n{needs}budget_usd: 1\nextra_field: [1, 2]\n"
        )
        self.submitted[task_id] = text.encode()
        inbox = inbox or self.work / "collaboration/inbox"
        hidden = inbox / f".{task_id}"
        hidden.write_text(text)
        hidden.rename(inbox / f"{task_id}.yaml")

    # --- the daemon ---

    def start(self, *words: str, die_at: str = "", gate: Path | None = None) -> int:
        """Starts a daemon, or another verb; the process id. `gate`: it begins when that named pipe is written to."""
        env = {**self.env, "ORCHESTRATOR_TEST_DIE_AT": die_at} if die_at else self.env
        flags = [] if self.trail == "own" else ["--no-git"]
        argv = [*flags, *(words or ("daemon", "--until-idle"))]
        self._pid = self._launcher.start(argv, cwd=self.root, env=env, output=self.output, gate=gate)
        return self._pid

    def wait(self) -> int:
        """Waits for its end: its exit code, or minus a signal. One that does not end is killed: a failure."""
        ended = self.ends_within(DEADLINE)
        if not ended:
            self.kill(How.ALL)
        code = self._launcher.wait()
        assert ended, f"it did not end in {DEADLINE:.0f} s: {self.said()}"
        return code

    def run(self, *words: str) -> int:
        """From its start to its end."""
        self.start(*words)
        return self.wait()

    def rest(self) -> None:
        """Lets a daemon run until nothing is left to do."""
        code = self.run("daemon", "--until-idle")
        assert code == 0, f"it ended with {code}: {self.said()}"

    def ends_within(self, seconds: float) -> bool:
        """Whether the daemon ends by itself in that time."""
        try:
            descriptor = os.pidfd_open(self._pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)

    def kill(self, how: How) -> None:
        """SIGKILL. What has ended already is left alone."""
        with contextlib.suppress(ProcessLookupError):
            match how:
                case How.ALONE:
                    os.kill(self._pid, signal.SIGKILL)
                case How.GROUP:
                    os.killpg(self._pid, signal.SIGKILL)
                case How.ALL:
                    frozen = _freeze(self._pid)
                    self.killed_runs |= {run for pid in frozen for run in _guarded(pid)}
                    for pid in frozen:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Signals the daemon."""
        os.kill(self._pid, number)

    def said(self) -> str:
        """The last that it printed."""
        return self.output.read_text(errors="replace")[-3000:] if self.output.exists() else ""

    # --- what must be true ---

    def violations(self) -> list[Violation]:
        """What is wrong now, with no daemon running."""
        return check(
            Subject(
                work=self.work,
                state=self.state,
                submitted=self.submitted,
                journal=self.journal,
                killed_runs=self.killed_runs,
                branch="orchestrator/work" if self.trail == "own" else "",
                rebuild_index=self._rebuild,
            )
        )

    def _rebuild(self) -> None:
        assert self.run("index", "rebuild") == 0, self.said()


_KINDS = (("quick", "0", ""), ("slow", "0.05", ""), ("giver", "0", "yes"), ("fails", "0", "fails"))


def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Waits on a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it was never true: {what}"
        time.sleep(0.01)


def _freeze(pid: int) -> set[int]:
    """Stops a process and all that descends from it, until nobody is left who could start another one."""
    frozen: set[int] = set()
    while fresh := {pid, *_descendants(pid)} - frozen:
        for one in fresh:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGSTOP)
        frozen |= fresh
    return frozen


def _guarded(pid: int) -> set[str]:
    """The run that a process guards: it holds the locked file of it."""
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                name = descriptor.readlink().name.removesuffix(" (deleted)")
                if name.endswith(".guard"):
                    found.add(name.removesuffix(".guard"))
    return found


def _descendants(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
            for child in map(int, children):
                found += [child, *_descendants(child)]
    return found
