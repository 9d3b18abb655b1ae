"""The entries of worktrees in a repository (`<common>/worktrees/<name>`): found, mended, taken away."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.workspaces.private import repository

# What an unfinished merge, rebase or bisect of a tool leaves in an entry: over once its files are committed.
_UNFINISHED = (
    "MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "MERGE_RR", "AUTO_MERGE", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD",
    "SQUASH_MSG", "index.lock", "HEAD.lock", "BISECT_LOG", "BISECT_START", "BISECT_NAMES", "BISECT_EXPECTED_REV",
)  # fmt: skip
_UNFINISHED_FOLDERS = ("rebase-merge", "rebase-apply", "sequencer")


@dataclass(frozen=True, slots=True)
class Listed:
    """A worktree as git lists it."""

    path: str
    ref: str = ""  # what it has checked out; empty: detached
    locked: str | None = None  # why, where it is


def listed(git: Git) -> list[Listed]:
    """All worktrees, the main one first."""
    said = git.call("worktree", "list", "--porcelain", "-z")  # -z: since git 2.36
    if said.returncode == 0:
        lines = [os.fsdecode(line) for line in said.stdout.split(b"\0")]
    else:
        lines = git.text("worktree", "list", "--porcelain").split("\n")
    return list(_parsed(lines))


def _parsed(lines: list[str]) -> Iterator[Listed]:
    path = ref = ""
    locked: str | None = None
    for line in [*lines, ""]:
        word, _, rest = line.partition(" ")
        if word == "worktree":
            path, ref, locked = rest, "", None
        elif word == "branch":
            ref = rest
        elif word == "locked":
            locked = rest
        elif not line and path:
            yield Listed(path, ref, locked)
            path = ""


def entry_of(common: Path, path: Path) -> Path | None:
    """The entry whose worktree lies at `path`, whether or not the folder is there."""
    dot = f"{path / '.git'}"
    usual = common / "worktrees" / path.name  # git names the entry after the folder, if it can
    if _text(usual / "gitdir") == dot:
        return usual
    with suppress(OSError):
        for name in sorted(os.listdir(common / "worktrees")):
            if _text(common / "worktrees" / name / "gitdir") == dot:
                return common / "worktrees" / name
    return None


def is_whole(entry: Path) -> bool:
    """Whether git can work with it."""
    return (entry / "HEAD").is_file() and (entry / "commondir").is_file()


def connect(entry: Path, path: Path) -> None:
    """Makes folder and entry point at each other again."""
    for file, text in ((entry / "gitdir", f"{path / '.git'}\n"), (path / ".git", f"gitdir: {entry}\n")):
        if file.is_symlink() or _text(file) != text.strip():
            if file.is_dir() and not file.is_symlink():  # a tool made a repository of its own there
                aside = file.with_name(f".git-{os.getpid()}-of-the-tool")
                file.rename(aside)
                shutil.rmtree(aside, ignore_errors=True)
            beside = file.with_name(f"{file.name}.orchestrator")
            beside.unlink(missing_ok=True)
            beside.write_text(text, encoding="utf-8", errors="surrogateescape")
            beside.replace(file)


def register(common: Path, path: Path, branch: str, beside: Path) -> Path:
    """Makes an entry for a folder that exists already; the entry."""
    git = repository(common)
    shutil.rmtree(beside, ignore_errors=True)
    beside.parent.mkdir(parents=True, exist_ok=True)
    add(git, beside, branch)
    entry = Path(os.path.realpath((_text(beside / ".git") or "").removeprefix("gitdir:").strip()))
    shutil.rmtree(beside, ignore_errors=True)
    connect(entry, path)
    return entry


def add(git: Git, path: Path, branch: str) -> None:
    """A worktree of that branch without its files: nothing of the repository's configuration runs."""
    git.raw(
        "-c", "worktree.useRelativePaths=false", "-c", "core.sparseCheckout=false",
        "worktree", "add", "-q", "--no-checkout", "--force", str(path), branch,
    )  # fmt: skip


def head_of(common: Path, entry: Path) -> str:
    """The commit that is checked out there, or ''."""
    return repository(common, entry).tip("HEAD") if is_whole(entry) else ""


def settle(common: Path, entry: Path, ref: str, index: Path) -> None:
    """Puts the entry on the branch with that index, and takes away what an unfinished operation left."""
    git = repository(common, entry)
    for name in _UNFINISHED:
        (entry / name).unlink(missing_ok=True)
    for name in _UNFINISHED_FOLDERS:
        shutil.rmtree(entry / name, ignore_errors=True)
    if git.call("symbolic-ref", "-q", "HEAD").stdout.decode(errors="replace").strip() != ref:
        git.raw("symbolic-ref", "HEAD", ref)
    if index.is_file():
        beside = entry / "index.orchestrator"
        beside.unlink(missing_ok=True)
        shutil.copy2(index, beside)  # with its time: git tells by it which entries are too fresh to trust
        beside.replace(entry / "index")


def forget(entry: Path) -> None:
    """Takes the entry away; its folder is gone already."""
    aside = entry.with_name(f"{entry.name}.removed-{os.getpid()}")
    with suppress(FileNotFoundError):
        (entry / "gitdir").unlink(missing_ok=True)
        entry.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    with suppress(OSError):
        entry.parent.rmdir()  # as git does: only where it was the last one


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return None
