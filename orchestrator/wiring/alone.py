"""Carries out a command where no daemon runs: at once, under the workspace's lock."""

import asyncio
from collections.abc import Mapping

from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.place import Place
from orchestrator.commands import Commands, EmptyFloor
from orchestrator.wiring.opening import open_workspace, recover

FLUSH_SECONDS = 30.0


def carry_out(place: Place, verb: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """The reply. Raises OrchestratorError for the refusal, BusyError where somebody took the lock meanwhile."""
    place.state.mkdir(parents=True, exist_ok=True)
    with WorkspaceLock(place.state, what=verb):
        opened = open_workspace(place)
        try:
            recover(opened)
            opened.disk.give_up()
            reply = asyncio.run(Commands(world=opened.world, floor=EmptyFloor()).carry_out(verb, arguments))
            opened.trail.flush(FLUSH_SECONDS)
            if opened.trail.trouble:
                reply["warning"] = f"not committed yet: {opened.trail.trouble}; the next daemon commits it"
        finally:
            opened.close()
    return reply
