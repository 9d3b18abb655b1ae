"""The folders, the branch and the index after a crash: nothing is left over, all is committed, all agree."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from crash_faults import Fault, Subject


def _everything(work: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(work):
        if ".git" in folders:
            folders.remove(".git")
        for name in names:
            if name != ".git":
                yield Path(folder, name)


def check_litter(subject: Subject) -> None:
    for path in _everything(subject.work):
        where = path.relative_to(subject.work)
        if (len(where.parts) > 1 and path.name.startswith(".")) or path.name.endswith((".tmp", ".part", "~")):
            subject.fault(Fault.LITTER, str(where), "it is left half-written")
    for path in subject.state.rglob("*"):
        if path.name.endswith((".tmp", ".new")) or "orchestrator-bug" in path.name or path.parent.name == "crashes":
            words = path.read_text(errors="replace")[-600:] if path.is_file() else ""
            subject.fault(Fault.LITTER, path.name, f"it is left in the state folder: {words}")


def _git(work: Path, *arguments: str) -> bytes:
    said = subprocess.run(["git", "-C", str(work), *arguments], capture_output=True, check=False)
    if said.returncode != 0:
        raise RuntimeError(f"git {' '.join(arguments)}: {said.stderr.decode(errors='replace')}")
    return said.stdout


def check_branch(subject: Subject) -> None:
    try:
        tree = _tree(_git(subject.work, "ls-tree", "-r", "-z", subject.branch))
        status = _git(subject.work, "status", "--porcelain", "-z", "--untracked-files=all").decode().split("\0")
        _git(subject.work, "fsck", "--no-dangling", "--no-progress")
    except RuntimeError as error:
        subject.fault(Fault.REPOSITORY, subject.branch, str(error))
        return
    disk = {str(path.relative_to(subject.work)): _blob(path) for path in _everything(subject.work)}
    for path in sorted({*tree, *disk}):
        if tree.get(path) == disk.get(path):
            continue
        if path.startswith("collaboration/inbox/") and path not in tree:
            continue  # it waits: the claim commits it
        state = "not on the branch" if path not in tree else "not on disk" if path not in disk else "another content"
        subject.fault(Fault.UNCOMMITTED, path, state)
    for line in status:
        if line and not line.startswith("?? collaboration/inbox/"):
            subject.fault(Fault.UNCOMMITTED, line[3:], f"git status says {line[:2]!r}")
    locks = [path for path in subject.state.parent.rglob("*.lock") if subject.state not in path.parents]
    for lock in locks:
        subject.fault(Fault.REPOSITORY, lock.name, "a lock of git is left")


def _tree(listed: bytes) -> dict[str, str]:
    """Path to blob."""
    found = {}
    for item in listed.decode().split("\0"):
        if item:
            head, _, path = item.partition("\t")
            found[path] = head.split(" ")[2]
    return found


def _blob(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def check_index(subject: Subject, rebuild: Callable[[], None]) -> None:
    before = _dump(subject.state / "index.db")
    rebuild()
    after = _dump(subject.state / "index.db")
    for table, rows in after.items():
        held = before.get(table, set())
        for row in sorted(held - rows):
            subject.fault(Fault.INDEX, table, f"it has {row}, and a rebuilt one has not")
        for row in sorted(rows - held):
            subject.fault(Fault.INDEX, table, f"it lacks {row}, and a rebuilt one has it")


def _dump(database: Path) -> dict[str, set[str]]:
    queries = {
        "tasks": "SELECT * FROM tasks",
        "invocations": "SELECT * FROM invocations",
        "event_files": "SELECT folder, task_id, size FROM event_files",
        "counts": "SELECT * FROM counts WHERE n <> 0",
    }
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return {table: {repr(row) for row in connection.execute(query)} for table, query in queries.items()}
