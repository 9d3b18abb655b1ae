"""`orchestrator init`."""

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.wiring import Place
    from orchestrator.wiring.initialising import Made
    from orchestrator.wiring.initialising_telling import Told

SETS = ("quick-start", "claude-only", "cost-optimized", "development")
_WIDE = 110  # columns from which on a table says where each tool is


@click.command(
    name="init",
    help=words("""
  orchestrator init
  orchestrator init --template claude-only --hooks
  orchestrator init --dry-run
  orchestrator --no-git init

Make this repository a workspace: look what tools are here, and write configuration that fits them into config/, folders
into work/, and the branch of the trail. Files that are there already stay as they are; with --force the configuration
is written anew, and what was there is kept beside it.

On a terminal it asks where there is a choice. All of it is written, or nothing.
"""),
)
@click.option(
    "--template",
    type=click.Choice(SETS),
    help="Which configuration: for whatever is here (default), Claude Code alone, low costs, or work on code.",
)
@click.option(
    "--trail",
    type=click.Choice(["own", "tracked", "none"]),
    help="Where commits go: a branch of their own (default), the checked-out branch, or nowhere.",
)
@click.option("--hooks/--no-hooks", default=None, help="Whether git's hooks are installed as well.")
@click.option("--force", is_flag=True, help="Write configuration files anew that are there already; keep a backup.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@json_option
@pass_call
def command(call: Call, /, hooks: bool | None, as_json: bool, **given: Any) -> None:
    """Makes it."""
    from orchestrator.cli.asking import can_ask
    from orchestrator.cli.init_asking import ask
    from orchestrator.wiring.initialising_telling import begin, carry_out

    place = call.place()
    with _waiting(call, "looking for tools ...", shown=not as_json):
        told = begin(place, template=given["template"], trail=given["trail"], force=given["force"])
    dry_run: bool = given["dry_run"]
    if not as_json and told.configures:
        _show(call, told)
    if told.writes and not (given["yes"] or as_json or dry_run) and can_ask(call):
        told, hooks = ask(call, place, told, hooks=hooks)
    made = carry_out(place, told, hooks=bool(hooks), dry_run=dry_run)
    program = _program(call, place)
    first = f"submit --agent {made.agent} --title 'Sum up this repository'" if made.agent else "doctor"
    following = f"{program} {first}"
    if as_json:
        call.out.envelope("init", _plain(made, told, following))
        return
    _tell(call, place, made, told, dry_run=dry_run)
    call.err.line(f"next: {plain('the same without --dry-run' if dry_run else following)}")
    if made.agent and not dry_run:
        call.err.line(f"then: {plain(program)} daemon --until-idle")


@contextmanager
def _waiting(call: Call, text: str, *, shown: bool) -> "Iterator[None]":
    """A line on a terminal while something takes its time; it is gone afterwards."""
    if not (shown and call.err.may_move):
        yield
        return
    call.err.again(text)
    try:
        yield
    finally:
        call.err.again("")


def _plain(made: "Made", told: "Told", following: str) -> dict[str, object]:
    data = asdict(made) | {"found": told.plain(), "next": following}
    return {name: value for name, value in data.items() if name != "agent" and value is not None}


def _show(call: Call, told: "Told") -> None:
    """What is here, and what it will be used for."""
    call.out.wrapped(told.machine, indent="")
    wide = not call.out.width or call.out.width >= _WIDE
    head = ("TOOL", "USED FOR", "KEY", "VERSION", *(("FOUND AT",) if wide else ()))
    rows = [(row.name, row.use, row.key, row.version, *((row.path,) if wide else ())) for row in told.rows]
    paints = [Paint.FAINT, *(Paint.GOOD if row.is_used else Paint.WARN for row in told.rows)]
    call.out.table([head, *rows], paints=paints)
    if told.absent:
        call.out.wrapped(f"not found: {', '.join(told.absent)}", indent="  ", paint=Paint.FAINT)
    call.out.line()
    call.out.flush()


def _tell(call: Call, place: "Place", made: "Made", told: "Told", *, dry_run: bool) -> None:
    root = plain(str(place.root))
    if dry_run:
        call.out.line(
            f"{root} would be a workspace" if made.made else f"{root} is a workspace: nothing would be written"
        )
    else:
        call.out.line(call.out.paint(f"{root} is a workspace", Paint.GOOD))
    for path in made.made:
        call.out.wrapped(f"{_verb(path, dry_run=dry_run)} {path}", indent="  ")
    if not made.made:
        call.out.line("  everything was there already")
    elif made.kept:
        call.out.wrapped(f"kept as they were: {', '.join(made.kept)}", indent="  ")
    if made.template:
        call.out.line(f"  configuration: {made.template}")
    elif told.asked_for:
        call.err.line(f"config is there and was kept; to have {told.asked_for}: orchestrator init --force --template "
                      f"{told.asked_for}")  # fmt: skip
    call.out.line(f"  trail: {plain(made.trail)}")
    for note in (*made.notes, *told.shortfalls):
        call.err.wrapped(f"orchestrator: {note}", indent="")


def _verb(path: str, *, dry_run: bool) -> str:
    if path.endswith(".bak"):
        return "would keep what is there as" if dry_run else "kept what was there as"
    if path.endswith(".gitignore"):
        return "would add to" if dry_run else "added to"
    return "would make" if dry_run else "made"


def _program(call: Call, place: "Place") -> str:
    """How to call it again for this workspace."""
    import shlex

    flags = ["--root", shlex.quote(str(call.root))] if call.root is not None else []
    flags += ["--no-git"] if place.git_dir is None and not call.use_git else []
    return " ".join(["orchestrator", *flags])
