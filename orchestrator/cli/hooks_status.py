"""`orchestrator hooks status`: which hooks are installed, where, and what else is there."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain


@click.command(
    name="status",
    help=words("""
  orchestrator hooks status
  orchestrator hooks status --json

Which of our hooks git runs here, and which not and why.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Tells it."""
    from dataclasses import asdict

    from orchestrator.cli.hooks_install import tell_snippets
    from orchestrator.wiring.hooks_standing import status

    found = status(call.workspace())
    if as_json:
        call.out.envelope("hooks-status", asdict(found) | {"complete": found.is_complete})
        return
    paints = [Paint.FAINT, *(Paint.GOOD if hook.is_there else Paint.WARN for hook in found.hooks)]
    rows = [("EVENT", "STATE"), *((hook.event, hook.state) for hook in found.hooks)]
    call.out.table(rows, paints=paints, indent="")
    call.out.line(f"folder   {plain(str(found.folder))}{f' ({plain(found.manager)})' if found.manager else ''}")
    lost = "" if found.program_is_there else " (not found: git config orchestrator.program /path/to/orchestrator)"
    call.out.line(f"program  {plain(found.program or 'orchestrator')}{lost}")
    changed = "" if found.run_is_known else " (from the next: orchestrator hooks install)"
    run = "once: a commit starts a daemon" if found.run == "once" else "no: they wake a daemon that runs"
    call.out.line(f"run      {run}{changed}")
    tell_snippets(call, found)
    if not all(hook.is_there for hook in found.hooks) and not found.snippets:
        call.err.line("next: orchestrator hooks install")
