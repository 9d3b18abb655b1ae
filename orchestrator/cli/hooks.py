"""`orchestrator hooks`: the hooks that git runs for us, installed and removed; each verb in a module of its own."""

import click

from orchestrator.cli.call import words
from orchestrator.cli.lazy import LazyGroup, Verb

TABLE = {
    "install": Verb(module="hooks_install", section="Commands", line="Put them beside what is there."),
    "remove": Verb(module="hooks_remove", section="Commands", line="Take them out without a trace."),
    "status": Verb(
        module="hooks_status", section="Commands", line="Which are installed, where, and what else is there."
    ),
}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    name="hooks",
    help=words("""
  orchestrator hooks install
  orchestrator hooks status
  orchestrator hooks remove

Git hooks that check configuration and task files at commit, and wake the daemon after it.
"""),
)
def command() -> None:
    """Its verbs are in TABLE."""
