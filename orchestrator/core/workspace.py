"""Where a tool works, and what git shows of its work. Values only."""

from dataclasses import dataclass

from orchestrator.core.settings import WorkspaceKind
from orchestrator.core.types import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """A finished task that another one builds on."""

    task_id: TaskId
    commit: str  # the tip of its work; never empty: a task without commits is no foundation


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The workspace that a task is to have."""

    kind: WorkspaceKind
    task_id: TaskId
    foundations: tuple[Foundation, ...] = ()
    base: str = ""  # the commit that an earlier run of this task started from; empty: none did


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder that a tool works in."""

    kind: WorkspaceKind
    task_id: TaskId
    path: str  # absolute
    branch: str = ""  # worktree: task/<id>, without refs/heads/
    base: str = ""  # worktree, checkout: the commit on which the work begins; empty in a repository without commits
    before: str = ""  # checkout: a digest of what was changed already, to tell what the tool did
    is_fresh: bool = False  # worktree: just made, so that the set-up command has not run in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unworkable:
    """Why a task can have no workspace: a conflict between what it builds on, a vanished base."""

    why: str  # one sentence: where, what, and what to do
    files: tuple[str, ...] = ()  # those in conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What git shows after a run."""

    branch: str = ""
    base: str = ""
    head: str = ""  # the tip of the work; equal to `base` where nothing came of it
    commits: int = 0  # from base to head, the tool's own and ours
    changed: tuple[str, ...] = ()  # repo-relative paths that differ from base, sorted, at most 100
    changed_count: int = 0  # of them all
    missing: tuple[str, ...] = ()  # declared artefacts that are not there
    problems: tuple[str, ...] = ()  # what could not be committed, and why: a link to somewhere else, a file too large
    kept: str = ""  # why the workspace cannot be removed; empty: all of it is committed
