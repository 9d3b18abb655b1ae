"""Starts the tool: a session of its own, no shell, three descriptors, its limits. A refusal is words."""

# ruff: noqa: PTH110, PTH118 - pathlib costs a bare start more than all that is imported here

import errno
import os
import resource
import signal

from orchestrator.guard import system
from orchestrator.guard.spec import Spec

_NO_TOOL = (errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.ELOOP, errno.EPERM)
_CWD, _EXEC, _INTERPRETER = b"c", b"e", b"i"
_OOM = 200  # added to the tool's own score: where memory runs out, the tool goes and its guard stays


class Refusal:
    """Why there is no tool: the kind of failure (core.types.ErrorKind) and the words for people."""

    __slots__ = ("kind", "words")

    def __init__(self, kind: str, words: str) -> None:
        self.kind = kind
        self.words = words


def check(spec: Spec) -> Refusal | None:
    """What can be said before anything is started."""
    why = ""
    if not spec.argv:
        why = "there is none at all, not even the program's name"
    elif any(b"\0" in one for one in (*spec.argv, spec.cwd, *(part for pair in spec.env for part in pair))):
        why = "embedded null byte"
    elif any(b"=" in name or not name for name, _ in spec.env):
        why = "illegal environment variable name"
    return Refusal("crashed", f"the tool cannot be given these arguments: {why}") if why else None


def start(spec: Spec, stdin: int, stdout: int, stderr: int) -> tuple[int, int]:
    """Forks the tool. Its process id; and a pipe that ends when it runs, or says in a few bytes why it does not."""
    said, say = os.pipe()
    guard = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(spec, guard, (stdin, stdout, stderr), say)
        finally:
            os._exit(127)  # whatever happens, nothing of the guard runs on here
    os.close(say)
    return pid, said


def refusal(spec: Spec, said: bytes) -> Refusal:
    """What the few bytes mean."""
    stage, number = said[:1], int(said[1:] or b"0")
    words = os.strerror(number)
    if stage == _CWD:
        missing = number in (errno.ENOENT, errno.ENOTDIR)
        return Refusal(
            "crashed",
            f"{os.fsdecode(spec.cwd)}: the folder to work in "
            + ("does not exist" if missing else f"is closed: {words}"),
        )
    if number == errno.E2BIG:
        size = sum(len(argument) for argument in spec.argv)
        words = f"its arguments are too long ({size:,} bytes); give the prompt by stdin or file"
    elif stage == _INTERPRETER:
        words = "the interpreter that its first line names does not exist"
    elif number == errno.ENOENT:
        words = "no such program; install it, or name its path as `binary` in config/tools.yaml"
    elif number == errno.ENOEXEC:
        words = "it is no program: neither a binary nor a script with a #! line"
    kind = "no_tool" if number in _NO_TOOL else "crashed"
    return Refusal(kind, f"{os.fsdecode(spec.argv[0])}: cannot be started: {words}")


def _become(spec: Spec, guard: int, descriptors: tuple[int, int, int], say: int) -> None:
    """In the child: what makes it the tool. Returns only where it cannot, and has said why."""
    stage = _EXEC
    try:
        os.setsid()
        system.die_with_parent(guard)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        _limit(resource.RLIMIT_CORE, 0)
        if spec.file_size is not None:
            _limit(resource.RLIMIT_FSIZE, spec.file_size)
        _offer_to_the_oom_killer()
        stage = _CWD
        os.chdir(spec.cwd)
        stage = _EXEC
        _restore_signals()
        error, stage = _execute(spec)
    except OSError as raised:
        error = raised.errno or 0
    os.write(say, b"%s%d" % (stage, error))


def _execute(spec: Spec) -> tuple[int, bytes]:
    """As `execvpe` does it. The error that tells most, and at which stage it came."""
    environment = dict(spec.env)
    name = spec.argv[0]
    folders = environment.get(b"PATH", os.fsencode(os.defpath)).split(b":")
    candidates = [name] if b"/" in name else [os.path.join(folder, name) for folder in folders]
    worst = (errno.ENOENT, _EXEC)
    for path in candidates:
        try:
            os.execve(path, spec.argv, environment)  # noqa: S606 - no shell, on purpose
        except OSError as raised:
            number = raised.errno or 0
            if number == errno.ENOENT and os.path.exists(path):
                return number, _INTERPRETER
            if number not in (errno.ENOENT, errno.ENOTDIR):
                worst = (number, _EXEC)
                if number == errno.E2BIG:
                    break
    return worst


def _limit(which: int, soft: int) -> None:
    _, hard = resource.getrlimit(which)
    bound = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(which, (bound, bound))


def _offer_to_the_oom_killer() -> None:
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return  # no such thing here
    try:
        os.write(fd, b"%d" % min(1000, int(os.read(fd, 16)) + _OOM))
    except OSError:
        return  # not permitted in this container
    finally:
        os.close(fd)


def _restore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGXFSZ, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
