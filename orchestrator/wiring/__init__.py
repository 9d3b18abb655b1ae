"""The composition root: environment + settings -> ports. The only place that knows the adapters.

Imports stand inside the functions: a command that only reads loads neither pydantic, git nor asyncio.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.adapters.index_rebuild import Rebuilt
    from orchestrator.adapters.place import Place as Place  # the CLI names it
    from orchestrator.adapters.trail_log import Recorded as Recorded
    from orchestrator.daemon import Progress
    from orchestrator.query import QueryService

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
    from orchestrator.adapters import lock, requests
    from orchestrator.errors import BusyError, NoDaemonError

    def runs() -> bool:
        held = lock.holder(place.state)
        return held is not None and held.what == "daemon"

    for _ in range(_WAYS):
        try:
            if runs():
                return requests.ask(place.state, verb, dict(arguments), is_alive=runs)
            from orchestrator.wiring.alone import carry_out

            return carry_out(place, verb, arguments)
        except NoDaemonError:
            if runs():
                raise
        except BusyError:
            if not runs():
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
