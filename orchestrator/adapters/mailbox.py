"""The folders of the collaboration space: what lies in them, and moves that cannot overwrite."""

import errno
import os
import stat
import threading
import time
from collections.abc import Collection
from pathlib import Path

from orchestrator.adapters import files
from orchestrator.adapters.buckets import Buckets
from orchestrator.core import layout
from orchestrator.core.types import TaskId
from orchestrator.ports import Entry, NameTakenError

READ_LIMIT = 1 << 20  # bytes: a larger file is no task
QUIET_NS = 200_000_000  # where the system cannot say whether a file is being written, quiet for this long will do

FOLDERS = (
    layout.INBOX,
    layout.ASSIGNED,
    layout.DONE,
    layout.REJECTED,
    layout.FRIDGE,
    layout.ARCHIVE,
    layout.TELEMETRY,
    layout.RUNS,
    layout.LOGS,
)


class FolderMailbox:
    """The mailbox on disk, below the work folder."""

    def __init__(self, work: Path, aside: Path | None = None) -> None:
        """`aside`: where `set_aside` puts files; None for whoever only looks."""
        self._work = work
        self._aside = aside
        self._buckets: dict[str, Buckets] = {}
        self._lock = threading.Lock()

    def make_folders(self) -> None:
        """Makes the folders of FORMATS section 1 that are not there."""
        for folder in FOLDERS:
            (self._work / folder).mkdir(parents=True, exist_ok=True)

    def remove_half_written(self, also: Collection[str] = ()) -> None:
        """Removes the temporary files of a daemon that died while it wrote them: ours by their name.

        Args:
            also: Further folders, e.g. those of the work logs under way.
        """
        folders = [layout.COLLABORATION, layout.INBOX, layout.REJECTED, layout.FRIDGE, *also]
        for agent in self._folders(layout.ASSIGNED):
            folders += [agent, *self._folders(agent)]
        for folder in folders:
            for name in self._names(folder):
                if files.is_temporary(name):
                    self.remove(f"{folder}/{name}")

    def _names(self, folder: str) -> list[str]:
        try:
            return os.listdir(self._work / folder)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def inbox(self) -> list[Entry]:
        """What lies in the inbox and could be a task."""
        return self._entries(layout.INBOX)

    def assigned(self) -> list[Entry]:
        """What lies below assigned/: agent folders, and their overflow one level deeper."""
        found: list[Entry] = []
        for agent in self._folders(layout.ASSIGNED):
            found += self._entries(agent)
            for overflow in self._folders(agent):
                found += self._entries(overflow)
        return found

    def _entries(self, folder: str) -> list[Entry]:
        entries: list[Entry] = []
        try:
            with os.scandir(self._work / folder) as scan:
                for item in scan:
                    if not layout.is_task_name(item.name):
                        continue
                    try:
                        seen = item.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    entries.append(
                        Entry(
                            path=f"{folder}/{item.name}",
                            name=item.name,
                            size=seen.st_size,
                            mtime_ns=seen.st_mtime_ns,
                            inode=seen.st_ino,
                            is_file=stat.S_ISREG(seen.st_mode),
                        )
                    )
        except (FileNotFoundError, NotADirectoryError):
            return []
        return entries

    def _folders(self, folder: str) -> list[str]:
        try:
            with os.scandir(self._work / folder) as scan:
                names = [item.name for item in scan if item.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [f"{folder}/{name}" for name in sorted(names) if not name.startswith(".")]

    def search(self, task_id: TaskId) -> str:
        """Where its file lies among inbox, assigned and fridge; '' where it is in none of them."""
        folders = [layout.INBOX, layout.FRIDGE, *self._folders(layout.FRIDGE)]
        for agent in self._folders(layout.ASSIGNED):
            folders += [agent, *self._folders(agent)]
        for folder in folders:
            for suffix in layout.TASK_SUFFIXES:
                if self.exists(path := f"{folder}/{task_id}{suffix}"):
                    return path
        return ""

    def is_settled(self, entry: Entry) -> bool:
        """Whether nobody is writing it: known from the system, else by quiet."""
        written = files.is_being_written(self._work / entry.path)
        if written is None:
            return time.time_ns() - entry.mtime_ns > QUIET_NS
        return not written

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Its bytes, at most `limit` and one more."""
        return files.read_at_most(self._work / path, limit)

    def exists(self, path: str) -> bool:
        """Whether something is there, be it a broken link."""
        return os.path.lexists(self._work / path)

    def write(self, path: str, content: bytes) -> None:
        """Replaces the file whole; its folder is made again where somebody took it away."""
        try:
            files.write_beside_and_rename(self._work / path, content)
        except FileNotFoundError:
            (self._work / path).parent.mkdir(parents=True, exist_ok=True)
            files.write_beside_and_rename(self._work / path, content)

    def create(self, path: str, content: bytes) -> None:
        """Makes the file; NameTakenError where one is there."""
        files.create(self._work / path, content)

    def move(self, path: str, to: str) -> None:
        """Renames without overwriting; the folder is made again where somebody took it away."""
        source, target = self._work / path, self._work / to
        try:
            files.rename_noreplace(source, target)
        except FileNotFoundError:
            if target.parent.is_dir():
                raise
            target.parent.mkdir(parents=True, exist_ok=True)
            files.rename_noreplace(source, target)

    def set_aside(self, path: str) -> str:
        """Moves a file to the folder beside git's own that is for this; the state folder may be on another disk."""
        assert self._aside is not None
        self._aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = path.rpartition("/")[2]
        for number in range(1, 1_000_000):
            target = self._aside / (name if number == 1 else f"{number}.{name}")
            try:
                files.rename_noreplace(self._work / path, target)
            except NameTakenError:
                continue
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                files.create(target, (self._work / path).read_bytes())
                (self._work / path).unlink()
            return str(target)
        raise NameTakenError(name)

    def remove(self, path: str) -> None:
        """Takes it away."""
        (self._work / path).unlink(missing_ok=True)

    def place(self, folder: str, name: str, day: str = "") -> str:
        """A path for `name` in a folder with room: flat without a day, else the bucket of that day."""
        with self._lock:
            buckets = self._buckets.get(folder)
            if buckets is None:
                (self._work / folder).mkdir(parents=True, exist_ok=True)
                buckets = self._buckets[folder] = Buckets(self._work / folder)
            inside = buckets.place(day) if day else buckets.flat_or_bucket(time.strftime("%Y-%m-%d", time.gmtime()))
        return f"{folder}/{inside}/{name}" if inside else f"{folder}/{name}"
