"""`orchestrator sync`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import plain


@click.command(
    name="sync",
    help=words("""
  orchestrator sync

Push this machine's work branch to the remote of `trail.remote`, and fetch those of the others.
Nothing is ever forced: what the remote has and we lack is reported.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Syncs."""
    from orchestrator.wiring import sync

    report = sync(call.place())
    if as_json:
        call.out.envelope("sync", report)
        return
    for key, value in report.items():
        shown = ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)
        call.out.line(f"{plain(key)}: {plain(shown) or '-'}")
