"""`orchestrator hooks install`: git's hooks, beside what is there."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain, plain_lines

if TYPE_CHECKING:
    from orchestrator.wiring.hooks_installing import Installed
    from orchestrator.wiring.hooks_standing import Standing


@click.command(
    name="install",
    help=words("""
  orchestrator hooks install
  orchestrator hooks install --run once
  orchestrator hooks install --as files

Put our hooks into this repository, for all its worktrees: what is committed of configuration and task files is checked,
and the daemon is woken after it. In a bare repository: what is pushed is checked, and taken in.

Git 2.54 and newer run hooks that its configuration names, beside all others. An older one is given files: a hook that
is there is kept, and called first; where husky, lefthook, the pre-commit framework or core.hooksPath owns the hooks,
nothing of theirs is changed: what to add there is printed. Exit code 1: nothing works until that is added.
"""),
)
@click.option(
    "--force", is_flag=True, help="Also over a hook that pre-commit or lefthook wrote: it is called first then."
)
@click.option(
    "--as",
    "way",
    type=click.Choice(["files", "configuration"]),
    default=None,
    help="files: also where git is new enough; for a repository that an older git, e.g. in a container, shares.",
)
@click.option(
    "--run",
    type=click.Choice(["once", "no"]),
    default=None,
    help="once: a commit starts a daemon where none runs, for what is in the inbox. no: it does not.",
)
@json_option
@pass_call
def command(call: Call, force: bool, way: str | None, run: str | None, as_json: bool) -> None:
    """Carries it out."""
    from dataclasses import asdict

    from orchestrator.wiring.hooks_installing import install

    done = install(call.workspace(), force=force, run=run or "", way=way or "")
    if as_json:
        call.out.envelope("hooks-install", asdict(done))
    elif done.events:
        call.out.line(_told(call, done))
    for note in done.notes:
        call.err.line(plain(note))
    tell_snippets(call, done)
    if not done.events:
        raise click.exceptions.Exit(1)
    call.err.line("next: orchestrator hooks status")


def _told(call: Call, done: "Installed") -> str:
    where = "git's configuration" if done.configured else plain(str(done.folder))
    formers = [f"{event}.before-orchestrator" for event in done.chained]
    after = f"; what was there is called first: {', '.join(formers)}" if formers else ""
    return call.out.paint(f"installed {', '.join(done.events)}", Paint.GOOD) + f" in {where}{after}"


def tell_snippets(call: Call, found: "Installed | Standing") -> None:
    """What a person has to add to another program's files."""
    for one in found.snippets:
        call.err.line(plain(f"{one.manager} owns {', '.join(one.events)}; add to {one.file}:"))
        for line in plain_lines(one.text):
            call.err.line(f"    {line}")
