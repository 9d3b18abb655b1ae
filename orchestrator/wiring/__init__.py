"""The composition root: environment + settings -> ports. The only place that knows the adapters.

Imports stand inside the functions: a command that only reads loads neither pydantic, git nor asyncio.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from orchestrator.adapters.index_rebuild import Rebuilt
    from orchestrator.adapters.place import Place as Place  # the CLI names it
    from orchestrator.adapters.trail_log import Recorded as Recorded
    from orchestrator.daemon import Progress
    from orchestrator.executing import Executed as Executed
    from orchestrator.query import QueryService
    from orchestrator.wiring.watching import Onlooker as Onlooker
    from orchestrator.wiring.watching import Stop as Stop

T = TypeVar("T")
_WAYS = 4  # how often a command tries the other way, where a daemon begins or ends meanwhile


def find_place(root: Path | None, *, use_git: bool) -> "Place":
    """The workspace at `root`, else the one around the current folder. NotFoundError where there is none."""
    from orchestrator.adapters.place import find

    return find(root or Path.cwd(), use_git=use_git)


def query_service(place: "Place") -> "QueryService":
    """The read side. Loads nothing heavy."""
    from orchestrator.adapters import lock
    from orchestrator.adapters.index_reader import IndexReader
    from orchestrator.query import QueryService

    return QueryService(
        place.work,
        open_reader=lambda: IndexReader(place.state, place.work),
        holder=lambda: lock.holder(place.state),
    )


def trail_log(place: "Place", *, task_id: str = "", limit: int = 20) -> "list[Recorded]":
    """The newest transitions, from the trailers of the trail's commits."""
    from orchestrator.adapters.trail_log import read_log

    return read_log(place.work, task_id=task_id, limit=limit)


def act(place: "Place", verb: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """Asks the running daemon to carry it out; where none runs, carries it out at once under the lock.

    A daemon may begin or end between the look and the deed: then the other way is taken. Nothing is done twice, because
    NoDaemonError and BusyError both mean that nothing was done.
    """

    def ask() -> dict[str, object]:
        from orchestrator.adapters import requests

        return requests.ask(place.state, verb, dict(arguments), is_alive=lambda: _daemon_runs(place))

    def alone() -> dict[str, object]:
        from orchestrator.wiring.alone import carry_out

        return carry_out(place, verb, arguments)

    return _one_way_or_the_other(place, ask, alone)


def execute(place: "Place", arguments: Mapping[str, object], onlooker: "Onlooker", stop: "Stop") -> "Executed":
    """Runs a person's own task and waits for its end: at once under the lock, or by the daemon that runs."""

    def ask() -> "Executed":
        from orchestrator.wiring.following import ByDaemon

        return ByDaemon(place, onlooker, stop).run(arguments, lambda: _daemon_runs(place))

    def alone() -> "Executed":
        from orchestrator.adapters.process_zygote import Zygote

        zygote = Zygote()
        zygote.get_ready()  # it starts while we load the rest
        from orchestrator.wiring.executing import run_alone

        try:
            return run_alone(place, arguments, onlooker, stop, zygote)
        finally:
            zygote.close()

    return _one_way_or_the_other(place, ask, alone)


def answered_by(place: "Place", digests: Mapping[str, str]) -> list[dict[str, str]]:
    """Which of the newest tasks gave these answers."""
    if not digests:
        return []
    from orchestrator.wiring import following

    return following.answered_by(place, digests)


def _daemon_runs(place: "Place") -> bool:
    from orchestrator.adapters import lock

    held = lock.holder(place.state)
    return held is not None and held.what == "daemon"


def _one_way_or_the_other(place: "Place", ask: Callable[[], T], alone: Callable[[], T]) -> T:
    """By the daemon, or alone where none runs. Both raise NoDaemonError, BusyError only where nothing was done."""
    from orchestrator.errors import BusyError, NoDaemonError, UsageError

    for _ in range(_WAYS):
        runs = _daemon_runs(place)
        if runs and place.flags:
            raise UsageError(
                f"--set {place.flags[0]}: the daemon that runs carries this out, with the configuration that it has; "
                "start the daemon with --set, or call this once it is stopped"
            )
        try:
            return ask() if runs else alone()
        except NoDaemonError:
            if _daemon_runs(place):
                raise
        except BusyError:
            if not _daemon_runs(place):
                raise
    raise BusyError(f"{place.root}: daemons begin and end here all the time; try again when one stays")


def run_daemon(place: "Place", *, until: str, on_progress: "Callable[[Progress], None] | None" = None) -> int:
    """Runs the daemon until stopped, or idle; the exit code."""
    from orchestrator.wiring.running import run

    return run(place, until=until, on_progress=on_progress)


def initialise(place: "Place", *, mode: str | None = None, force: bool = False) -> dict[str, object]:
    """Makes the configuration, the folders and the trail; what was made."""
    from orchestrator.wiring.initialising import initialise as make

    return make(place, mode=mode, force=force)


def rebuild_index(place: "Place", progress: Callable[[int, int], None] | None = None) -> "Rebuilt":
    """Makes index.db anew from the event files."""
    from orchestrator.adapters.index_rebuild import rebuild

    place.state.mkdir(parents=True, exist_ok=True)
    return rebuild(place.state, place.work, progress)


def sync(place: "Place") -> dict[str, object]:
    """Pushes our work branch and fetches those of the other hosts."""
    from orchestrator.wiring.syncing import sync as carry_out

    return carry_out(place)


def hook(place: "Place", name: str, stdin: str, args: list[str]) -> str:
    """What a git hook asks for; what it is to print."""
    from orchestrator.wiring.hooking import run

    return run(place, name, stdin, args)
