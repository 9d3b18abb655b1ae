"""`orchestrator thaw`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import change, id_argument


@click.command(
    name="thaw",
    help=words("""
  orchestrator thaw 2026-03-02T0900-writer-fares-page

Take a task out of the fridge, back to where it came from.
"""),
)
@id_argument
@json_option
@pass_call
def command(call: Call, task_id: str, as_json: bool) -> int:
    """Thaws it."""
    return change(call, "thaw", [task_id], as_json=as_json, more={}, next_step="orchestrator show {id}")
