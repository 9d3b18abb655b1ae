"""Several files that are written together: before one moment all are as they were, after it all are as they are to be.

First each is written beside its place; whatever can fail fails there, and is undone. Then the list of them is put into
the state folder in one rename: that is the moment. Then they are moved to their places. Whoever dies between leaves the
list: readers of the configuration read through it (`pending`), and the next `init` finishes it (`finish`).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.adapters.files import is_temporary, rename_noreplace, write_beside_and_rename
from orchestrator.adapters.place import Place
from orchestrator.errors import OrchestratorError
from orchestrator.ports import NameTakenError
from orchestrator.wiring.configuring import UNFINISHED as LIST

_READY = f"{LIST}.ready"  # the list, not in force yet
Step = Callable[[str], None]  # told of each effect before it: tests stop us there


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is to be there."""

    path: str  # below the root
    content: bytes
    backup: str = ""  # below the root: where what is there goes; empty: nothing is there


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    path: str
    staged: str
    backup: str
    before: str  # the digest of what was there; empty: nothing


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


class Batch:
    """The files of one `init`."""

    def __init__(self, place: Place, step: Step) -> None:
        self._place = place
        self._step = step
        self._moves: list[_Move] = []
        self._made: list[Path] = []  # folders
        self._is_committed = False

    def stage(self, wanted: Sequence[NewFile]) -> None:
        """Writes them beside their places. Raises OSError; then, or later, `undo` takes all of it back."""
        for file in wanted:
            target = self._place.root / file.path
            self._make_folder(target.parent)
            staged = target.with_name(f".{target.name}.{os.urandom(4).hex()}.orchestrator.tmp")
            before = _digest(target)
            self._step(f"stage {file.path}")
            self._moves.append(
                _Move(
                    path=file.path,
                    staged=str(staged.relative_to(self._place.root)),
                    backup=file.backup,
                    before=before,
                )
            )
            write_beside_and_rename(staged, file.content)
            if before:
                shutil.copymode(target, staged)
        if not self._moves:
            return
        self._step("write the list")
        listed = {"v": 1, "moves": [asdict(move) for move in self._moves]}
        write_beside_and_rename(self._place.state / _READY, json.dumps(listed, indent=1).encode())

    @property
    def is_committed(self) -> bool:
        """Whether the moment has passed."""
        return self._is_committed or (self._place.state / LIST).exists()

    def commit(self) -> list[str]:
        """The moment, and the moves; what people should know. Raises OSError where a rename is refused."""
        if not self._moves:
            return []
        self._step("commit")
        (self._place.state / _READY).rename(self._place.state / LIST)
        self._is_committed = True
        return _carry_out(self._place, self._moves, self._step)

    def undo(self) -> None:
        """Takes away what `stage` wrote. Not for a batch that is committed."""
        for move in self._moves:
            (self._place.root / move.staged).unlink(missing_ok=True)
        (self._place.state / _READY).unlink(missing_ok=True)
        for folder in reversed(self._made):
            with suppress(OSError):  # somebody put something there meanwhile
                folder.rmdir()

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._step(f"make {folder.name}/")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise OrchestratorError(
                f"{folder} is no folder, and the configuration goes there; move it away, then: orchestrator init"
            ) from None
        self._made.append(folder)


def _carry_out(place: Place, moves: Sequence[_Move], step: Step) -> list[str]:
    """The moves that are left; what was found otherwise than it had been. Each step can be repeated."""
    notes = []
    for move in moves:
        staged, target = place.root / move.staged, place.root / move.path
        if not os.path.lexists(staged):
            continue
        if move.backup:
            step(f"keep {move.path}")
            _keep(target, place.root / move.backup)
        elif _digest(target) != move.before:
            staged.unlink()
            notes.append(f"{move.path} was changed meanwhile, and is left as it is")
            continue
        step(f"move {move.path}")
        try:
            if move.before:
                staged.rename(target)
            else:
                rename_noreplace(staged, target)
        except NameTakenError:
            staged.unlink()
            notes.append(f"{move.path} came to be there meanwhile, and is left as it is")
    step("forget the list")
    (place.state / LIST).unlink()
    return notes


def _keep(target: Path, backup: Path) -> None:
    if not target.exists() or backup.exists():
        return
    try:
        os.link(target, backup)  # needs no room, and is there at once
    except OSError:
        shutil.copy2(target, backup)


def _listed(place: Place) -> list[_Move]:
    """What an `init` that died had still to do; nothing where there is no list, or none that can be read."""
    try:
        raw = json.loads((place.state / LIST).read_bytes())
        return [_Move(**{name: str(one[name]) for name in _Move.__slots__}) for one in raw["moves"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def pending(place: Place) -> dict[str, bytes]:
    """By file name, what the configuration is to hold although it is not in its place yet: an `init` died there."""
    found = {}
    for move in _listed(place):
        staged, target = place.root / move.staged, place.root / move.path
        if target.parent == place.config:
            with suppress(FileNotFoundError):
                found[target.name] = staged.read_bytes()
    return found


def finish(place: Place, step: Step) -> list[str]:
    """Finishes what an `init` that died had begun, or clears it away; what people should know of it."""
    moves = _listed(place)
    notes = []
    if moves:
        notes = ["an `orchestrator init` was interrupted here; it is finished now", *_carry_out(place, moves, step)]
    (place.state / LIST).unlink(missing_ok=True)
    (place.state / _READY).unlink(missing_ok=True)
    return notes


def clear_away(folder: Path, names: Mapping[str, object] | Sequence[str]) -> None:
    """Removes what an `init` that died before its moment wrote beside those names. For the holder of the lock."""
    if not folder.is_dir():
        return
    for found in os.listdir(folder):
        if is_temporary(found) and any(found.startswith((f".{name}.", f"..{name}.")) for name in names):
            (folder / found).unlink(missing_ok=True)
