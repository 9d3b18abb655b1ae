"""The daemon's side of the zygote: started when the first tool is, and again should it be gone."""

import contextlib
import fcntl
import os
import signal
import socket
import sys
import weakref
from pathlib import Path

import orchestrator

_CODE = "import sys; sys.path.append(sys.argv[1]); from orchestrator.guard import zygote; zygote.serve(3)"
_PATIENCE = 10.0  # seconds; a zygote that does not take a request for so long is stuck


class Zygote:
    """Forks guards on request. Gone with this object, or with this program however that ends."""

    def __init__(self) -> None:
        self._requests: socket.socket | None = None
        self._end: weakref.finalize[..., Zygote] | None = None
        self.pid = 0

    def get_ready(self) -> None:
        """Starts it, so that it is there when the first tool is. Where it cannot be started, `fork` says why."""
        if self._requests is None:
            with contextlib.suppress(OSError):
                self._start()

    def fork(self, connection: int, lock: int) -> None:
        """Has a guard forked that is told its run on `connection`. Raises OSError where there can be none."""
        for _ in range(2):
            requests = self._requests or self._start()
            try:
                socket.send_fds(requests, [b"g"], [connection, lock])
                return
            except (BrokenPipeError, ConnectionResetError, TimeoutError):
                self.close()  # somebody killed it: its guards go on, and the next one does its work
        raise OSError("the process that starts tools ends as soon as it is started")

    def orphans(self) -> tuple[int, ...]:
        """The zygote's children: living guards, and what guards that were killed left to it."""
        from orchestrator.adapters import process_table

        return process_table.children(self.pid) if self.pid else ()

    def close(self) -> None:
        """Ends it; its guards go on."""
        if self._end is not None:
            self._end()
        self._requests, self.pid = None, 0

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.settimeout(_PATIENCE)
            high = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, 10)  # never 3 itself: that would stay closed
            root = str(Path(orchestrator.__file__).parent.parent)
            try:
                self.pid = os.posix_spawn(
                    sys.executable,
                    [sys.executable, "-I", "-S", "-c", _CODE, root],
                    {},  # nothing of ours: neither secrets nor the marks of a tool that we may be part of
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
                        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_RDWR, 0),
                        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_RDWR, 0),
                        (os.POSIX_SPAWN_DUP2, high, 3),
                    ],
                    setpgroup=0,  # a terminal's Ctrl-C is not for it
                )
            finally:
                os.close(high)
        self._requests = ours
        self._end = weakref.finalize(self, _end, ours, self.pid)
        return ours


def _end(requests: socket.socket, pid: int) -> None:
    requests.close()
    try:
        os.kill(pid, signal.SIGKILL)  # it may be stuck; otherwise it would end by itself
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return  # somebody collected it
