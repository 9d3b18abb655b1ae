"""The disks below a folder: what the file system is, what it can do, and whether there is room."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from orchestrator.adapters import files
from orchestrator.adapters.mounts import Mount, mount_of
from orchestrator.core.finding import Finding, Topic
from orchestrator.ports import NameTakenError

DISK = Topic(name="disk")
_NO_ROOM = 100 << 20  # bytes
_LITTLE_ROOM = 1 << 30
_SLOW_SYNC = 0.1  # seconds; a task syncs about a dozen times
_GIB = 1 << 30

Room = Callable[[Path], tuple[int, int]]  # bytes free for us; entries free, or -1 where there is no such number


def examine(
    name: str, folder: Path, *, holds_index: bool, mounts: Sequence[Mount], room: Room | None = None
) -> Iterator[Finding]:
    """One folder. Where it is not there yet, what is said of the nearest one above; nothing is written there."""
    there = _nearest(folder)
    yield _file_system(name, folder, holds_index=holds_index, mounts=mounts)
    yield _free(name, there, room or _room)
    if there != folder:
        yield DISK.skip(f"{name}: files", f"{folder} is not there yet")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield DISK.fail(
            f"{name}: files", f"{folder} cannot be written by this user", f"see who owns it: ls -ld {folder}"
        )
        return
    yield from _abilities(name, folder)


def _nearest(folder: Path) -> Path:
    return next((above for above in (folder, *folder.parents) if above.is_dir()), Path("/"))


def _file_system(name: str, folder: Path, *, holds_index: bool, mounts: Sequence[Mount]) -> Finding:
    what = f"{name}: file system"
    found = mount_of(folder, mounts)
    if found is None:
        return DISK.skip(what, f"{folder}: this system does not say")
    if not found.is_network:
        return DISK.ok(what, f"{folder} is on {found}")
    where = f"{folder} is on {found}, a network file system"
    if holds_index:
        return DISK.fail(
            what, f"{where}, where the index can be damaged", "move the repository to a disk of this machine"
        )
    return DISK.warn(what, f"{where}: changes by other machines are seen late", "prefer a disk of this machine")


def _free(name: str, folder: Path, room: Room) -> Finding:
    what = f"{name}: room"
    free, entries = room(folder)
    said = f"{free / _GIB:.1f} GiB free"
    if free < _NO_ROOM or 0 <= entries < 1000:
        said += f", room for {entries} files" if entries >= 0 else ""
        return DISK.fail(what, said, "make room: the daemon pauses on a full disk")
    if free < _LITTLE_ROOM:
        return DISK.warn(what, said, "make room: worktrees and the output of tools are kept there")
    return DISK.ok(what, said)


def _room(folder: Path) -> tuple[int, int]:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_favail if found.f_files else -1


def _abilities(name: str, folder: Path) -> Iterator[Finding]:
    one, other = (folder / f".doctor.{secrets.token_hex(4)}.orchestrator.tmp" for _ in range(2))
    try:
        yield _sync(f"{name}: sync", folder, one)
        yield _rename(f"{name}: rename", one, other)
        yield _case(f"{name}: names", one)
    except OSError as error:
        todo = f"see the system's log, and how {folder} is mounted"
        yield DISK.fail(f"{name}: files", f"{folder}: {error.strerror}", todo)
    finally:
        for path in (one, other):
            path.unlink(missing_ok=True)


def _sync(what: str, folder: Path, file: Path) -> Finding:
    began = time.perf_counter()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, bytes(4096))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)
    took = time.perf_counter() - began
    said = f"a file and its folder in {took * 1000:.1f} ms"
    if took > _SLOW_SYNC:
        return DISK.warn(what, said, "each task waits for about a dozen of these: prefer a faster disk")
    return DISK.ok(what, said)


def _rename(what: str, one: Path, other: Path) -> Finding:
    """A rename that finds its target free, and one that must not overwrite."""
    todo = "prefer a local Linux file system such as ext4, xfs or btrfs: two tasks of one name may overwrite each other"
    try:
        files.rename_noreplace(one, other)
        one.touch(0o600)
        files.rename_noreplace(one, other)
    except NameTakenError:
        return DISK.ok(what, "never overwrites")
    except OSError as error:
        return DISK.fail(what, f"without overwriting is refused: {error.strerror}", todo)
    return DISK.fail(what, "overwrites what is there", todo)


def _case(what: str, one: Path) -> Finding:
    one.touch(0o600)
    if not one.with_name(one.name.swapcase()).exists():
        return DISK.ok(what, "upper and lower case differ")
    return DISK.warn(what, "upper and lower case are the same", "give tasks ids that differ in more than case")
