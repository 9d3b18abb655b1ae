"""Whether git is quiet in a person's checkout: only then may anything be published there (ARCHITECTURE, commits)."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.errors import BusyError

_IN_A_TABLE = "ref: refs/heads/.invalid"  # what HEAD says where refs are in tables (reftable, git 2.45)
_OPERATIONS = {
    "MERGE_HEAD": "a merge is in progress",
    "CHERRY_PICK_HEAD": "a cherry-pick is in progress",
    "REVERT_HEAD": "a revert is in progress",
    "rebase-merge": "a rebase is in progress",
    "rebase-apply": "a rebase or `git am` is in progress",
    "sequencer": "a series of cherry-picks or reverts is in progress",
    "BISECT_LOG": "a bisect is in progress",
}
# `git commit` reads the index before it locks it, and holds no lock while its editor is open or its hooks run: while
# one of these is alive, what it is going to write is not on disk yet (GIT-FACTS 1e).
_WRITERS = frozenset(
    {
        "add", "am", "apply", "bisect", "checkout", "checkout-index", "cherry-pick", "clean", "commit",
        "filter-branch", "merge", "mv", "pull", "read-tree", "rebase", "reset", "restore",
        "revert", "rm", "sparse-checkout", "stash", "switch", "update-index",
    }
)  # fmt: skip
_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"})


class NotNowError(BusyError):
    """Nothing may be published at this moment; the message says what for we wait."""


class JustMovedError(NotNowError):
    """Somebody committed while we made our commits: on top of theirs, at once."""


def head(git_dir: Path) -> str:
    """The full name of the branch that is checked out, or '' where HEAD is detached or cannot be read."""
    text = _text_of_head(git_dir)
    if text == _IN_A_TABLE:
        ended = _git(git_dir).call("symbolic-ref", "-q", "HEAD")
        return ended.stdout.decode(errors="surrogateescape").strip()
    return text.removeprefix("ref:").strip() if text.startswith("ref:") else ""


def _text_of_head(git_dir: Path) -> str:
    try:
        return (git_dir / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _git(git_dir: Path) -> Git:
    return Git(git_dir, {"GIT_DIR": str(git_dir)})


def why_busy(git_dir: Path, root: Path) -> str:
    """What a person's git is doing in this checkout, as the start of a sentence; '' where it is quiet."""
    for name, what in _OPERATIONS.items():
        if (git_dir / name).exists():
            return what
    if _text_of_head(git_dir) == _IN_A_TABLE:
        for name in ("CHERRY_PICK_HEAD", "REVERT_HEAD"):  # refs as well, there
            if _git(git_dir).call("rev-parse", "-q", "--verify", name).returncode == 0:
                return _OPERATIONS[name]
    for pid, verb in _writers(root):
        return f"`git {verb}` is running (process {pid})" if verb != "pre-commit" else "pre-commit is running"
    return ""


def _writers(root: Path) -> Iterator[tuple[int, str]]:
    """Processes that may be about to write this checkout's index. None where there is no /proc: the files must do."""
    ours = {os.getpid()}
    with suppress(OSError), os.scandir("/proc") as entries:
        for entry in entries:
            if not entry.name.isdigit() or int(entry.name) in ours:
                continue
            with suppress(OSError):
                verb = _verb(Path(entry.path, "cmdline").read_bytes())
                if verb and _is_here(Path(entry.path, "cwd").readlink(), root):
                    yield int(entry.name), verb


def _verb(command_line: bytes) -> str:
    """The writing git command that a command line is, pre-commit, or ''."""
    words = [os.fsdecode(word) for word in command_line.split(b"\0")]
    name = words[0].rpartition("/")[2]
    if name.startswith("git-"):
        return name[4:] if name[4:] in _WRITERS else ""
    if name != "git":
        return "pre-commit" if any(word.rpartition("/")[2] == "pre-commit" for word in words[:3]) else ""
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, "")
        elif not word.startswith("-"):
            return word if word in _WRITERS else ""
    return ""


def _is_here(folder: Path, root: Path) -> bool:
    """Whether a process in that folder works on this checkout, and not on one that lies below it."""
    if folder != root and root not in folder.parents:
        return False
    while folder != root:
        if (folder / ".git").exists():
            return False
        folder = folder.parent
    return True
