"""A thread that does what the daemon does: real files change on disk, and each transition is recorded."""

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.adapters.trail.files import is_ours
from orchestrator.core.transition import Change, Transition
from orchestrator.ports import Trail

AGENT = "collaboration/assigned/dev"


def transition(word: str, task: str, *changes: Change) -> Transition:
    """As the pipeline makes them."""
    return Transition(
        subject=f"task: {word} {task}",
        at=datetime.now(UTC),
        changes=changes,
        trailers={"Task-Id": task, "Task-Transition": word},
    )


class Feeder:
    """Claims, works and finishes one task after the other, until stopped."""

    def __init__(self, trail: Trail, work: Path, *, name: str = "t", pause: float = 0.002) -> None:
        self.trail = trail
        self.work = work
        self.name = name
        self.pause = pause
        self.finished: list[str] = []
        self.recorded = 0
        self.failed: list[BaseException] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Feeder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops after the task in hand."""
        self._stop.set()
        self._thread.join(30)
        assert not self.failed, self.failed

    def await_more(self, count: int = 6) -> None:
        """Waits until so many more transitions were recorded and committed."""
        wanted = self.recorded + count
        await_that(lambda: self.recorded >= wanted or bool(self.failed), f"{count} more transitions")
        assert self.trail.flush(30), self.trail.trouble

    def one(self, number: int) -> None:
        """One task from the inbox to done."""
        task = f"{self.name}{number:05d}"
        inbox, assigned = f"collaboration/inbox/{task}.yaml", f"{AGENT}/{task}.yaml"
        done = f"collaboration/done/dev/2026-11-21.{number // 200 + 1}/{task}.yaml"
        facts = f"telemetry/2026-11-21.{number // 200 + 1}/{task}.jsonl"
        self.put(inbox, f"id: {task}\n")
        self.change("claimed", task, {inbox: None, assigned: f"id: {task}\nstatus: assigned\n", facts: '{"v":1}\n'})
        self.change("started", task, {assigned: f"id: {task}\nstatus: in_progress\n", facts: '{"v":1}\n{"v":2}\n'})
        self.change("done", task, {assigned: None, done: f"id: {task}\nstatus: done\n", facts: '{"v":1}\n{"v":3}\n'})
        self.finished.append(done)

    def change(self, word: str, task: str, wanted: dict[str, str | None]) -> None:
        """Intends, changes the disk, records."""
        intent = self.trail.intend(sorted(wanted))
        for path, text in wanted.items():
            if text is None:
                (self.work / path).unlink(missing_ok=True)
            else:
                self.put(path, text)
        changes = [Change(path=path, content=None if text is None else text.encode()) for path, text in wanted.items()]
        self.trail.record(intent, transition(word, task, *changes))
        self.recorded += 1

    def put(self, path: str, text: str) -> None:
        """Beside, then renamed, as the daemon writes."""
        target = self.work / path
        beside = target.with_name(f".{target.name}.new")
        for _ in range(100):  # a person may take the folder away in this very moment
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                beside.write_text(text)
                beside.replace(target)
            except (FileNotFoundError, FileExistsError):
                continue
            return
        raise AssertionError(f"{path} cannot be written")

    def _run(self) -> None:
        number = 0
        try:
            while not self._stop.wait(self.pause):
                self.one(number)
                number += 1
        except BaseException as error:
            self.failed.append(error)
            raise


def await_that(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Waits for it, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.01)


def git(folder: Path, *args: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    """Git as a person runs it."""
    whole = {**os.environ, **(env or {})}
    ended = subprocess.run(["git", *args], cwd=folder, env=whole, capture_output=True, check=False)
    assert not check or ended.returncode == 0, f"git {args}: {ended.stderr.decode()}"
    return os.fsdecode(ended.stdout).strip()


def make_repository(folder: Path, *options: str) -> Path:
    """A person's repository with two commits."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", *options)
    for name in ("README.md", "main.py"):
        (folder / name).write_text(f"{name}\nline 2\nline 3\n")
        git(folder, "add", name)
        when = {"GIT_AUTHOR_DATE": "1790000000 +0000", "GIT_COMMITTER_DATE": "1790000000 +0000"}  # in the twin as well
        git(folder, "commit", "-q", "-m", f"Add {name}", env=when)
    return folder


def on_disk(work: Path) -> dict[str, tuple[str, str]]:
    """Every file of the work folder that is part of the trail: its mode and blob."""
    algorithm = "sha256" if git(work, "rev-parse", "--show-object-format") == "sha256" else "sha1"
    found = {}
    for folder, folders, names in os.walk(work):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(work).as_posix()
            if name == ".git" or path.is_symlink() or not is_ours(relative):
                continue
            content = path.read_bytes()
            said = hashlib.new(algorithm, b"blob %d\0" % len(content) + content).hexdigest()
            found[relative] = ("100755" if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else "100644", said)
    return found


def on_branch(common: Path, branch: str = "orchestrator/work") -> dict[str, tuple[str, str]]:
    """The same of the branch."""
    found = {}
    for line in git(common, "ls-tree", "-r", "-z", "--full-tree", branch).split("\0"):
        if line:
            head, _, path = line.partition("\t")
            mode, _, blob = head.split(" ")
            if is_ours(path):
                found[path] = (mode, blob)
    return found


def assert_branch_is_disk(place: Place) -> None:
    """Nothing of ours is lost, and nothing is there that is not on disk. Waiting inbox files are nobody's yet."""
    assert place.common_dir is not None
    disk, branch = on_disk(place.work), on_branch(place.common_dir)
    assert {path: entry for path, entry in branch.items() if disk.get(path) != entry} == {}, (
        f"on the branch only: {sorted(path for path, entry in branch.items() if disk.get(path) != entry)[:9]}"
    )
    uncommitted = {path for path in disk if path not in branch and "/inbox/" not in path}
    assert sorted(uncommitted) == [], f"on disk only: {sorted(uncommitted)[:9]}"


def transitions(common: Path, branch: str = "orchestrator/work") -> list[str]:
    """Subjects of the trail, oldest first."""
    return git(common, "log", "--reverse", "--format=%s", branch).splitlines()
