"""From a candidate to an invocation: arguments, environment, prompt and the places of its output."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from orchestrator.core import arguments
from orchestrator.core.caps import in_usd
from orchestrator.core.invocation import Invocation
from orchestrator.core.routing import Candidate
from orchestrator.core.settings import PromptBy, Tool, WorkspaceSettings
from orchestrator.core.types import InvocationId, MicroUsd
from orchestrator.core.verdict import Printed
from orchestrator.registrar import Held

# What every tool may see of the daemon's environment; the rest by `env_pass` and `env` of its stanza.
SAFE_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT")


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


def printed(host: Host, held: Held, invocation_id: InvocationId) -> Printed:
    """Where what a run of that task prints lies."""
    folder = output_folder(host, held)
    return Printed(stdout=str(folder / f"{invocation_id}.out"), stderr=str(folder / f"{invocation_id}.err"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a tool is to be told."""

    prompt: str
    system_prompt: str = ""  # the body of the agent's profile
    budget: MicroUsd | None = None
    session_id: str = ""  # of an earlier run of the task by the same tool


def takes_system_prompt(tool: Tool) -> bool:
    """Whether its command has a place for the agent's profile; else the profile goes into the prompt."""
    return any("system_prompt_file" in arguments.placeholders(element) for element in tool.command)


def invocation_of(
    host: Host, held: Held, candidate: Candidate, invocation_id: InvocationId, brief: Brief, cwd: str
) -> tuple[Invocation, Mapping[Path, bytes]]:
    """The invocation, and the files that must be there before it starts."""
    folder = output_folder(host, held)
    prompt_file = folder / f"{invocation_id}.prompt.md"
    system_prompt_file = folder / f"{invocation_id}.system.md"
    output = printed(host, held, invocation_id)
    tool = candidate.tool
    limit = min(tool.timeout, held.file.task.timeout or tool.timeout)
    values: dict[str, str | None] = {
        **tool.options,
        "binary": tool.binary,
        "python": sys.executable,
        "model": candidate.model,
        "prompt": brief.prompt,
        "prompt_file": str(prompt_file),
        "system_prompt_file": str(system_prompt_file) if brief.system_prompt else None,
        "session_id": brief.session_id or None,
        "budget_usd": in_usd(brief.budget) if brief.budget is not None else None,
        "output_file": str(folder / f"{invocation_id}.answer"),
        "task_file": str(host.work / held.path),
        "work_folder": str(host.work),
        "workspace": cwd,
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
        cwd=cwd,
        env=environment(host, tool.env, tool.env_pass) | _trace(host, held, invocation_id),
        stdin=brief.prompt.encode() if tool.prompt is PromptBy.STDIN else b"",
        timeout=max(limit, timedelta(milliseconds=1)),
        stdout_path=output.stdout,
        stderr_path=output.stderr,
        bounds=tool.bounds,
    )
    files = {prompt_file: brief.prompt.encode()} if tool.prompt is PromptBy.FILE else {}
    if brief.system_prompt:
        files[system_prompt_file] = brief.system_prompt.encode()
    return invocation, files


def set_up_of(invocation: Invocation, settings: WorkspaceSettings) -> Invocation:
    """The run of the set-up command that comes before it. It ends with its daemon, as nobody could go on from it."""
    return replace(
        invocation,
        id=InvocationId(f"{invocation.id}.set-up"),
        argv=settings.setup,
        stdin=b"",
        timeout=settings.setup_timeout,
        stdout_path=f"{invocation.stdout_path.removesuffix('.out')}.set-up.out",
        stderr_path=f"{invocation.stderr_path.removesuffix('.err')}.set-up.err",
        bounds=replace(invocation.bounds, orphan_grace=timedelta(0)),
    )


def environment(host: Host, own: Mapping[str, str], passed: tuple[str, ...]) -> dict[str, str]:
    """The allowed names of the daemon's environment, and the tool's own values over them."""
    allowed = {name: host.environ[name] for name in (*SAFE_ENVIRONMENT, *passed) if name in host.environ}
    return allowed | dict(own)


def _trace(host: Host, held: Held, invocation_id: InvocationId) -> dict[str, str]:
    """Where its own spans belong, if it makes any; only where ours are exported."""
    if not any(name.startswith("OTEL_EXPORTER_OTLP") and name.endswith("ENDPOINT") for name in host.environ):
        return {}
    from orchestrator.core import tracing

    return {tracing.VARIABLE: tracing.traceparent(str(host.root), held.id, invocation_id)}
