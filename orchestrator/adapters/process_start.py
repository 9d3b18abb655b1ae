"""Starts a tool: an argument tuple, a session of its own, no shell, three descriptors. A refusal is a value."""

import errno
import fcntl
import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from orchestrator.core.invocation import INVOCATION_MARK, WORKSPACE_MARK, Invocation
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran

_NO_TOOL = {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.ELOOP, errno.EPERM}


def start(invocation: Invocation, *, workspace: str) -> "subprocess.Popen[bytes] | Ran":
    """The running process, or a Ran that says in plain words why there is none.

    subprocess takes its vfork path here (no preexec_fn, no change of user), so that the price does not grow with our
    memory.
    """
    if not Path(invocation.cwd).is_dir():
        return _refusal(ErrorKind.CRASHED, f"{invocation.cwd}: the folder to work in does not exist")
    with ExitStack() as opened:
        try:
            out = _keep(opened, _output(invocation.stdout_path))
            err = _keep(opened, _output(invocation.stderr_path))
            stdin = _keep(opened, _input(invocation.stdin, Path(invocation.stdout_path).parent))
        except (OSError, ValueError) as error:
            return _refusal(ErrorKind.CRASHED, f"cannot prepare the tool's input and output: {error}")
        try:
            return subprocess.Popen(
                invocation.argv,
                cwd=invocation.cwd,
                env=marked(invocation, workspace),
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            return _refusal_of(error, invocation)
        except (ValueError, IndexError) as error:  # NUL in an argument or a variable; no argument at all
            return _refusal(ErrorKind.CRASHED, f"the tool cannot be given these arguments: {error}")


def marked(invocation: Invocation, workspace: str) -> Mapping[str, str]:
    """The environment of the tool: what the invocation says, and the marks by which its processes are known."""
    return {INVOCATION_MARK: invocation.id, WORKSPACE_MARK: workspace} | {
        name: value for name, value in invocation.env.items() if name not in {INVOCATION_MARK, WORKSPACE_MARK}
    }


def _output(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _input(data: bytes, folder: Path) -> int:
    """What the tool reads: nobody has to feed it, so that a tool that does not read blocks nobody."""
    if not data:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    if (whole := _pipe_holding(data)) is not None:
        return whole
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]
        file.seek(0)
        return fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)


def _pipe_holding(data: bytes) -> int | None:
    """The reading end of a pipe that holds all of it already; None where no pipe is that large.

    A pipe is what most programs are used to; some event loops refuse a file as stdin.
    """
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        if os.write(writing, data) == len(data):
            return reading
    except BlockingIOError:
        pass  # more than it holds: a file it is
    finally:
        os.close(writing)
    os.close(reading)
    return None


def _keep(opened: ExitStack, descriptor: int) -> int:
    opened.callback(os.close, descriptor)
    return descriptor


def _refusal_of(error: OSError, invocation: Invocation) -> Ran:
    binary = invocation.argv[0]
    words = os.strerror(error.errno) if error.errno else str(error)
    match error.errno:
        case errno.E2BIG:
            size = sum(len(argument) for argument in invocation.argv)
            words = f"its arguments are too long ({size:,} characters); give the prompt by stdin or file"
        case errno.ENOENT if Path(binary).exists():
            words = "the interpreter that its first line names does not exist"
        case errno.ENOENT:
            words = "no such program; install it, or name its path as `binary` in config/tools.yaml"
        case errno.ENOEXEC:
            words = "it is no program: neither a binary nor a script with a #! line"
        case _:
            pass
    kind = ErrorKind.NO_TOOL if error.errno in _NO_TOOL else ErrorKind.CRASHED
    return _refusal(kind, f"{binary}: cannot be started: {words}")


def _refusal(kind: ErrorKind, words: str) -> Ran:
    return Ran(ending=Ending.NOT_STARTED, errors=words, failure=kind)
