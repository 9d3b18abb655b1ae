"""The port of workspaces, built; and what the program asks of the worktrees of tasks."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.core.settings import WorkspaceSettings
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Unworkable
from orchestrator.errors import NotFoundError, OrchestratorError

if TYPE_CHECKING:
    from orchestrator.adapters.place import Place
    from orchestrator.adapters.workspaces.ground import Ground
    from orchestrator.adapters.workspaces.keeping import Kept as Kept  # noqa: PLC0414 - said so that the CLI may name it
    from orchestrator.adapters.workspaces.workspaces import Workspaces


def open_workspaces(
    place: "Place", settings: Callable[[], WorkspaceSettings], told: Callable[[str], None] | None = None
) -> "Workspaces":
    """The port. `told` hears what was left out and stops no task, e.g. a file to copy that is not there."""
    from orchestrator.adapters.workspaces.workspaces import Workspaces

    return Workspaces(place, settings, told) if told else Workspaces(place, settings)


def list_worktrees(place: "Place") -> "list[Kept]":
    """The branches and worktrees of all tasks."""
    from orchestrator.adapters.workspaces.keeping import kept

    return kept(_ground(place))


def reopen_worktree(place: "Place", task_id: str) -> Path:
    """The folder of a task's worktree, made again from its branch where it was removed.

    Raises:
        NotFoundError: nothing was committed for it, and it has no worktree.
        OrchestratorError: it cannot be made again, and what to do.
    """
    from orchestrator.adapters.workspaces.keeping import reopen

    made = reopen(_ground(place), TaskId(task_id))
    if isinstance(made, Unworkable):
        raise NotFoundError(made.why) if "has no worktree" in made.why else OrchestratorError(made.why)
    return Path(made.path)


def remove_worktree(place: "Place", task_id: str, path: str, *, force: bool = False) -> str:
    """Empty, or why it is kept. `force` removes what is not committed as well."""
    from orchestrator.adapters.workspaces.keeping import remove

    return remove(_ground(place), TaskId(task_id), path, force=force)


def sweep_worktrees(place: "Place") -> None:
    """Deletes what removals that were cut short left."""
    from orchestrator.adapters.workspaces.keeping import sweep

    sweep(_ground(place))


def _ground(place: "Place") -> "Ground":
    from orchestrator.wiring.configuring import read_settings

    settings = read_settings(place).workspaces
    ground = open_workspaces(place, lambda: settings).ground
    if ground is None:
        raise NotFoundError(f"{place.root}: no git repository, so no worktrees; run `git init` there")
    return ground
