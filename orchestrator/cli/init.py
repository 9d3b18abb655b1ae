"""`orchestrator init`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain


@click.command(
    name="init",
    help=words("""
  orchestrator init
  orchestrator init --trail tracked
  orchestrator --no-git init

Make this repository a workspace: configuration in config/, folders in work/, and the branch of the trail.
Files that are there already stay as they are; with --force the configuration is written anew.
"""),
)
@click.option(
    "--trail",
    type=click.Choice(["own", "tracked", "none"]),
    help="Where commits go: a branch of their own (default), the checked-out branch, or nowhere.",
)
@click.option("--force", is_flag=True, help="Write configuration files anew that are there already.")
@json_option
@pass_call
def command(call: Call, trail: str | None, force: bool, as_json: bool) -> None:
    """Makes it."""
    from orchestrator.wiring import initialise

    place = call.place()
    made = initialise(place, mode=trail, force=force)
    if as_json:
        call.out.envelope("init", made)
        return
    paths, notes = _texts(made.get("made")), _texts(made.get("notes"))
    call.out.line(call.out.paint(f"{plain(str(place.root))} is a workspace", Paint.GOOD))
    for path in paths:
        call.out.line(f"  made {plain(path)}")
    if not paths:
        call.out.line("  everything was there already")
    call.out.line(f"  trail: {plain(str(made.get('trail', '')))}")
    for note in notes:
        call.err.line(f"orchestrator: {plain(note)}")
    call.err.line(f"next: {plain(str(made.get('next', 'orchestrator daemon')))}")


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []
