"""What a daemon in the foreground shows on stderr: one line that is replaced on a terminal, plain lines elsewhere."""

import time
from typing import TYPE_CHECKING

from orchestrator.cli.screen import Screen, plain

if TYPE_CHECKING:
    from orchestrator.daemon import Progress

_TERMINAL, _PLAIN = 0.05, 1.0  # seconds between two lines


class ProgressLine:
    """Shows where the daemon stands, no oftener than an eye or a log file can use."""

    def __init__(self, screen: Screen, *, pause: float | None = None) -> None:
        self._screen = screen
        self._pause = pause if pause is not None else _TERMINAL if screen.may_move else _PLAIN
        self._shown_at = 0.0
        self._shown = ""
        self._last = ""

    def take(self, progress: "Progress") -> None:
        """Called as often as anything changes."""
        self._last = _text(progress)
        now = time.monotonic()
        if self._last != self._shown and now - self._shown_at >= self._pause:
            self._shown_at = now
            self._show()

    def end(self) -> None:
        """The last word stays on a log, and is cleared on a terminal: what comes after it says more."""
        if self._screen.may_move:
            self._screen.again("")
        elif self._last != self._shown:
            self._show()

    def _show(self) -> None:
        self._shown = self._last
        if self._screen.may_move:
            self._screen.again(self._shown)
        else:
            self._screen.line(self._shown)
            self._screen.flush()


def _text(progress: "Progress") -> str:
    ended = ", ".join(f"{number} {plain(status)}" for status, number in sorted(progress.finished.items()) if number)
    return f"{progress.waiting} waiting, {progress.running} running, {ended or 'none ended yet'}"
