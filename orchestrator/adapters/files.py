"""How files are written, moved and read: beside and renamed, never over another, never through a link."""

import ctypes
import errno
import fcntl
import functools
import os
import re
import signal
import stat
import sys
from pathlib import Path

from orchestrator.core.pattern import late
from orchestrator.ports import NameTakenError

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NEW = 0o644  # the mode of a new file, less the umask
_TEMPORARY = late(r"\..+\.[0-9a-f]{8}\.orchestrator\.tmp", re.DOTALL)
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


@functools.cache
def _load_renameat2() -> "ctypes._NamedFuncPointer | None":
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None


def rename_noreplace(source: Path, target: Path) -> None:
    """Renames in one step, and never over an existing file.

    renameat2(2) with RENAME_NOREPLACE; where the kernel or the file system has none, link and unlink (GIT-FACTS 3).

    Raises:
        NameTakenError: the target exists.
        FileNotFoundError, OSError: as rename.
    """
    renameat2 = _load_renameat2()
    if renameat2 is not None:
        done = renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE)
        if done == 0:
            return
        code = ctypes.get_errno()
        if code == errno.EEXIST:
            raise NameTakenError(str(target))
        if code not in _UNSUPPORTED:
            raise OSError(code, os.strerror(code), str(source), None, str(target))
    _link_and_unlink(source, target)


def _link_and_unlink(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise NameTakenError(str(target)) from None
    source.unlink()


def write_beside_and_rename(path: Path, content: bytes) -> None:
    """Replaces a file whole: written beside it, synced, renamed over it. Its mode is kept; a link there is replaced."""
    temporary = _temporary(path)
    try:
        mode = _mode_of(path)
        _write_new(temporary, content, _NEW if mode is None else mode)
        if mode is not None:
            temporary.chmod(mode)  # the umask would take bits away that the file had
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mode_of(path: Path) -> int | None:
    """Of the file that is there; None where there is none, or a link."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    return None if stat.S_ISLNK(mode) else stat.S_IMODE(mode)


def create(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Makes a file that was not there, complete at the moment that it appears.

    Raises:
        NameTakenError: something is there.
    """
    temporary = _temporary(path)
    try:
        _write_new(temporary, content, mode)
        rename_noreplace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_temporary(name: str) -> bool:
    """Whether a file of that name is one that we were writing."""
    return _TEMPORARY.fullmatch(name) is not None


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}.orchestrator.tmp")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_at_most(path: Path, limit: int) -> bytes:
    """The first `limit` bytes and one more, so that the caller sees that there was more. Regular files only.

    Raises:
        FileNotFoundError, OSError: as open; ELOOP where it is a link, EINVAL where it is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        parts: list[bytes] = []
        room = limit + 1
        while room > 0 and (part := os.read(descriptor, min(room, 1 << 20))):
            parts.append(part)
            room -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def is_being_written(path: Path) -> bool | None:
    """Whether some process has it open for writing; None where the system cannot say.

    A read lease is granted only on a file that nobody has open for writing (fcntl(2), F_SETLEASE), which answers at
    once what waiting for quiet can only guess.
    """
    if not hasattr(fcntl, "F_SETLEASE") or not hasattr(fcntl, "F_SETSIG"):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # Who opens it for writing just now breaks the lease, and the kernel says so by SIGIO, which would end us: one
        # that does nothing by default is asked for in its place.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    else:
        return False
    finally:
        os.close(descriptor)
