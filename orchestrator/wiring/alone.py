"""Carries out a command where no daemon runs: at once, under the workspace's lock.

What a file asks is looked at first, and imports stand where they are needed: opening a workspace takes the longer the
more it has done, and who submits a file with a mistake in it need not wait for that.
"""

from collections.abc import Mapping

from orchestrator import submitting
from orchestrator.adapters.place import Place

FLUSH_SECONDS = 30.0


def carry_out(place: Place, verb: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """The reply. Raises OrchestratorError for the refusal, BusyError where somebody took the lock meanwhile."""
    if verb == "submit" and "content" in arguments:
        _check(place, str(arguments["content"]).encode(), str(arguments.get("name") or ""))
    import asyncio

    from orchestrator.adapters.lock import WorkspaceLock
    from orchestrator.commands import Commands, EmptyFloor
    from orchestrator.wiring.opening import open_workspace, recover

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


def _check(place: Place, raw: bytes, name: str) -> None:
    task = submitting.task_of(raw, name)
    from orchestrator.wiring.configuring import read_settings

    submitting.agent_of(task, name, read_settings(place).agents)
