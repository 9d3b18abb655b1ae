"""Tasks that wait in the inbox are put on the branch as they are: they survive whatever befalls the folder."""

from orchestrator.arrivals import Arrivals
from orchestrator.core.transition import Change, Transition
from orchestrator.core.types import Status
from orchestrator.world import World

AT_ONCE = 64


def commit_waiting(world: World, arrivals: Arrivals) -> None:
    """Commits some of the waiting tasks that are not committed yet. Blocking."""
    for found in arrivals.uncommitted(AT_ONCE):
        try:
            content = world.mailbox.read(found.entry.path)
        except FileNotFoundError:
            arrivals.note_committed(found)
            continue
        intent = world.trail.intend([found.entry.path])
        world.trail.record(
            intent,
            Transition(
                subject=f"task: waiting {found.id}",
                at=world.clock.now(),
                changes=(Change(path=found.entry.path, content=content),),
                trailers={"Task-Id": found.id, "Task-Transition": f"dropped -> {Status.NEW}", "Agent": found.agent},
            ),
        )
        arrivals.note_committed(found)
