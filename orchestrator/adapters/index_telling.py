"""What the event files of a task tell, and which event files there are. Used by rebuild and by catching up alike."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from orchestrator.adapters.event_reading import SUFFIX, EventFile
from orchestrator.core.events import Event
from orchestrator.core.history import InvocationState, Origin, TaskState, fold, fold_invocation, is_of_task, origin_of
from orchestrator.core.layout import TELEMETRY
from orchestrator.core.types import TaskId


class Seen(NamedTuple):
    """An event file as it looked when it was listed or read. A tuple: a start makes one for each that there is."""

    folder: str  # relative to the work folder, with /
    task_id: TaskId
    size: int
    mtime_ns: int


@dataclass(slots=True, kw_only=True)
class Telling:
    """A task as its events tell it, filled event by event."""

    task_id: TaskId
    state: TaskState | None = None
    invocations: dict[str, InvocationState] = field(default_factory=dict)
    origins: list[Origin] = field(default_factory=list)
    files: list[Seen] = field(default_factory=list)
    events: int = 0

    def hear(self, event: Event) -> None:
        """Takes one more event in."""
        self.events += 1
        if not is_of_task(event):
            return
        self.state = fold(self.state, event)
        if event.invocation_id:
            known = self.invocations.get(event.invocation_id)
            if (invocation := fold_invocation(known, event)) is not None:
                self.invocations[event.invocation_id] = invocation
        if (origin := origin_of(event)) is not None:
            self.origins.append(origin)


def path_of(folder: str, task_id: str) -> str:
    """The event file, relative to the work folder."""
    return f"{folder}/{task_id}{SUFFIX}"


def tell(work: Path, task_id: TaskId, folders: Iterable[str]) -> Telling:
    """Reads the task's files in these folders. Files that are gone are left out.

    Normally it is one, told in its own order. Where there are several (two machines that ran without knowing of each
    other), their events are told by event id, each once.
    """
    folders = sorted(folders)
    telling = Telling(task_id=task_id)
    if len(folders) == 1:
        for event in _read(work, task_id, folders[0], telling.files):
            telling.hear(event)
        return telling
    events: dict[str, Event] = {}
    for folder in folders:
        for event in _read(work, task_id, folder, telling.files):
            events.setdefault(event.event_id, event)
    for event_id in sorted(events):
        telling.hear(events[event_id])
    return telling


def _read(work: Path, task_id: TaskId, folder: str, files: list[Seen]) -> Iterator[Event]:
    try:
        with EventFile(work / path_of(folder, task_id)) as file:
            yield from file
            files.append(Seen(folder=folder, task_id=task_id, size=file.size, mtime_ns=file.mtime_ns))
    except (FileNotFoundError, NotADirectoryError):
        return


def folders(work: Path) -> list[str]:
    """The folders that hold event files: the telemetry folder itself (older workspaces) and its days, oldest first."""
    days: list[str] = []
    try:
        with os.scandir(work / TELEMETRY) as scan:
            days = sorted(item.name for item in scan if item.is_dir(follow_symlinks=False) and _usable(item.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [TELEMETRY, *(f"{TELEMETRY}/{day}" for day in days)]


def listing(work: Path, folder: str) -> Iterator[Seen]:
    """The event files of one folder, unordered; links and what else lies there are left out."""
    try:
        with os.scandir(work / folder) as scan:
            for item in scan:
                name = item.name
                if not name.endswith(SUFFIX) or not _usable(name) or not item.is_file(follow_symlinks=False):
                    continue
                try:
                    seen = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                task_id = TaskId(name.removesuffix(SUFFIX))
                yield Seen(folder=folder, task_id=task_id, size=seen.st_size, mtime_ns=seen.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return


def _usable(name: str) -> bool:
    return name.isascii() and not name.startswith(".")
