"""Runs the daemon: the lock, what a dead one left, the loop, signals, and an end that leaves everything committed."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from orchestrator.adapters.disk import WaitingDisk
from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.place import Place
from orchestrator.daemon import STOP_GRACE_SECONDS, Daemon, Progress, Until
from orchestrator.slots import AtWork
from orchestrator.wiring.boards import Boards, Chronicle
from orchestrator.wiring.exporting import Ears, exported
from orchestrator.wiring.house import House
from orchestrator.wiring.opening import Opened, open_workspace, recover
from orchestrator.wiring.sources import open_source

FLUSH_SECONDS = 60.0
STEP_TO_DIE_AT = "ORCHESTRATOR_TEST_DIE_AT"  # tests of recovery: kill -9 at the n-th step of that name, name:n


def run(place: Place, *, until: str, on_progress: Callable[[Progress], None] | None = None) -> int:
    """The exit code: 0 stopped or idle, 1 where something could not be committed in time."""
    lock = WorkspaceLock(place.state)
    lock.acquire()
    try:
        return _run(place, lock, Until(until), on_progress)
    finally:
        lock.release()


def _run(place: Place, lock: WorkspaceLock, until: Until, on_progress: Callable[[Progress], None] | None) -> int:
    lock.say("starting")
    chronicle = Chronicle()
    ears = Ears(chronicle.hear)
    opened = open_workspace(place, heard=ears.hear, reached=_die_at(os.environ.get(STEP_TO_DIE_AT, "")))
    try:
        with exported(opened, ears):
            if killed := opened.world.engine.sweep():
                opened.notes.append(f"ended {len(killed)} processes that a dead daemon left")
            recover(opened)
            chronicle.remember(opened.index, opened.world.events.read)
            _tell(opened)
            asyncio.run(_live(opened, lock, chronicle, until, on_progress))
        done = opened.trail.flush(FLUSH_SECONDS)
        _tell(opened)
    finally:
        opened.close()
    return 0 if done else 1


def _tell(opened: Opened) -> None:
    """What had to be mended since this was last called, for people."""
    while opened.notes:
        print(f"orchestrator: {opened.notes.pop(0)}", file=sys.stderr)


async def _live(
    opened: Opened,
    lock: WorkspaceLock,
    chronicle: Chronicle,
    until: Until,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    boards = Boards(opened.world, opened.index, chronicle)
    daemons: list[Daemon] = []

    def working() -> list[AtWork]:
        return [one for daemon in daemons for one in daemon.working()]

    house = House(opened, lock, boards, open_source(opened), working, tell=lambda: _tell(opened))
    daemon = Daemon(opened.world, house, until=until, on_progress=on_progress)
    daemons.append(daemon)
    _listen(daemon, house, opened.disk)
    await daemon.run()
    opened.disk.give_up()
    await house.finish_answers()
    with suppress(OSError):
        await opened.world.disk(house.write_boards)
    house.say("stopped")


def _listen(daemon: Daemon, house: House, disk: WaitingDisk) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        daemon.ask_to_stop()
        loop.call_later(STOP_GRACE_SECONDS, disk.give_up)  # a full disk must not keep it from ending

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)

    def reload() -> None:
        house.tell_service_manager("RELOADING=1")
        if why := house.reload():
            print(f"orchestrator: the configuration stays as it was:\n{why}", file=sys.stderr)
            house.say("running")
        house.tell_service_manager("READY=1")
        daemon.look_again()

    loop.add_signal_handler(signal.SIGHUP, reload)


def _die_at(wanted: str) -> Callable[[str], None]:
    """What the straight path calls at each step: nothing, except in the tests that kill it there."""
    if not wanted:
        return lambda _: None
    name, _, number = wanted.partition(":")
    left = [int(number or 1)]

    def reached(step: str) -> None:
        if step == name:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
