"""`orchestrator start`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import change, id_argument


@click.command(
    name="start",
    help=words("""
  orchestrator start 2026-03-02T1000-person-sign-off

Begin a task of an agent that is a person (`manual: true` in config/agents.yaml).
"""),
)
@id_argument
@json_option
@pass_call
def command(call: Call, task_id: str, as_json: bool) -> int:
    """Starts it."""
    next_step = 'orchestrator complete {id} --summary "what came of it"'
    return change(call, "start", [task_id], as_json=as_json, more={}, next_step=next_step)
