"""The bare interpreter from which guards are forked: one for each daemon, and gone with it. Its guards are not.

Each request is one byte with two descriptors: the connection on which the guard is told its run, and the locked file
that shows that it lives. The daemon locked it: so there is no moment at which a run may be about to start and a later
daemon cannot see it.
"""

import _socket
import gc
import os
import signal
import struct
import sys
import time

from orchestrator.guard import record, system
from orchestrator.guard.spec import ERROR, HEAD, Spec, sizes, unpack
from orchestrator.guard.supervise import Supervision

_TWO = struct.Struct("2i")
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP)
_RETRY = 1.0  # seconds between two tries to write the end record to a disk that refuses


def serve(channel: int) -> None:
    """Forks a guard for each request until the daemon is gone."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)  # a terminal's signals are for whoever reads it
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a guard ended: its record tells
    os.closerange(channel + 1, os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")  # hold no file system of anybody's
    os.set_inheritable(channel, False)  # noqa: FBT003 - the function takes no name for it
    system.adopt_orphans()  # those of a guard that was killed: the daemon finds them here
    gc.disable()  # a collection touches every object, and so copies what a fork shares; nothing here makes cycles
    gc.freeze()
    requests = _socket.socket(fileno=channel)
    while (received := _receive(requests)) is not None:
        connection, lock = received
        if os.fork() == 0:
            requests.close()
            _guard(connection, lock)
        os.close(connection)
        os.close(lock)
    os._exit(0)


def _receive(requests: "_socket.socket") -> tuple[int, int] | None:
    data, ancillary, _, _ = requests.recvmsg(1, _socket.CMSG_SPACE(_TWO.size))
    if not data:
        return None
    for _, _, descriptors in ancillary:
        first, second = _TWO.unpack(descriptors[: _TWO.size])
        for descriptor in (first, second):
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - the function takes no name for it
        return first, second
    raise OSError("a request without its descriptors")


def _guard(connection: int, lock: int) -> None:
    """In the child: guards one run to its end."""
    os.setsid()
    system.adopt_orphans()
    spec = _read_spec(connection)
    if spec is None:
        os._exit(0)  # the daemon died before it had said all: nothing was started
    _report_crashes_to(spec.base + ERROR)
    record.forget(spec.base)
    _leave(spec, _supervised(spec, connection, lock).line(), connection)
    os._exit(0)


def _supervised(spec: Spec, connection: int, lock: int) -> record.End:
    try:
        supervision = Supervision(spec, connection)
        record.write_presence(lock, spec)
    except OSError as error:  # the disk refuses: nothing was started, so nothing is lost
        end = record.End("not_started")
        end.failure = "crashed"
        end.errors = [f"cannot prepare the guard of the tool beside its output: {error.strerror}"]
        return end
    return supervision.run()


def _leave(spec: Spec, line: bytes, connection: int) -> None:
    """Tells how it ended: on disk, and to the daemon that is there. A disk that refuses is tried again as long as
    nobody has heard it otherwise and somebody may still come."""
    until = time.monotonic() + spec.orphan_grace
    while True:
        try:
            record.write_end(spec.base, line)
            break
        except OSError:
            if _tell(connection, line) or time.monotonic() >= until:
                break
            time.sleep(_RETRY)
    record.clear(spec.base)
    _tell(connection, line)


def _tell(connection: int, line: bytes) -> bool:
    try:
        return os.write(connection, line) == len(line)
    except OSError:
        return False  # that daemon is gone


def _read_spec(connection: int) -> Spec | None:
    head = _exactly(connection, HEAD)
    if head is None:
        return None
    fields, stdin = sizes(head)
    body = _exactly(connection, fields)
    given = _exactly(connection, stdin)
    return unpack(body, given) if body is not None and given is not None else None


def _exactly(connection: int, count: int) -> bytes | None:
    parts = []
    while count:
        part = os.read(connection, min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _report_crashes_to(path: bytes) -> None:
    """A mistake of ours ends in a file that the daemon names."""

    def report(_kind: type[BaseException], error: BaseException, _where: object) -> None:
        import traceback

        text = "".join(traceback.format_exception(error))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.write(fd, text.encode())
        os._exit(70)

    sys.excepthook = report
