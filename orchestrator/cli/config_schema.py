"""`orchestrator config schema`: what may stand where, as JSON Schemas that editors understand."""

import os
from pathlib import Path

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import plain
from orchestrator.errors import UsageError


@click.command(
    name="schema",
    help=words("""
  orchestrator config schema
  orchestrator config schema agents
  orchestrator config schema --write config/schemas

JSON Schemas (2020-12) of agents, tools, models and policies, of a task, a run and a specification: an editor with a
YAML language server completes keys, explains them and underlines what is wrong. --write puts all of them into a folder,
and prints the line that each configuration file needs at its top. What a schema cannot know, e.g. which names exist,
`config validate` tells.
"""),
)
@click.argument("name", required=False)
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all of them into this folder.",
)
@json_option
@pass_call
def command(call: Call, name: str | None, folder: Path | None, as_json: bool) -> None:
    """Prints or writes them."""
    from orchestrator.wiring import schemas

    if folder is not None:
        if name is not None:
            raise UsageError("--write writes all of them: leave the name away")
        _write(call, folder, as_json=as_json)
    elif name is not None:
        text = schemas.schema_text(name)
        if as_json:
            import json

            call.out.envelope("config-schema", {"name": name, "schema": json.loads(text)})
        else:
            call.out.piece(text)
    elif as_json:
        call.out.envelope("config-schema", {"names": list(schemas.NAMES)})
    else:
        call.out.table([(one, schemas.ABOUT[one]) for one in schemas.NAMES], indent="")
        call.err.line(f"for an editor, above a file in config/: {schemas.modeline('agents')} (tools, models, policies)")
        call.err.line("next: orchestrator config schema --write config/schemas")


def _write(call: Call, folder: Path, *, as_json: bool) -> None:
    from orchestrator.wiring import schemas

    place = call.place()
    done = schemas.write(place, folder)
    if as_json:
        told = [{"name": one.name, "file": one.file, "modeline": one.line, "changed": one.is_new} for one in done]
        call.out.envelope("config-schema", {"written": told})
        return
    for one in done:
        call.out.line(plain(f"{'wrote' if one.is_new else 'as it was:'} {one.file}"))
    call.err.line("for an editor, the first line of each configuration file:")
    for one in done:
        if one.line:
            call.err.line(plain(f"  {os.path.relpath(place.config / f'{one.name}.yaml')}: {one.line}"))
    task = next(one.file for one in done if one.name == "task")
    call.err.line(
        plain(f'for task files, in the editor\'s settings: "yaml.schemas": {{"{task}": "**/collaboration/**"}}')
    )
