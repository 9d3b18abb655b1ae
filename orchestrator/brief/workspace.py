"""What a brief may see of a workspace: bounded, only regular files, and never through a link that leads out of it."""

import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from orchestrator.adapters.git import Git, GitError

MOST_BYTES = 1 << 20  # read of a file
MOST_FILES = 200  # read in all
_MOST_COMMITS = 60  # asked for in all: each is a process
_MOST_NAMES = 50_000
_MOST_WALKED = 5_000


class Kind(StrEnum):
    """What a reference turned out to be."""

    FILE = "file"
    FOLDER = "folder"
    MISSING = "missing"
    OUTSIDE = "outside"  # a link leads out of the workspace, or into git's own folder
    OTHER = "other"  # a device, a socket, a pipe
    UNREAD = "unread"  # past the bound on files, or not permitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A reference, looked up."""

    path: str  # as referenced, relative to the workspace
    kind: Kind
    size: int = 0
    content: bytes = b""  # of a file, at most MOST_BYTES
    entries: tuple[str, ...] = ()  # of a folder

    @property
    def is_binary(self) -> bool:
        """Whether it is no text, as git decides it: a NUL byte near the beginning."""
        return b"\0" in self.content[:8000]

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode(errors="replace")


class Workspace:
    """A folder to look into. It counts what was read, so that no task makes a brief of everything."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._git = Git(Path(self._root))
        self._read = 0
        self._asked = 0

    def look_up(self, path: str) -> Found:
        """What is at that path."""
        real = os.path.realpath(Path(self._root, path))
        inside = real == self._root or real.startswith(self._root.rstrip("/") + "/")
        if not inside or ".git" in os.path.relpath(real, self._root).split("/"):
            return Found(path=path, kind=Kind.OUTSIDE)
        try:
            found = os.lstat(real)
        except (OSError, ValueError):
            return Found(path=path, kind=Kind.MISSING)
        if stat.S_ISDIR(found.st_mode):
            return _folder(path, real)
        if not stat.S_ISREG(found.st_mode):
            return Found(path=path, kind=Kind.OTHER)
        return self._file(path, real)

    def exists(self, path: str) -> bool:
        """Whether something is there, links included."""
        try:
            return os.path.lexists(Path(self._root, path))
        except ValueError:  # a NUL in it
            return False

    def last_commit(self, path: str) -> str:
        """`<short id> of <date>: <subject>` of the last commit that touched it, or empty."""
        if not self._has_git or self._asked >= _MOST_COMMITS:
            return ""
        self._asked += 1
        shape = "--format=%h of %as: %s"
        try:
            return self._git.text("--literal-pathspecs", "log", "-1", "--no-show-signature", shape, "--", path)
        except GitError:
            return ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The files that git knows here, sorted, or those that a short walk finds; paths relative to the workspace."""
        if not self._has_git:
            return tuple(sorted(self._walk()))
        try:
            return tuple(sorted(self._git.zlist("ls-files", "-z")[:_MOST_NAMES]))
        except GitError:
            return ()

    @cached_property
    def _has_git(self) -> bool:
        # An empty folder of that name is no repository: some sandboxes leave one where they mounted something.
        marks = (folder / ".git" for folder in (Path(self._root), *Path(self._root).parents))
        return any(mark.is_file() or (mark / "HEAD").exists() for mark in marks)

    def _walk(self) -> list[str]:
        names: list[str] = []
        for folder, folders, files in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            names += [os.path.relpath(Path(folder, name), self._root) for name in files]
            if len(names) > _MOST_WALKED:
                break
        return names

    def _file(self, path: str, real: str) -> Found:
        if self._read >= MOST_FILES:
            return Found(path=path, kind=Kind.UNREAD)
        self._read += 1
        try:
            # The path is real by now: a link there would be one that came since. O_NONBLOCK: so would a pipe.
            fd = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return Found(path=path, kind=Kind.UNREAD)
        with os.fdopen(fd, "rb") as file:
            return Found(path=path, kind=Kind.FILE, size=os.fstat(fd).st_size, content=file.read(MOST_BYTES))


def _folder(path: str, real: str) -> Found:
    try:
        entries = sorted(os.listdir(real))
    except OSError:
        return Found(path=path, kind=Kind.UNREAD)
    return Found(path=path, kind=Kind.FOLDER, entries=tuple(entries))
