"""Transitions that wait to be published, in order, with their messages and contents: `<state>/tracked.pending`.

One JSON array a line: `["b", branch]` is where they go, `["t", number, intent, {...}]` is a transition, `["p", branch,
old, new, [number, ...]]` says that the branch is about to move from `old` to `new` with those, `["d", [number, ...]]`
that they are published. Not synced: it survives a killed process; after a crash of the machine the disk is compared.
"""

import base64
import json
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.core.transition import Change, Transition

_LARGE = 4 << 20  # bytes after which it is written anew, without what is published


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transition that is not published yet."""

    number: int
    intent: int  # what it was announced as; 0: a commit of our own making
    transition: Transition


@dataclass(frozen=True, slots=True)
class Begun:
    """A publishing whose end was not noted: it happened, or it did not."""

    branch: str
    old: str
    new: str
    numbers: tuple[int, ...]


class Pending:
    """The transitions that wait. Safe to call from several threads; a note that cannot be written stays in memory."""

    def __init__(self, path: Path) -> None:
        """Reads what an earlier process left."""
        self._path = path
        self._lock = threading.Lock()
        self._waiting: dict[int, Waiting] = {}
        self.begun: Begun | None = None
        self.trouble = ""
        self._branch = ""
        self._last = 0
        self._read()
        self._rewrite_or_say()

    def go_to(self, branch: str) -> None:
        """Notes which branch they are for."""
        with self._lock:
            self._branch = branch
            self._append(["b", branch])

    def add(self, intent: int, transition: Transition) -> int:
        """Puts it behind the others; its number."""
        with self._lock:
            self._last += 1
            waiting = Waiting(self._last, intent, transition)
            self._waiting[waiting.number] = waiting
            self._append(_encoded(waiting))
            return waiting.number

    def all(self) -> list[Waiting]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._waiting.values())

    @property
    def branch(self) -> str:
        """The branch that the transitions were to be on, or '' where none wait."""
        return self._branch if self._waiting else ""

    def __len__(self) -> int:
        """How many wait."""
        with self._lock:
            return len(self._waiting)

    def begin(self, begun: Begun) -> None:
        """Notes what the branch is about to become."""
        with self._lock:
            self.begun = begun
            self._append(["p", begun.branch, begun.old, begun.new, list(begun.numbers)])

    def finish(self, numbers: Collection[int]) -> None:
        """Notes that these are published, and that no publishing is under way."""
        with self._lock:
            self.begun = None
            for number in numbers:
                self._waiting.pop(number, None)
            self._append(["d", list(numbers)])
            if not self._waiting or (self._path.exists() and self._path.stat().st_size > _LARGE):
                self._rewrite_or_say()

    def _append(self, record: list[object]) -> None:
        try:
            if self.trouble:
                self._rewrite()  # what could not be noted before is in memory, this one included
                return
            with self._path.open("ab") as file:
                file.write(_line(record))
        except OSError as error:
            self.trouble = f"{self._path} cannot be written: {error.strerror or error}"

    def _rewrite_or_say(self) -> None:
        try:
            self._rewrite()
        except OSError as error:
            self.trouble = f"{self._path} cannot be written: {error.strerror or error}"

    def _rewrite(self) -> None:
        lines = [_line(["b", self._branch])]
        lines += [_line(_encoded(waiting)) for waiting in self._waiting.values()]
        if self.begun:
            lines.append(_line(["p", self.begun.branch, self.begun.old, self.begun.new, list(self.begun.numbers)]))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".new")
        beside.write_bytes(b"".join(lines))
        beside.replace(self._path)
        self.trouble = ""

    def _read(self) -> None:
        raw = b""
        with suppress(OSError):
            raw = self._path.read_bytes()
        for line in raw.split(b"\n"):
            with suppress(ValueError, KeyError, TypeError):  # torn: the disk is the truth for what it announced
                match json.loads(line):
                    case ["t", int(number), int(intent), dict(fields)]:
                        self._waiting[number] = Waiting(number, intent, _decoded(fields))
                        self._last = max(self._last, number)
                    case ["b", str(branch)]:
                        self._branch = branch
                    case ["p", str(branch), str(old), str(new), list(numbers)]:
                        self.begun = Begun(branch, old, new, tuple(numbers))
                    case ["d", list(numbers)]:
                        self.begun = None
                        for number in numbers:
                            self._waiting.pop(number, None)
                    case _:
                        continue


def _line(record: list[object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _encoded(waiting: Waiting) -> list[object]:
    transition = waiting.transition
    changes = [
        [
            change.path,
            None if change.content is None else base64.b64encode(change.content).decode(),
            change.executable,
        ]
        for change in transition.changes
    ]
    fields = {
        "subject": transition.subject,
        "at": transition.at.isoformat(),
        "body": transition.body,
        "trailers": dict(transition.trailers),
        "changes": changes,
    }
    return ["t", waiting.number, waiting.intent, fields]


def _decoded(fields: dict[str, object]) -> Transition:
    changes = fields["changes"]
    trailers = fields["trailers"]
    if not isinstance(changes, list) or not isinstance(trailers, dict):
        raise TypeError("no transition")
    return Transition(
        subject=str(fields["subject"]),
        at=datetime.fromisoformat(str(fields["at"])),
        body=str(fields["body"]),
        trailers=trailers,
        changes=tuple(
            Change(
                path=str(path),
                content=None if content is None else base64.b64decode(content),
                executable=bool(executable),
            )
            for path, content, executable in changes
        ),
    )
