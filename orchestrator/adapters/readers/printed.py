"""What a run printed, read back from its two files in bounded memory: lines, head and tail, the end of stderr."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.adapters.readers import values
from orchestrator.core.pattern import late
from orchestrator.core.verdict import Printed

LINE = DOCUMENT = 8 << 20  # bytes of one line, or of one JSON document: a longer one is not read
TEXT = 1 << 20  # bytes of an answer: its head and its tail
ERRORS = 16 << 10  # of stderr only the end is kept: that is where programs say why

# Colours, cursor movements and titles that programs write for a terminal (ECMA-48 CSI and OSC, and two-byte escapes).
_ESCAPES = late(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = late(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A text, and whether it is all that there was."""

    text: str
    is_whole: bool


@dataclass(slots=True, kw_only=True)
class Growing:
    """An answer that comes in parts. What is far beyond that which is kept of an answer is not held."""

    parts: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, words: str) -> None:
        """One more part."""
        if words and self.length <= 2 * TEXT:
            self.parts.append(words)
            self.length += len(words)

    def text(self) -> str:
        """All of it so far."""
        return "".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The two files of a run. One that is missing, or no file at all, has said nothing."""

    printed: Printed

    def text(self) -> Kept:
        """Stdout as plain text; between its head and its tail a line says how many bytes are left out."""
        return _kept(self.printed.stdout, head=TEXT // 2, tail=TEXT // 2)

    def errors(self) -> str:
        """The end of stderr as plain text."""
        return _kept(self.printed.stderr, head=0, tail=ERRORS).text

    def events(self) -> Iterator[values.Json]:
        """The JSON objects of stdout, one a line; what is torn, too long or something else is passed over."""
        for line in _lines(self.printed.stdout):
            if (event := values.parsed(line)) is not None:
                yield event

    def lines(self) -> Iterator[str]:
        """The lines of stdout as plain text."""
        for line in _lines(self.printed.stdout):
            yield plain(line.decode(errors="replace"))

    def error_lines(self) -> Iterator[bytes]:
        """The lines of stderr, as they are."""
        return _lines(self.printed.stderr)

    def document(self) -> object:
        """The one JSON document of stdout, which may have other words around it; None where there is none."""
        fd = _opened(self.printed.stdout)
        if fd is None:
            return None
        try:
            raw = _read(fd, DOCUMENT + 1, 0)
        finally:
            os.close(fd)
        return values.document(raw.decode(errors="replace")) if len(raw) <= DOCUMENT else None

    def is_silent(self) -> bool:
        """Whether stdout holds nothing but blanks."""
        return not any(line.strip() for line in _lines(self.printed.stdout))

    def ended_at(self) -> float | None:
        """When the last byte was printed, in seconds since 1970: what a moment that the tool names is counted from."""
        try:
            return os.lstat(self.printed.stdout).st_mtime
        except OSError:
            return None


def plain(raw: str) -> str:
    """As plain text: no terminal codes, newlines as newlines, nothing that UTF-8 cannot hold."""
    return _CONTROLS.sub("", _ESCAPES.sub("", raw).replace("\r\n", "\n").replace("\r", "\n"))


def bounded(text: str) -> Kept:
    """A text that came as a value, as plain text of bounded length: its head and its tail."""
    if len(text) <= TEXT:
        text = plain(text)
        raw = text.encode()
        if len(raw) <= TEXT:
            return Kept(text=text, is_whole=True)
    else:
        raw = text.encode(errors="replace")
    half = TEXT // 2
    return Kept(text=_around(raw[:half], raw[-half:], len(raw) - 2 * half), is_whole=False)


def _lines(path: str) -> Iterator[bytes]:
    fd = _opened(path)
    if fd is None:
        return
    with os.fdopen(fd, "rb") as file:
        while line := file.readline(LINE):
            if line.endswith(b"\n") or len(line) < LINE:
                yield line
                continue
            while rest := file.readline(LINE):  # too long to be held: passed over, so that what follows is still read
                if rest.endswith(b"\n"):
                    break


def _kept(path: str, *, head: int, tail: int) -> Kept:
    fd = _opened(path)
    if fd is None:
        return Kept(text="", is_whole=True)
    try:
        size = os.fstat(fd).st_size
        if size <= head + tail:
            return Kept(text=plain(_read(fd, size, 0).decode(errors="replace")), is_whole=True)
        return Kept(text=_around(_read(fd, head, 0), _read(fd, tail, size - tail), size - head - tail), is_whole=False)
    finally:
        os.close(fd)


def _around(head: bytes, tail: bytes, left_out: int) -> str:
    # A character that the cut went through is dropped rather than shown as a mark of damage.
    before, after = head.decode(errors="ignore"), tail.decode(errors="ignore")
    note = f"[... {left_out:,} bytes left out ...]\n"
    return f"{plain(before)}\n{note}{plain(after)}" if head else note + plain(after)


def _opened(path: str) -> int | None:
    # Without O_NONBLOCK a pipe that somebody put there would hold the reader up for ever.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None


def _read(fd: int, count: int, offset: int) -> bytes:
    parts = []
    while count > 0 and (part := os.pread(fd, count, offset)):
        parts.append(part)
        count -= len(part)
        offset += len(part)
    return b"".join(parts)
