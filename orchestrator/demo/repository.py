"""Makes the demo's repository, and drops its tasks."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.demo.story import AUTHORS, COMMITS
from orchestrator.errors import OrchestratorError, UsageError

_PROJECT = Path(__file__).parent / "project"
_TASKS = Path(__file__).parent / "tasks"
_SHIPPED_AS = ".in"  # what only looks like a program of ours is shipped under another name
_QUIET_FOR = 60  # seconds


def make(keep: Path | None) -> Path:
    """The folder of a new repository with a few commits: in the temporary folder, or at `keep`.

    Raises:
        UsageError: `keep` is there and not empty.
        OrchestratorError: it cannot be made.
    """
    try:
        if keep is None:
            folder = Path(tempfile.mkdtemp(prefix="orchestrator-demo-"))
        else:
            folder = keep.absolute()
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise UsageError(f"{folder} is not empty; name a new folder")
        _fill(folder)
    except OSError as error:
        raise OrchestratorError(f"the demo's repository cannot be made: {error}") from error
    return folder


def _fill(folder: Path) -> None:
    git = Git(folder)
    git.raw("init", "--quiet", "--initial-branch=main")
    for name, value in (("user.name", "Demo"), ("user.email", "demo@lantern.example")):
        git.raw("config", name, value)
    for commit in COMMITS:
        for path in commit.paths:
            _copy(path, folder / path)
        git.raw("add", "--", *commit.paths)
        author, email = AUTHORS[commit.who]
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in
               (("NAME", author), ("EMAIL", email), ("DATE", commit.at))}  # fmt: skip
        Git(folder, env=who).raw("commit", "--quiet", f"--message={commit.message}")


def _copy(path: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = _PROJECT / path
    shutil.copyfile(source if source.exists() else source.with_name(source.name + _SHIPPED_AS), target)
    if target.suffix == ".sh":
        target.chmod(0o755)


def drop(inbox: Path, *, settled: bool) -> int:
    """Drops the tasks into the inbox; how many.

    `settled` makes them look as if nobody had written them for a while, so that a broken one is not waited for.
    """
    names = sorted(os.listdir(_TASKS))
    for name in names:
        beside = inbox / f".{name}.tmp"
        shutil.copyfile(_TASKS / name, beside)
        if settled:
            then = time.time() - _QUIET_FOR
            os.utime(beside, (then, then))
        beside.rename(inbox / name)
    return len(names)
