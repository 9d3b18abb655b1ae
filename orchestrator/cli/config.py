"""`orchestrator config`: the configuration checked, shown, changed and migrated; each verb in a module of its own."""

import click

from orchestrator.cli.call import words
from orchestrator.cli.lazy import LazyGroup, Verb

TABLE = {
    "validate": Verb(
        module="config_validate",
        section="Commands",
        line="Check all of it, and say that it is good or everything that is not.",
    ),
    "show": Verb(
        module="config_show", section="Commands", line="The value in force of each key, and where it came from."
    ),
    "schema": Verb(module="config_schema", section="Commands", line="JSON Schemas of the files, for editors."),
    "set": Verb(module="config_set", section="Commands", line="Change one value, and no other byte."),
    "migrate": Verb(module="config_migrate", section="Commands", line="Older spellings to those of today."),
}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    name="config",
    help=words("""
  orchestrator config validate
  orchestrator config show --origin
  orchestrator config set policies.default.max_parallel 2

The configuration of this workspace: the four files in config/, your own over the defaults, variables over both.
"""),
)
def command() -> None:
    """Its verbs are in TABLE."""


whose_option = click.option(
    "--file",
    "whose",
    type=click.Choice(["project", "user"]),
    default="project",
    show_default=True,
    help="Whose configuration to change: this project's, or your own.",
)
