"""Runs the installed tools, by the commands of their stanzas, against a model API on loopback, and nothing else."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator.conformance.contracts import OUTSIDE, SCENARIOS, WRITTEN, Scenario
from orchestrator.conformance.model_api import ModelApi
from orchestrator.conformance.pointing import FAMILIES, Family, harmless, point
from orchestrator.core import arguments
from orchestrator.core.invocation import Bounds, Invocation
from orchestrator.core.settings import PromptBy, Tool
from orchestrator.core.types import InvocationId, TaskId
from orchestrator.core.verdict import Printed, Ran

NETWORK = "only loopback"  # the scenario that is about all of them
_LIMIT = timedelta(seconds=90)  # for one run
_BUDGET = "5.00"  # dollars that nobody pays
_BOUNDS = Bounds(output=64 << 20, kept=16 << 20, orphan_grace=timedelta(0))
_PASSED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SHELL", "USER")

Run = Callable[[Invocation], Ran]
Read = Callable[[Tool, Ran, Printed], Ran]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of one scenario with one tool."""

    tool: str
    scenario: str
    ok: bool
    expected: str
    found: str  # "as expected", or where it departs


def examine_all(tools: Mapping[str, Tool], run: Run, read: Read) -> Iterator[Examined]:
    """Runs each tool whose contract is known, and yields what came of each scenario as soon as it is over.

    `run` runs an invocation to its end, e.g. an engine's `run` in an event loop of the caller's; `read` is what reads
    what the tool printed. Tools of no known family yield nothing: see `is_known`. Folders are made in the temporary
    folder of the machine, and removed.
    """
    for tool in tools.values():
        if (family := family_of(tool)) is not None:
            yield from _examine(tool, family, run, read)


def is_known(tool: Tool) -> bool:
    """Whether there is a contract to hold that tool against."""
    return family_of(tool) is not None


def family_of(tool: Tool) -> Family | None:
    """The program that a tool's reader reads; None: it reads plain text, or by pointers."""
    return FAMILIES.get(tool.output) if isinstance(tool.output, str) else None


def _examine(tool: Tool, family: Family, run: Run, read: Read) -> Iterator[Examined]:
    with ModelApi() as api:
        for number, scenario in enumerate(SCENARIOS[family]):
            if _applies(tool, scenario):
                with tempfile.TemporaryDirectory(prefix="orchestrator-conformance-") as folder:
                    yield _Trial(tool, family, scenario, api.url, Path(folder).resolve(), number).examine(run, read)
        strayed = sorted(set(api.strayed))
        yield Examined(
            tool=tool.name, scenario=NETWORK, ok=not strayed, expected="no other host is asked",
            found=f"asked for {', '.join(strayed)}" if strayed else "as expected",
        )  # fmt: skip


def _applies(tool: Tool, scenario: Scenario) -> bool:
    names = {name for element in tool.command for name in arguments.placeholders(element)}
    return names.issuperset(scenario.options) and (not scenario.budget_usd or "budget_usd" in names)


class _Trial:
    """One run of one tool, in folders of its own."""

    def __init__(self, tool: Tool, family: Family, scenario: Scenario, url: str, folder: Path, number: int) -> None:
        self._tool = tool
        self._scenario = scenario
        self._work, self._home, self._aside = (folder / name for name in ("work", "home", "aside"))
        self._outside = folder / "outside"
        self._model = tool.models[0] if tool.models else "loopback-model"
        self._pointed = point(family, url, str(self._home), self._model)
        self._printed = Printed(stdout=str(self._aside / "out"), stderr=str(self._aside / "err"))
        self._prompt = scenario.script.replace(OUTSIDE, str(self._outside))
        self._id = InvocationId(f"conformance-{os.getpid()}-{tool.name}-{number}")

    def examine(self, run: Run, read: Read) -> Examined:
        """Runs it, and compares."""
        self._furnish()
        ran = read(self._tool, run(self._invocation()), self._printed)
        expected = self._scenario.expected
        departures = expected.departures(ran, written=(self._work / WRITTEN).is_file())
        return Examined(
            tool=self._tool.name, scenario=self._scenario.name, ok=not departures, expected=str(expected),
            found="; ".join(departures) or "as expected",
        )  # fmt: skip

    def _furnish(self) -> None:
        """The folders: an empty git repository to work in, a home, one for our own files, one that is not its."""
        for folder in (self._work / ".git/objects", self._work / ".git/refs", self._home, self._aside, self._outside):
            folder.mkdir(parents=True)
        (self._work / ".git/HEAD").write_text("ref: refs/heads/main\n")
        for name, text in self._pointed.files.items():
            (self._home / name).parent.mkdir(parents=True, exist_ok=True)
            (self._home / name).write_text(text)
        (self._aside / "prompt.md").write_text(self._prompt)

    def _invocation(self) -> Invocation:
        tool, by = self._tool, self._tool.prompt
        values: dict[str, str | None] = {
            **tool.options, **self._scenario.options,
            "binary": tool.binary, "model": self._model, "workspace": str(self._work),
            "prompt": self._prompt if by is PromptBy.ARGUMENT else None, "prompt_file": str(self._aside / "prompt.md"),
            "output_file": str(self._aside / "answer"), "budget_usd": self._scenario.budget_usd or _BUDGET,
            "timeout_seconds": str(int(_LIMIT.total_seconds())), "system_prompt_file": None, "session_id": None,
        }  # fmt: skip
        passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
        return Invocation(
            id=self._id, task_id=TaskId("conformance"), tool=tool.name, model=self._model,
            argv=arguments.fill(tool.command, values), cwd=str(self._work),
            env={**passed, **harmless(tool.env), **self._pointed.env},
            stdin=self._prompt.encode() if by is PromptBy.STDIN else b"", timeout=_LIMIT,
            stdout_path=self._printed.stdout, stderr_path=self._printed.stderr, bounds=_BOUNDS,
        )  # fmt: skip
