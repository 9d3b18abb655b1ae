"""`orchestrator index rebuild`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.words import count, span


@click.group(
    name="index",
    help=words("""
  orchestrator index rebuild

The index answers questions. All of it comes from the event files in work/telemetry, and can be made again.
"""),
)
def command() -> None:
    """The group."""


@command.command(
    name="rebuild",
    help=words("""
  orchestrator index rebuild

Make the index anew from the event files. Nothing else changes. The daemon must not run: it does this by itself.
"""),
)
@json_option
@pass_call
def rebuild(call: Call, as_json: bool) -> None:
    """Rebuilds it."""
    from orchestrator.wiring import rebuild_index

    call.stay()
    moves = call.err.may_move and not as_json

    def progress(files: int, events: int) -> None:
        if moves:
            call.err.again(f"read {files} files, {events} events")

    rebuilt = rebuild_index(call.place(), progress)
    if moves:
        call.err.again("")
    if as_json:
        data = {"files": rebuilt.files, "events": rebuilt.events, "seconds": rebuilt.seconds}
        call.out.envelope("index-rebuild", data)
        return
    read = f"{count(rebuilt.events, 'event')} in {count(rebuilt.files, 'file')}"
    call.out.line(f"rebuilt the index from {read}, in {span(rebuilt.seconds)}")
    call.err.line("next: orchestrator status")
