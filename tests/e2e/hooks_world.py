"""What the tests of the hooks share: a workspace with our hooks in it, and commits that may be refused."""

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_world import SECONDS, Ended, Template, World, repository

from orchestrator.adapters import hooks_configured
from orchestrator.adapters.git import Git

FILES, CONFIGURATION = "files", "configuration"
WAYS = (FILES, CONFIGURATION)  # in which hooks are installed: most of what they do is the same in both

POLICIES = """
policies: {default: {}}
intake: {branch: main, paths: [tasks/]}
trail: {mode: own}
"""
GOOD = "agent: analyst\ntitle: Sum it up\n"
BAD = "agent: analyst\nstatus: donne\ntitle: Sum it up\n"
SECRET = "sk-ant-abcdefghijklmnopqrstuvwxyz012345"
# Stands for the program: writes down how it was called, and what of git's environment it was given.
RECORDER = """#!/bin/sh
{{ echo "args: $*"; pwd; env | grep ^GIT_; }} >"{log}"
exit {code}
"""


class Ready(Template):
    """A workspace with an intake, whose configuration is committed, and our hooks. Made once, then copied."""

    trail = "own"
    way = FILES

    @property
    def world(self) -> World:
        """The one that is copied."""
        if not self._world.root.exists():
            repository(self._world.root)
            self._world.well("init", "--no-hooks", "--trail", self.trail)
            self._world.configure(self._configuration)
            self._world.git("add", "-A")
            self._world.git("commit", "-qm", "Configure")
            self._world.well("hooks", "install", "--as", self.way)
        return self._world


def need(way: str) -> None:
    """Skips a test for which git is too old."""
    if way == CONFIGURATION and hooks_configured.version(Git(Path.cwd())) < hooks_configured.SINCE:
        pytest.skip("git runs the hooks that its configuration names since 2.54, and this one is older")


def scripts(git_dir: Path, way: str) -> Path:
    """The folder in which they are."""
    return git_dir / "hooks" if way == FILES else git_dir / "orchestrator" / "hooks"


def run(folder: Path, *command: str | bytes, stdin: str = "", **environ: str) -> Ended:
    """Runs it there, to whatever end."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environ,
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=SECONDS,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def commit(folder: Path, *arguments: str, **environ: str) -> Ended:
    """`git commit` there."""
    return run(folder, "git", "commit", "-q", *arguments, **environ)


def write(folder: Path, path: str, text: str, *, stage: bool = True) -> Path:
    """A file, staged."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    if stage:
        assert run(folder, "git", "add", "--", path).code == 0
    return file


def tip(folder: Path, ref: str = "HEAD") -> str:
    """The commit of a ref."""
    return run(folder, "git", "rev-parse", "--verify", "--quiet", ref).out.strip()


@dataclass(frozen=True)
class Recorder:
    """A program in place of ours."""

    log: Path

    @property
    def lines(self) -> list[str]:
        """What it wrote down; nothing where it was not called."""
        return self.log.read_text().splitlines() if self.log.exists() else []


def record(world: World, folder: Path, *, code: int = 0) -> Recorder:
    """Has the hooks call a recorder."""
    program = folder / "recorder"
    program.write_text(RECORDER.format(log=folder / "called", code=code))
    program.chmod(0o755)
    world.git("config", "orchestrator.program", str(program))
    return Recorder(folder / "called")


def snapshot(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Every file of a folder: its mode or that it is a link, and what it says."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", b"")
        else:
            found[name] = (oct(stat.S_IMODE(path.stat().st_mode)), path.read_bytes())
    return found
