"""`orchestrator freeze`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import change, id_argument


@click.command(
    name="freeze",
    help=words("""
  orchestrator freeze 2026-03-02T0900-writer-fares-page --reason "waits for the new prices"
  orchestrator freeze 2026-03-02T0900 --reason "next season" --category later

Put a task into the fridge: it keeps its status, and is left alone until it is thawed.
"""),
)
@id_argument
@click.option("--reason", metavar="TEXT", required=True, help="Why, in a sentence; it is recorded.")
@click.option("--category", metavar="NAME", default="", help="A folder of the fridge.")
@json_option
@pass_call
def command(call: Call, task_id: str, reason: str, category: str, as_json: bool) -> int:
    """Freezes it."""
    more = {"reason": reason, "category": category}
    return change(call, "freeze", [task_id], as_json=as_json, more=more, next_step="orchestrator thaw {id}")
