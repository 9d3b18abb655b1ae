"""Writing, moving and reading files: never over another, never through a link, never half."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.adapters import files
from orchestrator.ports import NameTakenError

RENAMES = [files.rename_noreplace, files._link_and_unlink]
WAYS = pytest.mark.parametrize("rename", RENAMES, ids=["renameat2", "link and unlink"])
Rename = Callable[[Path, Path], None]


@WAYS
def test_a_rename_moves_the_file_itself(tmp_path: Path, rename: Rename) -> None:
    (tmp_path / "a").write_text("one")
    inode = (tmp_path / "a").stat().st_ino
    rename(tmp_path / "a", tmp_path / "b")
    assert os.listdir(tmp_path) == ["b"]
    assert (tmp_path / "b").stat().st_ino == inode


@WAYS
@pytest.mark.parametrize("there", ["a file", "a broken link", "a folder"])
def test_a_rename_never_overwrites(tmp_path: Path, rename: Rename, there: str) -> None:
    (tmp_path / "a").write_text("one")
    match there:
        case "a file":
            (tmp_path / "b").write_text("two")
        case "a broken link":
            (tmp_path / "b").symlink_to("nowhere")
        case _:
            (tmp_path / "b").mkdir()
    before = (tmp_path / "b").lstat()
    with pytest.raises(NameTakenError, match="b"):
        rename(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "one"
    assert (tmp_path / "b").lstat() == before


@WAYS
def test_a_link_is_renamed_and_not_what_it_points_to(tmp_path: Path, rename: Rename) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "a").symlink_to("target")
    rename(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").is_symlink()
    assert (tmp_path / "target").read_text() == "theirs"


@WAYS
def test_a_rename_of_what_is_not_there_says_so(tmp_path: Path, rename: Rename) -> None:
    with pytest.raises(FileNotFoundError):
        rename(tmp_path / "a", tmp_path / "b")


@WAYS
def test_of_many_that_race_for_one_name_one_gets_it_and_the_others_keep_theirs(tmp_path: Path, rename: Rename) -> None:
    sources = [tmp_path / f"s{number}" for number in range(8)]
    for source in sources:
        source.write_text(source.name)
    lost: list[Path] = []
    start = threading.Barrier(len(sources))

    def race(source: Path) -> None:
        start.wait()
        try:
            rename(source, tmp_path / "one")
        except NameTakenError:
            lost.append(source)

    threads = [threading.Thread(target=race, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == len(sources) - 1
    assert all(source.read_text() == source.name for source in lost)
    assert (tmp_path / "one").read_text() == ({source.name for source in sources} - {one.name for one in lost}).pop()


def test_a_replaced_file_keeps_its_mode_and_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("old")
    path.chmod(0o640)
    files.write_beside_and_rename(path, b"new" * 1_000_000)
    assert path.read_bytes() == b"new" * 1_000_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["x.yaml"]


def test_a_write_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "x").symlink_to("target")
    files.write_beside_and_rename(tmp_path / "x", b"ours")
    assert not (tmp_path / "x").is_symlink()
    assert (tmp_path / "target").read_text() == "theirs"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "kept").touch()
    with pytest.raises(OSError, match="directory"):
        files.write_beside_and_rename(tmp_path / "x", b"new")
    assert os.listdir(tmp_path) == ["x"]


def test_a_created_file_is_never_over_another(tmp_path: Path) -> None:
    files.create(tmp_path / "x", b"one")
    with pytest.raises(NameTakenError):
        files.create(tmp_path / "x", b"two")
    assert (tmp_path / "x").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["x"]


def test_a_reader_never_sees_a_file_half_written(tmp_path: Path) -> None:
    path = tmp_path / "x"
    whole = {b"a" * 100_000, b"b" * 100_000}
    path.write_bytes(b"a" * 100_000)
    seen: set[bytes] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.add(files.read_at_most(path, 1 << 20))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        for content in whole:
            files.write_beside_and_rename(path, content)
    over.set()
    reader.join()
    assert seen <= whole


def test_the_temporary_name_is_ours_hidden_and_fits_a_folder(tmp_path: Path) -> None:
    for name in ("x.yaml", "x" * 255, ".y\n.yaml"):
        temporary = files._temporary(tmp_path / name)
        assert files.is_temporary(temporary.name)
        assert temporary.name.startswith(".")
        assert len(temporary.name) <= 255
    for name in (".x.yaml.tmp", "x.12345678.orchestrator.tmp", ".swp"):
        assert not files.is_temporary(name)


def test_at_most_so_much_is_read_and_one_byte_that_tells_of_more(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert files.read_at_most(tmp_path / "x", 5) == b"12345"
    assert files.read_at_most(tmp_path / "x", 4) == b"12345"
    assert files.read_at_most(tmp_path / "x", 2) == b"123"


@pytest.mark.parametrize(("kind", "number"), [("link", errno.ELOOP), ("pipe", errno.EINVAL), ("folder", errno.EINVAL)])
def test_only_a_regular_file_is_read_and_never_waited_for(tmp_path: Path, kind: str, number: int) -> None:
    path = tmp_path / "x"
    match kind:
        case "link":
            (tmp_path / "target").touch()
            path.symlink_to("target")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()
    with pytest.raises(OSError) as refused:
        files.read_at_most(path, 9)
    assert refused.value.errno == number


needs_leases = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has leases")


@needs_leases
def test_a_file_that_somebody_holds_open_for_writing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("half")
    assert files.is_being_written(path) is False
    with path.open("a"):
        assert files.is_being_written(path) is True
    with path.open("r"):
        assert files.is_being_written(path) is False
    assert files.is_being_written(tmp_path / "gone") is None


@needs_leases
def test_who_opens_a_file_for_writing_while_we_ask_does_not_end_us(tmp_path: Path) -> None:
    """A broken lease is told by a signal whose default is to end the process."""
    path = tmp_path / "x"
    path.touch()
    asking = (
        "import sys, pathlib\n"
        "from orchestrator.adapters.files import is_being_written\n"
        "print('ready', flush=True)\n"
        "while not pathlib.Path(sys.argv[2]).exists():\n"
        "    is_being_written(pathlib.Path(sys.argv[1]))\n"
    )
    asker = subprocess.Popen([sys.executable, "-c", asking, str(path), str(tmp_path / "over")], stdout=subprocess.PIPE)
    try:
        assert asker.stdout is not None
        assert asker.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 10
        for _ in range(3000):
            with path.open("a"):
                pass
            if asker.poll() is not None or time.monotonic() > deadline:
                break
        (tmp_path / "over").touch()
        code = asker.wait(10)
    finally:
        asker.kill()
        asker.wait()
        asker.stdout.close()
    assert code != -signal.SIGIO
    assert code == 0
