"""What lies in a worktree and is not in its index: what is to be committed, and what must not be."""

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.workspaces.bases import shown


@dataclass(slots=True)
class Found:
    """Paths as git names them."""

    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)  # changed or new
    refused: dict[str, str] = field(default_factory=dict)  # why that path is not committed

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left that is not committed."""
        return not (self.gone or self.changed or self.refused)


def look(git: Git, top: Path, *, exclude: Path, leave: Collection[str], max_file: int) -> Found:
    """Compares the folder with the index of `git`, which has a git directory of its own.

    Ignored are what the `.gitignore` files of the tree say, and `exclude`, a file of ours; `leave` are paths that are
    never committed. Nothing is run: `ls-files` does not look into submodules.
    """
    found = Found()
    asked = ["ls-files", "-z", "-t", "-m", "-d", "-o", "--exclude-per-directory=.gitignore"]
    if exclude.is_file():
        asked.append(f"--exclude-from={exclude}")
    left = set(leave)
    for item in git.zlist(*asked, seconds=600):
        tag, path = item[:1], item[2:]
        if path in left:
            continue
        if tag == "R":
            found.gone.append(path)
        elif path not in found.refused and (why := _unfit(top, path, max_file)):
            found.refused[path] = why
        else:
            found.changed.append(path)
    # A deleted file is listed as changed as well; one that became a folder is only gone.
    gone = set(found.gone)
    found.changed = [path for path in found.changed if path not in gone]
    found.gone = [path for path in found.gone if path not in found.refused]
    return found


def _unfit(top: Path, path: str, max_file: int) -> str:
    """Why it is not committed; '' where it is."""
    where = top / path.rstrip("/")
    try:
        found = where.lstat()
    except OSError:
        return ""
    if stat.S_ISLNK(found.st_mode):
        target = str(where.readlink())
        return why_not_link(path, target)
    if stat.S_ISDIR(found.st_mode):
        if path.endswith("/") or (where / ".git").exists():
            return "is a repository of its own; move its files out of it, or delete its .git"
        return ""
    if not stat.S_ISREG(found.st_mode):
        return "is no regular file"
    if found.st_size > max_file:
        return f"has {found.st_size / (1 << 20):.0f} MiB; at most {max_file / (1 << 20):.0f} MiB are committed"
    return ""


def why_not_link(path: str, target: str) -> str:
    """Why a link is refused: it must lead to something in the tree."""
    to = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120 - text, not places
    if target.startswith("/") or to == ".." or to.startswith("../") or to.split("/")[0].lower() == ".git":
        return f"is a link to {shown(target)}, outside the worktree; put the file itself there"
    return ""


def submodules_in_use(git: Git, top: Path) -> list[str]:
    """Submodules that were filled: git cannot look into them safely, so what they hold is not known."""
    if not (top / ".gitmodules").exists():
        return []
    entries = git.zlist("ls-files", "-s", "-z", seconds=600)
    paths = [entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]
    return [path for path in paths if os.path.lexists(top / path / ".git")]
