"""Reads back what a tool wrote into its output files: the head and the tail, never more memory than that."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.core.verdict import Ran

HEAD = TAIL = 512 * 1024
ERRORS = 16 * 1024  # of stderr only the end is kept: that is where programs say why


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A text and whether all of the file is in it."""

    text: str
    whole: bool


def kept(path: str, *, head: int = HEAD, tail: int = TAIL) -> Kept:
    """The file's text; between head and tail a line says how many bytes are left out. A file that is gone is empty."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return Kept(text="", whole=True)
    try:
        size = os.fstat(fd).st_size
        if size <= head + tail:
            return Kept(text=_read(fd, size, 0), whole=True)
        end = _read(fd, tail, size - tail)
        note = f"[... {size - head - tail:,} bytes left out ...]\n"
        return Kept(text=f"{_read(fd, head, 0)}\n{note}{end}" if head else note + end, whole=False)
    finally:
        os.close(fd)


def said(ran: Ran, *, stdout_path: str, stderr_path: str) -> Ran:
    """The Ran with what the tool said: stdout (head and tail) as its text, the end of stderr as its errors."""
    out = kept(stdout_path)
    err = kept(stderr_path, head=0, tail=ERRORS)
    return replace(ran, text=out.text, errors=err.text, truncated=ran.truncated or not out.whole)


def written(*paths: str) -> int:
    """Bytes in these files together."""
    return sum(_size(path) for path in paths)


def cut(path: str, size: int) -> None:
    """Cut a file down to `size` bytes, where it is longer."""
    if _size(path) > size:
        os.truncate(path, size)


def _size(path: str) -> int:
    try:
        return Path(path).lstat().st_size
    except OSError:
        return 0


def _read(fd: int, count: int, offset: int) -> str:
    parts = []
    while count > 0 and (part := os.pread(fd, count, offset)):
        parts.append(part)
        count -= len(part)
        offset += len(part)
    return b"".join(parts).decode(errors="replace")
