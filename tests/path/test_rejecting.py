"""Files that are no tasks: kept whole, with the reason beside them."""

import os
import re
from pathlib import Path

import pytest
from world import Fake, run

from orchestrator import rejecting
from orchestrator.adapters.mailbox import FolderMailbox
from orchestrator.arrivals import NoTask
from orchestrator.core import layout
from orchestrator.ports import Entry


def no_task(path: str, why: str = "it is a list", *, is_file: bool = True, task_id: str = "") -> NoTask:
    entry = Entry(path=path, name=path.rpartition("/")[2], size=1, mtime_ns=1, inode=1, is_file=is_file)
    return NoTask(entry=entry, why=why, task_id=task_id)


def test_a_rejected_file_keeps_its_bytes_and_has_its_reason_beside_it(fake: Fake) -> None:
    path = f"{layout.INBOX}/x.yaml"
    fake.mailbox.put(path, b"- \xff a list\n")
    run(rejecting.reject(fake.world, no_task(path, f"{path}:1:1: it is a list\n    1 | - a list\n      | ^")))
    kept = f"{layout.REJECTED}/x.yaml"
    assert fake.mailbox.files[kept].content == b"- \xff a list\n"
    assert fake.text(f"{kept}.why.md").startswith("# x.yaml could not be used: ")
    assert f"{path}:1:1: it is a list\n    1 | - a list\n      | ^" in fake.text(f"{kept}.why.md")
    assert path not in fake.mailbox.files
    [commit] = fake.trail.commits
    assert commit.subject == "task: rejected x.yaml"
    assert {change.path for change in commit.changes} == {path, kept, f"{kept}.why.md"}


def test_a_file_rejected_twice_is_kept_twice(fake: Fake) -> None:
    path = f"{layout.INBOX}/x.yaml"
    for content in (b"- one\n", b"- two\n"):
        fake.mailbox.put(path, content)
        run(rejecting.reject(fake.world, no_task(path)))
    assert fake.text(f"{layout.REJECTED}/x.yaml") == "- one\n"
    assert fake.text(f"{layout.REJECTED}/x.2.yaml") == "- two\n"
    assert f"{layout.REJECTED}/x.2.yaml.why.md" in fake.mailbox.files


def test_a_note_without_its_file_is_written_anew(fake: Fake) -> None:
    path = f"{layout.INBOX}/x.yaml"
    fake.mailbox.put(f"{layout.REJECTED}/x.yaml.why.md", b"old")
    fake.mailbox.put(path, b"- one\n")
    run(rejecting.reject(fake.world, no_task(path)))
    assert fake.text(f"{layout.REJECTED}/x.yaml.why.md") != "old"


def test_a_reason_cannot_end_the_fence_that_it_stands_in(fake: Fake) -> None:
    path = f"{layout.INBOX}/x.yaml"
    fake.mailbox.put(path, b"-\n")
    run(rejecting.reject(fake.world, no_task(path, "bad\n```\n# not a heading\n````\n")))
    text = fake.text(f"{layout.REJECTED}/x.yaml.why.md")
    assert len(re.findall(r"^`{5}(?:text)?$", text, re.MULTILINE)) == 2


def test_a_file_that_a_person_took_away_meanwhile_is_no_matter(fake: Fake) -> None:
    run(rejecting.reject(fake.world, no_task(f"{layout.INBOX}/x.yaml")))
    assert fake.effects.done == []


@pytest.mark.parametrize("number", range(4))
def test_a_rejection_that_a_full_disk_refused_anywhere_leaves_one_file_and_one_note(fake: Fake, number: int) -> None:
    path = f"{layout.INBOX}/x.yaml"
    fake.mailbox.put(path, b"-\n")
    fake.effects.refuse_at = number
    run(rejecting.reject(fake.world, no_task(path, task_id="x")))
    lying = sorted(name for name in fake.mailbox.files if name.startswith(layout.COLLABORATION))
    assert lying == [f"{layout.REJECTED}/x.yaml", f"{layout.REJECTED}/x.yaml.why.md"]
    assert fake.events.kinds("x") == ["task_rejected"]
    assert len(fake.trail.commits) == 1


