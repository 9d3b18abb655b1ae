"""`orchestrator hooks remove`: ours are taken out, and what was there before is back."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain


@click.command(
    name="remove",
    help=words("""
  orchestrator hooks remove

Take our hooks out of this repository: its folder of hooks and git's configuration are as they were before.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Carries it out."""
    from dataclasses import asdict

    from orchestrator.wiring.hooks_installing import remove

    done = remove(call.workspace())
    if as_json:
        call.out.envelope("hooks-remove", asdict(done))
    else:
        said = f"removed {', '.join(done.events)}" if done.events else "none of ours is installed"
        call.out.line(call.out.paint(said, Paint.GOOD))
    for one in done.snippets:
        call.err.line(plain(f"{one.manager} still calls ours: take out of {one.file} what names orchestrator"))
