"""`orchestrator hook NAME`: what the git hooks call, and the checks of .pre-commit-hooks.yaml.

A check ends with 65 where it found something and the hook is to refuse. Any other end but 0 says that the check itself
failed, and then the hooks let the commit pass (hooks/orchestrator-check): a traceback at the start of Python is a 1.
The framework knows no such difference; its checks end with 1.
"""

import os
import sys

import click

from orchestrator.cli.call import Call, pass_call, words
from orchestrator.cli.hook_quick import FOUND, tell
from orchestrator.cli.screen import plain_lines


@click.command(
    name="hook",
    hidden=True,
    context_settings={"ignore_unknown_options": True},
    help=words("""
  orchestrator hook pre-commit .git/index
  orchestrator hook post-receive < refs
  orchestrator hook check-task FILE...

What the hooks in hooks/ call. Checks what is about to be committed or pushed; takes in task files that were committed,
where no daemon runs.
"""),
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_call
def command(call: Call, name: str, arguments: tuple[str, ...]) -> None:
    """Carries it out."""
    from orchestrator.wiring.hooking import CHECKS, check, run

    if name not in CHECKS:
        for line in plain_lines(run(call.place(), name, _given(), list(arguments))):
            call.out.line(line)
        return
    given = _given() if name == "pre-receive" else ""
    checked = check(call.place(), name, given, list(arguments))
    tell(call.err, checked)
    if checked.problems:
        raise click.exceptions.Exit(1 if name.startswith("check-") else FOUND)


def _given() -> str:
    """What is on standard input; a ref may have any bytes in its name."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return os.fsdecode(sys.stdin.buffer.read())
