"""Reads the trail back: its commits, by their trailers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git

_FORMAT = "%H%x00%cI%x00%s%x00%(trailers:only=true,unfold=true)%x1e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One commit of the trail."""

    commit: str
    at: str  # ISO 8601
    subject: str
    trailers: Mapping[str, str]


def read_log(work: Path, *, task_id: str = "", limit: int = 20) -> list[Recorded]:
    """The newest transitions, of one task or of all; [] where there is no trail yet.

    Raises:
        GitError: git cannot read the history.
    """
    git = Git(work)
    if not work.is_dir() or not git.tip("HEAD"):
        return []
    wanted = f"Task-Id: {task_id}" if task_id else "Task-Transition: "
    # A text filter is only a first sieve: the id may be the beginning of a longer one.
    raw = git.text("log", f"--format={_FORMAT}", "--fixed-strings", f"--grep={wanted}", f"-n{limit * 4 + 16}", "HEAD")
    found = [_recorded(record) for record in raw.split("\x1e") if record.strip()]
    of_task = [item for item in found if not task_id or item.trailers.get("Task-Id") == task_id]
    return [item for item in of_task if "Task-Transition" in item.trailers][:limit]


def _recorded(record: str) -> Recorded:
    commit, at, subject, trailers = record.strip("\n").split("\0", 3)
    pairs = (line.partition(": ") for line in trailers.splitlines() if ": " in line)
    return Recorded(commit=commit, at=at, subject=subject, trailers={key: value.strip() for key, _, value in pairs})
