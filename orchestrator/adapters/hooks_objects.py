"""What a commit or a push would bring: files by their blobs, never as they lie in the working copy.

A hook is told by git which index and which objects are meant. The environment that said so is gone by the time that we
run (hooks/orchestrator-check); what is needed of it was handed over by name, and is given to git alone.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git

MAX_BYTES = 1 << 20  # FORMATS section 2: a larger file is no task, and is not read
_FILES = ("100644", "100755")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file that is brought, or taken away."""

    path: str  # from the top of the tree, with /; what is no UTF-8 by surrogate escape
    mode: str  # 000000: it is taken away
    blob: str
    before: str  # the blob that was there; '' where there was none

    @property
    def is_gone(self) -> bool:
        """Whether it is taken away."""
        return self.mode == "000000"

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file: no link, no submodule."""
        return self.mode in _FILES


def index_git(top: Path, index: str) -> Git:
    """Git at the top of a checkout, with the index of this commit: `git commit PATH` and `-a` have one of their own."""
    return Git(top, {"GIT_INDEX_FILE": str(top / index)} if index else {})


def incoming_git(repository: Path, objects: str, alternates: str) -> Git:
    """Git in a repository that is being pushed to: it finds what is in quarantine, and can move nothing out of it."""
    if not objects:
        return Git(repository)
    env = {"GIT_OBJECT_DIRECTORY": objects, "GIT_QUARANTINE_PATH": objects}
    if alternates:
        env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates
    return Git(repository, env)


def staged(git: Git, pathspecs: Sequence[str]) -> list[Brought]:
    """What the commit would change below these, compared with HEAD; in a repository without a commit, all of it."""
    raw = git.raw(
        "diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--diff-filter=AMTD", "--",
        *pathspecs,
    )  # fmt: skip
    return _entries(raw)


def indexed(git: Git, paths: Sequence[str]) -> dict[str, str]:
    """The blobs of these files in the index, by path."""
    raw = git.raw("--literal-pathspecs", "ls-files", "--cached", "--stage", "-z", "--", *paths)
    found: dict[str, str] = {}
    for item in raw.split(b"\0"):
        head, _, path = item.partition(b"\t")
        fields = head.split(b" ")
        if len(fields) == 3 and fields[0].decode() in _FILES and fields[2] == b"0":
            found[os.fsdecode(path)] = fields[1].decode()
    return found


def pushed(git: Git, old: str, new: str, pathspecs: Sequence[str]) -> list[Brought]:
    """What a push changes below these on one ref: its last state counts, not the way there.

    Of a branch that is new only what no branch here has: it is compared with where it left what is known.
    """
    if old.strip("0"):
        return _differing(git, old, new, pathspecs)
    said = git.text("rev-list", "--boundary", new, "--not", "--all").splitlines()
    known = [line[1:] for line in said if line.startswith("-")]
    if not known and not said:
        return []  # every commit of it is here already
    if not known:
        known = [git.text("hash-object", "-t", "tree", "--stdin", stdin=b"")]
    first, *others = known
    brought = _differing(git, first, new, pathspecs)
    for other in others:
        also = {(one.path, one.blob) for one in _differing(git, other, new, pathspecs)}
        brought = [one for one in brought if (one.path, one.blob) in also]
    return brought


def _differing(git: Git, old: str, new: str, pathspecs: Sequence[str]) -> list[Brought]:
    return _entries(
        git.raw("diff-tree", "-r", "--raw", "-z", "--no-abbrev", "--no-renames", old, new, "--", *pathspecs)
    )


def _entries(raw: bytes) -> list[Brought]:
    tokens = iter(raw.split(b"\0"))
    found = []
    for head in tokens:
        if head:
            _, mode, before, blob, _ = head.decode().split(" ")
            path = os.fsdecode(next(tokens))
            found.append(Brought(path=path, mode=mode, blob=blob, before=before if before.strip("0") else ""))
    return found


def contents(git: Git, blobs: Iterable[str]) -> dict[str, bytes | None]:
    """What these say, by blob; None for one that is too large to be a task, and is not read."""
    wanted = sorted({blob for blob in blobs if blob.strip("0")})
    if not wanted:
        return {}
    sizes = git.text("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=_lines(wanted)).splitlines()
    found: dict[str, bytes | None] = {}
    fit = []
    for line in sizes:
        blob, _, size = line.partition(" ")
        if size.isdigit() and int(size) <= MAX_BYTES:
            fit.append(blob)
        else:
            found[blob] = None
    raw = git.raw("cat-file", "--batch", stdin=_lines(fit)) if fit else b""
    at = 0
    for blob in fit:
        end = raw.index(b"\n", at) + 1
        length = int(raw[at : end - 1].split(b" ")[2])
        found[blob] = raw[end : end + length]
        at = end + length + 1
    return found


def _lines(blobs: Sequence[str]) -> bytes:
    return "".join(f"{blob}\n" for blob in blobs).encode()
