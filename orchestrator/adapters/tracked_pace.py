"""When tracked mode publishes: rarely in a person's checkout, at once in a clone of its own, again after a failure."""

import threading
import time
from collections.abc import Callable, Sequence

from orchestrator.adapters.tracked_quiet import NotNowError
from orchestrator.errors import OrchestratorError

_GROUP = 0.02  # seconds that a first transition waits for company
_SOON = 0.1  # seconds until the next try; doubled each time
_AGAIN = 1.0  # ... up to this while git is not quiet: a person's command takes moments, a merge hours
_SLOWEST = 30.0  # seconds between tries while something is broken


class Pace:
    """One thread that calls `publish` when it is time and `look` at the moments that were asked for.

    Both run in that thread, never at once. `has_work` says whether there is anything to publish.
    """

    def __init__(
        self, *, every: float, has_work: Callable[[], bool], publish: Callable[[], None], look: Callable[[], None]
    ) -> None:
        self._every = every
        self._has_work = has_work
        self._publish = publish
        self._look = look
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._not_before = 0.0  # the calm between two publishings
        self._retry_at = 0.0  # the pause after one that could not be
        self._pause = _SOON
        self._looks: tuple[float, ...] = ()
        self._announced = False  # somebody waits for company already: whoever comes then does not put it off
        self._urgent = False
        self._closing = False
        self.waiting = ""  # what the last try had to wait for
        self.broken = ""  # why the last try failed

    def nudge(self) -> None:
        """There is something to publish."""
        with self._changed:
            if not self._announced:
                self._announced = True
                self._not_before = max(self._not_before, time.monotonic() + _GROUP)
            self._start()
            self._changed.notify_all()

    def urge(self, seconds: float, is_done: Callable[[], bool]) -> bool:
        """Publishes without the calm, until `is_done`; False where it is not in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._urgent, self._retry_at = True, 0.0
            self._start()
            try:
                while not is_done():
                    left = deadline - time.monotonic()
                    if left <= 0 or self._closing:
                        return False
                    self._changed.notify_all()
                    self._changed.wait(min(left, 0.1))
            finally:
                self._urgent = False
        return True

    def look_in(self, seconds: Sequence[float]) -> None:
        """Asks for looks after so many seconds each, in place of those that were asked for before."""
        with self._changed:
            now = time.monotonic()
            self._looks = tuple(now + after for after in seconds)
            self._start()
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the thread, after what it is doing."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._run, name="tracked-trail", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (turn := self._await_turn()) is not None:
            try:
                turn()
            except NotNowError as why:
                self._later(turn, waiting=str(why))
            except (OrchestratorError, OSError) as error:
                self._later(turn, broken=f"commits cannot be published: {error}")
            else:
                self._went_well(turn)

    def _await_turn(self) -> Callable[[], None] | None:
        """What to do next, when it is time; None: nothing any more."""
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                if self._looks and self._looks[0] <= now:
                    self._looks = self._looks[1:]
                    return self._look
                moments = list(self._looks[:1])
                if self._has_work():
                    moments.append(self._retry_at if self._urgent else max(self._retry_at, self._not_before))
                    if moments[-1] <= now:
                        self._announced = False
                        return self._publish
                self._changed.wait(min(moments) - now if moments else None)
            return None

    def _later(self, turn: Callable[[], None], *, waiting: str = "", broken: str = "") -> None:
        with self._changed:
            self.waiting, self.broken = waiting, broken
            again = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, _SLOWEST if broken else _SOON if self._urgent else _AGAIN)
            if turn == self._look:
                self._looks = (again, *self._looks)
            else:
                self._retry_at = again

    def _went_well(self, turn: Callable[[], None]) -> None:
        with self._changed:
            self.broken = ""
            if turn == self._publish:
                self.waiting = ""
                self._pause = _SOON
                self._retry_at = 0.0
                self._not_before = time.monotonic() + self._every
            self._changed.notify_all()
