"""A workspace: its work folder, who holds it, what is not committed yet, its index."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from orchestrator.adapters import lock
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.adapters.index_schema import NAME
from orchestrator.adapters.place import Place
from orchestrator.adapters.trail import journal, registration
from orchestrator.adapters.trail.worktree import ref_of
from orchestrator.core.finding import Finding, Topic
from orchestrator.core.history import IndexUnusable
from orchestrator.core.reports import TaskFilter
from orchestrator.core.settings import TrailMode, TrailSettings
from orchestrator.errors import BusyError, OrchestratorError

WORKSPACE = Topic(name="workspace")
_AT_START = "nothing: the daemon does it at its start"


def daemon(place: Place) -> Iterator[Finding]:
    """Who works here."""
    held = lock.holder(place.state)
    if held is not None:
        stands = f", {held.state}{': ' + held.why if held.why else ''}" if held.state else ""
        yield WORKSPACE.ok("daemon", f"{held}{stands}")
    elif (place.state / lock.NAME).exists():
        yield WORKSPACE.skip("daemon", "does not run; the lock file of an earlier one is there, and holds nobody up")
    else:
        yield WORKSPACE.skip("daemon", "does not run, and never did")


def work_folder(place: Place, trail: TrailSettings) -> Iterator[Finding]:
    """The work folder, as the mode of the trail wants it."""
    if place.git_dir is None or place.common_dir is None or trail.mode is TrailMode.NONE:
        yield _folder_is_there(place, "no trail: nothing is committed")
    elif trail.mode is TrailMode.TRACKED:
        yield _folder_is_there(place, "on the branch that is checked out")
    else:
        yield from _worktree(place, trail)


def _folder_is_there(place: Place, more: str) -> Finding:
    if place.work.is_dir():
        return WORKSPACE.ok("work folder", f"{place.work}; {more}")
    return WORKSPACE.warn("work folder", f"{place.work} is not there; {more}", _AT_START)


def _worktree(place: Place, trail: TrailSettings) -> Iterator[Finding]:
    assert place.common_dir is not None
    try:
        registration.check_folder(place)
    except OrchestratorError as error:
        yield WORKSPACE.fail("work folder", str(error), "see above; then: orchestrator doctor")
        return
    admin = registration.admin_of(place.common_dir)
    if admin is None:
        yield WORKSPACE.warn("work folder", f"{place.work} is no worktree of {trail.branch} yet", _AT_START)
        return
    if not registration.is_connected(place, admin):
        yield WORKSPACE.warn("work folder", f"{place.work} is gone, or its .git is", _AT_START)
        return
    head = registration.head_of(admin)
    if head in {f"refs/heads/{trail.branch}", "refs/heads/.invalid"}:  # reftable keeps HEAD inside
        yield WORKSPACE.ok("work folder", f"{place.work}, a worktree of {trail.branch}")
    else:
        now = f"has {head.removeprefix('refs/heads/')} checked out" if head else "has a detached HEAD"
        yield WORKSPACE.fail(
            "work folder", f"{place.work} {now}, not {trail.branch}", f"git -C {place.work} switch {trail.branch}"
        )
    locks = [path for path in (admin / "index.lock", _lock_of(place, trail)) if path.exists()]
    for path in locks:
        yield WORKSPACE.warn("git lock", f"{path} is there", f"if no git runs here: rm {path}")


def _lock_of(place: Place, trail: TrailSettings) -> Path:
    path = ref_of(place, trail).path
    return path.with_name(f"{path.name}.lock")


def backlog(place: Place, trail: TrailSettings) -> Iterator[Finding]:
    """What is on disk and not in a commit yet, by the notes of the trail."""
    if place.git_dir is None or trail.mode is TrailMode.NONE:
        return
    if trail.mode is TrailMode.TRACKED:
        waiting = _pending(place.state / "tracked.pending")
    else:
        waiting = len(journal.Journal(place.state / "trail.journal").found.open)
    if waiting == 0:
        yield WORKSPACE.ok("trail", "everything is committed")
    elif lock.holder(place.state) is not None:
        yield WORKSPACE.ok("trail", f"{waiting} changes are being committed")
    else:
        yield WORKSPACE.warn("trail", f"{waiting} changes wait to be committed", "start it: orchestrator daemon")


def _pending(file: Path) -> int:
    """How many transitions of tracked mode are noted and not published. Opening the notes themselves writes them."""
    waiting: set[int] = set()
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError:
        return 0
    for line in lines:
        try:
            match json.loads(line):
                case ["t", int(number), *_]:
                    waiting.add(number)
                case ["d", list(numbers)]:
                    waiting.difference_update(numbers)
                case _:
                    pass
        except (ValueError, TypeError):  # torn
            continue
    return len(waiting)


def index(place: Place) -> Iterator[Finding]:
    """Whether the index can be read."""
    if not (place.state / NAME).exists():
        yield WORKSPACE.skip("index", "not made yet: the first command that asks it makes it")
        return
    try:
        newest_event(place)
    except IndexUnusable as unusable:
        yield WORKSPACE.warn("index", unusable.reason, "nothing: the next command makes it anew")
    except (BusyError, OSError) as error:
        yield WORKSPACE.warn("index", str(error), "try again when the other command has ended")
    else:
        yield WORKSPACE.ok("index", "can be read")


def newest_event(place: Place) -> datetime | None:
    """When the last event happened. Raises IndexUnusable, BusyError, OSError."""
    reader = IndexReader(place.state, place.work)
    try:
        found = reader.tasks(TaskFilter(), 1)
    finally:
        reader.close()
    return found[0].last_ts if found else None
