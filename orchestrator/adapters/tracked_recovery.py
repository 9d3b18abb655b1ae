"""What tracked mode finds on disk and not in commits, and the transitions that it makes of it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.tracked_pending import Waiting
from orchestrator.adapters.tracked_publish import Publisher
from orchestrator.adapters.trail import files
from orchestrator.adapters.trail.compare import task_of
from orchestrator.core.layout import INBOX
from orchestrator.core.transition import Change, Transition


def paths_of(batch: Sequence[Waiting]) -> tuple[str, ...]:
    """Every path that these transitions change."""
    return tuple(dict.fromkeys(change.path for each in batch for change in each.transition.changes))


def uncommitted(
    publisher: Publisher, pending: Sequence[Waiting], paths: set[str], tip: str
) -> tuple[list[Change], list[str]]:
    """Those paths where the disk is neither as in the commit nor as in what waits to be put on it; and notes."""
    waiting = {change.path: change for each in pending for change in each.transition.changes}
    changes, notes = publisher.differences(sorted(paths), tip)
    differing = {change.path: change for change in changes}
    work = publisher.checkout.root / publisher.checkout.prefix
    for path in paths & waiting.keys():
        on_disk = _on_disk(work, path)
        if _is_same(on_disk, waiting[path]):
            differing.pop(path, None)
        else:
            differing[path] = on_disk
    return list(differing.values()), notes


def compared(
    publisher: Publisher, pending: Sequence[Waiting], but: set[str], tip: str
) -> tuple[list[Change], list[str]]:
    """The same for everything in the work folder `but` those paths.

    What a person has put into the inbox is theirs to commit until it is claimed.
    """
    changes, notes = uncommitted(publisher, pending, set(publisher.suspects(tip)) - but, tip)
    return [each for each in changes if each.content is None or not each.path.startswith(f"{INBOX}/")], notes


def taken_back(publisher: Publisher, *, seen: str, tip: str, busy: set[str]) -> list[Change]:
    """What somebody's commits since `seen` undid although the disk still has it: made from an index of before.

    What the disk does not have either was taken away on purpose, and stays away.
    """
    paths = [path for path in publisher.changed_between(seen, tip) if path not in busy]
    off, _ = publisher.differences(paths, tip)
    also_off_before, _ = publisher.differences([change.path for change in off], seen)
    others = {change.path for change in also_off_before}
    return [change for change in off if change.path not in others]


def by_task(changes: Sequence[Change], *, word: str, at: datetime, body: str) -> list[Transition]:
    """One commit a task, and one for what belongs to none."""
    groups: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda change: change.path):
        groups.setdefault(task_of(change.path), []).append(change)
    return [
        Transition(
            subject=f"task: {word} {task_id}" if task_id else f"work: {word}",
            at=at,
            body=body,
            trailers={"Task-Id": task_id, "Task-Transition": word},
            changes=tuple(group),
        )
        for task_id, group in groups.items()
    ]


def _on_disk(work: Path, path: str) -> Change:
    match files.read(work, path):
        case files.OnDisk(content=content, executable=executable):
            return Change(path=path, content=content, executable=executable)
        case _:
            return Change(path=path, content=None)


def _is_same(one: Change, other: Change) -> bool:
    return one.content == other.content and (one.content is None or one.executable == other.executable)
