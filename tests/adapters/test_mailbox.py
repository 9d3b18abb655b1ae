"""The folders of the collaboration space on a real disk."""

import os
import sys
from pathlib import Path

import pytest

from orchestrator.adapters.mailbox import FOLDERS, READ_LIMIT, FolderMailbox
from orchestrator.core import layout
from orchestrator.core.types import TaskId
from orchestrator.ports import Entry, NameTakenError


@pytest.fixture
def mailbox(tmp_path: Path) -> FolderMailbox:
    made = FolderMailbox(tmp_path)
    made.make_folders()
    return made


def put(work: Path, path: str, content: str = "x") -> Path:
    file = work / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def names(entries: list[Entry]) -> set[str]:
    return {entry.path.removeprefix(f"{layout.COLLABORATION}/") for entry in entries}


def test_the_folders_of_the_format_are_made_and_making_them_again_changes_nothing(
    mailbox: FolderMailbox, tmp_path: Path
) -> None:
    put(tmp_path, f"{layout.INBOX}/x.yaml")
    mailbox.make_folders()
    assert all((tmp_path / folder).is_dir() for folder in FOLDERS)
    assert names(mailbox.inbox()) == {"inbox/x.yaml"}


def test_only_what_could_be_a_task_is_listed(mailbox: FolderMailbox, tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml", ".c.yaml", "d.yaml~", "e.yaml.tmp", "f.yaml.part", "g.yaml.swp", "h.md", "yaml"):
        put(tmp_path, f"{layout.INBOX}/{name}")
    assert names(mailbox.inbox()) == {"inbox/a.yaml", "inbox/b.yml"}


def test_what_is_no_file_is_listed_as_such(mailbox: FolderMailbox, tmp_path: Path) -> None:
    inbox = tmp_path / layout.INBOX
    put(tmp_path, f"{layout.INBOX}/file.yaml", "1234")
    (inbox / "link.yaml").symlink_to("file.yaml")
    (inbox / "folder.yaml").mkdir()
    os.mkfifo(inbox / "pipe.yaml")
    found = {entry.name: entry for entry in mailbox.inbox()}
    assert {name for name, entry in found.items() if entry.is_file} == {"file.yaml"}
    assert set(found) == {"file.yaml", "link.yaml", "folder.yaml", "pipe.yaml"}
    seen = (inbox / "file.yaml").stat()
    assert (found["file.yaml"].size, found["file.yaml"].mtime_ns, found["file.yaml"].inode) == (
        4,
        seen.st_mtime_ns,
        seen.st_ino,
    )


def test_assigned_is_listed_with_its_overflow_and_without_what_is_hidden(
    mailbox: FolderMailbox, tmp_path: Path
) -> None:
    for path in ("dev/a.yaml", "dev/2026-02-12/b.yaml", "writer/c.yml", ".hidden/d.yaml", "dev/2026-02-12/deep/e.yaml"):
        put(tmp_path, f"{layout.ASSIGNED}/{path}")
    (tmp_path / layout.ASSIGNED / "link").symlink_to(tmp_path / layout.ASSIGNED / "dev")
    assert names(mailbox.assigned()) == {
        "assigned/dev/a.yaml",
        "assigned/dev/2026-02-12/b.yaml",
        "assigned/writer/c.yml",
    }


def test_folders_that_are_gone_are_empty(tmp_path: Path) -> None:
    mailbox = FolderMailbox(tmp_path / "nowhere")
    assert mailbox.inbox() == []
    assert mailbox.assigned() == []
    assert mailbox.search(TaskId("x")) == ""


@pytest.mark.parametrize(
    "path", ["inbox/x.yaml", "inbox/x.yml", "fridge/x.yaml", "fridge/later/x.yaml", "assigned/dev/2026-02-12.2/x.yaml"]
)
def test_a_task_is_found_where_it_lies(mailbox: FolderMailbox, tmp_path: Path, path: str) -> None:
    put(tmp_path, f"{layout.COLLABORATION}/{path}")
    assert mailbox.search(TaskId("x")) == f"{layout.COLLABORATION}/{path}"
    assert mailbox.search(TaskId("y")) == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere only quiet tells")
def test_a_file_is_settled_once_its_writer_let_it_go(mailbox: FolderMailbox, tmp_path: Path) -> None:
    file = put(tmp_path, f"{layout.INBOX}/x.yaml")
    with file.open("a"):
        [entry] = mailbox.inbox()
        assert not mailbox.is_settled(entry)
    [entry] = mailbox.inbox()
    assert mailbox.is_settled(entry)


def test_a_move_does_not_overwrite_and_makes_a_folder_that_was_taken_away(
    mailbox: FolderMailbox, tmp_path: Path
) -> None:
    put(tmp_path, f"{layout.INBOX}/x.yaml", "one")
    to = mailbox.place(f"{layout.ASSIGNED}/dev", "x.yaml")
    (tmp_path / layout.ASSIGNED / "dev").rmdir()
    mailbox.move(f"{layout.INBOX}/x.yaml", to)
    assert mailbox.read(to) == b"one"
    put(tmp_path, f"{layout.INBOX}/x.yaml", "two")
    with pytest.raises(NameTakenError):
        mailbox.move(f"{layout.INBOX}/x.yaml", to)
    with pytest.raises(FileNotFoundError):
        mailbox.move(f"{layout.INBOX}/gone.yaml", f"{layout.ASSIGNED}/dev/gone.yaml")


def test_reading_is_bounded_and_removing_what_is_gone_is_no_matter(mailbox: FolderMailbox, tmp_path: Path) -> None:
    file = put(tmp_path, f"{layout.INBOX}/x.yaml", "y" * (READ_LIMIT + 100))
    assert len(mailbox.read(f"{layout.INBOX}/x.yaml")) == READ_LIMIT + 1
    mailbox.remove(f"{layout.INBOX}/x.yaml")
    mailbox.remove(f"{layout.INBOX}/x.yaml")
    assert not file.exists()


def test_a_broken_link_is_something_that_is_there(mailbox: FolderMailbox, tmp_path: Path) -> None:
    (tmp_path / layout.INBOX / "x.yaml").symlink_to("nowhere")
    assert mailbox.exists(f"{layout.INBOX}/x.yaml")
    with pytest.raises(NameTakenError):
        mailbox.create(f"{layout.INBOX}/x.yaml", b"ours")


@pytest.mark.parametrize(("folder", "day"), [(f"{layout.ASSIGNED}/dev", ""), (f"{layout.DONE}/dev", "2026-02-12")])
def test_no_folder_that_is_filled_grows_past_256_entries(
    mailbox: FolderMailbox, tmp_path: Path, folder: str, day: str
) -> None:
    for number in range(600):
        mailbox.create(mailbox.place(folder, f"{number}.yaml", day), b"")
    sizes = {inside: len(os.listdir(inside)) for inside, _, _ in os.walk(tmp_path / folder)}
    assert max(sizes.values()) <= 256
    assert sum(1 for _, _, found in os.walk(tmp_path / folder) for _ in found) == 600
    if not day:
        assert len(mailbox.assigned()) == 600


def test_only_our_own_half_written_files_are_removed(mailbox: FolderMailbox, tmp_path: Path) -> None:
    ours = put(tmp_path, f"{layout.INBOX}/.x.yaml.0123abcd.orchestrator.tmp")
    deep = put(tmp_path, f"{layout.ASSIGNED}/dev/2026-02-12/.y.yaml.0123abcd.orchestrator.tmp")
    theirs = put(tmp_path, f"{layout.INBOX}/.x.yaml.swp")
    mailbox.remove_half_written()
    assert not ours.exists()
    assert not deep.exists()
    assert theirs.exists()


def test_what_is_set_aside_is_out_of_the_work_folder_and_never_over_another(tmp_path: Path) -> None:
    mailbox = FolderMailbox(tmp_path / "work", aside=tmp_path / "state" / "rejected")
    mailbox.make_folders()
    for content in (b"one", b"two"):
        mailbox.create(f"{layout.INBOX}/x.yaml", content)
        mailbox.set_aside(f"{layout.INBOX}/x.yaml")
    aside = tmp_path / "state" / "rejected"
    assert {file.name: file.read_bytes() for file in aside.iterdir()} == {"x.yaml": b"one", "2.x.yaml": b"two"}
    assert aside.stat().st_mode & 0o077 == 0
    assert mailbox.inbox() == []
    with pytest.raises(FileNotFoundError):
        mailbox.set_aside(f"{layout.INBOX}/x.yaml")
