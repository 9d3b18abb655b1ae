"""`orchestrator task`: task files written, checked, listed and mended; each verb in a module of its own."""

import click

from orchestrator.cli.call import words
from orchestrator.cli.lazy import LazyGroup, Verb

TABLE = {
    "new": Verb(
        module="task_new", section="Commands", line="Write a task file, asked or by flags, and drop it into the inbox."
    ),
    "validate": Verb(module="task_validate", section="Commands", line="Check task files before anybody runs them."),
    "list": Verb(module="task_list", section="Commands", line="The tasks, by status, agent, priority or run."),
    "fix": Verb(module="task_fix", section="Commands", line="Mend what can be mended safely, shown first."),
}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    name="task",
    help=words("""
  orchestrator task new --agent writer --title 'Sum up the README'
  orchestrator task validate tasks/*.yaml
  orchestrator task list --status error

Task files: one YAML file each, which says who is to do what (orchestrator help task-file).
"""),
)
def command() -> None:
    """Its verbs are in TABLE."""
