"""What was handed over and waits for its commit, taken in groups: at most one in 20 ms, and at most 512 at once.

After a pause the first goes at once; in a stream the groups form while the one before is written.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from orchestrator.core.transition import Transition

WINDOW = 0.02  # seconds from one group to the next: at 500/s a group in 2 ms costs three times the processor time
_FIRST = 0.1  # of the window: what is handed over together goes together
MOST = 512


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transition and the intent that announced it."""

    intent: int
    transition: Transition


Group = deque[Waiting]


class Queue:
    """From any thread in, by one thread out, in order."""

    def __init__(self, window: float = WINDOW, most: int = MOST) -> None:
        self._window = window
        self._most = most
        self._changed = threading.Condition()
        self._waiting: deque[tuple[float, Waiting]] = deque()
        self._taken_at = 0.0
        self._put = 0
        self._done = 0
        self._urgent = 0  # how many wait for a flush
        self._closed = False

    @property
    def backlog(self) -> int:
        """How many are handed over and not durable."""
        return self._put - self._done

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    def put(self, waiting: Waiting) -> None:
        """Hands one over. Raises RuntimeError after `close`: a mistake of the caller's."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the trail is closed: nothing more can be recorded")
            self._waiting.append((time.monotonic(), waiting))
            self._put += 1
            # Not for each: a notification a transition would be most of what handing over costs.
            if len(self._waiting) == 1 or len(self._waiting) >= self._most:
                self._changed.notify_all()

    def take(self, patience: float | None) -> Group | None:
        """The next group; empty: none came within `patience` seconds (None: no limit); None: closed, none is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, patience)
            if not self._waiting:
                return None if self._closed else deque()
            ready_at = max(self._waiting[0][0] + self._window * _FIRST, self._taken_at + self._window)
            self._changed.wait_for(
                lambda: len(self._waiting) >= self._most or self._urgent or self._closed,
                max(0.0, ready_at - time.monotonic()),
            )
            self._taken_at = time.monotonic()
            return deque(self._waiting.popleft()[1] for _ in range(min(self._most, len(self._waiting))))

    def acknowledge(self, count: int) -> None:
        """So many more are durable."""
        with self._changed:
            self._done += count
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Waits until all that is handed over now is durable; whether it is."""
        with self._changed:
            wanted = self._put
            self._urgent += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._done >= wanted, seconds)
            finally:
                self._urgent -= 1

    def pause(self, seconds: float) -> None:
        """Waits, but not for a closing queue."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def close(self) -> None:
        """Takes no more; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
