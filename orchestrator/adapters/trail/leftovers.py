"""What a dead `git fast-import` of ours leaves behind, and taking away exactly that.

A record in the state folder names the child while it runs. Only when that child is dead, and only what is provably
its own, is anything removed: a lock or a temporary pack of somebody else's is left alone.

A pack that it finished without moving the branch is special. Nothing reaches it, and the child that repeats the batch
does not write those objects again; so a `gc --prune=now` at that moment would take away what the branch is about to
need (measured: 1 of 60 runs). A killed child leaves its .keep files: they are held until the repeated batch has landed.
One that could still speak has removed them: see `Committer`. None is ever made by us: a gc that had listed that pack
already would leave its objects out and then delete it.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.trail.processes import gits_in, is_open, started
from orchestrator.adapters.trail.ref import Ref

_KEPT = b"fast-import"  # what fast-import writes into its .keep files
_SWEEPERS = {"gc", "repack", "prune", "maintenance"}
_SWEEPING = 30.0  # seconds that one is waited for


@dataclass(frozen=True, slots=True)
class Begun:
    """The child that the record names."""

    pid: int
    started: str  # the kernel's start time of that pid, so that a pid used again is not mistaken for it
    boot: str
    at: float


class Leftovers:
    """The record of the running child, and the clean-up after a dead one. For one thread at a time."""

    def __init__(self, ref: Ref, record: Path) -> None:
        """`record` is a file of ours in the state folder."""
        self._ref = ref
        self._record = record
        self._packs = ref.git.folder / "objects" / "pack"
        self._lock = ref.path.with_name(ref.path.name + ".lock")
        self._held: set[Path] = set()
        self._living: Begun | None = None

    def begin(self, pid: int) -> None:
        """Notes that this child runs."""
        before = self._read()  # there only where not all of it could be taken away yet
        now = time.time()
        self._living = Begun(pid=pid, started=started(pid), boot=boot_id(), at=now)
        self._write(self._living, at=before.at if before is not None else now)

    def end(self) -> None:
        """Notes that it ended well: it took its own things away."""
        self._living = None
        if not self._held:
            self._record.unlink(missing_ok=True)

    def clear(self) -> list[str]:
        """Removes what a dead child left; what was removed. Nothing while it lives, or where none is recorded."""
        begun = self._read()
        if begun is None or _lives(begun):
            return []
        self._living = None
        others = gits_in(self._ref.git.folder)
        is_only_one = not any("fast-import" in words for words in others or ())
        found = [self._ref.git.folder / f"fast_import_crash_{begun.pid}"]
        if others is not None and not others:  # no git runs in this repository: what is of that time is nobody's
            found += [path for path in (self._lock, *self._temporary()) if _is_of(path, begun) and not is_open(path)]
        if is_only_one:
            found += self._hold(begun)
        removed = [path.name for path in found if _remove(path)]
        if not self._held and is_only_one and not _is_of(self._lock, begun):
            self._record.unlink(missing_ok=True)
        return removed

    def release(self) -> None:
        """The batch has landed: what was held for it is reachable now."""
        if not self._held:
            return
        for path in self._held:
            path.unlink(missing_ok=True)
        self._held.clear()
        if self._living is not None:
            self._write(self._living, at=self._living.at)
        else:
            self._record.unlink(missing_ok=True)

    def await_sweepers(self) -> None:
        """Waits for a gc that may have looked at the branches before the last batch landed; a while, not for ever."""
        deadline = time.monotonic() + _SWEEPING
        while time.monotonic() < deadline:
            others = gits_in(self._ref.git.folder) or []
            words = [set(line.split()) for line in others if "--geometric" not in line]  # ours, which drops nothing
            if not any(_SWEEPERS & said for said in words):
                return
            time.sleep(0.02)  # they are other people's processes: nothing tells their end

    @property
    def has_dead(self) -> bool:
        """Whether a child is recorded that is dead and did not end well."""
        begun = self._read()
        return begun is not None and not _lives(begun)

    @property
    def lock(self) -> Path | None:
        """The branch's lock where a dead child of ours may have left it, and another git that runs may hold it.

        The record stays with it: the next `clear` decides.
        """
        begun = self._read()
        return self._lock if begun is not None and not _lives(begun) and _is_of(self._lock, begun) else None

    def _read(self) -> Begun | None:
        try:
            return Begun(**json.loads(self._record.read_text(encoding="ascii")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            self._record.unlink(missing_ok=True)
            return None

    def _write(self, begun: Begun, *, at: float) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        said = {"pid": begun.pid, "started": begun.started, "boot": begun.boot, "at": at}
        self._record.write_text(json.dumps(said), encoding="ascii")

    def _temporary(self) -> list[Path]:
        return [self._packs / name for name in self._names() if name.startswith("tmp_pack_")]

    def _hold(self, begun: Begun) -> list[Path]:
        """Holds the .keep files of finished packs; returns those of unfinished ones, which the repeated batch would
        stumble over."""
        names = set(self._names())
        keeps = [self._packs / name for name in names if name.endswith(".keep")]
        keeps = [keep for keep in keeps if _is_of(keep, begun) and _is_ours(keep)]
        self._held.update(keep for keep in keeps if keep.with_suffix(".idx").name in names)
        return [keep for keep in keeps if keep not in self._held]

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._packs)
        except OSError:
            return []


def boot_id() -> str:
    """This boot of the machine, or '' where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _is_ours(keep: Path) -> bool:
    """Whether a fast-import made it: it says so, or was killed before it could, and so before the pack was there."""
    with suppress(OSError):
        said = keep.read_bytes().strip()
        return said == _KEPT or (_KEPT.startswith(said) and not keep.with_suffix(".pack").exists())
    return False


def _is_of(path: Path, begun: Begun) -> bool:
    """Whether it was made by this user while that child ran (or at most since then)."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and found.st_mtime >= begun.at - 2  # file times are a little coarse


def _lives(begun: Begun) -> bool:
    if begun.boot != boot_id():
        return False
    if begun.started:
        return started(begun.pid) == begun.started
    try:  # no /proc here: the pid alone must do
        os.kill(begun.pid, 0)
    except OSError:
        return False
    return True
