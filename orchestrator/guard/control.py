"""Who tells a guard what to do: the daemon that started it by the socket, later ones by the FIFO beside the output."""

import os
import select

_LONGEST = 4096  # bytes of one command; nobody writes longer ones

HERE = b"here"  # a daemon that opened the FIFO and stays


class Control:
    """Both ways in, as commands."""

    __slots__ = ("_adopted", "_fifo", "_path", "_poll", "_rest", "_socket")

    def __init__(self, connection: int, path: bytes, poll: "select.poll") -> None:
        self._path = path
        self._poll = poll
        self._rest: dict[int, bytes] = {}
        self._socket = connection
        self._adopted = False
        os.mkfifo(path, 0o600)
        self._fifo = self._open()
        os.set_blocking(connection, False)
        poll.register(connection, select.POLLIN)

    @property
    def is_watched(self) -> bool:
        """Whether any daemon is there."""
        return self._socket >= 0 or self._adopted

    def owns(self, fd: int) -> bool:
        """Whether that descriptor is one of its two."""
        return fd in (self._socket, self._fifo)

    def read(self, fd: int) -> list[bytes]:
        """The commands that came."""
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._ended(fd)
            return []
        *lines, rest = (self._rest.get(fd, b"") + data).split(b"\n")
        self._rest[fd] = rest[:_LONGEST]
        if fd == self._fifo and HERE in lines:
            self._adopted = True
        return lines

    def _ended(self, fd: int) -> None:
        """Whoever was there is gone."""
        self._poll.unregister(fd)
        self._rest.pop(fd, None)
        if fd == self._socket:
            self._socket = -1
            return
        self._adopted = False
        # Opened anew before the old one is closed: a daemon that comes in between finds a reader, and what it writes
        # is in the same pipe. Only so does the poll end to say that the writer is gone.
        old, self._fifo = fd, self._open()
        os.close(old)

    def _open(self) -> int:
        fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._poll.register(fd, select.POLLIN)
        return fd
