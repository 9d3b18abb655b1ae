"""`orchestrator doctor --conformance`: installed tools against the scripted model API, by our engine and readers."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence

from orchestrator.adapters.doctor import tools
from orchestrator.adapters.place import Place
from orchestrator.adapters.process import Processes
from orchestrator.adapters.readers import read_output
from orchestrator.config import ConfigRefused
from orchestrator.conformance import Examined, examine_all
from orchestrator.conformance.examine import NETWORK, is_known
from orchestrator.core.finding import Finding, Topic
from orchestrator.core.invocation import Invocation
from orchestrator.core.settings import Tool
from orchestrator.core.verdict import Ran
from orchestrator.engines.local import LocalEngine
from orchestrator.launch import Host, environment
from orchestrator.wiring.configuring import read_settings

CONFORMANCE = Topic(name="conformance")


def conform(place: Place, only: Sequence[str], progress: Callable[[str], None]) -> Iterator[Finding]:
    """A finding for each scenario of each declared tool that is installed and whose contract is known.

    It takes seconds for each; `progress` is told what goes on.
    """
    try:
        declared = read_settings(place).tools
    except (ConfigRefused, OSError):
        return  # which `examine` has found too
    host = Host(root=place.root, work=place.work, state=place.state, environ=dict(os.environ))
    with tempfile.TemporaryDirectory(prefix="orchestrator-doctor-") as state, asyncio.Runner() as runner:
        engine = LocalEngine(Processes(state))

        def run(invocation: Invocation) -> Ran:
            return runner.run(engine.run(invocation))

        for name, tool in declared.items():
            if only and name not in only:
                continue
            if why_not := _why_not(tool, environment(host, tool.env, tool.env_pass)):
                yield CONFORMANCE.skip(name, why_not)
                continue
            progress(f"{name}: asking it")
            for examined in examine_all({name: tool}, run, read_output):
                progress(f"{name}: {examined.scenario}: {'as expected' if examined.ok else 'departs'}")
                yield _finding(examined)


def _why_not(tool: Tool, env: dict[str, str]) -> str:
    if not is_known(tool):
        return "nothing is known of what it ought to print"
    return tools.unavailable(tool, env)


def _finding(examined: Examined) -> Finding:
    what = f"{examined.tool}: {examined.scenario}"
    if examined.ok:
        return CONFORMANCE.ok(what, examined.found)
    if examined.scenario == NETWORK:
        return CONFORMANCE.warn(
            what, f"{examined.found}, and was refused", "see its options, if it must ask nobody else"
        )
    todo = f"do not rely on {examined.tool} until its reader knows this: use a tested version, or report it"
    return CONFORMANCE.fail(what, f"{examined.found}; expected: {examined.expected}", todo)
