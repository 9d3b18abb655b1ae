"""`orchestrator complete`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import change, id_argument


@click.command(
    name="complete",
    help=words("""
  orchestrator complete 2026-03-02T1000-person-sign-off --summary "signed, with one remark"
  orchestrator complete 2026-03-02T1000 --summary "done" --artefact docs/sign-off.md

Finish a task that a person began with `orchestrator start`.
"""),
)
@id_argument
@click.option("--summary", metavar="TEXT", required=True, help="What came of it; it is recorded.")
@click.option("--artefact", "artefacts", metavar="PATH", multiple=True, help="A file that was made; may be repeated.")
@json_option
@pass_call
def command(call: Call, task_id: str, summary: str, artefacts: tuple[str, ...], as_json: bool) -> int:
    """Completes it."""
    more: dict[str, object] = {"summary": summary, "artefacts": list(artefacts)}
    return change(call, "complete", [task_id], as_json=as_json, more=more, next_step="orchestrator show {id}")
