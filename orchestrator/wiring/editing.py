"""Edits of configuration files: one at a time, each file replaced whole, all of them or none."""

import codecs
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator import strictyaml
from orchestrator.adapters import lock
from orchestrator.adapters.files import write_beside_and_rename
from orchestrator.adapters.place import Place
from orchestrator.errors import BusyError, NotFoundError, OrchestratorError


class EditedFile:
    """A file of the configuration, and what it is to hold. `folder`: where it is, if not in the workspace's own."""

    def __init__(self, place: Place, name: str, *, folder: Path | None = None) -> None:
        self.name = name
        self.file = (folder or place.config) / name
        self.shown = f"{place.config.name}/{name}" if folder in {None, place.config} else str(self.file)
        if folder not in {None, place.config}:
            self.file = self.file.resolve()  # people keep their own files elsewhere, and link them
        elif self.file.is_symlink():
            raise OrchestratorError(f"{self.shown} is a link; edit what it leads to by hand: {self.file.resolve()}")
        self.raw = self.file.read_bytes() if self.file.exists() else b""
        self.before = strictyaml.decode(self.raw, path=self.shown)
        self.text = self.before

    def document(self) -> strictyaml.Document:
        """As it is read."""
        return strictyaml.read(self.text, path=self.shown)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.text != self.before

    @property
    def content(self) -> bytes:
        """The bytes that it is to have, with the mark at its beginning that it had."""
        mark = codecs.BOM_UTF8 if self.raw.startswith(codecs.BOM_UTF8) else b""
        return mark + self.text.encode()

    def check(self) -> None:
        """Raises BusyError where somebody else changed it since it was read."""
        if (self.file.read_bytes() if self.file.exists() else b"") != self.raw:
            raise BusyError(f"{self.shown} was changed meanwhile, and is left as it is; try again")

    def write(self) -> None:
        """Replaces the file. Raises as `check`."""
        self.check()
        write_beside_and_rename(self.file, self.content)

    def restore(self) -> None:
        """What was there before is there again."""
        if self.raw:
            write_beside_and_rename(self.file, self.raw)
        else:
            self.file.unlink(missing_ok=True)


def write_all(files: Sequence[EditedFile]) -> None:
    """All of them, or none: where one cannot be written, those before it are as they were."""
    for one in files:
        one.check()
    done: list[EditedFile] = []
    for one in files:
        try:
            one.write()
        except (OSError, BusyError) as error:
            for other in reversed(done):
                other.restore()
            if isinstance(error, BusyError):
                raise
            raise OrchestratorError(
                f"{one.shown} cannot be written: {error.strerror or error}; nothing was changed"
            ) from error
        done.append(one)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """One edit of the configuration at a time. The folder itself is locked: no file is left behind."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFoundError(f"{folder} is missing; make it with: orchestrator init") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def daemon_note(place: Place) -> str:
    """What to do for a running daemon to see a change; empty where none runs."""
    held_by = lock.holder(place.state)
    if held_by is None or held_by.what != "daemon":
        return ""
    return f"the daemon goes on with the configuration that it has read; to have it read again: kill -HUP {held_by.pid}"
