"""Done tasks past retention go to the archive, a bounded number at a time."""

from orchestrator import taskfile
from orchestrator.core import layout
from orchestrator.core.events import EventKind
from orchestrator.core.types import AgentKey, Status
from orchestrator.ports import Known, NameTakenError
from orchestrator.registrar import Advance, Held, OvertakenError
from orchestrator.world import World

AT_ONCE = 64


async def archive(world: World) -> int:
    """Archives up to AT_ONCE of the tasks that finished longest ago; how many."""
    before = world.clock.now() - world.settings().retention.archive_after
    moved, limit = 0, AT_ONCE
    while True:
        old = await world.disk(world.index.retained, before, limit)
        for known in old[limit - AT_ONCE :]:
            held = await world.disk(_held, world, known)
            if held is not None and await _archive(world, held):
                moved += 1
        if moved or len(old) < limit:
            return moved
        limit += AT_ONCE  # none of these is there any more: they must not hide the others


def _held(world: World, known: Known) -> Held | None:
    """The task in hand; None where a person took it away or changed it into something else: that is theirs."""
    try:
        raw = world.mailbox.read(known.path)
        file = taskfile.parse(raw, name=known.path.rpartition("/")[2], path=known.path)
    except (OSError, taskfile.TaskFileRefused):
        return None
    return Held(file=file, path=known.path, agent=AgentKey(known.agent))


async def _archive(world: World, held: Held) -> bool:
    """Whether it lies in the archive now; not where something has its place there, or a person took it away."""
    finished = held.file.task.completed_at or world.clock.now()
    name = held.path.rpartition("/")[2]
    to = await world.disk(world.mailbox.place, layout.ARCHIVE, name, finished.strftime("%Y-%m"))
    event = world.registrar.event(EventKind.TASK_ARCHIVED, held, status=Status.DONE, path=to, why="past its retention")
    change = Advance(step="archive", events=[event], fields={}, to=to, subject="archived", becomes="archived")
    try:
        await world.registrar.advance(held, change)
    except (NameTakenError, FileNotFoundError, OvertakenError, taskfile.TaskFileRefused):
        return False
    return True
