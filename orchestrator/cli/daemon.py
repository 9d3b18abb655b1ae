"""`orchestrator daemon`: does what is dropped into the inbox."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.progress import ProgressLine
from orchestrator.cli.screen import plain
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.reports import StatusReport

_FEW = 20  # names of tasks that cannot start


@click.command(
    name="daemon",
    help=words("""
  orchestrator daemon
  orchestrator daemon --until-idle
  orchestrator daemon --once

Do what is dropped into work/collaboration/inbox, until Ctrl-C or SIGTERM: then nothing new is begun, and what runs
may end. A second signal ends it. SIGHUP reads the configuration again; a bad one is refused, and the last good one
stays.
"""),
)
@click.option("--once", is_flag=True, help="Do what is there now, then end.")
@click.option("--until-idle", is_flag=True, help="End when nothing is left that could be done.")
@json_option
@pass_call
def command(call: Call, once: bool, until_idle: bool, as_json: bool) -> int:
    """Runs it."""
    from orchestrator.wiring import run_daemon

    if once and until_idle:
        raise UsageError("--once or --until-idle, not both")
    call.stay()
    until = "once" if once else "idle" if until_idle else "stopped"
    place = call.workspace()
    if until == "stopped" and not as_json:
        call.err.line(f"watching {plain(str(place.work))}/collaboration/inbox; Ctrl-C ends it well")
    shown = ProgressLine(call.err)
    try:
        code = run_daemon(place, until=until, on_progress=shown.take)
    finally:
        shown.end()
    report = call.ask(lambda service: service.status(0))
    waiting, total = call.ask(lambda service: service.left_waiting(_FEW))
    if as_json:
        left = {item.task_id: item.why for item in waiting}
        told = {"exit_code": code, "until": until, "folders": dict(report.folders), "waiting": left}
        call.out.envelope("daemon", told | {"waiting_total": total})
        return code
    call.out.line(_summary(report))
    for item in waiting:
        call.out.line(f"  {plain(item.task_id)}  {plain(item.why)}")
    if total > len(waiting):
        call.out.line(f"  and {total - len(waiting)} more that cannot start")
    return code


def _summary(report: "StatusReport") -> str:
    counts = ", ".join(f"{n} in {name}" for name, n in report.folders.items() if n)
    needs = f"; {report.attention_total} of them need you: orchestrator status" if report.attention_total else ""
    return f"ended: {counts or 'there was nothing to do'}{needs}"
