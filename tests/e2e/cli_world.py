"""What the tests of the program share: a repository, and calls of the program in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
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


def repository(folder: Path) -> World:
    """A repository with one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder)
    world.git("init", "--quiet")
    (folder / "README.md").write_text("# Something\n\n## Part\n")
    world.git("add", ".")
    world.git("commit", "--quiet", "--message=Begin")
    return world


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Until it holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.01)
