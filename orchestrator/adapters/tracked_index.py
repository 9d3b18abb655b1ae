"""A person's index follows our commits: only our paths, only where the person has nothing staged, under their lock."""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.tracked_quiet import NotNowError
from orchestrator.adapters.trail.leftovers import boot_id

_FEW = 500  # paths that git is asked for by name; above that everything below the work folder is listed
_MARK = b"orchestrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """One checkout with the work folder in it."""

    root: Path  # the top of the checkout
    git_dir: Path
    common: Path
    prefix: str  # the work folder as seen from the top, with / at its end

    def git(self, index: Path | None = None) -> Git:
        """Git on this checkout, whatever folder or variable would name another one."""
        env = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.root), "GIT_LITERAL_PATHSPECS": "1"}
        if index is not None:
            env["GIT_INDEX_FILE"] = str(index)
        return Git(self.root, env)

    @property
    def index(self) -> Path:
        """The index file."""
        return self.git_dir / "index"

    @property
    def lock(self) -> Path:
        """Git's lock for the index."""
        return self.git_dir / "index.lock"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A copy of the index with our paths in it, ready to be renamed over the one that it was made from."""

    copy: Path
    made_from: object

    def is_current(self, checkout: Checkout) -> bool:
        """Whether the index is still the one that was copied."""
        return signature(checkout.index) == self.made_from


def signature(path: Path) -> object:
    """Changes whenever git writes the file: it always renames a new one into place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def prepare(checkout: Checkout, *, old: str, new: str, paths: Collection[str]) -> Prepared:
    """Copies the index and puts `new`'s entries of these paths there, where the entry is still `old`'s.

    A path that somebody staged, or that is in conflict, keeps what is staged. Paths are relative to the work folder.
    """
    copy = checkout.git_dir / f"orchestrator-index.{os.getpid()}"
    made_from = signature(checkout.index)
    with suppress(FileNotFoundError):
        shutil.copy2(checkout.index, copy)  # with its time: git tells by it which entries are too fresh
    git = checkout.git(copy)
    lines = lagging(git, checkout.prefix, old=old, new=new, paths=paths)
    if lines:
        # A path that was a folder, or will be one, has to go first: deletions sort before what they make room for.
        lines.sort(key=lambda line: not line.startswith(b"0 "))
        git.raw("update-index", "--add", "--replace", "-z", "--index-info", stdin=b"".join(lines))
    elif made_from is None:
        git.raw("read-tree", "--empty")
    return Prepared(copy, made_from)


def lagging(git: Git, prefix: str, *, old: str, new: str, paths: Collection[str]) -> list[bytes]:
    """What to tell `update-index --index-info` of the paths that the index has as in `old` and not as in `new`."""
    full = [prefix + path for path in paths]
    before, after = (_in_commit(git, commit, full, prefix) for commit in (old, new))
    staged = _staged(git, full, prefix)
    lines: list[bytes] = []
    for path in full:
        if staged.get(path, "") == before.get(path, "") != after.get(path, ""):
            entry = after.get(path) or f"0 {'0' * len(new)}"
            lines.append(f"{entry}\t".encode() + os.fsencode(path) + b"\0")
    return lines


def _in_commit(git: Git, commit: str, paths: list[str], prefix: str) -> Mapping[str, str]:
    """Mode and blob of each path, as the index has them."""
    if not commit:
        return {}
    asked = paths if len(paths) <= _FEW else [prefix]
    found: dict[str, str] = {}
    for line in git.zlist("ls-tree", "-r", "-z", "--full-tree", commit, "--", *asked):
        head, _, path = line.partition("\t")
        mode, _, blob = head.split(" ")
        found[path] = f"{mode} {blob}"
    return found


def _staged(git: Git, paths: list[str], prefix: str) -> Mapping[str, str]:
    asked = paths if len(paths) <= _FEW else [prefix]
    found: dict[str, str] = {}
    for line in git.zlist("ls-files", "-s", "-z", "--full-name", "--", *asked):
        head, _, path = line.partition("\t")
        mode, blob, stage = head.split(" ")
        found[path] = f"{mode} {blob}" if stage == "0" else "in conflict"
    return found


@contextmanager
def locked(checkout: Checkout) -> Iterator[None]:
    """Holds the index's lock as git does. Says in it whose it is, so that we can tell after a crash.

    Raises:
        NotNowError: somebody else holds it.
    """
    try:
        descriptor = os.open(checkout.lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError as error:
        raise NotNowError("another git holds the index (.git/index.lock)") from error
    try:
        try:
            os.write(descriptor, b"%s %d %s\n" % (_MARK, os.getpid(), (boot_id() or "-").encode()))
        finally:
            os.close(descriptor)
        yield
    finally:
        checkout.lock.unlink(missing_ok=True)


def clear_leftovers(checkout: Checkout) -> list[str]:
    """Removes a lock and a copy that a dead process of ours left, and nothing of anybody else's; their names."""
    removed: list[str] = []
    for path in (checkout.lock, *checkout.git_dir.glob("orchestrator-index.*")):
        if _is_ours_and_dead(path):
            path.unlink(missing_ok=True)
            removed.append(path.name)
    return removed


def _is_ours_and_dead(path: Path) -> bool:
    if path.name.startswith("orchestrator-index."):
        pid, boot = path.name.split(".")[1], boot_id() or "-"
    else:
        try:
            mark, pid, boot = path.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return False
        if mark != _MARK.decode():
            return False
    if not pid.isdigit():
        return False
    if boot != (boot_id() or "-"):
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
