"""`orchestrator status`: what runs, what waits, what needs a person."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, Screen, plain
from orchestrator.cli.words import ago, moment, span
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.history import TaskState
    from orchestrator.core.reports import Attention, DaemonReport, StatusReport

    Tasks = tuple[TaskState, ...]

_FEW = 8
_REFRESH = 1.0  # seconds between two looks of --watch
PAINTS = {
    "done": Paint.GOOD,
    "in_progress": Paint.BUSY,
    "error": Paint.BAD,
    "rejected": Paint.BAD,
    "blocked": Paint.WARN,
    "cancelled": Paint.FAINT,
}


@click.command(
    name="status",
    help=words("""
  orchestrator status
  orchestrator status --watch
  orchestrator status --json

What runs, what waits and for what, what needs you, and what ended last. It only reads; no daemon has to run.
"""),
)
@click.option("-n", "few", type=click.IntRange(0, 1000), default=_FEW, show_default=True, help="Lines of each list.")
@click.option("--watch", is_flag=True, help="Look again every second, until Ctrl-C.")
@json_option
@pass_call
def command(call: Call, few: int, watch: bool, as_json: bool) -> None:
    """Shows it."""
    if as_json and watch:
        raise UsageError("--watch is for people; ask again with --json as often as you like")
    if watch and not call.out.may_move:
        raise UsageError("--watch needs a terminal that can be redrawn; leave it out here")
    if as_json:
        from orchestrator.core.reports import plain as as_plain

        report, assigned = _look(call, few)
        call.out.envelope("status", {**fields_of(as_plain(report)), "assigned": as_plain(assigned)})
        return
    if watch:
        _watch(call, few)
    _draw(call.out, *_look(call, few))


def fields_of(value: object) -> dict[str, object]:
    """A report as a dict."""
    return value if isinstance(value, dict) else {"value": value}


def _look(call: Call, few: int) -> "tuple[StatusReport, Tasks]":
    """The report, and what is assigned and has not begun: it waits for a slot, a daemon or a person."""
    from orchestrator.core.reports import TaskFilter
    from orchestrator.core.types import Folder, Status

    wanted = TaskFilter(statuses=(Status.ASSIGNED,), folders=(Folder.ASSIGNED,))
    report = call.ask(lambda service: service.status(few))
    return report, call.ask(lambda service: service.tasks(wanted, few)).tasks if few else ()


def _watch(call: Call, few: int) -> None:
    call.stay()
    while True:
        report, assigned = _look(call, few)
        call.out.clear()
        _draw(call.out, report, assigned)
        call.out.flush()
        time.sleep(_REFRESH)


def _draw(out: Screen, report: "StatusReport", assigned: "Tasks") -> None:
    now = datetime.now(UTC)
    out.line(f"daemon  {_daemon(out, report.daemon, now)}")
    capped = set(report.folders_capped)
    counts = " · ".join(f"{name} {n}{'+' if name in capped else ''}" for name, n in report.folders.items())
    out.line(f"tasks   {counts}")
    if not any(report.folders.values()):
        out.line("\nNothing yet. Drop a task file into work/collaboration/inbox, or:")
        out.line('  orchestrator submit --agent NAME --title "What is to be done"')
        return
    _needs(out, report)
    statuses = report.statuses
    _section(out, "Runs", len(report.running), statuses.get("in_progress", 0))
    out.table([_running(state, now) for state in report.running], paints=[Paint.BUSY] * len(report.running))
    _section(out, "Assigned", len(assigned), statuses.get("assigned", 0))
    out.table([[state.id, state.agent, _since(state, now)] for state in assigned])
    _section(out, "Waits", len(report.waiting), report.waiting_total)
    out.table([[item.task_id, item.why] for item in report.waiting])
    _section(out, "Ended last", len(report.finished), len(report.finished))
    rows = [[state.status.value, state.id, ago(state.finished, now)] for state in report.finished]
    out.table(rows, paints=[PAINTS.get(state.status.value) for state in report.finished])


def _daemon(out: Screen, daemon: "DaemonReport", now: datetime) -> str:
    if not daemon.running:
        return f"{out.paint('not running', Paint.WARN)}; start it: orchestrator daemon"
    if daemon.what != "daemon":
        return f"not running; `{plain(daemon.what)}` is at work (process {daemon.pid})"
    since = moment(daemon.since)
    started = f" since {since.astimezone():%Y-%m-%d %H:%M} ({span((now - since).total_seconds())})" if since else ""
    where = f", process {daemon.pid} on {plain(daemon.host)}" if daemon.host else ""
    if daemon.why:
        return f"{out.paint(plain(daemon.state), Paint.WARN)}: {plain(daemon.why)}{where}"
    return f"{out.paint(plain(daemon.state) or 'running', Paint.GOOD)}{started}{where}"


def _section(out: Screen, title: str, shown: int, total: int) -> None:
    if shown:
        out.line(f"\n{out.paint(title, Paint.STRONG)}" + (f" ({shown} of {total})" if total > shown else ""))


def _needs(out: Screen, report: "StatusReport") -> None:
    _section(out, "Needs you", len(report.attention), report.attention_total)
    for item in report.attention:
        out.table([[item.what, item.id]], paints=[PAINTS.get(item.what)])
        out.wrapped(reason(item), indent="      ")
        out.wrapped(f"next: {_next(item)}", indent="      ", paint=Paint.FAINT)


def reason(item: "Attention") -> str:
    """Why it needs a person, without the name of the file that stands above it."""
    return item.why.removeprefix(f"{item.id} could not be used: ") or "no reason is known"


def _next(item: "Attention") -> str:
    if item.what == "rejected":
        return f"read work/{item.path}.why.md, mend the file, and put it into the inbox again"
    return f"orchestrator {'retry' if item.what == 'error' else 'show'} {item.id}"


def _since(state: "TaskState", now: datetime) -> str:
    return f"assigned {ago(state.claimed, now)}" if state.claimed else ""


def _running(state: "TaskState", now: datetime) -> list[str]:
    who = f"{state.tool} with {state.model}" if state.model else state.tool or "a person"
    attempt = f", attempt {state.attempts}" if state.attempts > 1 else ""
    how_long = f", {span((now - state.started).total_seconds())}" if state.started else ""
    return [state.id, state.agent, f"{who}{attempt}{how_long}"]
