"""An Invocation: one run of one tool for one task, as the engine needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.types import InvocationId, TaskId

# The marks in the environment of everything that an invocation starts: by them a later daemon knows what is left.
INVOCATION_MARK = "ORCHESTRATOR_INVOCATION"
WORKSPACE_MARK = "ORCHESTRATOR_WORKSPACE"  # the state folder: two workspaces of one machine never touch each other's

MAX_OUTPUT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of one tool. Nothing in it is ever split, expanded or given to a shell."""

    id: InvocationId
    task_id: TaskId
    tool: str
    model: str
    argv: tuple[str, ...]  # argv[0] is looked for on the PATH of `env` unless it holds a /
    cwd: str
    env: Mapping[str, str]  # exactly what the tool sees, but for the two marks
    stdin: bytes  # empty: /dev/null
    timeout: timedelta
    stdout_path: str  # in the state folder: a daemon that dies loses no output
    stderr_path: str
    max_output: int = MAX_OUTPUT  # bytes of both together; past it the tool is ended