def test_a_rejection_is_told_of_the_task_unless_another_file_has_that_task(fake: Fake) -> None:
    fake.drop("x")
    fake.run()
    told = fake.events.kinds("x")
    path = fake.drop("x")
    run(rejecting.reject(fake.world, no_task(path, task_id="x")))
    assert fake.events.kinds("x") == told


# --- on a real disk ----------------------------------------------------------------------------------------------


@pytest.fixture
def real(fake: Fake, tmp_path: Path) -> Fake:
    """The same world, with folders for a mailbox."""
    mailbox = FolderMailbox(tmp_path)
    mailbox.make_folders()
    fake.mailbox = mailbox  # type: ignore[assignment]
    fake.world = fake.build()
    return fake


def reject_all(real: Fake, folder: Path) -> None:
    for entry in real.world.mailbox.inbox():
        run(rejecting.reject(real.world, no_task(entry.path, f"{entry.path}: odd", is_file=entry.is_file)))
    assert os.listdir(folder / layout.INBOX) == []


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.yaml", "é".encode() * 120 + b".yaml", b"x" * 250 + b".yaml", b"a b\n`c`.yaml", b"-rf.yml"],
    ids=["no UTF-8", "many bytes", "the longest", "a newline", "an option"],
)
def test_any_name_that_a_disk_can_hold_can_be_rejected(real: Fake, tmp_path: Path, name: bytes) -> None:
    for content in (b"one", b"two"):
        (tmp_path / layout.INBOX / os.fsdecode(name)).write_bytes(content)
        reject_all(real, tmp_path)
    names = sorted(os.listdir(tmp_path / layout.REJECTED))
    assert len(names) == 4
    assert sum(one.endswith(".why.md") for one in names) == 2
    kept = {(tmp_path / layout.REJECTED / one).read_bytes() for one in names if not one.endswith(".why.md")}
    assert kept == {b"one", b"two"}


def test_a_link_a_folder_and_a_pipe_are_put_aside_as_they_are(real: Fake, tmp_path: Path) -> None:
    inbox, rejected = tmp_path / layout.INBOX, tmp_path / layout.REJECTED
    (tmp_path / "secret").write_text("not ours")
    (inbox / "link.yaml").symlink_to(tmp_path / "secret")
    (inbox / "folder.yaml").mkdir()
    (inbox / "folder.yaml" / "kept").write_text("kept")
    os.mkfifo(inbox / "pipe.yaml")
    reject_all(real, tmp_path)
    assert (rejected / "link.yaml").is_symlink()
    assert (rejected / "folder.yaml" / "kept").read_text() == "kept"
    assert (rejected / "pipe.yaml").is_fifo()
    assert (tmp_path / "secret").read_text() == "not ours"
    assert all(b"not ours" not in (change.content or b"") for commit in real.trail.commits for change in commit.changes)


def test_no_folder_of_rejected_files_grows_past_256_entries(real: Fake, tmp_path: Path) -> None:
    for number in range(300):
        path = f"{layout.INBOX}/{number:03}.yaml"
        (tmp_path / path).write_text("-\n")
        run(rejecting.reject(real.world, no_task(path)))
    folders = [folder for folder, _, _ in os.walk(tmp_path / layout.REJECTED)]
    assert max(len(os.listdir(folder)) for folder in folders) <= 256
    for folder, _, names in os.walk(tmp_path / layout.REJECTED):
        notes = {name.removesuffix(".why.md") for name in names if name.endswith(".why.md")}
        assert notes == {name for name in names if not name.endswith(".why.md")}, folder


def test_a_file_that_holds_a_secret_is_set_aside_and_its_reason_alone_is_committed(fake: Fake) -> None:
    path = f"{layout.INBOX}/x.yaml"
    fake.mailbox.put(path, b"title: s3cret\n")
    entry = Entry(path=path, name="x.yaml", size=1, mtime_ns=1, inode=1, is_file=True)
    run(rejecting.reject(fake.world, NoTask(entry=entry, why=f"{path}:1:8: holds a secret", is_secret=True)))
    assert fake.mailbox.aside[path].content == b"title: s3cret\n"
    note = f"{layout.REJECTED}/x.yaml.why.md"
    assert set(fake.mailbox.files) == {note}
    assert "and nowhere else. Take the secret out" in fake.text(note)
    [commit] = fake.trail.commits
    assert {change.path: change.content is None for change in commit.changes} == {path: True, note: False}
