"""What a guard is told by the daemon, and how that crosses the socket between them."""

import marshal
import struct

_SIZES = struct.Struct("!QQ")  # of the fields, of what the tool reads
HEAD = _SIZES.size

# The names of a run's files, beside its output.
CONTROL = b".ctl"  # a FIFO: a line is a command
LOCK = b".guard"  # locked as long as the guard lives
RECORD = b".exit"  # how the run ended
ERROR = b".guard-error"  # why the guard itself failed


class Spec:
    """One run. Texts are bytes; times are seconds; None: no bound."""

    __slots__ = (
        "argv",
        "base",
        "cwd",
        "env",
        "err",
        "file_size",
        "interrupt",
        "invocation",
        "kept",
        "leftovers",
        "memory",
        "orphan_grace",
        "out",
        "output",
        "proc",
        "processes",
        "silence",
        "stdin",
        "terminate",
        "timeout",
        "workspace",
    )

    def __init__(  # noqa: PLR0913 - a value: each is told by its name, and none has a default that is right for all
        self,
        *,
        invocation: bytes,
        workspace: bytes,
        argv: list[bytes],
        env: list[tuple[bytes, bytes]],
        cwd: bytes,
        stdin: bytes,
        out: bytes,
        err: bytes,
        base: bytes,
        timeout: float,
        silence: float | None,
        memory: int | None,
        processes: int | None,
        file_size: int | None,
        output: int,
        kept: int,
        orphan_grace: float,
        interrupt: float,
        terminate: float,
        leftovers: float,
        proc: str = "/proc",
    ) -> None:
        self.invocation = invocation
        self.workspace = workspace
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.stdin = stdin
        self.out = out
        self.err = err
        self.base = base  # of the paths of the files beside the output
        self.timeout = timeout
        self.silence = silence
        self.memory = memory
        self.processes = processes
        self.file_size = file_size
        self.output = output
        self.kept = kept
        self.orphan_grace = orphan_grace
        self.interrupt = interrupt  # graces: after SIGINT, after SIGTERM, for what an ended tool left
        self.terminate = terminate
        self.leftovers = leftovers
        self.proc = proc


def pack(spec: Spec) -> bytes:
    """The spec as it is sent."""
    fields = {name: getattr(spec, name) for name in Spec.__slots__ if name != "stdin"}
    body = marshal.dumps(fields)
    return _SIZES.pack(len(body), len(spec.stdin)) + body + spec.stdin


def sizes(head: bytes) -> tuple[int, int]:
    """How many bytes of fields and of input follow the head."""
    fields, stdin = _SIZES.unpack(head)
    return fields, stdin


def unpack(body: bytes, stdin: bytes) -> Spec:
    """The spec that was packed, by the same interpreter."""
    return Spec(stdin=stdin, **marshal.loads(body))  # noqa: S302 - from our own daemon, over a socket without a name
