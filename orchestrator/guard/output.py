"""The tool's two streams: read as they come, counted, kept within their bounds."""

import os
import select

from orchestrator.guard.kept import Kept

_READ = 1 << 16
_MOST_LEFT = 64  # reads that empty any pipe; more is somebody who goes on writing


class Output:
    """Both streams of a run."""

    __slots__ = ("_bound", "_kept", "_poll", "_reading")

    def __init__(self, poll: "select.poll", bound: int) -> None:
        self._poll = poll
        self._bound = bound
        self._reading: dict[int, Kept] = {}
        self._kept: list[Kept] = []

    def open(self, path: bytes, bound: int) -> int:
        """Begins a stream; what the tool is to write to. Raises OSError."""
        kept = Kept(path, bound)
        self._kept.append(kept)
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._reading[reading] = kept
        self._poll.register(reading, select.POLLIN)
        return writing

    def owns(self, fd: int) -> bool:
        """Whether that descriptor is one of its own."""
        return fd in self._reading

    @property
    def total(self) -> int:
        """Bytes that came, kept or not."""
        return sum(kept.total for kept in self._kept)

    @property
    def lost(self) -> int:
        """Of them, those that are not on disk."""
        return sum(kept.lost for kept in self._kept)

    @property
    def is_over(self) -> bool:
        """Whether it is more than is allowed."""
        return self.total > self._bound

    def read(self, fd: int) -> int:
        """Takes what is there, at most a pipe's worth; how much it was."""
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return 0
        if not data:
            self._poll.unregister(fd)
            os.close(fd)
            del self._reading[fd]
            return 0
        room = max(0, self._bound - self.total)
        stream = self._reading[fd]
        stream.add(data[:room])
        stream.skip(len(data) - min(room, len(data)))
        return len(data)

    def drain(self) -> None:
        """Takes what is left in the pipes, and waits for nobody."""
        for fd in list(self._reading):
            for _ in range(_MOST_LEFT):
                if not self.read(fd):
                    break

    def finish(self) -> None:
        """Makes the files whole and durable."""
        for kept in self._kept:
            kept.finish()
