"""Reads the task file, or says where, what and what to do."""

import os
from pathlib import Path

from orchestrator import taskfile
from orchestrator.core.task import Task
from orchestrator.errors import OrchestratorError

_MOST = 1 << 20


def read(path: Path) -> Task:
    """The task.

    Raises:
        OrchestratorError: it cannot be read, or is no task.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)
        raise OrchestratorError(f"{path}: the task file cannot be read: {words}; check --task-file") from error
    return taskfile.parse(raw, name=path.name, path=str(path)).task
