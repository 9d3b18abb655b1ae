"""The work folder's private index follows our commits, so that a person's `git status` there is clean.

Only our paths, and only where the index still has what one of our commits had: what a person staged stays staged. The
new index is made beside the old one and put in its place under index.lock, held for an instant, as git itself does.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.adapters.files import rename_noreplace
from orchestrator.adapters.git import Git, GitError
from orchestrator.adapters.trail.ref import AS_IT_IS, worktree
from orchestrator.errors import BusyError
from orchestrator.ports import NameTakenError

if TYPE_CHECKING:
    from subprocess import CompletedProcess

_NOTE = "orchestrator-index"  # in the worktree's git directory: what we know of the index
_MARK = b"a lock of orchestrator\n"  # git's own index.lock holds an index, or nothing
Signature = tuple[int, int, int]  # inode, size, time
Entries = dict[str, tuple[str, str]]  # path -> mode and blob; mode 000000: not there


class Index:
    """The private index of one worktree. For one thread at a time."""

    def __init__(self, admin: Path, work: Path) -> None:
        self._admin = admin
        self._work = work
        self._index = admin / "index"
        self._bases, self._seen = _read_note(admin)

    @property
    def bases(self) -> list[str]:
        """The commits that the index may stand at, oldest first."""
        return list(self._bases)

    def is_at(self, tip: str) -> bool:
        """Whether it stands at that commit, as far as we know."""
        return self._bases == [tip]

    def also_at(self, commit: str) -> None:
        """Somebody else moved the branch to that commit, and with it perhaps the index."""
        if commit not in self._bases:
            self._bases.append(commit)

    def was_touched(self) -> bool:
        """Whether somebody else wrote the index since we last looked, or since the last process did (a commit, reset,
        rm, add or status there)."""
        seen, self._seen = self._seen, _signature(self._index)
        return seen != self._seen

    def refresh(self, tip: str) -> bool:
        """Brings our paths to `tip`; False where somebody is at work in it now: again later.

        Raises:
            GitError, OSError: it cannot be.
        """
        if not tip or self.is_at(tip):
            return True
        before = _signature(self._index)
        if before is None or before != self._seen or (self._admin / "index.lock").exists():
            return False  # gone, written since somebody looked at what was done there, or being written
        import shutil

        beside = _beside(self._admin)
        try:
            shutil.copy2(self._index, beside)  # with its time: git tells by it which entries are too fresh to trust
            git = worktree(self._admin, self._work, beside)
            answers = git.together(*_questions(self._bases, tip))
            if not answers or any(answer.returncode for answer in answers):
                unmerged = git.call("ls-files", "-u", "-z")
                is_unmerged, is_unreadable = bool(unmerged.stdout), unmerged.returncode != 0
            else:
                is_unmerged, is_unreadable = any(map(_tells_unmerged, answers[1::2])), False
            if is_unmerged:
                return False  # a person's merge is being resolved
            if is_unreadable:  # made from nothing
                beside.unlink()
                git.raw(*AS_IT_IS, "read-tree", tip)
            else:
                self._bring(git, tip, answers)
            _write_note(self._admin, [*self._bases, tip], None)
            self._swap(beside, before)
        except BusyError:
            return False
        finally:
            beside.unlink(missing_ok=True)
            beside.with_name(f"{beside.name}.lock").unlink(missing_ok=True)  # of a git that was killed over it
        self._bases = [tip]
        self._seen = _signature(self._index)
        _write_note(self._admin, self._bases, self._seen)
        return True

    def _bring(self, git: Git, tip: str, answers: "Sequence[CompletedProcess[bytes]]") -> None:
        """`answers` to `_questions`."""
        wanted: Entries = {}
        staged: set[str] | None = None
        for base, moved, cached in zip(self._bases, answers[::2], answers[1::2], strict=True):
            if moved.returncode and not git.tip(base):
                continue  # a gc took that commit away
            wanted |= _entries(_items(moved))
            here = set(_entries(_items(cached)))
            staged = here if staged is None else staged & here
        if staged is None:
            git.raw(*AS_IT_IS, "read-tree", "--reset", tip)
            return
        paths = sorted(wanted.keys() - staged)
        if not paths:
            return
        listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        git.call(*AS_IT_IS, "update-index", "-z", "--add", "--remove", "--replace", "--stdin", stdin=listed)
        # What has changed on disk since that commit must stand as it is in the commit; and so must all, where git
        # stumbled over something on disk.
        said = git.zlist("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", "-R", tip)
        off = {path: entry for path, entry in _entries(said).items() if path in wanted and path not in staged}
        if off:
            lines = b"".join(b"%s %s\t%s\0" % (m.encode(), b.encode(), os.fsencode(p)) for p, (m, b) in off.items())
            git.raw(*AS_IT_IS, "update-index", "-z", "--index-info", stdin=lines)

    def _swap(self, beside: Path, before: Signature) -> None:
        lock = self._admin / "index.lock"
        ours = _beside(self._admin)
        ours.write_bytes(_MARK)  # there at the moment that the lock appears: whoever finds it later knows whose it is
        try:
            rename_noreplace(ours, lock)
        except NameTakenError as error:
            ours.unlink()
            raise BusyError(f"{lock} exists") from error
        try:
            if _signature(self._index) != before:
                raise BusyError(f"{self._index} was just written")
            beside.replace(self._index)
        finally:
            lock.unlink()


def clear_leftovers(admin: Path) -> None:
    """Takes away what a dead process of ours left: its lock, and its files beside the index. Nothing of anybody else's.

    Only for who holds the workspace's lock, before anything is refreshed: then none of ours is at work.
    """
    lock = admin / "index.lock"
    with suppress(OSError):
        if lock.stat().st_size == len(_MARK) and lock.read_bytes() == _MARK:
            lock.unlink()
    for path in admin.glob(f"{_NOTE}.*"):
        path.unlink(missing_ok=True)


def _beside(admin: Path) -> Path:
    """A name of our own: a git that outlived the daemon that started it may still write under an earlier one."""
    return admin / f"{_NOTE}.{os.urandom(4).hex()}"


def _signature(path: Path) -> Signature | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _questions(bases: Iterable[str], tip: str) -> Iterator[tuple[str, ...]]:
    """Of each base: what changed from it to the tip, and what is staged over it."""
    for base in bases:
        yield "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", base, tip
        yield "diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", base


def _tells_unmerged(cached: "CompletedProcess[bytes]") -> bool:
    return any(item.startswith(b":") and item.endswith(b" U") for item in cached.stdout.split(b"\0")[::2])


def _items(ended: "CompletedProcess[bytes]") -> list[str]:
    """Of a -z output. Raises GitError where git could not answer."""
    if ended.returncode:
        raise GitError(ended.args, ended.returncode, ended.stderr.decode(errors="replace"))
    return [os.fsdecode(item) for item in ended.stdout.split(b"\0") if item]


def _entries(raw: Iterable[str]) -> Entries:
    """The new side of `--raw -z` output: `:mode mode blob blob status`, then the path."""
    items = iter(raw)
    found: Entries = {}
    for head in items:
        _, mode, _, blob, _ = head.split(" ")
        found[next(items)] = (mode, blob)
    return found


def _read_note(admin: Path) -> tuple[list[str], Signature | None]:
    """The commits that the index may stand at, and how it looked when we left it."""
    try:
        commits, _, seen = (admin / _NOTE).read_text(encoding="ascii").partition("\n")
        inode, size, time = (int(number) for number in seen.split())
    except (OSError, ValueError):
        return _commits(admin), None
    return commits.split(), (inode, size, time)


def _commits(admin: Path) -> list[str]:
    with suppress(OSError, UnicodeDecodeError):
        return (admin / _NOTE).read_text(encoding="ascii").partition("\n")[0].split()
    return []


def _write_note(admin: Path, commits: list[str], seen: Signature | None) -> None:
    beside = _beside(admin)
    looks = " ".join(str(number) for number in seen or ())
    beside.write_text(" ".join(dict.fromkeys(commits)) + f"\n{looks}\n", encoding="ascii")
    beside.replace(admin / _NOTE)


def is_sound(admin: Path, algorithm: str) -> bool:
    """Whether there is an index, and whole: git itself reads a torn one as if files were gone (gitformat-index(5))."""
    try:
        raw = (admin / "index").read_bytes()
    except OSError:
        return False
    said = hashlib.new(algorithm, usedforsecurity=False)
    body, end = memoryview(raw)[: -said.digest_size], raw[-said.digest_size :]
    said.update(body)
    return raw.startswith(b"DIRC") and (end == said.digest() or not any(end))  # zeros: index.skipHash


def begin_at(admin: Path, tip: str) -> None:
    """Notes that the index was just made from that commit."""
    _write_note(admin, [tip], _signature(admin / "index"))
