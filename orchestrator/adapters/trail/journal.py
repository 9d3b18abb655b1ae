"""What is about to change and what is durable: `<state>/trail.journal`, one JSON array a line.

`["h", version, boot, tip]` begins it; `["i", number, [path, ...]]` is an intent; `["a", [number, ...], tip]` says that
those are in commits up to `tip`. It is not synced: it survives a killed process; after a crash of the machine the boot
differs, and everything is compared instead.
"""

import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.adapters.trail.leftovers import boot_id

_VERSION = 1
_LARGE = 4 << 20  # bytes after which it is written anew


@dataclass(slots=True, kw_only=True)
class Found:
    """What the journal of an earlier process says."""

    trusted: bool = False  # from this boot, with a head: the open intents are all that may be uncommitted
    tip: str = ""  # the last commit known to be durable
    open: dict[int, tuple[str, ...]] = field(default_factory=dict)
    last: int = 0


class Journal:
    """Intents and acknowledgements. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        """Reads what is there; writes nothing yet."""
        self._path = path
        self._lock = threading.Lock()
        self.found = _read(path)
        self._open = dict(self.found.open)
        self._next = self.found.last + 1
        self._trusted = self.found.trusted
        self._tip = self.found.tip
        self._descriptor = -1
        self._torn = path.exists()  # its last line may be: begin with a new one
        self._size = 0

    def intend(self, paths: Sequence[str]) -> int:
        """Notes that these paths are about to change; the number of the intent. Raises OSError where it cannot."""
        with self._lock:
            number = self._next
            self._append(["i", number, list(paths)])
            self._next += 1
            self._open[number] = tuple(paths)
            return number

    def acknowledge(self, intents: Iterable[int], tip: str) -> None:
        """Notes that these are durable. A note that cannot be written costs a look at start-up, nothing else."""
        with self._lock:
            numbers = [number for number in intents if self._open.pop(number, None) is not None]
            self._tip = tip
            try:
                self._append(["a", numbers, tip])
                if self._size > _LARGE:
                    self._rewrite()
            except OSError:
                self._torn = True

    def forgo(self, intent: int) -> tuple[str, ...]:
        """Nothing comes of it; its paths. On disk it stays open, so that a start after a crash looks at them too."""
        with self._lock:
            return self._open.pop(intent, ())

    def restart(self, tip: str) -> None:
        """Everything on disk is in commits up to `tip`, but for what is open since: a new journal, to be trusted."""
        with self._lock:
            self._tip = tip
            self._trusted = True
            for number in self.found.open:
                self._open.pop(number, None)
            self._rewrite()

    def compact(self) -> None:
        """Writes it anew with what is still open. Raises OSError."""
        with self._lock:
            if self._size > 4096:
                self._rewrite()

    def in_flight(self) -> set[str]:
        """The paths that are about to change, or have changed and are not committed yet."""
        with self._lock:
            return {path for paths in self._open.values() for path in paths}

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _append(self, record: list[object]) -> None:
        if self._descriptor < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._size = os.fstat(self._descriptor).st_size
        line = (b"\n" if self._torn else b"") + _line(record)
        self._torn = True
        written = os.write(self._descriptor, line)
        if written != len(line):
            raise OSError(28, "No space left on device", str(self._path))
        self._torn = False
        self._size += written

    def _rewrite(self) -> None:
        boot = boot_id() if self._trusted else ""
        lines = [_line(["h", _VERSION, boot, self._tip])]
        lines += [_line(["i", number, list(paths)]) for number, paths in self._open.items()]
        beside = self._path.with_name(self._path.name + ".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(b"".join(lines))
        beside.replace(self._path)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._torn = False


def _line(record: list[object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _read(path: Path) -> Found:
    found = Found()
    try:
        raw = path.read_bytes()
    except OSError:
        return found
    for line in raw.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue  # torn: whoever wrote it was told so, or died before the change that it announced
        match record:
            case ["h", 1, str(boot), str(tip)]:
                found = Found(trusted=bool(boot) and boot == boot_id(), tip=tip, last=found.last)
            case ["i", int(number), list(paths)]:
                found.open[number] = tuple(path for path in paths if isinstance(path, str))
                found.last = max(found.last, number)
            case ["a", list(numbers), str(tip)]:
                found.tip = tip
                for number in numbers:
                    found.open.pop(number, None)
            case _:
                continue  # of a later version
    return found
