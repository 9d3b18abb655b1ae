"""From a candidate to an invocation: arguments, environment, prompt and the places of its output."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator.core import arguments
from orchestrator.core.invocation import Invocation
from orchestrator.core.routing import Candidate
from orchestrator.core.settings import PromptBy
from orchestrator.core.types import InvocationId
from orchestrator.registrar import Held

# What every tool may see of the daemon's environment; the rest by `env_pass` and `env` of its stanza.
SAFE_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT")
LONGEST_ARGUMENT = 100_000  # bytes: Linux takes 131,072 in one argument, with its terminator


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """This machine, as a tool meets it."""

    root: Path  # the repository
    work: Path
    state: Path
    environ: Mapping[str, str]


def output_folder(host: Host, held: Held) -> Path:
    """Where the raw output of a task's runs is kept: on this machine, never committed."""
    return host.state / "logs" / held.id[:200]


def invocation_of(
    host: Host, held: Held, candidate: Candidate, invocation_id: InvocationId, prompt: str
) -> tuple[Invocation, Mapping[Path, bytes]]:
    """The invocation, and the files that must be there before it starts."""
    folder = output_folder(host, held)
    prompt_file = folder / f"{invocation_id}.prompt.md"
    tool = candidate.tool
    limit = min(tool.timeout, held.file.task.timeout or tool.timeout)
    values: dict[str, str | None] = {
        **tool.options,
        "binary": tool.binary,
        "python": sys.executable,
        "model": candidate.model,
        "prompt": prompt,
        "prompt_file": str(prompt_file),
        "output_file": str(folder / f"{invocation_id}.answer"),
        "task_file": str(host.work / held.path),
        "work_folder": str(host.work),
        "workspace": str(host.root),
        "timeout_seconds": str(int(limit.total_seconds())),
    }
    by_argument = tool.prompt is PromptBy.ARGUMENT
    if not by_argument:
        values["prompt"] = None
    invocation = Invocation(
        id=invocation_id,
        task_id=held.id,
        tool=tool.name,
        model=candidate.model,
        argv=arguments.fill(tool.command, values),
        cwd=str(host.root),
        env=environment(host, tool.env, tool.env_pass),
        stdin=prompt.encode() if tool.prompt is PromptBy.STDIN else b"",
        timeout=max(limit, timedelta(milliseconds=1)),
        stdout_path=str(folder / f"{invocation_id}.out"),
        stderr_path=str(folder / f"{invocation_id}.err"),
    )
    files = {prompt_file: prompt.encode()} if tool.prompt is PromptBy.FILE else {}
    return invocation, files


def environment(host: Host, own: Mapping[str, str], passed: tuple[str, ...]) -> dict[str, str]:
    """The allowed names of the daemon's environment, and the tool's own values over them."""
    allowed = {name: host.environ[name] for name in (*SAFE_ENVIRONMENT, *passed) if name in host.environ}
    return allowed | dict(own)
