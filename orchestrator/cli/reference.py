"""docs/reference/commands.md, from the commands themselves: `python -m orchestrator.cli.reference` prints it."""

import sys
from collections.abc import Iterator

import click

from orchestrator.cli.lazy import COMMANDS
from orchestrator.cli.program import NAME, program

_HEAD = """\
# Commands

Made from the commands themselves by `python -m orchestrator.cli.reference`; a test compares. Every command takes
`--json`, and prints one envelope `{"schema": "orchestrator.<command>/1", "data": ...}` on stdout; messages go to
stderr. Exit codes: [exit-codes.md](exit-codes.md). How a task file looks: `orchestrator help task-file`.
"""
_WIDTH = 100


def render() -> str:
    """The page."""
    parts = [_HEAD]
    with click.Context(program, info_name=NAME, terminal_width=_WIDTH, help_option_names=["-h", "--help"]) as root:
        parts.append(_block(NAME, program.get_help(root)))
        for name, verb in COMMANDS.items():
            command = program.get_command(root, name)
            if verb.section and command is not None:
                parts += _pages(command, root, name)
    return "\n".join(parts)


def _pages(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH) as here:
        yield _block(here.command_path, command.get_help(here))
        if isinstance(command, click.Group):
            for below in command.list_commands(here):
                if (inner := command.get_command(here, below)) is not None:
                    yield from _pages(inner, here, below)


def _block(title: str, text: str) -> str:
    return f"## `{title}`\n\n```text\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(render())
