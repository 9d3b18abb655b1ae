"""Where the workspace of a task lies, and what its branch, its refs and its record are called."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.core.pattern import late
from orchestrator.core.settings import WorkspaceSettings
from orchestrator.core.types import TaskId

RECORDS = "workspaces"  # the folder in the state folder
REMOVING = ".removing-"  # what a worktree is renamed to before it is deleted
_ID = late(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.|lock$|$)){0,199}")
_COMMIT = late(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_id(text: str) -> bool:
    """Whether it can be part of a ref name and the name of a folder."""
    return _ID.fullmatch(text) is not None


def is_commit(text: str) -> bool:
    """Whether it is a whole commit id: it comes from an event file and is given to git."""
    return _COMMIT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Everything that is named after one task."""

    task_id: TaskId
    path: Path  # of its worktree
    record: Path  # what we keep of it: our own index, the ignore rules, a git directory of our own

    @property
    def branch(self) -> str:
        """Without refs/heads/."""
        return f"task/{self.task_id}"

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"refs/heads/{self.branch}"

    @property
    def base_ref(self) -> str:
        """The ref that keeps the commit on which the task began."""
        return f"refs/orchestrator/base/{self.task_id}"


def names_of(place: Place, settings: WorkspaceSettings, task_id: TaskId, environ: Mapping[str, str]) -> Names:
    """The names of a task, in a place that has a repository."""
    return Names(
        task_id=task_id,
        path=home(place, settings, environ) / task_id,
        record=place.state / RECORDS / task_id,
    )


def home(place: Place, settings: WorkspaceSettings, environ: Mapping[str, str]) -> Path:
    """The folder of this repository's worktrees: not in the checkout, where `git clean` reaches, nor inside `.git`,
    which tools hold to be protected. Only where a person has no home does it have to be there."""
    assert place.common_dir is not None
    if settings.folder:
        top = Path(settings.folder)
    elif Path(environ.get("XDG_STATE_HOME", "")).is_absolute():
        top = Path(environ["XDG_STATE_HOME"]) / "orchestrator"
    elif Path(environ.get("HOME", "")).is_absolute():
        top = Path(environ["HOME"]) / ".local" / "state" / "orchestrator"
    else:
        return place.common_dir / "orchestrator" / "worktrees"
    common = place.common_dir
    name = common.parent.name if common.name == ".git" else common.name.removesuffix(".git")
    digest = hashlib.sha256(os.fsencode(common)).hexdigest()[:8]
    return Path(os.path.realpath(top)) / f"{name or 'repository'}-{digest}"
