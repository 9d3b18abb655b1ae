"""Where a workspace is: its root, its work folder, its state folder. Found by looking at files, without a process."""

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import NotFoundError

STATE = "orchestrator"  # the state folder's name inside git's own
STATE_WITHOUT_GIT = ".orchestrator"
CONFIG_OF_BARE = "orchestrator-config"  # in a bare repository `config` is git's own file
WORK_MARKER = "orchestrator-work"  # a file in the git directory of the linked worktree that is our work folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folders of one workspace, all absolute."""

    root: Path  # the top of the checkout; the bare repository itself; or, without git, the folder
    work: Path
    config: Path
    state: Path
    git_dir: Path | None  # this checkout's; None without git
    common_dir: Path | None  # shared by all its worktrees
    bare: bool = False
    flags: tuple[str, ...] = ()  # KEY=VALUE of this call's `--set`: they lie over the files of the configuration


def find(start: Path, *, use_git: bool = True) -> Place:
    """The workspace that `start` is in.

    From inside the work folder (itself a linked worktree in own mode) the workspace around it is found.

    Raises:
        NotFoundError: no git repository there or above, and `use_git`.
    """
    start = Path(os.path.realpath(start))
    if not use_git:
        root = _without_git(start)
        state = root / STATE_WITHOUT_GIT
        return Place(root=root, work=root / "work", config=root / "config", state=state, git_dir=None, common_dir=None)
    for folder in (start, *start.parents):
        if (git_dir := _git_dir(folder)) is not None:
            common = _common_dir(git_dir)
            if git_dir != common and (git_dir / WORK_MARKER).exists():
                continue
            return _with_git(folder, git_dir, common, bare=False)
        if _is_bare(folder):
            return _with_git(folder, folder, folder, bare=True)
    raise NotFoundError(
        f"{start}: no git repository here or above; run `git init` first, or use --no-git to work without a history"
    )


def _with_git(root: Path, git_dir: Path, common: Path, *, bare: bool) -> Place:
    work = registered_work(common) or root / "work"
    if not bare:
        root = work.parent
    return Place(
        root=root,
        work=work,
        config=root / (CONFIG_OF_BARE if bare else "config"),
        state=common / STATE,
        git_dir=git_dir,
        common_dir=common,
        bare=bare,
    )


def _without_git(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / STATE_WITHOUT_GIT).is_dir():
            return folder
    return start


def _git_dir(folder: Path) -> Path | None:
    """The git directory of a checkout whose top is `folder`: `.git`, or what a `.git` file names."""
    dot = folder / ".git"
    if dot.is_dir():
        return dot if (dot / "HEAD").exists() else None
    try:
        text = dot.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith("gitdir:"):
        return None
    target = Path(os.path.realpath(folder / text.removeprefix("gitdir:").strip()))
    return target if target.is_dir() else None


def _common_dir(git_dir: Path) -> Path:
    try:
        text = (git_dir / "commondir").read_text(encoding="utf-8").strip()
    except OSError:
        return git_dir
    return Path(os.path.realpath(git_dir / text))


def registered_work(common: Path) -> Path | None:
    """The work folder of own mode, as git has it registered: every worktree of the repository finds the same one."""
    try:
        names = os.listdir(common / "worktrees")
    except OSError:
        return None
    for name in names:
        registered = common / "worktrees" / name
        if (registered / WORK_MARKER).exists():
            try:
                work = (registered / (registered / "gitdir").read_text(encoding="utf-8").strip()).parent
            except (OSError, UnicodeDecodeError):
                continue
            if _belongs(work, registered):
                return work
    return None


def _belongs(work: Path, registered: Path) -> bool:
    """Not where the repository was moved or copied: then that folder is gone with all around it, or another's."""
    if (work / ".git").exists():
        return _git_dir(work) in {None, registered}
    return work.parent.is_dir()


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
