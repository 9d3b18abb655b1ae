"""Situations that the program is met in: a person's repository with a workspace, its daemon, and tasks that flow."""

import contextlib
import hashlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from cli_world import Ended

from orchestrator.adapters import lock

SECONDS = 60.0  # for anything that ought to take one
BRANCH = "orchestrator/work"
WHEN = 1_800_000_000  # the first second of a person's day, the same in a repository and in its twin

# Each run of `quick` is one line of the journal. `gated` runs until a file named `open` lies beside the journal.
TOOLS = """\
tools:
  quick:
    binary: sh
    command: ["{{binary}}", -c, 'echo "$1" >>{journal}; sleep 0.05', sh, "{{task_file}}"]
    models: [none]
    billing: free
    capabilities: [silent]
  gated:
    binary: sh
    command: ["{{binary}}", -c, 'echo "$1" >>{journal}; until [ -e {gate} ]; do sleep 0.02; done', sh, "{{task_file}}"]
    models: [none]
    billing: free
    capabilities: [silent]
  brief:
    binary: "{{python}}"
    command: ["{{binary}}", -P, -m, orchestrator.brief, --workspace, "{{workspace}}", --task-file, "{{task_file}}",
              --work-folder, "{{work_folder}}"]
    models: [none]
    billing: free
"""
AGENTS = """\
agents:
  quick: {preferred_tool: quick, preferred_model: none}
  gated: {preferred_tool: gated, preferred_model: none}
  writer: {preferred_tool: brief, preferred_model: none}
  person: {manual: true}
"""
MODELS = "models:\n  none: {price: free}\n"
POLICIES = "policies:\n  default: {max_parallel: 2, unpriced: allow}\n"


