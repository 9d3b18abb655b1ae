"""Disks and mounts, as doctor sees them."""

import fcntl
import os
from pathlib import Path

import pytest

from orchestrator.adapters import files
from orchestrator.adapters.doctor import storage
from orchestrator.adapters.index import Index, hold
from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.adapters.mounts import Mount, mount_of, parse, parse_command, refuse_network
from orchestrator.core.finding import Finding, Mark
from orchestrator.errors import OrchestratorError

TABLE = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:40 / /srv/team rw,relatime shared:7 - nfs4 server:/export/team rw,vers=4.2
41 27 0:41 / /srv/team/local rw - xfs /dev/sdb rw
42 27 0:42 / /mnt/with\\040blank rw - fuse.sshfs me@host:/ rw
43 27 0:43 / /mnt/c rw - 9p drvfs rw,aname=drvfs;path=C:\\;uid=0,trans=fd
44 27 0:44 / /sandbox rw - 9p none rw,trans=fd
45 27 0:45 / /twice rw - ext4 /dev/sdc rw
46 27 0:46 / /twice rw - cifs //host/share rw
no mount at all
"""
MOUNTS = parse(TABLE)
PLENTY = (100 << 30, 1_000_000)


def local(folder: Path) -> list[Mount]:
    return [
        Mount(point="/", kind="ext4", source="/dev/vda"),
        Mount(point=str(folder / "far"), kind="nfs", source="s:/x"),
    ]


def by_what(found: "list[Finding]") -> dict[str, Finding]:
    return {finding.what.partition(": ")[2]: finding for finding in found}


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        pytest.param("/home/me/project", "ext4", False, id="the root"),
        pytest.param("/srv/team/project/.git", "nfs4", True, id="below nfs"),
        pytest.param("/srv/teamwork", "ext4", False, id="a name that begins the same"),
        pytest.param("/srv/team/local/x", "xfs", False, id="a local disk below nfs"),
        pytest.param("/mnt/with blank/x", "fuse.sshfs", True, id="a blank in the point"),
        pytest.param("/mnt/c/Users", "9p", True, id="a drive of Windows"),
        pytest.param("/sandbox/x", "9p", False, id="the root of a sandbox"),
        pytest.param("/twice", "cifs", True, id="the later of two at one point"),
    ],
)
def test_a_path_is_on_the_mount_that_covers_it(path: str, kind: str, is_network: bool) -> None:
    found = mount_of(Path(path), MOUNTS)
    assert found is not None
    assert (found.kind, found.is_network) == (kind, is_network)


def test_the_table_of_macos_is_read() -> None:
    said = "/dev/disk3s1s1 on / (apfs, sealed, local)\n//me@host/x on /Volumes/my share (smbfs, nodev)\nmap x\n"
    assert [(one.point, one.kind, one.is_network) for one in parse_command(said)] == [
        ("/", "apfs", False),
        ("/Volumes/my share", "smbfs", True),
    ]


def test_a_path_reached_through_a_link_is_on_the_mount_behind_it(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    found = mount_of(tmp_path / "near" / "x", local(tmp_path))
    assert found is not None
    assert found.kind == "nfs"


def test_the_index_is_refused_on_a_network_file_system_and_nothing_is_made_there(tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir()
    with pytest.raises(OrchestratorError, match=r"is on nfs \(s:/x at .*network file system.*move the repository"):
        hold(far, fcntl.LOCK_SH, local(tmp_path))
    assert list(far.iterdir()) == []
    os.close(hold(tmp_path, fcntl.LOCK_SH, local(tmp_path)))


def test_the_index_is_opened_on_this_disk(tmp_path: Path) -> None:
    refuse_network(tmp_path)
    rebuild(tmp_path / "state", tmp_path)
    Index.open(tmp_path / "state", tmp_path).close()


def test_a_folder_of_this_machine_is_well_and_left_as_it_was(tmp_path: Path) -> None:
    found = by_what(list(storage.examine("state", tmp_path, holds_index=True, mounts=MOUNTS, room=lambda _: PLENTY)))
    assert list(found) == ["file system", "room", "sync", "rename", "names"]
    assert {found[what].mark for what in ("file system", "room", "rename")} == {Mark.OK}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("holds_index", "mark"), [(True, Mark.FAILED), (False, Mark.WARNING)])
def test_a_network_file_system_fails_for_the_index_only(tmp_path: Path, holds_index: bool, mark: Mark) -> None:
    far = tmp_path / "far"
    found = by_what(list(storage.examine("x", far, holds_index=holds_index, mounts=local(tmp_path))))
    assert found["file system"].mark is mark
    assert "nfs (s:/x" in found["file system"].found


@pytest.mark.parametrize(
    ("free", "mark"),
    [
        ((50 << 20, -1), Mark.FAILED),
        ((500 << 20, -1), Mark.WARNING),
        (PLENTY, Mark.OK),
        ((100 << 30, 12), Mark.FAILED),
        ((100 << 30, -1), Mark.OK),
    ],
    ids=["50 MiB", "500 MiB", "plenty", "no more files", "a file system that counts no files"],
)
def test_room_is_judged(tmp_path: Path, free: tuple[int, int], mark: Mark) -> None:
    found = by_what(list(storage.examine("x", tmp_path, holds_index=False, mounts=[], room=lambda _: free)))
    assert found["room"].mark is mark
    assert bool(found["room"].todo) is (mark is not Mark.OK)


def test_of_a_folder_that_is_not_there_only_the_disk_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    found = by_what(list(storage.examine("x", tmp_path / "a" / "b", holds_index=False, mounts=MOUNTS)))
    assert found["files"].mark is Mark.NOT_APPLICABLE
    assert found["file system"].found.endswith("is on ext4 (at /)")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o555)
    found = by_what(list(storage.examine("x", folder, holds_index=False, mounts=MOUNTS)))
    assert found["files"].mark is Mark.FAILED


def test_what_a_killed_doctor_leaves_is_known_as_half_written() -> None:
    assert files.is_temporary(".doctor.0a1b2c3d.orchestrator.tmp")
