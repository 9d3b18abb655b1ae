"""Which file system a path is on, told by the table of mounts: a server that is gone cannot make this wait."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.pattern import late
from orchestrator.errors import OrchestratorError

TABLE = "/proc/self/mountinfo"
# Served by another machine or by a host around this one. Locks and shared memory, on which SQLite's write-ahead log
# stands, do not reach across (https://www.sqlite.org/wal.html, "all processes must be on the same host computer").
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "coda"}
    | {"davfs", "webdav", "afpfs", "ncpfs", "vboxsf", "drvfs", "prl_fs"}
    | {f"fuse.{name}" for name in ("sshfs", "glusterfs", "ceph", "s3fs", "rclone", "davfs2", "gcsfuse", "curlftpfs")}
)
_DISTANT_9P = late(r"\btrans=(?:tcp|virtio|rdma|xen)\b|\baname=drvfs\b")
_ESCAPED = late(r"\\([0-7]{3})")
_LINE = late(r"(.+?) on (/.*) \(([^,)]+)(.*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One entry of the table."""

    point: str
    kind: str  # ext4, nfs4, fuse.sshfs, ...
    source: str
    options: str = ""

    @property
    def is_network(self) -> bool:
        """Whether the index must not be there. 9p is a network where it comes from another machine or from Windows;
        a sandbox such as gVisor serves its whole root by 9p on one machine."""
        if self.kind == "9p":
            return _DISTANT_9P.search(self.options) is not None
        return self.kind in NETWORK

    def __str__(self) -> str:
        """For a message."""
        return f"{self.kind} ({self.source} at {self.point})" if self.is_network else f"{self.kind} (at {self.point})"


def parse(text: str) -> list[Mount]:
    """The table as Linux has it: proc_pid_mountinfo(5). A line that is none is left out."""
    found = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if separator and len(left) > 5 and len(right) > 1:
            options = ",".join([left[5], *right[2:]])
            found.append(Mount(point=_plain(left[4]), kind=right[0], source=_plain(right[1]), options=options))
    return found


def parse_command(text: str) -> list[Mount]:
    """The table as `mount` prints it on macOS and BSD: `/dev/disk1 on / (apfs, local)`."""
    lines = (_LINE.fullmatch(line) for line in text.splitlines())
    return [Mount(point=m[2], kind=m[3], source=m[1], options=m[4].strip(", ")) for m in lines if m]


def table() -> list[Mount]:
    """The mounts of this process; empty where the system has no such table (macOS)."""
    try:
        return parse(Path(TABLE).read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return []


def mount_of(path: Path, mounts: Sequence[Mount] | None = None) -> Mount | None:
    """The mount that a path, there or not, is on. None where nothing is known."""
    wanted = os.path.realpath(path)
    best: Mount | None = None
    for mount in table() if mounts is None else mounts:
        point = mount.point.rstrip("/")
        is_above = wanted == point or wanted.startswith(f"{point}/")
        if is_above and (best is None or len(mount.point) >= len(best.point)):  # a later one covers an earlier one
            best = mount
    return best


def refuse_network(folder: Path, mounts: Sequence[Mount] | None = None) -> None:
    """Raises OrchestratorError where the index would be on a network file system."""
    found = mount_of(folder, mounts)
    if found is not None and found.is_network:
        raise OrchestratorError(
            f"{folder}: is on {found}, a network file system, where the index can be damaged; "
            "move the repository to a disk of this machine, or clone it there"
        )


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
