"""`orchestrator tool`: the tools of the configuration, and the catalogue that ships with the program."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.wiring.tool_state import ToolState

_MOST = 1 << 20  # bytes of a stanza


@click.group(
    name="tool",
    help=words("""
  orchestrator tool list --catalogue
  orchestrator tool add claude
  orchestrator tool check

The tools are in config/tools.yaml. What these commands change they splice in: no other line of the file changes, and
nothing is written before the whole configuration was read with it and found good.
"""),
)
def command() -> None:
    """The group."""


@command.command(
    name="list",
    help=words("""
  orchestrator tool list
  orchestrator tool list --catalogue

The tools of the configuration: whether they can run here, their models, and the agents that use them.
"""),
)
@click.option("--catalogue", is_flag=True, help="The stanzas that ship with the program instead.")
@json_option
@pass_call
def list_(call: Call, catalogue: bool, as_json: bool) -> None:
    """Lists them."""
    if catalogue:
        from orchestrator.wiring.tooling import catalogue_lines

        lines = catalogue_lines()
        if as_json:
            call.out.envelope("tool-catalogue", {"stanzas": lines})
            return
        call.out.table([(line["name"], line["about"]) for line in lines], indent="")
        call.err.line("next: orchestrator tool add NAME")
        return
    found = _states(call, (), versions=False)
    if as_json:
        call.out.envelope("tool-list", {"tools": [state.plain() for state in found]})
        return
    rows = [(one.name, one.why_not or "available", _several(one.models), _several(one.users)) for one in found]
    head = ("TOOL", "STATE", "MODELS", "AGENTS")
    call.out.table([head, *rows], paints=[Paint.FAINT, *(_paint(one) for one in found)], indent="")


@command.command(
    name="show",
    help=words("""
  orchestrator tool show claude

The stanza of one tool as it is written, and what is known of it here. A tool of the catalogue is shown as well.
"""),
)
@click.argument("name")
@json_option
@pass_call
def show(call: Call, name: str, as_json: bool) -> None:
    """Shows it."""
    from orchestrator.wiring.tooling import written

    text, file = written(call.place(), name)
    found = _states(call, (name,), versions=True) if file != "the catalogue" else []
    if as_json:
        state = found[0].plain() if found else None
        call.out.envelope("tool", {"name": name, "file": file, "stanza": text, "state": state})
        return
    for line in plain_lines(text):
        call.out.line(line)
    for one in found:
        call.out.line()
        _tell(call, one)
    if not found:
        call.err.line(f"this is from {file}; next: orchestrator tool add {name}")


@command.command(
    name="add",
    help=words("""
  orchestrator tool add claude
  orchestrator tool add codex --set sandbox=read-only --set timeout=1h
  orchestrator tool add mine --from mine.yaml
  orchestrator tool add mine --from - < mine.yaml

Put a tool into config/tools.yaml: the stanza of that name from the catalogue, or from a file (`mine:` with its keys
under it). Models that it lists, whose prices the catalogue has, are put into config/models.yaml where that lacks them.
"""),
)
@click.argument("name")
@click.option("--from", "source", metavar="FILE", help="A file with the stanza; - reads it from stdin.")
@click.option(
    "--set", "pairs", metavar="OPTION=VALUE", multiple=True, help="Another value for an option of the stanza."
)
@json_option
@pass_call
def add(call: Call, name: str, source: str | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Adds it."""
    from dataclasses import asdict

    from orchestrator.wiring import tooling
    from orchestrator.wiring.editing import daemon_note

    place = call.place()
    raw = _content(source) if source else None
    shown = "stdin" if source == "-" else source or ""
    chosen = tooling.chosen_values(pairs)
    done = tooling.add(place, tooling.stanza_of(name, raw, path=shown, chosen=chosen))
    state = _states(call, (name,), versions=False)[0]
    note = daemon_note(place)
    if as_json:
        call.out.envelope("tool-add", asdict(done) | {"state": state.plain(), "note": note})
        return
    call.out.line(call.out.paint(f"added {plain(name)} to {' and '.join(done.files)}", Paint.GOOD))
    for model in done.models:
        call.out.line(f"  model {plain(model)}")
    if state.why_not:
        call.err.line(plain(f"it cannot run here yet: {state.why_not}{_hint(state)}"))
    if note:
        call.err.line(note)
    call.err.line(
        f"next: name it in config/agents.yaml as `preferred_tool: {plain(name)}`, then: orchestrator tool check"
    )


