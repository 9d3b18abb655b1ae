"""Transitions as `git fast-import` reads them. Pure: bytes in, bytes out; nothing of a task is ever a command."""

import os
from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.pattern import late
from orchestrator.core.transition import Change, Transition

MARK = b":1"  # one mark, set anew by the last commit of each batch: the child's table of marks does not grow
_PLAIN = late(rb"[A-Za-z0-9._/+=,@ -]*")


class PathRefusedError(ValueError):
    """A path that cannot be in a tree: a mistake of ours, and never sent."""


def checked(path: str) -> str:
    """The path, where git can have it in a tree.

    Raises:
        PathRefusedError: it is absolute, empty, goes up, or names git's own folder.
    """
    parts = path.split("/")
    for part in parts:
        if part in {"", ".", ".."} or part.lower() == ".git" or "\0" in part:
            raise PathRefusedError(f"{path!r} cannot be committed: use a path below the work folder, without . or ..")
    return path


def quoted(path: str) -> bytes:
    """C-quoted, always: a newline in a name would start a command."""
    raw = os.fsencode(path)
    if not _PLAIN.fullmatch(raw):
        raw = b"".join(b"\\%03o" % byte for byte in raw)
    return b'"' + raw + b'"'


def raw_time(moment: datetime) -> bytes:
    """Seconds since the epoch and the zone, as git writes them."""
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    sign = "-" if minutes < 0 else "+"
    return f"{int(moment.timestamp())} {sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}".encode()


def message_bytes(transition: Transition) -> bytes:
    """The commit message: UTF-8, without the NUL that git refuses."""
    return transition.message.encode("utf-8", "replace").replace(b"\0", b"")


def encode(batch: Sequence[Transition], *, ref: str, parent: str, identity: bytes, prefix: str = "") -> list[bytes]:
    """The commands for a chain of commits onto `ref`, in pieces to be sent one after the other.

    `parent` is named for the first of them; empty: the child knows the branch already, or it begins here.
    """
    marks, pieces = _blobs(batch)
    command = b"commit " + ref.encode()
    last = len(batch) - 1
    for number, transition in enumerate(batch):
        message = message_bytes(transition)
        mark = b"\nmark " + MARK if number == last else b""
        pieces.append(
            b"%s%s\ncommitter %s %s\ndata %d\n%s\n"
            % (command, mark, identity, raw_time(transition.at), len(message), message)
        )
        if parent and number == 0:
            pieces.append(b"from " + parent.encode() + b"\n")
        # Deletions first: a file that becomes a folder (or the reverse) must be gone before the other is there.
        changes = sorted(enumerate(transition.changes), key=lambda item: item[1].content is not None)
        pieces += [_change(change, marks.get((number, place), 0), prefix) for place, change in changes]
        pieces.append(b"\n")
    return pieces


def _blobs(batch: Sequence[Transition]) -> tuple[dict[tuple[int, int], int], list[bytes]]:
    """The contents ahead of the commits, like beside like: git stores each as its difference from the one before it,
    which takes a third of the space where that is an earlier state of the same file. Marks begin after MARK."""
    items = [
        (_kind(change.path), number, place, change.content)
        for number, transition in enumerate(batch)
        for place, change in enumerate(transition.changes)
        if change.content is not None
    ]
    items.sort(key=lambda item: item[:3])
    marks: dict[tuple[int, int], int] = {}
    pieces: list[bytes] = []
    for mark, (_, number, place, content) in enumerate(items, start=2):
        marks[number, place] = mark
        pieces.append(b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(content), content))
    return marks, pieces


def _kind(path: str) -> tuple[str, str]:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2], name


def _change(change: Change, mark: int, prefix: str) -> bytes:
    path = quoted(prefix + checked(change.path))
    if change.content is None:
        return b"D " + path + b"\n"
    return b"M %s :%d %s\n" % (b"100755" if change.executable else b"100644", mark, path)
