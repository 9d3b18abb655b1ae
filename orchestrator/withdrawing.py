"""Tasks whose files a person took away: they stay away, and their history says so."""

from collections.abc import Callable

from orchestrator.core import layout
from orchestrator.core.events import Event, EventKind
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import ErrorKind, Status, TaskId
from orchestrator.ports import Known
from orchestrator.world import World


async def note_withdrawn(
    world: World, in_hand: Callable[[TaskId], bool], missed: frozenset[TaskId]
) -> frozenset[TaskId]:
    """Tells of each task that ought to be in assigned/ and is nowhere, and was so at the look before: `missed`.

    A large folder is not taken away in one moment: what is missing for the first time is given to the next look.
    """
    astray = [known for known in await world.disk(_astray, world) if not in_hand(known.task_id)]
    for known in astray:
        if known.task_id in missed:
            await world.disk(_note, world, known)
    return frozenset(known.task_id for known in astray) - missed


def _astray(world: World) -> list[Known]:
    """A task whose events are gone as well was not taken away: the work folder was, and comes back with it."""
    return [
        known
        for known in world.index.in_assigned()
        if known.path
        and not world.mailbox.exists(known.path)
        and not world.mailbox.search(known.task_id)
        and world.events.path_of(known.task_id)
    ]


def _note(world: World, known: Known) -> None:
    by_hand = f"{layout.DONE}/{known.agent}/{known.path.rpartition('/')[2]}"
    is_done = world.mailbox.exists(by_hand)
    kind = EventKind.TASK_COMPLETED if is_done else EventKind.TASK_CANCELLED
    status = Status.DONE if is_done else Status.CANCELLED
    why = "a person moved its file to done/" if is_done else "a person took its file away"
    event = Event(
        event_id=world.events.new_id(),
        ts=world.clock.now(),
        event=kind,
        task_id=known.task_id,
        agent=known.agent,
        status=status,
        path=by_hand if is_done else "",
        why=why,
        error_kind="" if is_done else ErrorKind.CANCELLED,
        details={"verdict": "unverified"} if is_done else {},
    )
    intent = world.trail.intend([known.path])
    try:
        appended = world.events.append(known.task_id, [event])
    except OSError:
        world.trail.forgo(intent)
        raise
    changes = [Change(path=appended.path, content=appended.content), Change(path=known.path, content=None)]
    if is_done:
        changes.append(Change(path=by_hand, content=world.mailbox.read(by_hand)))
    world.trail.record(
        intent,
        Transition(
            subject=f"task: {status} {known.task_id}",
            body=why,
            at=event.ts,
            changes=tuple(changes),
            trailers={
                "Task-Id": known.task_id,
                "Task-Transition": f"{known.status} -> {status}",
                "Agent": known.agent,
            },
        ),
    )
