"""How a run is brought to its end: who decides it, which signals when, and that nothing is left."""

import os
import signal
import time
from collections.abc import Callable

from orchestrator.guard.spec import Spec
from orchestrator.guard.tree import Process, Table, send

# Of core.verdict.Ending, those that a daemon may ask for.
ENDINGS = ("exited", "timed_out", "silent", "over_limit", "cancelled", "orphaned", "interrupted")
_UNKILLABLE = 60.0  # seconds after which a process that survives SIGKILL (stuck in the kernel) is named and left
_SHORTEST, _LONGEST = 0.001, 0.05  # seconds between two looks

Members = Callable[[], list[Process]]
Turn = Callable[[float], None]


class Way:
    """What ends the run, and how far that has come. The first decision counts; a second stop skips the graces."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._tool = 0
        self._steps = [(signal.SIGINT, spec.interrupt), (signal.SIGTERM, spec.terminate), (signal.SIGKILL, _UNKILLABLE)]
        self._next_step: float | None = None
        self._orphaned_at: float | None = None
        self.ending = "exited"
        self.is_decided = False
        self._is_last_sent = False
        self.has_given_up = False  # it survives even SIGKILL
        self.in_haste = False
        self.leaves_something = False  # when the tool ended, something of it still ran
        self.failure = ""
        self.errors: list[str] = []

    def begin(self, tool: int) -> None:
        """The tool runs: its process id, which is its group's and session's too."""
        self._tool = tool

    def decide(self, ending: str) -> None:
        """End it so, unless that is decided already."""
        if not self.is_decided:
            self.is_decided = True
            self.ending = ending
            self._next_step = 0.0

    def over_limit(self, words: str, failure: str = "") -> None:
        """It takes more than it may: it is ended without any grace, as it would go on taking."""
        if not self.is_decided:
            self.decide("over_limit")
            self.errors.append(words)
            self.failure = failure
            self._hasten()

    def obey(self, command: bytes) -> None:
        """What a daemon asks for: `stop ENDING`, asked again without graces; `kill ENDING`, without from the start."""
        word, _, ending = command.decode("ascii", "replace").partition(" ")
        ending = ending if ending in ENDINGS else "interrupted"
        if word == "stop" and self.is_decided:
            self._hasten()
        elif word == "stop":
            self.decide(ending)
        elif word == "kill":
            self.decide(ending)
            self._hasten()

    def note_watched(self, is_watched: bool, now: float) -> None:  # a fact that is handed on, not a choice
        """Whether a daemon is there; without one for the length of the grace the run is ended."""
        if is_watched:
            self._orphaned_at = None
        elif self._orphaned_at is None:
            self._orphaned_at = now + self._spec.orphan_grace
        elif now >= self._orphaned_at:
            self.decide("orphaned")

    def press(self, now: float) -> None:
        """Takes the next step against a tool that still runs, when it is time."""
        if self._next_step is None or now < self._next_step:
            return
        if self._is_last_sent:
            self.has_given_up = True
            return
        number, grace = self._steps[-1 if self.in_haste else 0]
        try:
            os.killpg(self._tool, number)
            os.killpg(self._tool, signal.SIGCONT)  # one that was stopped would not hear it
        except ProcessLookupError:  # no group yet: it is between fork and setsid
            self._next_step = now + _SHORTEST
            return
        except PermissionError:
            pass  # it runs as somebody else (setuid); or macOS, where the only member is dead
        self._is_last_sent = number == signal.SIGKILL
        del self._steps[0]
        self._next_step = now + grace

    def moments(self) -> list[float]:
        """When something is to be done, as far as is known."""
        known = (self._next_step, None if self.is_decided else self._orphaned_at)
        return [moment for moment in known if moment is not None]

    def _hasten(self) -> None:
        self.in_haste = True
        if not self._is_last_sent:
            self._next_step = 0.0


def end_all(members: Members, turn: Turn, way: Way, table: Table, grace: float) -> list[Process]:
    """Ends whatever `members` finds until it finds nothing: SIGTERM, `grace` seconds, SIGKILL.

    Returns:
        Those that survive even that: stuck in the kernel, or somebody else's. Empty in ordinary life.
    """
    asked: set[tuple[int, int]] = set()
    pause, until = _SHORTEST, time.monotonic() + grace
    while found := members():
        if way.in_haste or time.monotonic() >= until:
            return _kill_all(members, turn, table)
        for one in found:
            if one.key not in asked:  # also whoever came since
                asked.add(one.key)
                send(table, one, signal.SIGTERM)
                send(table, one, signal.SIGCONT)
        turn(pause)
        pause = min(pause * 2, _LONGEST, max(_SHORTEST, until - time.monotonic()))
    return []


def _kill_all(members: Members, turn: Turn, table: Table) -> list[Process]:
    pause, until = _SHORTEST, time.monotonic() + _UNKILLABLE
    while found := members():
        # First stop them all, so that no one forks while the others are killed; then look again for who was faster.
        for one in found:
            send(table, one, signal.SIGSTOP)
        ours = [send(table, one, signal.SIGKILL) for one in members()]
        if time.monotonic() >= until or (ours and not any(ours)):
            return members()
        turn(pause)
        pause = min(pause * 2, _LONGEST)
    return []
