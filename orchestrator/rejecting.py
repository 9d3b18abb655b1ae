"""Files that are no tasks: kept whole in rejected/, each with the reason beside it in <name>.why.md.

One that holds a secret is kept in the state folder of this machine; its reason alone is in rejected/, as git has that.
"""

import os
import re
from dataclasses import dataclass

from orchestrator.arrivals import NoTask
from orchestrator.core import layout
from orchestrator.core.events import Event, EventKind
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import Status, TaskId
from orchestrator.ports import NameTakenError
from orchestrator.world import World

LONGEST_NAME = 200  # bytes: the note's name, and the temporary one while it is written, are longer
LARGEST = 16 << 20  # bytes: a larger file is kept, and left for start-up to commit


async def reject(world: World, file: NoTask) -> bool:
    """Moves it to rejected/ with the reason. True: that is done; a file that a person took away is left alone."""
    moved = await world.disk(_move, world, file)
    if moved is not None:
        await world.disk(_record, world, file, moved)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    intent: int
    path: str
    note: Change


def _move(world: World, file: NoTask) -> _Moved | None:
    """Where it lies now, with its note beside it; None: it is gone. Repeatable."""
    source = file.entry.path
    if not world.mailbox.exists(source):
        return None
    target = _free_place(world, file.entry.name)
    aside = str(world.host.state / "rejected") if file.is_secret else ""
    note = Change(path=_note(target), content=_why_text(file, target, aside))
    intent = world.trail.intend([source, target, note.path])
    # The reason first: a file in rejected/ is never without one, and a crash in between leaves the file where it was,
    # to be looked at again.
    try:
        world.mailbox.write(note.path, note.content or b"")
        if file.is_secret:
            world.mailbox.set_aside(source)
        else:
            world.mailbox.move(source, target)
    except FileNotFoundError:
        world.mailbox.remove(note.path)
        world.trail.forgo(intent)
        return None
    except OSError:
        world.trail.forgo(intent)
        raise
    return _Moved(intent=intent, path="" if file.is_secret else target, note=note)


def _record(world: World, file: NoTask, moved: _Moved) -> None:
    """Tells it and hands it to the trail. Repeatable."""
    told = _tell(world, file, moved.path)
    changes = [*told, moved.note, Change(path=file.entry.path, content=None), *_kept(world, file, moved.path)]
    world.trail.record(
        moved.intent,
        Transition(
            subject=f"task: rejected {_printable(file.entry.name)}",
            body=_printable(file.why),
            at=world.clock.now(),
            changes=tuple(changes),
            trailers={"Task-Id": file.task_id, "Task-Transition": "new -> rejected"},
        ),
    )


def _kept(world: World, file: NoTask, path: str) -> list[Change]:
    """The file itself, where it is one that can be read and is not huge."""
    if not file.entry.is_file or file.is_secret:
        return []
    try:
        content = world.mailbox.read(path, LARGEST)
    except OSError:
        return []
    return [Change(path=path, content=content)] if len(content) <= LARGEST else []


def _tell(world: World, file: NoTask, target: str) -> list[Change]:
    """The event, where there is a task to tell it of: not of a second file that took another task's id."""
    task_id = TaskId(file.task_id or layout.stem(file.entry.name))
    known = world.index.known([task_id]).get(task_id) if task_id else None
    # A file that says no task at all is told of only where its coming was: by intake.
    if (known is None and not file.task_id) or (known is not None and known.status != Status.NEW):
        return []
    event = Event(
        event_id=world.events.new_id(),
        ts=world.clock.now(),
        event=EventKind.TASK_REJECTED,
        task_id=task_id,
        path=target,
        why=file.why.splitlines()[0][:500],
    )
    appended = world.events.append(task_id, [event])
    return [Change(path=appended.path, content=appended.content)]


def _free_place(world: World, name: str) -> str:
    """A name in rejected/ that is free, with room for its note: a file rejected twice is kept twice."""
    stem, suffix = layout.stem(name), name[len(layout.stem(name)) :]
    stem = os.fsdecode(os.fsencode(stem)[: LONGEST_NAME - len(suffix)])
    for number in range(1, 1_000_000):
        path = _place_for_two(world, f"{stem}{suffix}" if number == 1 else f"{stem}.{number}{suffix}")
        if not world.mailbox.exists(path):  # a note alone was left by a crash, or by who took the file away
            return path
    raise NameTakenError(f"{layout.REJECTED}/{name}")


def _place_for_two(world: World, name: str) -> str:
    path, note = (world.mailbox.place(layout.REJECTED, one) for one in (name, _note(name)))
    same = path.rpartition("/")[0] == note.rpartition("/")[0]
    return path if same else world.mailbox.place(layout.REJECTED, name)  # there was room for one only


def _note(path: str) -> str:
    return f"{path}.why.md"


def _printable(text: str) -> str:
    """A name that is no UTF-8 becomes the escape \\udcXX."""
    return text.encode("utf-8", "backslashreplace").decode()


def _why_text(file: NoTask, target: str, aside: str) -> bytes:
    """`aside`: the folder of this machine that has the file; empty: it lies beside its note."""
    name = target.rpartition("/")[2]
    longest = max((len(run) for run in _runs_of_backticks(file.why)), default=0)
    fence = "`" * max(3, longest + 1)
    again = f"drop it into `{layout.INBOX}/` again"
    way = f"Mend it and {again}, or delete it together with this note."
    if aside:
        way = f"It is in `{aside}` of {os.uname().nodename}, and nowhere else. Take the secret out, and {again}."
    text = f"# {name} could not be used: {_first_words(file)}\n\n{fence}text\n{file.why}\n{fence}\n\n{way}\n"
    return _printable(text).encode()


def _first_words(file: NoTask) -> str:
    """What is wrong, in a line: without the place, which stands below."""
    first = file.why.splitlines()[0] if file.why else "no reason was given"
    return first.removeprefix(f"{file.entry.path}: ").removeprefix(f"{file.entry.path}:")[:200]


def _runs_of_backticks(text: str) -> list[str]:
    return re.findall(r"`+", text)
