"""What a killed `git fast-import` of ours leaves behind, and taking away exactly that.

A record in the state folder names the child while it runs. Only when that child is dead, and only what is provably
its own, is anything removed: a lock or a temporary pack of somebody else's is left alone.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.trail.ref import Ref


@dataclass(frozen=True, slots=True)
class Begun:
    """The child that the record names."""

    pid: int
    started: str  # the kernel's start time of that pid, so that a pid used again is not mistaken for it
    boot: str
    at: float


class Leftovers:
    """The record of the running child, and the clean-up after a dead one."""

    def __init__(self, ref: Ref, record: Path) -> None:
        """`record` is a file of ours in the state folder."""
        self._ref = ref
        self._record = record
        self._packs = ref.git.folder / "objects" / "pack"
        self._lock = ref.path.with_name(ref.path.name + ".lock")

    def begin(self, pid: int) -> None:
        """Notes that this child runs."""
        before = self._read()  # there only where not all of it could be taken away yet
        at = before.at if before is not None else time.time()
        begun = {"pid": pid, "started": _started(pid), "boot": boot_id(), "at": at}
        self._record.parent.mkdir(parents=True, exist_ok=True)
        self._record.write_text(json.dumps(begun), encoding="ascii")

    def end(self) -> None:
        """Notes that it ended well: it took its own things away."""
        self._record.unlink(missing_ok=True)

    def clear(self) -> list[str]:
        """Removes what a dead child left; what was removed. Nothing while it lives, or where none is recorded."""
        begun = self._read()
        if begun is None or _lives(begun):
            return []
        found, later = self._found(begun)
        removed = [path for path in found if _remove(path)]
        if not later and not _is_of(self._lock, begun):
            self.end()
        return [path.name for path in removed]

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

    def _found(self, begun: Begun) -> tuple[list[Path], list[Path]]:
        """What to remove, and what to look at again later, because another fast-import runs that may need it."""
        found = [self._ref.git.folder / f"fast_import_crash_{begun.pid}"]
        others = _gits_in(self._ref.git.folder)
        if others is None:
            return found, []
        if not others and _is_of(self._lock, begun):  # no git runs in this repository: a lock of that time is nobody's
            found.append(self._lock)
        with suppress(OSError):
            for name in os.listdir(self._packs):
                path = self._packs / name
                if name.startswith("tmp_pack_") or (name.endswith(".keep") and _is_keep(path)):
                    found += [path] if _is_of(path, begun) and not _is_open(path) else []
        if any("fast-import" in words for words in others):
            return [path for path in found if path.suffix != ".keep"], [
                path for path in found if path.suffix == ".keep"
            ]
        return found, []


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


def _is_keep(path: Path) -> bool:
    """Whether a fast-import made it: it says so, or was killed before it could, and so before the pack was there."""
    with suppress(OSError):
        said = path.read_bytes().strip()
        return said == b"fast-import" or (b"fast-import".startswith(said) and not path.with_suffix(".pack").exists())
    return False


def _is_of(path: Path, begun: Begun) -> bool:
    """Whether it was made by this user while that child ran (or at most since then)."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and found.st_mtime >= begun.at - 2  # file times are a little coarse


def _started(pid: int) -> str:
    """The start time of a process in clock ticks since boot (proc(5), stat, field 22); '' where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _lives(begun: Begun) -> bool:
    if begun.boot != boot_id():
        return False
    if begun.started:
        return _started(begun.pid) == begun.started
    try:  # no /proc here: the pid alone must do
        os.kill(begun.pid, 0)
    except OSError:
        return False
    return True


def _gits_in(common: Path) -> list[str] | None:
    """The command lines of the git processes at work in this repository; None where the system does not say."""
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    homes = _homes(common)
    found = []
    for pid in pids:
        with suppress(OSError):
            words = _text(f"/proc/{pid}/cmdline").split("\0")
            if not words[0].rpartition("/")[2].startswith("git"):
                continue
            here = f"{Path(f'/proc/{pid}/cwd').readlink()}/"
            told = " ".join(words) + " " + _text(f"/proc/{pid}/environ").replace("\0", " ")
            if here.startswith(homes) or f"{common}" in told:
                found.append(" ".join(words))
    return found


def _homes(common: Path) -> tuple[str, ...]:
    """The folders in which a git process works on this repository: itself and its checkouts."""
    homes = [common, common.parent] if common.name == ".git" else [common]
    with suppress(OSError):
        for name in os.listdir(common / "worktrees"):
            with suppress(OSError):
                homes.append(Path(_text(str(common / "worktrees" / name / "gitdir")).strip()).parent)
    return tuple(f"{home}/" for home in homes)


def _text(path: str) -> str:
    return os.fsdecode(Path(path).read_bytes())


def _is_open(path: Path) -> bool:
    """Whether some process of this user has that file open."""
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        folder = f"/proc/{pid}/fd"
        with suppress(OSError):
            for descriptor in os.listdir(folder):
                with suppress(OSError):
                    if Path(folder, descriptor).readlink() == path:
                        return True
    return False
