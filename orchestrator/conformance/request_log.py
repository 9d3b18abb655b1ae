"""What a model API was asked: a bounded memory, for tests to look at and to wait on."""

import hashlib
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from orchestrator.conformance.conversation import Asked

STRAYED = "STRAYED"  # the method under which a request for another host is remembered; its path is the host
_LOG = 10_000  # requests that are remembered
_PROMPTS = 4_096  # turns of which it is remembered how often they were asked for
_SHOWN = 2_000  # characters of a prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that came."""

    number: int
    method: str
    path: str
    status: int  # of the answer; 0: it hangs
    model: str = ""
    prompt: str = ""  # the beginning of the text that holds the script
    has_key: bool = False  # whether a header carried a credential; which one is never kept


class Log:
    """The newest requests. Safe to use from several threads."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._requests: deque[Request] = deque(maxlen=_LOG)
        self._asked: OrderedDict[str, int] = OrderedDict()
        self._count = 0
        self._changed = threading.Condition()
        self.troubles: list[str] = []  # our own errors: tests look that there are none

    @property
    def requests(self) -> list[Request]:
        """The newest requests, oldest first."""
        with self._changed:
            return list(self._requests)

    @property
    def count(self) -> int:
        """How many requests came, remembered or not."""
        with self._changed:
            return self._count

    @property
    def strayed(self) -> list[str]:
        """The other hosts that were asked for, where this is the proxy that a program is given."""
        return [request.path for request in self.requests if request.method == STRAYED]

    def wait_for(self, text: str, seconds: float, *, times: int = 1) -> bool:
        """Waits until so many requests came whose prompt holds that text; False where they did not in time."""

        def came() -> bool:
            return sum(text in request.prompt for request in self._requests) >= times

        with self._changed:
            return self._changed.wait_for(came, seconds)

    def note(self, method: str, path: str, *, has_key: bool, status: int, asked: Asked | None = None) -> int:
        """Remembers a request; its number."""
        with self._changed:
            self._count += 1
            self._requests.append(
                Request(
                    number=self._count, method=method, path=path, status=status, has_key=has_key,
                    model=asked.model if asked else "", prompt=asked.prompt[:_SHOWN] if asked else "",
                )
            )  # fmt: skip
            self._changed.notify_all()
            return self._count

    def earlier(self, asked: Asked) -> int:
        """How often this very turn was asked for before; one more is counted."""
        key = hashlib.sha256(f"{asked.answered}\n{asked.prompt}".encode(errors="replace")).hexdigest()
        with self._changed:
            count = self._asked.pop(key, 0)
            self._asked[key] = count + 1
            if len(self._asked) > _PROMPTS:
                self._asked.popitem(last=False)
            return count
