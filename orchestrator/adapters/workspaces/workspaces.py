"""The port: hands each workspace to what makes its kind, which is loaded when it is needed: it takes 10 ms."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from orchestrator.adapters.place import Place
from orchestrator.core.settings import WorkspaceKind, WorkspaceSettings
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Evidence, Unworkable, Wanted, Workspace

if TYPE_CHECKING:
    from orchestrator.adapters.workspaces.checkout import Checkout
    from orchestrator.adapters.workspaces.ground import Ground


def _quietly(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Workspaces:
    """Implements `ports.Workspaces`. Blocking; safe to call from several threads for different tasks."""

    place: Place
    settings: Callable[[], WorkspaceSettings]
    told: Callable[[str], None] = _quietly  # what was left out and does not stop a task
    environ: Mapping[str, str] | None = None  # None: this process's

    @property
    def ground(self) -> "Ground | None":
        """The repository's worktrees; None without a repository."""
        if self.place.common_dir is None:
            return None
        from orchestrator.adapters.workspaces.ground import Ground

        environ = os.environ if self.environ is None else self.environ
        return Ground(place=self.place, settings=self.settings, environ=environ, told=self.told)

    @property
    def _checkout(self) -> "Checkout | None":
        from orchestrator.adapters.workspaces.checkout import Checkout

        return Checkout(self.place) if self.place.common_dir is not None else None

    def prepare(self, wanted: Wanted) -> Workspace | Unworkable:
        """The workspace, made or found as an earlier run of the task left it."""
        match wanted.kind:
            case WorkspaceKind.WORKTREE:
                if (ground := self.ground) is None:
                    return Unworkable(why=f"{self.place.root}: no git repository, so no worktree; run `git init` there")
                from orchestrator.adapters.workspaces.making import prepare_or_say

                return prepare_or_say(ground, wanted)
            case WorkspaceKind.CHECKOUT:
                if (checkout := self._checkout) is not None:
                    return checkout.prepare(wanted)
            case WorkspaceKind.NONE:
                pass
            case _:
                assert_never(wanted.kind)
        return Workspace(kind=wanted.kind, task_id=wanted.task_id, path=str(self.place.root))

    def conclude(self, workspace: Workspace, *, message: str, artefacts: Sequence[str]) -> Evidence:
        """Commits to the task's branch what the tool left, and says what git shows."""
        if workspace.kind is WorkspaceKind.WORKTREE and (ground := self.ground) is not None:
            from orchestrator.adapters.workspaces.concluding import conclude

            with ground.alone(workspace.task_id):
                return conclude(ground, workspace, message, artefacts)
        if workspace.kind is WorkspaceKind.CHECKOUT and (checkout := self._checkout) is not None:
            return checkout.conclude(workspace, artefacts)
        if not artefacts:
            return Evidence()
        from orchestrator.adapters.workspaces.evidence import missing

        return Evidence(missing=missing(Path(workspace.path), artefacts))

    def restore(self, workspace: Workspace, *, all_was_committed: bool) -> None:
        """Takes away what a check left in a worktree; in a person's checkout whatever it left is theirs to look at."""
        if workspace.kind is WorkspaceKind.WORKTREE and (ground := self.ground) is not None:
            from orchestrator.adapters.workspaces.restoring import restore

            with ground.alone(workspace.task_id):
                restore(ground, workspace, all_was_committed=all_was_committed)

    def release(self, workspace: Workspace) -> str:
        """Removes it where all of it is committed; empty, or why it is kept and where it lies."""
        if workspace.kind is WorkspaceKind.WORKTREE and (ground := self.ground) is not None:
            from orchestrator.adapters.workspaces.removing import release

            with ground.alone(workspace.task_id):
                return release(ground, workspace)
        if workspace.kind is WorkspaceKind.CHECKOUT and (checkout := self._checkout) is not None:
            return checkout.release(workspace)
        return ""

    def tidy(self, is_finished: Callable[[TaskId], bool]) -> list[str]:
        """Removes the worktrees of finished tasks whose work is committed; why the others of them are kept."""
        from orchestrator.adapters.workspaces.keeping import tidy

        return tidy(ground, is_finished) if (ground := self.ground) is not None else []