class Workspace:
    """A repository, or a folder, that the orchestrator is used in."""

    def __init__(self, root: Path, *, aside: Path | None = None, flags: tuple[str, ...] = ()) -> None:
        """`aside` is a folder outside of it for the journal; `flags` go before every verb, e.g. --no-git."""
        self.root = root
        self.work = root / "work"
        aside = aside or root.with_name(f"{root.name}.aside")
        aside.mkdir(exist_ok=True)
        self.journal = aside / "journal"
        self.gate = aside / "open"
        self.flags = flags
        self.dropped: list[str] = []
        self.env: dict[str, str] = {}
        self.branch = BRANCH
        self.config = root / ("config" if not (root / "config").is_file() else "orchestrator-config")
        self._output = aside / "output"
        self._daemon: subprocess.Popen[bytes] | None = None

    # --- the program ---

    def program(self, *words: str, stdin: str = "", at: Path | None = None) -> Ended:
        """Calls it to its end."""
        ended = subprocess.run(
            self.argv(words), cwd=at or self.root, input=stdin, capture_output=True, text=True, check=False,
            env=self._environment(), timeout=SECONDS,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def well(self, *words: str, at: Path | None = None) -> Ended:
        """The same, and it ends with 0."""
        ended = self.program(*words, at=at)
        assert ended.code == 0, ended
        return ended

    def init(self, *words: str, agents: str = AGENTS, policies: str = POLICIES, trail: str = "") -> "Workspace":
        """Configures it with the tools of these tests, and makes it a workspace."""
        self.configure(agents=agents, policies=f"{policies}{trail}")
        self.well("init", *words)
        return self

    def configure(self, *, agents: str = AGENTS, policies: str = POLICIES) -> None:
        """Writes the four files."""
        config = self.config
        config.mkdir(exist_ok=True)
        (config / "agents.yaml").write_text(agents)
        (config / "models.yaml").write_text(MODELS)
        (config / "policies.yaml").write_text(policies)
        paths = {"journal": shlex.quote(str(self.journal)), "gate": shlex.quote(str(self.gate))}
        (config / "tools.yaml").write_text(TOOLS.format(**paths))

    def argv(self, words: tuple[str, ...]) -> list[str]:
        """The program with those words."""
        return [sys.executable, "-m", "orchestrator", *self.flags, *words]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONWARNINGS": "error", **self.env}

    # --- tasks ---

    @property
    def inbox(self) -> Path:
        """Where tasks are dropped."""
        return self.work / "collaboration" / "inbox"

    def drop(self, task: str, **fields: str) -> str:
        """Puts a task file into the inbox, whole in one rename; the task's id."""
        self.dropped.append(task)
        hidden = self.inbox / f".{task}.new"
        hidden.write_text(text_of(task, **fields))
        hidden.rename(self.inbox / f"{task}.yaml")
        return task

    def submit(self, task: str, agent: str = "quick") -> str:
        """Submits one by the command."""
        self.dropped.append(task)
        self.well("submit", "--agent", agent, "--title", f"Do {task}", "--name", task)
        return task

    def open_gate(self) -> None:
        """Lets what is gated end."""
        self.gate.touch()

    def where(self, task: str) -> list[str]:
        """Every place that it is in, from collaboration/ on."""
        top = self.work / "collaboration"
        return sorted(path.relative_to(top).as_posix() for path in top.rglob(f"{task}.y*ml"))

    def is_done(self, task: str) -> bool:
        """Whether it is in done/."""
        return any(path.startswith("done/") for path in self.where(task))

    def status_of(self, task: str) -> str:
        """What its file says."""
        for path in self.where(task):
            with contextlib.suppress(FileNotFoundError):  # it moves on meanwhile
                for line in (self.work / "collaboration" / path).read_text().splitlines():
                    if line.startswith("status:"):
                        return line.partition(":")[2].strip()
        return ""

    def runs(self) -> list[str]:
        """The tasks that a tool ran for, in the order in which it began."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [Path(line).name.removesuffix(".yaml").removesuffix(".yml") for line in lines]

    # --- the daemon ---

    def daemon(self, *words: str) -> "Workspace":
        """Starts it; comes back once it watches, or, with --once or --until-idle, when it has ended well."""
        assert self._daemon is None, "it runs already"
        with self._output.open("wb") as output:
            self._daemon = subprocess.Popen(
                self.argv(("daemon", *words)), cwd=self.root, env=self._environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output,
            )  # fmt: skip
        if words:
            assert self.wait_for_end() == 0, self.said()
        else:
            self.wait_until(lambda: self.state in {"running", "paused"} or self._has_ended(), "the daemon runs")
            assert not self._has_ended(), self.said()
        return self

    def _has_ended(self) -> bool:
        return self._daemon is None or self._daemon.poll() is not None

    @property
    def state_folder(self) -> Path:
        """Where its lock is."""
        if "--no-git" in self.flags:
            return self.root / ".orchestrator"
        return Path(git(self.root, "rev-parse", "--path-format=absolute", "--git-common-dir")) / "orchestrator"

    @property
    def state(self) -> str:
        """What the daemon says of itself."""
        holder = lock.holder(self.state_folder)
        return holder.state if holder is not None else ""

    @property
    def pid(self) -> int:
        """The daemon's."""
        assert self._daemon is not None
        return self._daemon.pid

    def signal(self, number: signal.Signals) -> None:
        """Sends it to the daemon."""
        assert self._daemon is not None
        self._daemon.send_signal(number)

    def wait_for_end(self, seconds: float = SECONDS) -> int:
        """The daemon's exit code."""
        assert self._daemon is not None
        code = self._daemon.wait(seconds)
        self._daemon = None
        return code

    def stop(self) -> None:
        """SIGTERM: it ends well."""
        self.signal(signal.SIGTERM)
        code = self.wait_for_end()
        assert code == 0, f"it ended with {code}: {self.said()}"

    def close(self) -> None:
        """Whatever still runs ends, when a test broke off."""
        if self._daemon is not None:
            self.open_gate()
            self._daemon.terminate()
            try:
                self._daemon.wait(30)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            self._daemon = None

    def said(self) -> str:
        """What it printed."""
        return self._output.read_text(errors="replace")[-4000:] if self._output.exists() else ""

    # --- waiting ---

    def wait_until(self, holds: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Until it holds."""
        wait_until(holds, what, seconds, self.said)

    def wait_done(self, *tasks: str) -> None:
        """Until these, or all that were dropped, are done."""
        wanted = tasks or tuple(self.dropped)
        self.wait_until(lambda: all(self.is_done(task) for task in wanted), f"{len(wanted)} tasks are done")

    # --- what must be true, with no daemon running ---

    def is_well(self, *, but: tuple[str, ...] = ()) -> None:
        """No task is lost or doubled, and the branch is what is on disk. `but` names tasks that may be gone."""
        for task in self.dropped:
            places = self.where(task)
            assert len(places) == 1 or (not places and task in but), f"{task} is in {places}; {self.said()}"
        if "--no-git" not in self.flags:
            self.is_committed()

    def is_committed(self) -> None:
        """The branch of the trail holds what is on disk, to the byte; git sees nothing to do; the objects are sound."""
        status = git(self.work, "status", "--porcelain", "--untracked-files=all", "--", ".", ":!*/inbox/*")
        assert status == "", status
        disk, branch = _on_disk(self.work), _on_branch(self.root, self.branch)
        assert {
            path: (disk.get(path), branch.get(path)) for path in disk | branch if disk.get(path) != branch.get(path)
        } == {}
        git(self.root, "fsck", "--no-dangling")

    def ran_once(self) -> None:
        """Every task that a tool ran for ran once."""
        assert {task: count for task, count in Counter(self.runs()).items() if count != 1} == {}


class Flow:
    """Drops one quick task after the other, as long as the block lasts."""

    def __init__(self, workspace: Workspace, pause: float = 0.05) -> None:
        self._workspace = workspace
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failed: list[Exception] = []

    def __enter__(self) -> "Flow":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(SECONDS)
        assert not self._failed, self._failed

    def await_more(self, count: int = 2) -> None:
        """Until so many tasks that are dropped from now on are done."""
        dropped = self._workspace.dropped
        first = len(dropped)
        wait_until(lambda: len(dropped) >= first + count or self._failed, "more tasks are dropped")
        assert not self._failed, self._failed
        self._workspace.wait_done(*dropped[first : first + count])

    def _run(self) -> None:
        number = 0
        try:
            while not self._stop.wait(self._pause):
                number += 1
                self._workspace.drop(f"flow-{number:04d}")
        except (OSError, AssertionError) as error:
            self._failed.append(error)


def text_of(task: str, *, agent: str = "quick", **fields: str) -> str:
    """A task file."""
    more = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"# dropped by a test\nid: {task}\nagent: {agent}\nstatus: new\ntitle: 'Do {task}'\n{more}"


def wait_until(
    holds: Callable[[], object], what: str, seconds: float = SECONDS, said: Callable[[], str] = lambda: ""
) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}\n{said()}"
        time.sleep(0.02)


def git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Git as a person runs it; what it printed."""
    ended = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"git {shlex.join(arguments)}: {ended.stderr}"
    return ended.stdout.rstrip("\n")


def type_in(folder: Path, script: str, *, second: int = 0) -> str:
    """A person types these commands; the clock of their commits stands at that second. What was printed."""
    time_of_day = f"{WHEN + second} +0000"
    env = {**os.environ, "GIT_AUTHOR_DATE": time_of_day, "GIT_COMMITTER_DATE": time_of_day, "GIT_EDITOR": "true"}
    ended = subprocess.run(["sh", "-ec", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{script}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def make_repository(folder: Path, *options: str) -> Path:
    """A person's repository with two commits."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", *options)
    for second, name in enumerate(("README.md", "main.py")):
        (folder / name).write_text(f"{name}\nline 2\nline 3\n")
        type_in(folder, f"git add {name}; git commit -qm 'Add {name}'", second=second)
    return folder


def _on_disk(work: Path) -> dict[str, str]:
    """Every file of the work folder but the waiting ones, with its blob."""
    algorithm = git(work, "rev-parse", "--show-object-format")
    found = {}
    for folder, folders, names in os.walk(work):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(work).as_posix()
            if name != ".git" and not relative.startswith("collaboration/inbox/"):
                content = path.read_bytes()
                found[relative] = hashlib.new(algorithm, b"blob %d\0" % len(content) + content).hexdigest()
    return found


def _on_branch(work: Path, branch: str) -> dict[str, str]:
    found = {}
    for line in git(work, "ls-tree", "-r", "-z", "--full-tree", branch).split("\0"):
        if line:
            head, _, path = line.partition("\t")
            found[path] = head.split(" ")[2]
    return {path: blob for path, blob in found.items() if not path.startswith("collaboration/inbox/")}
