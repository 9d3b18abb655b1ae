"""`orchestrator task fix`: files looked at, and written where the person who asked has seen what changes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters import lock
from orchestrator.adapters.files import create, read_at_most, rename_noreplace, write_beside_and_rename
from orchestrator.adapters.place import Place
from orchestrator.core import layout
from orchestrator.core.types import Status
from orchestrator.errors import BusyError, NotFoundError, OrchestratorError
from orchestrator.ports import NameTakenError
from orchestrator.taskfile import TaskFileRefused, parse
from orchestrator.taskfile.mending import Mended, mend

_LARGEST = 4 << 20  # bytes: what becomes small enough as UTF-8 may be larger before
_OURS = frozenset({Status.ASSIGNED, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A file, and what would become of it."""

    file: Path
    shown: str
    before: bytes
    mended: Mended
    taken: str = ""  # who works on it; empty: it may be written
    rejected: bool = False  # it lies in rejected/, from where it can be submitted again
    in_inbox: bool = False

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return not self.taken and self.mended.raw != self.before

    @property
    def is_task(self) -> bool:
        """Whether it is a task, or would be one."""
        return not self.mended.left

    def write(self) -> None:
        """Replaces the file. Raises BusyError where it was changed or taken away since it was read."""
        if self.in_inbox:
            self._write_unless_claimed()
            return
        if _read(self.file, self.shown) != self.before:
            raise BusyError(f"{self.shown} was changed meanwhile, and is left as it is; try again")
        write_beside_and_rename(self.file, self.mended.raw)

    def _write_unless_claimed(self) -> None:
        """A daemon may claim it at any moment: it is moved aside first, so that never two of it are there."""
        aside = self.file.with_name(f".{self.file.name[:200]}.{os.urandom(4).hex()}.orchestrator.tmp")
        try:
            rename_noreplace(self.file, aside)
        except FileNotFoundError:
            raise BusyError(f"{self.shown} was taken up meanwhile; nothing was changed") from None
        if aside.read_bytes() != self.before:
            rename_noreplace(aside, self.file)
            raise BusyError(f"{self.shown} was changed meanwhile, and is left as it is; try again")
        try:
            create(self.file, self.mended.raw, mode=aside.stat().st_mode & 0o7777)
        except NameTakenError:  # somebody wrote it anew: theirs is the file now
            aside.unlink()
            raise BusyError(f"{self.shown} was changed meanwhile, and is left as it is; try again") from None
        except OSError as error:
            rename_noreplace(aside, self.file)
            raise OrchestratorError(f"{self.shown} cannot be written: {error.strerror}; it is as it was") from error
        aside.unlink()


def look(place: Place | None, files: Sequence[str]) -> list[Looked]:
    """Each file mended as far as it can be. Raises NotFoundError, OrchestratorError where one cannot be read."""
    held = lock.holder(place.state) if place is not None else None
    return [_looked(place, held, name) for name in dict.fromkeys(files)]


def _looked(place: Place | None, held: lock.Holder | None, name: str) -> Looked:
    file = Path(name)
    before = _read(file, name)
    mended = mend(before, name=file.name, path=name)
    inside = _within(place, file)
    taken = ""
    if held is not None and inside.startswith(f"{layout.ASSIGNED}/") and _is_ours(before, file.name):
        taken = f"{held} works with it; wait, or take it back first: orchestrator cancel {layout.stem(file.name)}"
    return Looked(
        file=file,
        shown=name,
        before=before,
        mended=mended,
        taken=taken,
        rejected=inside.startswith(f"{layout.REJECTED}/"),
        in_inbox=inside.startswith(f"{layout.INBOX}/"),
    )


def _within(place: Place | None, file: Path) -> str:
    """Its path within the work folder; empty where it lies elsewhere."""
    if place is None:
        return ""
    full, work = os.path.realpath(file), os.path.realpath(place.work)
    return os.path.relpath(full, work) if full.startswith(work + os.sep) else ""


def _is_ours(raw: bytes, name: str) -> bool:
    """Whether it is a task that is assigned or runs. What cannot be read may be one."""
    try:
        return parse(raw, name=name).task.status in _OURS
    except TaskFileRefused:
        return True


def _read(file: Path, shown: str) -> bytes:
    if file.is_symlink():
        raise OrchestratorError(f"{shown} is a link; name the file that it leads to: {os.path.realpath(file)}")
    if not layout.is_task_name(file.name):
        raise OrchestratorError(f"{shown} is no task file; their names end in .yaml or .yml, and begin with no dot")
    try:
        raw = read_at_most(file, _LARGEST)
    except FileNotFoundError:
        raise NotFoundError(f"{shown}: there is no such file") from None
    except OSError as error:
        raise OrchestratorError(f"{shown} cannot be read: {error.strerror or error}") from error
    if len(raw) > _LARGEST:
        raise OrchestratorError(f"{shown} is larger than 4 MiB; no task file is")
    return raw
