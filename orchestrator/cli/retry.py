"""`orchestrator retry`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import change, ids_argument


@click.command(
    name="retry",
    help=words("""
  orchestrator retry 2026-03-02T0900-writer-fares-page
  orchestrator retry 2026-03-02T0900 2026-03-02T0915

Give tasks another turn that ended in error, were cancelled or are blocked. A daemon runs them.
"""),
)
@ids_argument
@json_option
@pass_call
def command(call: Call, task_ids: tuple[str, ...], as_json: bool) -> int:
    """Retries them."""
    return change(call, "retry", task_ids, as_json=as_json, more={}, next_step="orchestrator show {id}")
