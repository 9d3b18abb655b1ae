"""What git shows of a task's work: commits, changed files, declared artefacts."""

import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.workspaces.bases import shown
from orchestrator.adapters.workspaces.scan import why_not_link

CHANGED = 100  # paths that are named
_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Between two commits."""

    commits: int = 0
    changed: tuple[str, ...] = ()
    count: int = 0
    problems: tuple[str, ...] = ()


def difference(git: Git, base: str, head: str, unwanted: Sequence[str] = ()) -> Difference:
    """From base to head. `unwanted`: paths that should not have been committed. No driver, no filter is run."""
    if base == head:
        return Difference()
    raw = git.raw("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", base, head, seconds=600)
    paths: list[bytes] = []
    problems: list[str] = []
    never = {os.fsencode(path) for path in unwanted}
    for meta, path in _pairs(raw):
        paths.append(path)
        mode, blob = meta.split()[1], meta.split()[3].decode()
        if mode in {b"120000", b"160000"} and len(problems) < _PROBLEMS:
            problems += _of_mode(git, mode, blob, os.fsdecode(path))
        if path in never and mode != b"000000":
            problems.append(
                f"{shown(os.fsdecode(path))}: was copied in, and the tool committed it; look before you push"
            )
    first = tuple(shown(os.fsdecode(path)) for path in heapq.nsmallest(CHANGED, paths))
    commits = int(git.text("rev-list", "--count", f"{base}..{head}", "--", seconds=600) or 0)
    return Difference(commits=commits, changed=first, count=len(paths), problems=tuple(problems))


def _pairs(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The items of a raw -z listing, two by two, without a second copy of it all."""
    start = 0
    while (end := raw.find(b"\0", start)) >= 0:
        after = raw.index(b"\0", end + 1)
        yield raw[start:end], raw[end + 1 : after]
        start = after + 1


def _of_mode(git: Git, mode: bytes, blob: str, path: str) -> list[str]:
    """What is wrong with a link or a repository that the tool committed itself."""
    if mode == b"160000":
        return [f"{shown(path)}: the tool committed a repository of its own there; only its commit id is kept"]
    target = os.fsdecode(git.raw("cat-file", "blob", blob))
    why = why_not_link(path, target)
    return [f"{shown(path)}: {why} (the tool committed it)"] if why else []


def missing(top: Path, artefacts: Sequence[str], git: Git | None = None, head: str = "") -> tuple[str, ...]:
    """Those that are not there. There is a regular file in the folder, reached without any link, or a folder with
    something committed in it."""
    return tuple(artefact for artefact in artefacts if not _is_there(top, artefact, git, head))


def _is_there(top: Path, artefact: str, git: Git | None, head: str) -> bool:
    parts = [part for part in artefact.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or artefact.startswith("/") or "\0" in artefact:
        return False
    here = top
    mode = 0
    for part in parts:
        here /= part
        try:
            mode = here.lstat().st_mode
        except (OSError, ValueError):
            return False
        if stat.S_ISLNK(mode):
            return False
    if stat.S_ISDIR(mode) and git is not None and head:
        return bool(git.raw("ls-tree", "-z", "--name-only", head, "--", "/".join(parts) + "/"))
    return stat.S_ISREG(mode)
