"""Repositories with tasks that work in them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.adapters import place as places
from orchestrator.adapters.workspaces.workspaces import Workspaces
from orchestrator.core.settings import WorkspaceKind, WorkspaceSettings
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Evidence, Foundation, Unworkable, Wanted, Workspace

MESSAGE = "Work on it\n\nTask-Id: T1\n"


def git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Git as a person or a tool runs it there."""
    return (
        subprocess.run(
            ["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, **(env or {})}
        )
        .stdout.decode(errors="surrogateescape")
        .rstrip("\n")
    )


def write(folder: Path, files: Mapping[str, str]) -> None:
    """These files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, message: str, files: Mapping[str, str]) -> str:
    """A commit with these files; its id."""
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@dataclass
class House:
    """A repository, and the workspaces of its tasks."""

    root: Path
    settings: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    told: list[str] = field(default_factory=list)

    @property
    def port(self) -> Workspaces:
        """As a daemon that has just started has it."""
        return Workspaces(places.find(self.root), lambda: self.settings, self.told.append)

    def set(self, **values: object) -> None:
        """Other settings."""
        self.settings = replace(self.settings, **values)  # type: ignore[arg-type]  # the names are the settings' own

    def try_prepare(
        self, task: str = "T1", *foundations: Foundation, base: str = "", kind: WorkspaceKind = WorkspaceKind.WORKTREE
    ) -> Workspace | Unworkable:
        """What prepare says."""
        return self.port.prepare(Wanted(kind=kind, task_id=TaskId(task), foundations=foundations, base=base))

    def prepare(
        self, task: str = "T1", *foundations: Foundation, base: str = "", kind: WorkspaceKind = WorkspaceKind.WORKTREE
    ) -> Workspace:
        """The workspace."""
        made = self.try_prepare(task, *foundations, base=base, kind=kind)
        assert isinstance(made, Workspace), made
        return made

    def refused(self, task: str = "T1", *foundations: Foundation, base: str = "") -> Unworkable:
        """Why there is none."""
        made = self.try_prepare(task, *foundations, base=base)
        assert isinstance(made, Unworkable), made
        return made

    def conclude(self, workspace: Workspace, *artefacts: str, message: str = MESSAGE) -> Evidence:
        """What git shows."""
        return self.port.conclude(workspace, message=message, artefacts=artefacts)

    def git(self, *arguments: str) -> str:
        """Git in the person's checkout."""
        return git(self.root, *arguments)

    def done(self, task: str, files: Mapping[str, str], *foundations: Foundation) -> Foundation:
        """A task that wrote these files and is finished."""
        workspace = self.prepare(task, *foundations)
        write(Path(workspace.path), files)
        evidence = self.conclude(workspace, message=f"{task}\n")
        assert not self.port.release(workspace)
        return Foundation(task_id=TaskId(task), commit=evidence.head)


@dataclass
class Once:
    """A repository made when a test first asks for it (before, HOME and git are not ours yet), and copied since."""

    root: Path
    make: Callable[[Path], None]

    def copy(self, root: Path) -> Path:
        """One of a test's own."""
        if not self.root.exists():
            self.root.mkdir(parents=True)
            self.make(self.root)
        shutil.copytree(self.root, root, symlinks=True)
        return root


def _two_commits(root: Path) -> None:
    git(root, "init", "-q")
    commit(root, "Begin", {"README.md": "# Project\n", "src/main.py": "print(1)\n"})
    commit(root, "Go on", {"src/other.py": "print(2)\n", ".gitignore": "build/\n*.log\n"})


@pytest.fixture(scope="session")
def two_commits(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What `house` is a copy of."""
    return Once(tmp_path_factory.mktemp("made") / "project", _two_commits)


@pytest.fixture
def house(two_commits: Once, tmp_path: Path) -> House:
    """A repository with two commits."""
    return House(two_commits.copy(tmp_path / "somewhere" / "project"))
