"""What the tests of the program share: a repository, and calls of the program in it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The data of its envelope."""
        return json.loads(self.out)["data"]


@dataclass(frozen=True)
class World:
    """A folder, and the program called in it."""

    root: Path

    def __call__(self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> Ended:
        """Calls it to its end."""
        process = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.root,
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=os.environ | (env or {}),
        )
        return Ended(process.returncode, process.stdout, process.stderr)

    def well(self, *arguments: str, stdin: str = "") -> Ended:
        """Calls it, and it must end with 0."""
        ended = self(*arguments, stdin=stdin)
        assert ended.code == 0, ended
        return ended

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts it."""
        return subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def git(self, *arguments: str) -> str:
        """Git in it."""
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def drop(self, name: str, text: str) -> None:
        """A task file into the inbox."""
        inbox = self.root / "work" / "collaboration" / "inbox"
        (inbox / f".{name}.tmp").write_text(text)
        (inbox / f".{name}.tmp").rename(inbox / name)

    def events_of(self, task_id: str) -> list[Any]:
        """The lines of its event file."""
        file = next((self.root / "work").rglob(f"*{task_id}.jsonl"))
        return [json.loads(line) for line in file.read_text().splitlines()]

    def configure(self, files: Mapping[str, str]) -> None:
        """These files of configuration, by name."""
        for name, text in files.items():
            (self.root / "config" / f"{name}.yaml").write_text(text.lstrip())

    def copied(self, folder: Path) -> "World":
        """The same workspace at another place, as if it had been made there: quicker than to make one."""
        shutil.copytree(self.root, folder, symlinks=True)
        state = folder / ".git" / "orchestrator"
        (state / "settings.json").unlink(missing_ok=True)  # a cache, of the files at the first place
        for file in (
            folder / "work" / ".git",
            folder / ".git" / "worktrees" / "work" / "gitdir",
            state / "trail.hidden",
        ):
            if file.exists():
                file.write_text(file.read_text().replace(str(self.root), str(folder)))
        return World(folder)


def repository(folder: Path) -> World:
    """A repository with one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder)
    world.git("init", "--quiet")
    (folder / "README.md").write_text("# Something\n\n## Part\n")
    world.git("add", ".")
    world.git("commit", "--quiet", "--message=Begin")
    return world


class Template:
    """A workspace that is made when it is first asked for, in a test, whose HOME and git are ours; and copied since."""

    def __init__(self, folder: Path, configuration: Mapping[str, str]) -> None:
        self._world = World(folder / "repo")
        self._configuration = configuration

    @property
    def world(self) -> World:
        """The one that tests share which change nothing in it."""
        if not self._world.root.exists():
            repository(self._world.root)
            self._world.well("init")
            self._world.configure(self._configuration)
        return self._world

    def copy(self, folder: Path) -> World:
        """One of a test's own."""
        return self.world.copied(folder)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Until it holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.01)


@contextmanager
def daemon(world: World) -> Iterator["subprocess.Popen[str]"]:
    """One that runs, until the block ends or it is killed."""
    process = world.begin("daemon")
    try:
        wait_until(lambda: _has_daemon(world, process), "the daemon runs")
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def _has_daemon(world: World, process: "subprocess.Popen[str]") -> bool:
    assert process.poll() is None, process.communicate()
    said = world("status", "--json").data["daemon"]
    return said["running"] is True and said["pid"] == process.pid
