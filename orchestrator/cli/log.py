"""`orchestrator log`: what happened, from the trailers of the trail's commits."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import whole_id
from orchestrator.cli.completion import task_ids
from orchestrator.cli.screen import Paint
from orchestrator.cli.words import ago, moment

if TYPE_CHECKING:
    from orchestrator.wiring import Recorded


@click.command(
    name="log",
    help=words("""
  orchestrator log
  orchestrator log 2026-03-02T0900-writer-fares-page
  orchestrator log -n 100 --json

What happened, newest first, from the commits of the trail: one for each transition of a task. The same, in full:
git -C work log
"""),
)
@click.argument("task_id", metavar="[ID]", required=False, shell_complete=task_ids)
@click.option("-n", "limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many.")
@json_option
@pass_call
def command(call: Call, task_id: str | None, limit: int, as_json: bool) -> None:
    """Shows it."""
    from orchestrator.wiring import trail_log

    place = call.workspace()
    wanted = whole_id(call, task_id) if task_id else ""
    found = trail_log(place, task_id=wanted, limit=limit)
    if as_json:
        call.out.envelope("log", [_plain(item) for item in found])
        return
    now = datetime.now(UTC)
    call.out.table([_row(item, now) for item in found], paints=[Paint.WARN] * len(found), indent="")
    if not found:
        call.err.line("no commits yet" + (f" of {wanted}" if wanted else ""))


def _plain(item: "Recorded") -> dict[str, object]:
    return {"commit": item.commit, "at": item.at, "subject": item.subject, "trailers": dict(item.trailers)}


def _row(item: "Recorded", now: datetime) -> list[str]:
    move = item.trailers.get("Task-Transition", "")
    return [item.commit[:10], ago(moment(item.at), now), move, item.trailers.get("Task-Id") or item.subject]
