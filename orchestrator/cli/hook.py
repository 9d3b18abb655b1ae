"""`orchestrator hook NAME`: what the git hooks call. It never fails a commit by itself: the hooks ignore its end."""

import sys

import click

from orchestrator.cli.call import Call, pass_call, words
from orchestrator.cli.screen import plain_lines


@click.command(
    name="hook",
    hidden=True,
    context_settings={"ignore_unknown_options": True},
    help=words("""
  orchestrator hook post-receive < refs

What the hooks in hooks/ call. Takes in task files that were committed, where no daemon runs.
"""),
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_call
def command(call: Call, name: str, arguments: tuple[str, ...]) -> None:
    """Carries it out."""
    from orchestrator.wiring import hook

    given = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    for line in plain_lines(hook(call.place(), name, given, list(arguments))):
        call.out.line(line)
