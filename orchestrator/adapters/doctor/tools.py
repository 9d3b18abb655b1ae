"""The declared tools, as a run would meet them here: program, version, variables, credentials."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.doctor import credentials
from orchestrator.adapters.doctor.asking import ask
from orchestrator.core import arguments
from orchestrator.core.finding import Finding, Topic
from orchestrator.core.settings import Tool

TOOLS = Topic(name="tools")
_VERSION = re.compile(r"(?<![\w.-])v?(\d{1,6}(?:\.\d{1,6}){1,3})(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a tool is examined in."""

    environ: Mapping[str, str]  # of the daemon, or of whoever asks
    folder: Path  # where it is started to tell its version
    seconds: float  # that it may take for that


def located(tool: Tool, env: Mapping[str, str]) -> str:
    """Where its program is; empty where it is not there or cannot be run."""
    return (shutil.which(tool.binary, path=env.get("PATH")) or "") if tool.binary else ""


def unavailable(tool: Tool, env: Mapping[str, str]) -> str:
    """Why it cannot be started; empty: it can."""
    if not tool.binary:
        return "names no program for this system"
    if located(tool, env):
        return ""
    return f"{tool.binary}: " + ("no such program there" if "/" in tool.binary else "not found on PATH")


def examine(tool: Tool, *, env: Mapping[str, str], agents: Sequence[str], around: Surroundings) -> Iterator[Finding]:
    """One tool. `env` is what a run of it is given, `agents` who uses it. A tool that is not there is a warning: it
    is the agents without any tool that fail."""
    users = f"used by {', '.join(agents)}" if agents else "used by no agent"
    if why_not := unavailable(tool, env):
        way = tool.install or f"install it, or name its path as `binary` of {tool.name} in config/tools.yaml"
        yield TOOLS.warn(tool.name, f"{why_not}; {users}", way)
        yield from _variables(tool)
        return
    yield TOOLS.ok(tool.name, f"{located(tool, env)}; {users}")
    yield _version(tool, env, around)
    yield from _variables(tool)
    yield TOOLS.ok(
        f"{tool.name}: output", f"read as {tool.output if isinstance(tool.output, str) else 'JSON pointers'}"
    )
    yield from _credentials(tool, env, around.environ)


def _variables(tool: Tool) -> Iterator[Finding]:
    if tool.env_missing:
        names = ", ".join(tool.env_missing)
        yield TOOLS.warn(f"{tool.name}: variables", f"not set: {names}", "set them where the daemon is started")
    elif tool.env:
        yield TOOLS.ok(f"{tool.name}: variables", "all that it asks for are set")


def _version(tool: Tool, env: Mapping[str, str], around: Surroundings) -> Finding:
    what = f"{tool.name}: version"
    if not tool.version_command:
        return TOOLS.skip(what, "its stanza has no version_command")
    binary = located(tool, env)
    argv = arguments.fill(tool.version_command, {"binary": binary})
    said = ask(argv, env=env, folder=around.folder, seconds=around.seconds)
    by_hand = f"try it by hand: {' '.join(argv)}"
    if said.refused:
        return TOOLS.warn(what, f"cannot be asked: {said.refused}", by_hand)
    if said.late:
        return TOOLS.warn(what, f"no answer within {around.seconds:.0f} s", by_hand)
    # Only a number is ever shown: a program may print anything, its variables too.
    found = _VERSION.search(said.text) if said.code == 0 else None
    if found is None:
        ending = f"it ended with exit code {said.code}" if said.code else "its answer holds no version"
        return TOOLS.warn(what, f"not told: {ending}", by_hand)
    return _judged(what, found[1], tool)


def _judged(what: str, version: str, tool: Tool) -> Finding:
    how = compare(version, tool.tested_versions)
    if how == "tested":
        return TOOLS.ok(what, f"{version}: its output is known")
    if not how:
        return TOOLS.ok(what, f"{version}; its stanza names no tested version")
    tested = ", ".join(tool.tested_versions)
    todo = f"see whether its output is still understood: orchestrator doctor --conformance {tool.name}"
    return TOOLS.warn(what, f"{version}: {how} than what was tested ({tested})", todo)


def compare(version: str, tested: Sequence[str]) -> str:
    """`tested`, `newer` or `older` than all of those, `other` between two of them; empty where none is named."""
    known = sorted(_numbers(one) for one in tested)
    if not known:
        return ""
    numbers = _numbers(version)
    if numbers in known:
        return "tested"
    if numbers > known[-1]:
        return "newer"
    return "older" if numbers < known[0] else "other"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _credentials(tool: Tool, env: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Finding]:
    seen = credentials.look(Path(tool.binary).name, env, environ)
    if seen is None:
        return
    what = f"{tool.name}: credentials"
    if seen.there:
        yield TOOLS.ok(what, f"there: {', '.join(seen.there)}")
    elif seen.unreadable:
        names = ", ".join(seen.unreadable)
        yield TOOLS.warn(what, f"cannot be read by this user: {names}", f"see who owns it: ls -l {names}")
    elif seen.not_passed:
        names = ", ".join(seen.not_passed)
        yield TOOLS.warn(
            what, f"set here, and not passed to it: {names}", f"name it in env_pass of {tool.name} in config/tools.yaml"
        )
    else:
        where = f"; they may be in {seen.elsewhere}" if seen.elsewhere else ""
        home = "; it is not told where HOME is (env_pass: [HOME])" if seen.no_home else ""
        yield TOOLS.warn(what, f"none where it usually looks{where}{home}", f"log in, or set a key: see {tool.name}")
