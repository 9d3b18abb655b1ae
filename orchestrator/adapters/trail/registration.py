"""The work folder as a linked worktree: its entry in `<common>/worktrees/`, its `.git` file, its marker, its lock."""

import os
from contextlib import suppress
from pathlib import Path

from orchestrator.adapters.git import GitError
from orchestrator.adapters.place import WORK_MARKER, Place
from orchestrator.adapters.trail.ref import Ref
from orchestrator.errors import OrchestratorError

_LOCKED = "the work folder of orchestrator: its daemon writes here\n"


def admin_of(common: Path) -> Path | None:
    """The git directory of our worktree, as registered; None where there is none."""
    with suppress(OSError):
        for name in sorted(os.listdir(common / "worktrees")):
            if (common / "worktrees" / name / WORK_MARKER).is_file():
                return common / "worktrees" / name
    return None


def register(place: Place, ref: Ref) -> Path:
    """Makes the work folder a worktree of that branch, which exists. What lies in the folder stays as it is.

    Raises:
        OrchestratorError: the branch is checked out elsewhere, or the folder is a repository of its own.
        GitError, OSError: it cannot be.
    """
    import shutil
    import tempfile

    assert place.common_dir is not None
    check_folder(place)
    admin = _unfinished(place, ref)
    if admin is None:
        branch = ref.name.removeprefix("refs/heads/")
        place.state.mkdir(parents=True, exist_ok=True)
        for left in place.state.glob("new-work-*"):
            shutil.rmtree(left, ignore_errors=True)
        beside = Path(tempfile.mkdtemp(dir=place.state, prefix="new-work-"))
        # git makes the entry, whatever way this repository keeps its refs; at a place of ours, because it takes
        # only an empty folder, and then it is moved.
        try:
            ref.git.raw(
                "-c", "worktree.useRelativePaths=false",
                "worktree", "add", "-q", "--no-checkout", "--force", str(beside / "work"), branch,
            )  # fmt: skip
            told = (beside / "work" / ".git").read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            admin = Path(os.path.realpath(beside / "work" / told))
            (admin / WORK_MARKER).write_text(f"{ref.name}\n", encoding="utf-8")
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    (admin / WORK_MARKER).write_text(f"{ref.name}\n", encoding="utf-8")
    connect(place, admin)
    return admin


def connect(place: Place, admin: Path) -> list[str]:
    """Makes folder and entry point at each other, and locks the entry; what had to be done."""
    done = []
    place.work.mkdir(parents=True, exist_ok=True)
    dot = place.work / ".git"
    for path, text, what in (
        (admin / "gitdir", f"{dot}\n", "the place of the work folder was noted anew"),
        (dot, f"gitdir: {admin}\n", "work/.git was made anew"),
        (admin / "locked", _LOCKED, "the worktree was locked again"),
    ):
        if not _says(path, text):
            beside = path.with_name(path.name + ".orchestrator")
            beside.write_text(text, encoding="utf-8", errors="surrogateescape")
            beside.replace(path)
            done.append(what)
    return done


def is_connected(place: Place, admin: Path) -> bool:
    """Whether the folder is there and knows its repository."""
    return _says(place.work / ".git", f"gitdir: {admin}\n")


def check_folder(place: Place) -> None:
    """Raises OrchestratorError where the work folder is a link, a file, or a repository of somebody else's."""
    if place.work.is_symlink() or (place.work.exists() and not place.work.is_dir()):
        raise OrchestratorError(f"{place.work}: is a link or a file; put a folder there, or nothing")
    dot = place.work / ".git"
    if dot.is_dir():
        raise OrchestratorError(f"{place.work}: is a git repository of its own; move it elsewhere first")


def head_of(admin: Path) -> str:
    """The full ref name that is checked out there; '' where HEAD is detached or unreadable."""
    with suppress(OSError, UnicodeDecodeError):
        text = (admin / "HEAD").read_text(encoding="utf-8").strip()
        return text.removeprefix("ref:").strip() if text.startswith("ref:") else ""
    return ""


def _says(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip() == text.strip()
    except OSError:
        return False


def _unfinished(place: Place, ref: Ref) -> Path | None:
    """The entry of an earlier attempt that was cut short; refuses where the branch is checked out by somebody else."""
    assert place.common_dir is not None
    said = ref.git.zlist("worktree", "list", "--porcelain", "-z") if _knows_z(ref) else _lines(ref)
    where = ""
    for item in said:
        if item.startswith("worktree "):
            where = item.removeprefix("worktree ")
        elif item == f"branch {ref.name}":
            is_ours = Path(where) == place.work or where.startswith(f"{place.state}/new-work-")
            if not is_ours and not Path(where).exists():
                continue  # a worktree that somebody deleted and git has not pruned yet
            if not is_ours:
                raise OrchestratorError(
                    f"{where}: has {ref.name.removeprefix('refs/heads/')} checked out, the branch of {place.work}; "
                    f"switch to another branch there, or run: git worktree remove {where}"
                )
            return _entry_for(place.common_dir, Path(where))
    return None


def _entry_for(common: Path, where: Path) -> Path | None:
    with suppress(OSError):
        for name in os.listdir(common / "worktrees"):
            if _says(common / "worktrees" / name / "gitdir", f"{where / '.git'}"):
                return common / "worktrees" / name
    return None


def _knows_z(ref: Ref) -> bool:
    return ref.git.succeeds("worktree", "list", "--porcelain", "-z")  # since git 2.36


def _lines(ref: Ref) -> list[str]:
    try:
        return ref.git.text("worktree", "list", "--porcelain").split("\n")
    except GitError:
        return []
