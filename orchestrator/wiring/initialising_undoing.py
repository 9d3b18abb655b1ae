"""What an `init` that fails takes back: whatever was not there before it."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git, GitError
from orchestrator.adapters.lock import NAME
from orchestrator.adapters.place import Place
from orchestrator.core.settings import TrailSettings
from orchestrator.wiring.configuring import UNFINISHED

_BRANCH = f"refs/heads/{TrailSettings().branch}"  # the one that all sets name


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was there."""

    place: Place
    is_fresh: bool  # nothing of ours but the lock
    had_work: bool
    tip: str  # of the trail's branch
    excluded: bytes | None  # of .git/info/exclude; None: no such file

    @classmethod
    def of(cls, place: Place) -> "Before":
        """Looks. For the holder of the lock: another `init` may have made it all while this one waited."""
        exclude = _exclude(place)
        return cls(
            place=place,
            is_fresh=set(os.listdir(place.state)) <= {NAME, "requests"},
            had_work=place.work.exists(),
            tip=Git(place.root).tip(_BRANCH) if place.common_dir is not None else "",
            excluded=exclude.read_bytes() if exclude is not None and exclude.is_file() else None,
        )

    def restore(self) -> None:
        """Takes back what can be, and never more than was made. A disk that refuses even that keeps it: `init` again
        goes on from there."""
        if not self.is_fresh or (self.place.state / UNFINISHED).exists():
            return  # somebody works here already, or the new state is in force
        with suppress(OSError, GitError):
            if not self.had_work:
                self._restore_work()
            exclude = _exclude(self.place)
            if exclude is not None and exclude.is_file() and exclude.read_bytes() != self.excluded:
                exclude.write_bytes(self.excluded) if self.excluded is not None else exclude.unlink()
        shutil.rmtree(self.place.state, ignore_errors=True)

    def _restore_work(self) -> None:
        work = self.place.work
        git = Git(self.place.root) if self.place.common_dir is not None else None
        if git is not None:
            git.call("worktree", "remove", "--force", "--force", "--", str(work))
        shutil.rmtree(work, ignore_errors=True)
        if git is not None and not self.tip:
            git.call("update-ref", "-d", _BRANCH)
        if self.place.common_dir is not None:
            with suppress(OSError):  # somebody else's worktrees are in it
                (self.place.common_dir / "worktrees").rmdir()


def restore_folder(state: Path) -> None:
    """Takes away the state folder where nothing came into it."""
    with suppress(OSError):
        (state / "requests").rmdir()
        state.rmdir()


def _exclude(place: Place) -> Path | None:
    return place.common_dir / "info" / "exclude" if place.common_dir is not None else None