@command.command(
    name="remove",
    help=words("""
  orchestrator tool remove codex

Take a tool out of config/tools.yaml. Refused while an agent names it. Its models stay in config/models.yaml, and
comments above it stay where they are.
"""),
)
@click.argument("name")
@json_option
@pass_call
def remove(call: Call, name: str, as_json: bool) -> None:
    """Removes it."""
    from dataclasses import asdict

    from orchestrator.wiring import tooling
    from orchestrator.wiring.editing import daemon_note

    place = call.place()
    done = tooling.remove(place, name)
    note = daemon_note(place)
    if as_json:
        call.out.envelope("tool-remove", asdict(done) | {"note": note})
        return
    call.out.line(call.out.paint(f"removed {plain(name)} from {done.files[0]}", Paint.GOOD))
    if note:
        call.err.line(note)


@command.command(
    name="check",
    help=words("""
  orchestrator tool check
  orchestrator tool check claude codex

Look for each tool, ask it for its version, and say what it lacks. Exit code 1: an agent prefers a tool that cannot run.
"""),
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
@pass_call
def check(call: Call, names: tuple[str, ...], as_json: bool) -> int:
    """Checks them; 1 where an agent prefers one that is not available."""
    found = _states(call, names, versions=True)
    lacking = [one for one in found if one.why_not and one.preferred_by]
    if as_json:
        told = [one.plain() for one in found]
        call.out.envelope("tool-check", {"well": not lacking, "tools": told})
    else:
        for one in found:
            _tell(call, one)
    return 1 if lacking else 0


def _states(call: Call, names: "Sequence[str]", *, versions: bool) -> "list[ToolState]":
    from orchestrator.wiring.configuring import read_settings
    from orchestrator.wiring.tool_state import states

    place = call.place()
    settings = read_settings(place)
    for name in names:
        if name not in settings.tools:
            known = ", ".join(settings.tools) or "none"
            raise NotFoundError(f"config/tools.yaml has no tool {name!r}; it has {known}")
    return states(place, settings, names or tuple(settings.tools), versions=versions)


def _tell(call: Call, one: "ToolState") -> None:
    """One tool in a few lines."""
    call.out.line(f"{call.out.paint(plain(one.name), _paint(one))}  {plain(one.why_not or 'available')}")
    options = ", ".join(f"{key}={value}" for key, value in one.options)
    version = f"{one.version} ({one.version_note})" if one.version else one.version_note
    lines = (
        ("found", one.found),
        ("version", version),
        ("lacks", ", ".join(one.missing)),
        ("install", one.install if not one.found else ""),
        ("options", options),
        ("models", ", ".join(one.models)),
        ("agents", ", ".join(one.users) or "none: name it in config/agents.yaml"),
    )
    for what, text in lines:
        if text:
            call.out.wrapped(f"{what}: {text}", indent="  ")


def _paint(one: "ToolState") -> Paint:
    return Paint.GOOD if not one.why_not else Paint.BAD if one.preferred_by else Paint.WARN


def _hint(one: "ToolState") -> str:
    return f"; {one.install}" if one.install and not one.found else ""


def _several(names: "Sequence[str]") -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "-"


def _content(source: str) -> bytes:
    """What the file holds, or stdin."""
    try:
        if source == "-":
            return sys.stdin.buffer.read(_MOST + 1)
        with Path(source).open("rb") as file:
            return file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"--from {source}: {error.strerror or error}") from error
