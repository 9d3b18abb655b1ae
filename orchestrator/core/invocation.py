"""An Invocation: one run of one tool for one task, as the engine needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.core.types import InvocationId, TaskId

# The marks in the environment of everything that an invocation starts: by them a later daemon knows what is left.
INVOCATION_MARK = "ORCHESTRATOR_INVOCATION"
WORKSPACE_MARK = "ORCHESTRATOR_WORKSPACE"  # the state folder: two workspaces of one machine never touch each other's


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a run may take. None: no bound of ours."""

    output: int = 1 << 30  # bytes printed, stdout and stderr together; past it the tool is ended
    kept: int = 64 << 20  # bytes of each stream that are kept: the first half of it and the last
    silence: timedelta | None = None  # without a byte printed
    memory: int | None = None  # bytes resident, all its processes together
    processes: int | None = None
    file_size: int | None = 1 << 30  # bytes of one file that it writes
    orphan_grace: timedelta = timedelta(minutes=5)  # how long it goes on without a daemon


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
    bounds: Bounds = field(default_factory=Bounds)
