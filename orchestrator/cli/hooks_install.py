"""`orchestrator hooks install`: git's hooks, beside what is there."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain, plain_lines

if TYPE_CHECKING:
    from orchestrator.wiring.hooks_installing import Installed, Standing


@click.command(
    name="install",
    help=words("""
  orchestrator hooks install
  orchestrator hooks install --run once

Put our hooks into this repository, for all its worktrees: what is committed of configuration and task files is checked,
and the daemon is woken after it. In a bare repository: what is pushed is checked, and taken in.

A hook that is there is kept, and called first. Where husky, lefthook, the pre-commit framework or core.hooksPath owns
the hooks nothing of theirs is changed: what to add there is printed. Exit code 1: nothing works until that is added.
"""),
)
@click.option(
    "--force", is_flag=True, help="Also over a hook that pre-commit or lefthook wrote: it is called first then."
)
@click.option(
    "--run",
    type=click.Choice(["once", "no"]),
    default=None,
    help="once: a commit starts a daemon where none runs, for what is in the inbox. no: it does not.",
)
@json_option
@pass_call
def command(call: Call, force: bool, run: str | None, as_json: bool) -> None:
    """Carries it out."""
    from dataclasses import asdict

    from orchestrator.wiring.hooks_installing import install

    done = install(call.workspace(), force=force, run=run or "")
    if as_json:
        call.out.envelope("hooks-install", asdict(done))
    else:
        for event in done.events:
            after = f", after the hook that was there ({event}.before-orchestrator)" if event in done.chained else ""
            call.out.line(call.out.paint(f"installed {event}", Paint.GOOD) + after)
        if done.events:
            call.out.line(f"  in {plain(str(done.folder))}")
    for note in done.notes:
        call.err.line(plain(note))
    tell_snippets(call, done)
    if not done.events:
        raise click.exceptions.Exit(1)
    call.err.line("next: orchestrator hooks status")


def tell_snippets(call: Call, found: "Installed | Standing") -> None:
    """What a person has to add to another program's files."""
    for one in found.snippets:
        call.err.line(plain(f"{one.manager} owns {', '.join(one.events)}; add to {one.file}:"))
        for line in plain_lines(one.text):
            call.err.line(f"    {line}")
