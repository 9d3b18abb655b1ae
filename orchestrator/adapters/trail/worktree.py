"""The work folder of own mode: made, and made whole again. Every step can be repeated."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.place import WORK_MARKER, Place
from orchestrator.adapters.trail import exclude, files, refresh, registration
from orchestrator.adapters.trail.committer import Committer
from orchestrator.adapters.trail.ref import AS_IT_IS, Ref, repository, worktree
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Change, Transition
from orchestrator.errors import NotFoundError, OrchestratorError

# People's configuration (autocrlf, filters) must not make git see changes in files that are committed as they are.
_ATTRIBUTES = b"* -text -filter -ident !working-tree-encoding\n"
_AT_ONCE = 32 << 20  # bytes of a person's own files in one commit
RECORD = "trail.child"  # in the state folder: the child that writes our branch


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What was wrong with the work folder, and is no longer."""

    restored: bool = False  # files came back from the branch
    notes: tuple[str, ...] = ()


def ref_of(place: Place, settings: TrailSettings) -> Ref:
    """The branch of the trail. Raises NotFoundError where there is no repository."""
    if place.common_dir is None:
        raise NotFoundError(f"{place.root}: no git repository, so no trail: run `git init`, or use --no-git")
    return Ref(repository(place.common_dir), f"refs/heads/{settings.branch}")


def create(
    place: Place, settings: TrailSettings, *, last_tip: str = "", leave: Callable[[], Collection[str]] = tuple
) -> Repaired:
    """Makes the work folder a worktree of the trail's branch; nothing where it is one. Files of a person's in it are
    kept, and are the first commit.

    Raises:
        OrchestratorError: it cannot be, and what to do.
        OSError: the disk refuses.
    """
    ref_of(place, settings)  # refuses where there is no repository
    registration.check_folder(place)
    place.work.parent.mkdir(parents=True, exist_ok=True)
    exclude.hide(place)
    exclude.check_hidden(place)
    return repair(place, settings, last_tip=last_tip, leave=leave)


def repair(
    place: Place, settings: TrailSettings, *, last_tip: str = "", leave: Callable[[], Collection[str]] = tuple
) -> Repaired:
    """Makes whole what is broken: the registration, the branch, the folder with its files.

    `last_tip` is the last commit known to have been on the branch; `leave()` names the paths that are not to be brought
    back, because they are changing. A file that is there is never overwritten.

    Raises:
        OrchestratorError: it cannot be, and what to do.
        OSError: the disk refuses.
    """
    ref = ref_of(place, settings)
    assert place.common_dir is not None
    notes: list[str] = []
    registration.check_folder(place)
    exclude.hide(place)
    if not ref.tip():
        if last_tip and ref.git.tip(last_tip):
            ref.git.raw("update-ref", "-m", "orchestrator: brought back", ref.name, last_tip, "")
            notes.append(f"the branch {settings.branch} was gone and is back at {last_tip[:12]}")
        else:
            _begin(place, ref)
            if last_tip:
                notes.append(
                    f"the branch {settings.branch} was gone with its commits, and begins anew with what is on disk"
                )
    admin = registration.admin_of(place.common_dir)
    if admin is not None and not _is_whole(admin):
        notes.append(f"{admin} was damaged and is made anew")
        _discard(admin)
        admin = None
    if admin is None:
        admin = registration.register(place, ref)
        was_connected = False
    else:
        was_connected = registration.is_connected(place, admin)
        notes += registration.connect(place, admin)
    _check_head(place, admin, ref)
    restored = _restore(place, admin, ref.tip(), leave, whole=was_connected)
    if restored:
        notes.append(f"{place.work} was gone or new: {restored} files were written from {settings.branch}")
    return Repaired(restored=bool(restored), notes=tuple(notes))


def _begin(place: Place, ref: Ref) -> None:
    """The branch, with what lies in the folder already."""
    committer = Committer(ref, record=place.state / f"{RECORD}-begin")
    tip, size = "", 0
    changes: list[Change] = []
    paths = files.everything(place.work) if place.work.is_dir() else []
    if ".gitattributes" not in paths:
        changes.append(Change(path=".gitattributes", content=_ATTRIBUTES))
    try:
        for path in paths:
            found = files.read(place.work, path)
            if isinstance(found, files.OnDisk):
                changes.append(Change(path=path, content=found.content, executable=found.executable))
                size += len(found.content)
            if size > _AT_ONCE:
                tip, changes, size = committer.commit([_first(changes)], tip), [], 0
        if changes or not tip:
            committer.commit([_first(changes)], tip)
    finally:
        committer.rest()


def _first(changes: list[Change]) -> Transition:
    return Transition(subject="work: begin", at=datetime.now(UTC), changes=tuple(changes))


def _check_head(place: Place, admin: Path, ref: Ref) -> None:
    if (head := registration.head_of(admin)) == ref.name or head == "refs/heads/.invalid":  # reftable keeps HEAD inside
        return
    branch = ref.name.removeprefix("refs/heads/")
    what = (
        f"has {head.removeprefix('refs/heads/')} checked out"
        if head
        else "is in the middle of something (HEAD is detached)"
    )
    raise OrchestratorError(f"{place.work}: {what}; finish that, then run: git -C {place.work} switch {branch}")


def _is_whole(admin: Path) -> bool:
    return (admin / "HEAD").is_file() and (admin / "commondir").is_file()


def _discard(admin: Path) -> None:
    for name in ("locked", "gitdir", "HEAD", "commondir", "index", "index.lock", WORK_MARKER):
        (admin / name).unlink(missing_ok=True)
    aside = admin.with_name(f"{admin.name}.broken-{os.getpid()}")
    admin.replace(aside)
    for path in sorted(aside.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    aside.rmdir()


def _restore(place: Place, admin: Path, tip: str, leave: Callable[[], Collection[str]], *, whole: bool) -> int:
    """Brings back the files where the folder is new or had lost its `.git`; how many. Makes a missing index."""
    if whole and refresh.is_sound(admin, "sha256" if len(tip) == 64 else "sha1"):
        return 0
    git = worktree(admin, place.work)
    (admin / "index").unlink(missing_ok=True)
    git.raw(*AS_IT_IS, "read-tree", "--reset", tip)
    missing: list[str] = []
    if not whole:
        changing = set(leave())
        missing = [path for path in git.zlist(*AS_IT_IS, "ls-files", "-d", "-z", seconds=600) if path not in changing]
        listed = b"".join(os.fsencode(path) + b"\0" for path in missing)
        # Without --force: what is there stays. A link on the branch becomes a plain file: it leads nowhere.
        git.call(
            *AS_IT_IS, "-c", "core.symlinks=false", "checkout-index", "-q", "-z", "--stdin", stdin=listed, seconds=600
        )
    git.call(*AS_IT_IS, "update-index", "-q", "--refresh", seconds=600)
    refresh.begin_at(admin, tip)
    return len(missing)
