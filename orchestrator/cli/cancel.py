"""`orchestrator cancel`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import change, ids_argument, reason_option


@click.command(
    name="cancel",
    help=words("""
  orchestrator cancel 2026-03-02T0900-writer-fares-page
  orchestrator cancel 2026-03-02T0900 --reason "asked twice"

Stop tasks. One that runs is interrupted and ended; one that waits is put away. Unique beginnings of ids will do.
"""),
)
@ids_argument
@reason_option
@json_option
@pass_call
def command(call: Call, task_ids: tuple[str, ...], reason: str, as_json: bool) -> int:
    """Cancels them."""
    return change(
        call, "cancel", task_ids, as_json=as_json, more={"reason": reason}, next_step="orchestrator retry {id}"
    )
