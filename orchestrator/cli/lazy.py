"""The table of commands, and a group that imports a command's module only when that command is called.

A read-only command must be done in 60 ms, and the interpreter with click takes half of that (UX-FACTS section 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One command: where it is, and its line in the overview."""

    module: str  # below orchestrator.cli
    line: str
    section: str = ""  # empty: it works, and the overview does not show it


COMMANDS: Mapping[str, Verb] = {
    "demo": Verb(module="demo", section="Begin", line="Watch it work on a throw-away repository."),
    "init": Verb(module="init", section="Begin", line="Make this repository a workspace."),
    "daemon": Verb(module="daemon", section="Begin", line="Do the tasks that are dropped into the inbox."),
    "exec": Verb(module="exec", section="Tasks", line="Have one task done now, and print its answer."),
    "task": Verb(module="task", section="Tasks", line="Write, check, list and mend task files."),
    "submit": Verb(module="submit", section="Tasks", line="Drop a task into the inbox."),
    "start": Verb(module="start", section="Tasks", line="Begin a task that a person does."),
    "complete": Verb(module="complete", section="Tasks", line="Finish a task that a person did."),
    "cancel": Verb(module="cancel", section="Tasks", line="Stop tasks, running or waiting."),
    "retry": Verb(module="retry", section="Tasks", line="Run tasks again that failed or were cancelled."),
    "freeze": Verb(module="freeze", section="Tasks", line="Put a task aside, with a reason."),
    "thaw": Verb(module="thaw", section="Tasks", line="Take a frozen task up again."),
    "status": Verb(module="status", section="Look", line="What runs, what waits, what needs you."),
    "show": Verb(module="show", section="Look", line="Everything about one task."),
    "log": Verb(module="log", section="Look", line="What happened, from the commits of the trail."),
    "models": Verb(module="models", section="Look", line="The models: what they cost, and who says so."),
    "agent": Verb(module="agent", section="Look", line="The agents and their profiles: list, show, check."),
    "explain": Verb(module="explain", section="Look", line="Which tool would do a task, why, and what it may cost."),
    "budget": Verb(module="budget", section="Look", line="The limits on money: what is spent, held and left; adjust."),
    "stats": Verb(module="stats", section="Look", line="What the runs used, cost and saved, and how they ended."),
    "simulate": Verb(module="simulate", section="Look", line="What a chain of models would have cost, and how good."),
    "config": Verb(module="config", section="Upkeep", line="Check, show, change and migrate the configuration."),
    "tool": Verb(module="tool", section="Upkeep", line="List, add, remove and check the tools of the configuration."),
    "hooks": Verb(module="hooks", section="Upkeep", line="Install and remove the hooks that git runs for us."),
    "workspace": Verb(module="workspace", section="Look", line="The worktrees of tasks: list, open, clean."),
    "sync": Verb(module="sync", section="Upkeep", line="Push and fetch the work branches of several machines."),
    "index": Verb(module="index", section="Upkeep", line="Rebuild what answers questions from the event files."),
    "doctor": Verb(module="doctor", section="Upkeep", line="Examine this machine, the workspace and each tool."),
    "completion": Verb(module="completion", section="Upkeep", line="Print the script that completes words in a shell."),
    "help": Verb(module="help", section="Upkeep", line="Explain a command, or a topic such as exit-codes."),
    "version": Verb(module="version", section="Upkeep", line="Print the version."),
    "hook": Verb(module="hook", line="What the git hooks call."),
}


class LazyGroup(click.Group):
    """A click group over a table of commands: the program's, or that of a command which has several below it."""

    def __init__(self, *args: Any, table: Mapping[str, Verb] = COMMANDS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own parameter
        """Every name, in the order of the overview."""
        return list(self.table)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's own parameter
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name, imported now."""
        verb = self.table.get(cmd_name)
        if verb is None:
            return None
        found = import_module(f"orchestrator.cli.{verb.module}").command
        if not isinstance(found, click.Command):
            raise TypeError(f"orchestrator.cli.{verb.module}.command is no click command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is none."""
        name = args[0]
        if name in self.table or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(name, self.table, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"see `{ctx.command_path} --help`"
        raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's own parameter
        formatter: click.HelpFormatter,
    ) -> None:
        """The overview, from the table alone."""
        widest = max(len(name) for name in self.table)
        for section in dict.fromkeys(verb.section for verb in self.table.values() if verb.section):
            rows = [(name.ljust(widest), verb.line) for name, verb in self.table.items() if verb.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """The names that begin so, from the table alone."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=verb.line)
            for name, verb in self.table.items()
            if verb.section and name.startswith(incomplete)
        ]
