"""What is on disk in the work folder, read without following any link."""

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.layout import is_unfinished

LARGEST = 16 << 20  # bytes: a larger file is no task, result or log of ours
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a named pipe must not make us wait


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A regular file."""

    content: bytes
    executable: bool

    def blob(self, algorithm: str) -> str:
        """The id that git gives to this content, unconverted."""
        said = hashlib.new(algorithm, usedforsecurity=False)
        said.update(b"blob %d\0" % len(self.content))
        said.update(self.content)
        return said.hexdigest()


@dataclass(frozen=True, slots=True)
class Unfit:
    """Something that is not committed, and why."""

    why: str


def is_ours(path: str) -> bool:
    """Whether a path can be part of the trail: nothing hidden, nothing half-written."""
    *folders, name = path.split("/")
    return bool(name) and not is_unfinished(name) and not any(folder.startswith(".") for folder in folders)


def read(work: Path, path: str) -> OnDisk | Unfit | None:
    """What is at that path; None: nothing. Raises OSError where the disk fails."""
    *folders, name = path.split("/")
    here = -1
    try:
        here = os.open(work, _FOLDER & ~os.O_NOFOLLOW)
        for folder in folders:
            above, here = here, os.open(folder, _FOLDER, dir_fd=here)
            os.close(above)
        return _read_here(here, name)
    except (FileNotFoundError, NotADirectoryError):
        # A folder on the way that is gone, a file, or a link: with a link on the way nothing of ours is there.
        return None
    finally:
        if here >= 0:
            os.close(here)


def _read_here(folder: int, name: str) -> OnDisk | Unfit | None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode):
        return None
    if stat.S_ISLNK(found.st_mode):
        return Unfit("is a link; links are never followed nor committed, put the file itself there")
    if not stat.S_ISREG(found.st_mode):
        return Unfit("is no regular file")
    if found.st_size > LARGEST:
        return Unfit(f"has {found.st_size >> 20} MiB; at most {LARGEST >> 20} MiB are committed")
    with os.fdopen(os.open(name, _FILE, dir_fd=folder), "rb") as file:
        content = file.read(LARGEST + 1)
        return OnDisk(content, bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR))


def everything(work: Path) -> list[str]:
    """Every path below the folder, hidden ones as well, without git's own and without nested repositories."""
    found: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        with suppress(FileNotFoundError), os.scandir(work / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name == ".git":
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    found.append(path)
                elif not (work / path / ".git").exists():
                    folders.append(path)
    return sorted(found)
