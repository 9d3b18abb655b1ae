"""The workspace of a run: made on what the task builds on, and found again by a daemon that takes the run over."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestrator import launch
from orchestrator.core.events import Event, EventKind
from orchestrator.core.settings import Tool, WorkspaceKind
from orchestrator.core.task import Task
from orchestrator.core.transition import Transition
from orchestrator.core.types import InvocationId, TaskId
from orchestrator.core.workspace import Evidence, Foundation, Unworkable, Wanted, Workspace
from orchestrator.registrar import Held
from orchestrator.world import World


def prepare(world: World, held: Held, tool: Tool) -> Workspace | Unworkable:
    """The workspace for a run of that tool. Blocking."""
    events = world.events.read(held.id)
    return world.workspaces.prepare(
        Wanted(
            kind=tool.workspace,
            task_id=held.id,
            foundations=_foundations(world, held.file.task) if tool.workspace is WorkspaceKind.WORKTREE else (),
            base=_earlier_base(events),
        )
    )


def _foundations(world: World, task: Task) -> tuple[Foundation, ...]:
    """The work of the tasks that it builds on, as far as they left commits; told by their events."""
    wanted = dict.fromkeys([*task.depends_on, *map(TaskId, task.dependencies)])
    commits = {task_id: _commit_of(world.events.read(task_id)) for task_id in world.index.known(list(wanted))}
    return tuple(Foundation(task_id=task_id, commit=commit) for task_id, commit in commits.items() if commit)


def _commit_of(events: list[Event]) -> str:
    for event in reversed(events):
        if event.event == EventKind.TASK_COMPLETED:
            result = event.details.get("result")
            return str(result.get("commit") or "") if isinstance(result, Mapping) else ""
    return ""


def _earlier_base(events: list[Event]) -> str:
    """Where the first run of this task began: later ones go on from what it left."""
    for event in events:
        if event.event == EventKind.EXECUTION_STARTED and event.details.get("base"):
            return str(event.details["base"])
    return ""


def note(world: World, held: Held, invocation_id: InvocationId, workspace: Workspace) -> None:
    """Keeps on this machine where the run works: what a later daemon needs to judge it."""
    _note_path(world, held, invocation_id).write_text(json.dumps(asdict(workspace)), encoding="utf-8")


def noted(world: World, held: Held, invocation_id: InvocationId) -> Workspace | None:
    """Where that run worked; None where nothing of it is left on this machine."""
    try:
        raw = json.loads(_note_path(world, held, invocation_id).read_text(encoding="utf-8"))
        return Workspace(**{**raw, "kind": WorkspaceKind(raw["kind"]), "task_id": TaskId(raw["task_id"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _note_path(world: World, held: Held, invocation_id: InvocationId) -> Path:
    return launch.output_folder(world.host, held) / f"{invocation_id}.workspace.json"


def conclude(world: World, held: Held, workspace: Workspace, trailers: Mapping[str, str]) -> Evidence:
    """Commits to the task's branch what the tool left, and says what git shows. Blocking."""
    task = held.file.task
    message = Transition(
        subject=task.name,
        body=f"What {trailers.get('Tool', 'the tool')} left for task {held.id}, committed by the orchestrator.",
        at=world.clock.now(),
        changes=(),
        trailers={"Task-Id": str(held.id), "Agent": held.agent, **trailers, "Run-Id": task.run},
    ).message
    return world.workspaces.conclude(workspace, message=message, artefacts=task.artefacts)


def note_evidence(world: World, held: Held, invocation_id: InvocationId, evidence: Evidence) -> None:
    """Keeps what git showed before the checks of a run began: what they leave is nobody's work."""
    _evidence_path(world, held, invocation_id).write_text(json.dumps(asdict(evidence)), encoding="utf-8")


def noted_evidence(world: World, held: Held, invocation_id: InvocationId) -> Evidence | None:
    """What git showed; None where the checks of that run have not begun."""
    try:
        raw: dict[str, Any] = json.loads(_evidence_path(world, held, invocation_id).read_text(encoding="utf-8"))
        tuples: dict[str, Any] = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        return Evidence(**raw | tuples)
    except (OSError, ValueError, TypeError):
        return None


def _evidence_path(world: World, held: Held, invocation_id: InvocationId) -> Path:
    return launch.output_folder(world.host, held) / f"{invocation_id}.evidence.json"


def needs_set_up(world: World, held: Held, workspace: Workspace) -> bool:
    """Whether the set-up command is still to run in it."""
    if workspace.kind is not WorkspaceKind.WORKTREE or not world.settings().workspaces.setup:
        return False
    return workspace.is_fresh or not _set_up_mark(world, held).exists()


def note_set_up(world: World, held: Held) -> None:
    """The set-up command ended well in the task's worktree."""
    _set_up_mark(world, held).touch()


def _set_up_mark(world: World, held: Held) -> Path:
    return launch.output_folder(world.host, held) / "set-up"
