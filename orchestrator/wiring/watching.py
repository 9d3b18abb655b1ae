"""What is seen of a run while it goes on, by whoever waits for it at the command line."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestrator import executing
from orchestrator.core.events import Event
from orchestrator.core.settings import Settings, Tool
from orchestrator.core.types import InvocationId, TaskId

LOOK_EVERY = 0.05  # seconds between two looks at what is printed, and at whether somebody still reads
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LINE = 1 << 20  # bytes of one line that are shown live


class Onlooker(Protocol):
    """Who waits for it: the command line."""

    def begun(self, reply: Mapping[str, Any]) -> None:
        """It is about to run: {id, tool, model, reason, why, primary, follows}."""

    def live(self, text: str) -> None:
        """Something was printed. May raise BrokenPipeError."""

    def is_gone(self) -> bool:
        """Whether nobody reads the answer any more."""

    def cancelling(self, presses: int) -> None:
        """A signal to end it came, so many by now."""

    @property
    def wants_live(self) -> bool:
        """Whether what is printed is wanted while it runs."""


@dataclass(slots=True)
class Stop:
    """What asked for an end: kept outside the loop, for the exit code."""

    number: int = 0  # of the first signal
    presses: int = 0
    reader_left: bool = False

    @property
    def why(self) -> str:
        """What the task's record says."""
        if self.reader_left:
            return "cancelled: whoever read the answer went away"
        word = "Ctrl-C" if self.number == signal.SIGINT else signal.Signals(self.number or signal.SIGTERM).name
        return f"cancelled with {word}"


class LiveText:
    """What a run prints, line by line as it comes, as its reader shows it."""

    def __init__(self, tool: Tool, path: str, show: Callable[[str], None]) -> None:
        self._tool = tool
        self._path = Path(path)
        self._show = show
        self._at = 0
        self._rest = b""

    def look(self, *, last: bool = False) -> None:
        """Shows what came since the last look. May raise BrokenPipeError."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read(4 * _LINE)
        except OSError:
            return
        self._at += len(new)
        from orchestrator.adapters import readers

        lines = (self._rest + new).splitlines(keepends=True)
        self._rest = lines.pop()[-_LINE:] if lines and not last and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if text := readers.live_text(self._tool, line):
                self._show(text)


def live_of(state: Path, started: Event, settings: Settings, onlooker: Onlooker) -> LiveText | None:
    """The live text of the run that was announced; None where its tool has left the configuration."""
    tool = settings.tools.get(started.tool)
    if tool is None:
        return None
    printed = executing.output_of(state, TaskId(started.task_id), InvocationId(started.invocation_id))
    return LiveText(tool, printed.stdout, onlooker.live)


def show_rest(live: LiveText | None, events: list[Event], state: Path, settings: Settings, onlooker: Onlooker) -> None:
    """What a run printed since the last look, or all where it was quicker than the first one."""
    started = executing.started_in(events)
    if onlooker.wants_live and live is None and started is not None:
        live = live_of(state, started, settings, onlooker)
    if live is not None:
        live.look(last=True)


def has_left(live: LiveText | None, onlooker: Onlooker) -> bool:
    """Shows what came, and says whether whoever reads it went away."""
    try:
        if live is not None:
            live.look()
    except BrokenPipeError:
        return True
    return onlooker.is_gone()
