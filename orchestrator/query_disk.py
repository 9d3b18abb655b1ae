"""What the folders themselves tell the read side: counts, rejected files, and where a task's file lies."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core import layout
from orchestrator.core.types import Folder

MOST = 20_000  # files counted in a folder and below
WHY = ".why.md"
_DEEP = {Folder.INBOX: 0, Folder.ASSIGNED: 2, Folder.REJECTED: 1, Folder.FRIDGE: 2}  # folders below folders
_ROOTS = {
    Folder.INBOX: layout.INBOX,
    Folder.ASSIGNED: layout.ASSIGNED,
    Folder.REJECTED: layout.REJECTED,
    Folder.FRIDGE: layout.FRIDGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that could be a task's."""

    id: str
    folder: Folder
    path: str  # relative to the work folder

    @property
    def agent(self) -> str:
        """The agent in whose folder it lies."""
        return self.path.split("/")[2] if self.folder is Folder.ASSIGNED else ""


def task_files(work: Path, folder: Folder) -> Iterator[Found]:
    """The task files below one of the folders that people put files into."""
    for path, name in _walk(work, _ROOTS[folder], _DEEP[folder]):
        if layout.is_task_name(name):
            yield Found(id=layout.stem(name), folder=folder, path=path)


def count(work: Path, folder: Folder) -> int:
    """How many there are, up to MOST. A rejected file counts by its reason: it need not look like a task."""
    total = 0
    for _path, name in _walk(work, _ROOTS[folder], _DEEP[folder]):
        total += name.endswith(WHY) if folder is Folder.REJECTED else layout.is_task_name(name)
        if total >= MOST:
            break
    return total


def find(work: Path, task_id: str) -> Found | None:
    """The file of that very id in one of those folders; asks for names, lists only folders."""
    if not task_id or "/" in task_id or "\0" in task_id or task_id.startswith("."):
        return None
    for folder, root in _ROOTS.items():
        for below in _folders(work, root, _DEEP[folder]):
            for suffix in layout.TASK_SUFFIXES:
                path = f"{below}/{task_id}{suffix}"
                if os.path.lexists(work / path):
                    return Found(id=task_id, folder=folder, path=path)
    return None


def starting_with(work: Path, prefix: str, limit: int) -> list[Found]:
    """Task files whose ids start so."""
    found: list[Found] = []
    for folder in _ROOTS:
        for file in task_files(work, folder):
            if file.id.startswith(prefix):
                found.append(file)
                if len(found) >= limit:
                    return found
    return found


def rejected(work: Path, limit: int) -> list[tuple[str, str, int]]:
    """Rejected files, the newest first: path, the first line of the reason, and when (ns since 1970)."""
    seen: list[tuple[int, str]] = []
    for path, name in _walk(work, layout.REJECTED, 1):
        if name.endswith(WHY):
            try:
                seen.append(((work / path).lstat().st_mtime_ns, path))
            except OSError:
                continue
        if len(seen) >= MOST:
            break
    seen.sort(reverse=True)
    return [(path.removesuffix(WHY), first_line(work / path), at) for at, path in seen[:limit]]


def first_line(path: Path) -> str:
    """The first line that says something, without the marks of a heading; '' where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(4096).decode(errors="replace")
    return next((words for line in head.splitlines() if (words := line.strip("# \t"))), "")


def _walk(work: Path, root: str, depth: int) -> Iterator[tuple[str, str]]:
    for folder in _folders(work, root, depth):
        for name, is_folder in _scan(work / folder):
            if not is_folder:
                yield f"{folder}/{name}", name


def _folders(work: Path, root: str, depth: int) -> Iterator[str]:
    yield root
    if depth:
        for name, is_folder in _scan(work / root):
            if is_folder and not name.startswith("."):
                yield from _folders(work, f"{root}/{name}", depth - 1)


def _scan(folder: Path) -> Iterator[tuple[str, bool]]:
    try:
        with os.scandir(folder) as scan:
            for entry in scan:
                yield entry.name, entry.is_dir(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
