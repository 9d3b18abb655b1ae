"""A file that may be a task, and what its place in the workspace says of it. Pure path arithmetic."""

from dataclasses import dataclass

from orchestrator.core import layout
from orchestrator.core.pattern import late
from orchestrator.core.types import Folder

_BUCKET = late(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}(\.[0-9]+)?)?")
_HOLD_TASKS = frozenset(Folder) - {Folder.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may be a task, and where it lies."""

    path: str  # repo-relative, as it is shown
    raw: bytes
    folder: Folder | None  # None: in none of ours
    owner: str = ""  # the agent of assigned/<agent>/ or done/<agent>/
    before: bytes | None = None  # the former version, e.g. HEAD's
    before_folder: Folder | None = None
    astray: str = ""  # why nobody will find it in its folder; empty: it will be found
    name: str = ""  # of the file, where that is not the end of the path: what came on stdin has one all the same

    @property
    def file_name(self) -> str:
        """What the file is called: its stem is the id."""
        return self.name or self.path.rpartition("/")[2]


def candidate_at(
    path: str, raw: bytes, *, shown: str = "", before: bytes | None = None, before_path: str = ""
) -> Candidate | None:
    """The candidate of a path relative to the work folder; None where no task lies: rejected/, boards, telemetry.

    `shown` is the path for people (default: the same); `before` the former version, and `before_path` where that lay
    (default: at the same place).
    """
    found = _place_of(path)
    if found is None:
        return None
    folder, inner = found
    former = _place_of(before_path) if before_path else found
    return Candidate(
        path=shown or path,
        raw=raw,
        folder=folder,
        owner=_owner(folder, inner),
        before=before,
        before_folder=former[0] if before is not None and former is not None else None,
        astray=_astray(folder, inner),
    )


def _place_of(path: str) -> tuple[Folder, tuple[str, ...]] | None:
    """The folder of ours that a path is in, and the names below it."""
    top, _, rest = path.partition("/")
    first, *inner = rest.split("/")
    if top != layout.COLLABORATION or not inner or not layout.is_task_name(inner[-1]):
        return None
    if first not in _HOLD_TASKS:
        return None
    return Folder(first), tuple(inner)


def _owner(folder: Folder, inner: tuple[str, ...]) -> str:
    has_one = folder is Folder.ASSIGNED or (folder is Folder.DONE and not _BUCKET.fullmatch(inner[0]))
    return inner[0] if has_one and len(inner) > 1 else ""


def _astray(folder: Folder, inner: tuple[str, ...]) -> str:
    if folder is Folder.INBOX and len(inner) > 1:
        return "lies in a folder of the inbox, where nobody looks; move it into inbox/ itself"
    if folder is Folder.ASSIGNED and len(inner) == 1:
        return "lies in assigned/ itself, where nobody looks; move it into the folder of an agent, or into inbox/"
    return ""
