"""`orchestrator task list`: tasks by status, agent, priority or run, the newest first."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint
from orchestrator.cli.status import PAINTS
from orchestrator.cli.words import span
from orchestrator.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.core.history import TaskState
    from orchestrator.core.reports import TaskFilter, TaskList

_STATUSES = ("new", "assigned", "in_progress", "blocked", "error", "cancelled", "done", "frozen", "rejected")
_PRIORITIES = ("critical", "high", "medium", "normal", "low")
_SHOWN = 50
_HEAD = ("ID", "STATUS", "AGENT", "PRIORITY", "AGE", "TITLE")


@click.command(
    name="list",
    help=words("""
  orchestrator task list
  orchestrator task list --status error --status blocked
  orchestrator task list --agent writer --priority high
  orchestrator task list --status done --limit 500 --json

List tasks, the one last heard of first: what the index knows, and what lies in the inbox. AGE is the time since then.
What needs you stands on top of: orchestrator status
"""),
)
@click.option("--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only these; repeatable.")
@click.option("--agent", metavar="NAME", help="Only those of this agent.")
@click.option("--priority", type=click.Choice(_PRIORITIES, case_sensitive=False), help="Only those of this priority.")
@click.option("--run", "run", metavar="ID", help="Only those of this run.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_SHOWN, show_default=True, help="How many at most.")
@json_option
@pass_call
def command(
    call: Call,
    /,
    statuses: tuple[str, ...],
    agent: str | None,
    priority: str | None,
    run: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Lists them."""
    found = _found(call, agent or "", (tuple(dict.fromkeys(statuses)), priority or "", run or ""), limit)
    if as_json:
        from orchestrator.core.reports import plain as as_plain

        more = found.total - len(found.tasks)
        call.out.envelope("task-list", {"tasks": as_plain(found.tasks), "total": found.total, "more": more})
        return
    _draw(call, found, narrowed=bool(statuses or agent or priority or run))


def _filter(status: str, agent: str, priority: str, run: str) -> "TaskFilter":
    from orchestrator.core.moves import HOME
    from orchestrator.core.reports import TaskFilter
    from orchestrator.core.types import Folder, Status

    if status in {"frozen", "rejected"}:
        folders = (Folder.FRIDGE if status == "frozen" else Folder.REJECTED,)
        return TaskFilter(folders=folders, agent=agent, priority=priority, run=run)
    if not status:
        return TaskFilter(agent=agent, priority=priority, run=run)
    one = Status(status)
    homes = (HOME[one], Folder.ARCHIVE) if one is Status.DONE else (HOME[one],)
    return TaskFilter(statuses=(one,), folders=homes, agent=agent, priority=priority, run=run)


def _found(call: Call, agent: str, narrowed: tuple[tuple[str, ...], str, str], limit: int) -> "TaskList":
    """Those that fit. The agent's key is looked for as it is written, and what it may mean only where nothing is found.

    Raises:
        NotFoundError: nothing fits, and nobody is called so.
    """
    from orchestrator.wiring.agent_names import keys_of, why_unknown

    place = call.workspace()
    agent_of = keys_of(place)
    found = _asked(call, agent, narrowed, limit, agent_of)
    if not agent or found.tasks:
        return found
    if why := why_unknown(place, agent):
        raise NotFoundError(why)
    return _asked(call, agent_of(agent), narrowed, limit, agent_of)


def _asked(
    call: Call,
    agent: str,
    narrowed: tuple[tuple[str, ...], str, str],
    limit: int,
    agent_of: "Callable[[str], str]",
) -> "TaskList":
    statuses, priority, run = narrowed
    wanted = [_filter(one, agent, priority, run) for one in statuses or ("",)]
    return call.ask(lambda service: service.listing(wanted, limit, agent_of))


def _draw(call: Call, found: "TaskList", *, narrowed: bool) -> None:
    if not found.tasks:
        call.err.line("no task fits" if narrowed else "no tasks yet; next: orchestrator task new")
        return
    now = datetime.now(UTC)
    rows = [_row(state, now) for state in found.tasks]
    paints = [Paint.FAINT, *(PAINTS.get(_status(state)) for state in found.tasks)]
    call.out.table([_HEAD, *rows], paints=paints, indent="")
    more = found.total - len(found.tasks)
    if more > 0:
        call.err.line(f"and {more:,} more; --limit shows more of them, --status, --agent, --priority and --run fewer")


def _status(state: "TaskState") -> str:
    return "frozen" if state.frozen else "rejected" if state.rejected else state.status.value


def _row(state: "TaskState", now: datetime) -> list[str]:
    age = span((now - state.last_ts).total_seconds()) if state.last_ts is not None else ""
    return [state.id, _status(state), state.agent, state.priority.value, age, state.title]
