"""The repository's own checkout as a workspace: nothing is committed; what a tool changed is told by comparing."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.adapters.workspaces.bases import shown
from orchestrator.adapters.workspaces.evidence import CHANGED, difference, missing
from orchestrator.adapters.workspaces.naming import RECORDS
from orchestrator.adapters.workspaces.private import open_private, repository
from orchestrator.core.settings import WorkspaceKind
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Evidence, Unworkable, Wanted, Workspace

_BEFORE = "before.json"  # in the record: what was changed already


class Checkout:
    """The checkout of one repository."""

    def __init__(self, place: Place) -> None:
        assert place.common_dir is not None
        assert place.git_dir is not None
        self._place = place
        self._common = place.common_dir
        self._git_dir = place.git_dir

    def prepare(self, wanted: Wanted) -> Workspace | Unworkable:
        """The checkout, and a digest of what is changed in it."""
        if self._place.bare:
            return Unworkable(why=f"{self._place.root} is bare and has no checkout; use `workspace: worktree`")
        record = self._record(wanted.task_id)
        record.mkdir(parents=True, exist_ok=True)
        head = self._head()
        noted = json.dumps(self._changed(record), sort_keys=True).encode()
        beside = record / f"{_BEFORE}.new"
        beside.write_bytes(noted)
        beside.replace(record / _BEFORE)
        return Workspace(
            kind=WorkspaceKind.CHECKOUT,
            task_id=wanted.task_id,
            path=str(self._place.root),
            base=head,
            before=hashlib.sha256(noted).hexdigest(),
        )

    def conclude(self, workspace: Workspace, artefacts: Sequence[str]) -> Evidence:
        """What differs from what was there before."""
        record = self._record(workspace.task_id)
        record.mkdir(parents=True, exist_ok=True)
        now = self._changed(record)
        before = self._before(record, workspace.before)
        touched = {path for path in {*now, *before} if now.get(path) != before.get(path)}
        head = self._head()
        own = self._own(record)
        shows = difference(own, workspace.base, head) if workspace.base and head else None
        if shows is not None and shows.count:
            names = own.zlist("diff-tree", "-r", "-z", "--name-only", "--no-renames", workspace.base, head)
            # What was changed before and is committed now is the tool's commit all the same.
            touched |= set(names)
        return Evidence(
            base=workspace.base,
            head=head,
            commits=shows.commits if shows else 0,
            changed=tuple(shown(path) for path in sorted(touched)[:CHANGED]),
            changed_count=len(touched),
            missing=missing(self._place.root, artefacts, own, head),
            problems=shows.problems if shows else (),
        )

    def release(self, workspace: Workspace) -> str:
        """Forgets what was there before."""
        shutil.rmtree(self._record(workspace.task_id), ignore_errors=True)
        return ""

    def _record(self, task_id: TaskId) -> Path:
        # A name that no worktree's record can have: a task may have had both.
        return self._place.state / RECORDS / f"{task_id}@checkout"

    def _head(self) -> str:
        return repository(self._common, self._git_dir).tip("HEAD")

    def _own(self, record: Path) -> Git:
        index = record / "index"
        index.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(self._git_dir / "index", index)
        return open_private(self._common, record / "git", work_tree=self._place.root, index=index)

    def _changed(self, record: Path) -> dict[str, str]:
        """Every path that differs from HEAD, staged or not, or is untracked; with what tells its states apart."""
        own = self._own(record)
        found: dict[str, str] = {}
        exclude = f"--exclude-from={self._common / 'info' / 'exclude'}"
        ignored = [exclude] if (self._common / "info" / "exclude").is_file() else []
        listed = own.zlist(
            "ls-files", "-z", "-t", "-m", "-d", "-o", "--exclude-per-directory=.gitignore", *ignored, seconds=600
        )
        for item in listed:
            if not self._is_our_own(path := item[2:]):
                found[path] = _signature(self._place.root / path)
        if head := self._head():
            staged = own.zlist("diff-index", "--cached", "-z", "--raw", "--no-renames", head, seconds=600)
            for meta, path in zip(staged[0::2], staged[1::2], strict=False):
                if not self._is_our_own(path):
                    found[path] = f"{found.get(path, '')} {' '.join(meta.split()[1:4])}"
        return found

    def _is_our_own(self, path: str) -> bool:
        full = self._place.root / path
        return full.is_relative_to(self._place.work) or full.is_relative_to(self._place.state)

    @staticmethod
    def _before(record: Path, digest: str) -> Mapping[str, str]:
        try:
            raw = (record / _BEFORE).read_bytes()
        except OSError:
            return {}
        if hashlib.sha256(raw).hexdigest() != digest:
            return {}
        found: dict[str, str] = json.loads(raw)
        return found


def _signature(path: Path) -> str:
    try:
        found = os.lstat(path)
    except OSError:
        return "gone"
    return f"{found.st_mode:o} {found.st_size} {found.st_mtime_ns} {found.st_ino}"
