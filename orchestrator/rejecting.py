"""Files that are no tasks: kept whole in rejected/, each with the reason beside it in <name>.why.md."""

import re

from orchestrator.arrivals import NoTask
from orchestrator.core import layout
from orchestrator.core.events import Event, EventKind
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import TaskId
from orchestrator.ports import NameTakenError
from orchestrator.world import World


async def reject(world: World, file: NoTask) -> None:
    """Moves it to rejected/ with the reason; a file that a person took away meanwhile is left alone."""
    await world.disk(_reject, world, file)


def _reject(world: World, file: NoTask) -> None:
    source = file.entry.path
    if not world.mailbox.exists(source):
        return
    target = _free_place(world, file.entry.name)
    reason = f"{target}.why.md"
    intent = world.trail.intend([source, target, reason])
    text = _why_text(file, target)
    # The reason first: a file in rejected/ is never without one, and a crash in between leaves the file where it was,
    # to be looked at again.
    world.mailbox.write(reason, text)
    try:
        world.mailbox.move(source, target)
    except FileNotFoundError:
        world.mailbox.remove(reason)
        return
    told = _tell(world, file, target)
    changes = [*told, Change(path=reason, content=text), Change(path=source, content=None)]
    if file.entry.is_file:
        changes.append(Change(path=target, content=world.mailbox.read(target, 16 << 20)))
    world.trail.record(
        intent,
        Transition(
            subject=f"task: rejected {file.entry.name}",
            body=file.why,
            at=world.clock.now(),
            changes=tuple(changes),
            trailers={"Task-Id": file.task_id, "Task-Transition": "new -> rejected"},
        ),
    )


def _tell(world: World, file: NoTask, target: str) -> list[Change]:
    """The event, where there is a task to tell it of: not of a second file that took another task's id."""
    task_id = TaskId(file.task_id)
    if not task_id or task_id in world.index.known([task_id]):
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
    """A name in rejected/ that is free: a file rejected twice is kept twice."""
    stem, suffix = layout.stem(name), name[len(layout.stem(name)) :]
    for number in range(1, 1_000_000):
        wanted = name if number == 1 else f"{stem}.{number}{suffix}"
        path = world.mailbox.place(layout.REJECTED, wanted)
        if not world.mailbox.exists(path) and not world.mailbox.exists(f"{path}.why.md"):
            return path
    raise NameTakenError(f"{layout.REJECTED}/{name}")


def _why_text(file: NoTask, target: str) -> bytes:
    name = target.rpartition("/")[2]
    longest = max((len(run) for run in _runs_of_backticks(file.why)), default=0)
    fence = "`" * max(3, longest + 1)
    text = (
        f"# {name} could not be used: {_first_words(file)}\n\n{fence}text\n{file.why}\n{fence}\n\n"
        f"Mend it and drop it into `{layout.INBOX}/` again, or delete it together with this note.\n"
    )
    return text.encode()


def _first_words(file: NoTask) -> str:
    """What is wrong, in a line: without the place, which stands below."""
    first = file.why.splitlines()[0] if file.why else "no reason was given"
    return first.removeprefix(f"{file.entry.path}: ").removeprefix(f"{file.entry.path}:")[:200]


def _runs_of_backticks(text: str) -> list[str]:
    return re.findall(r"`+", text)
