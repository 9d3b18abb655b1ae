"""Drops task files that were committed on a branch into the inbox: announced with their origin, once."""

from orchestrator import taskfile
from orchestrator.core import layout
from orchestrator.core.events import Event, EventKind
from orchestrator.core.types import Status, TaskId
from orchestrator.ports import NameTakenError, Offer, TaskSource
from orchestrator.world import World

AT_ONCE = 256


def take_in(world: World, source: TaskSource) -> int:
    """Takes what the source offers; how many tasks were dropped. Blocking; repeatable after a crash."""
    taken = 0
    for offer in source.find(AT_ONCE):
        if _drop(world, offer):
            taken += 1
        else:
            source.decline(offer)
    return taken


def _is_ours(world: World, offer: Offer) -> bool:
    """Whether what lies in the inbox is what is offered: a daemon died before it could tell."""
    try:
        return world.mailbox.read(f"{layout.INBOX}/{offer.name}", len(offer.content)) == offer.content
    except OSError:
        return False


def _drop(world: World, offer: Offer) -> bool:
    try:
        task = taskfile.parse(offer.content, name=offer.name, path=offer.path).task
    except taskfile.TaskFileRefused:
        task = None  # dropped all the same: what is wrong with it is said in rejected/, where people look
    if task is not None and task.status is not Status.NEW:
        return False  # work that was done, or is being done, elsewhere
    task_id = layout.stem(offer.name)
    told = Event(
        event_id=world.events.new_id(),
        ts=world.clock.now(),
        event=EventKind.TASK_SUBMITTED,
        task_id=task_id,
        status=Status.NEW,
        path=f"{layout.INBOX}/{offer.name}",
        why=f"committed at {offer.path} in {offer.commit[:12]}",
        details={"origin_path": offer.path, "origin_blob": offer.blob, "origin_commit": offer.commit},
    )
    # The file first: an event without a file would say that it was taken in, and nothing would ever bring it back.
    try:
        world.mailbox.create(f"{layout.INBOX}/{offer.name}", offer.content)
    except NameTakenError:
        if not _is_ours(world, offer):
            return False  # a person's file of that name: once that is dealt with, the next daemon is offered this one
    world.events.append(TaskId(task_id), [told])
    return True
