"""`orchestrator agent`: the agents of the configuration and their profiles; each verb in a module of its own."""

import click

from orchestrator.cli.call import words
from orchestrator.cli.lazy import LazyGroup, Verb

TABLE = {
    "list": Verb(module="agent_list", section="Commands", line="The agents, what they run on, and their other names."),
    "show": Verb(module="agent_show", section="Commands", line="One agent with its profile."),
    "validate": Verb(
        module="agent_validate", section="Commands", line="Check profiles, in the configuration or anywhere."
    ),
}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    name="agent",
    help=words("""
  orchestrator agent list
  orchestrator agent show writer
  orchestrator agent validate agents/*.agent.md

The agents of this workspace, and the profiles that tell them who they are.
"""),
)
def command() -> None:
    """Its verbs are in TABLE."""
