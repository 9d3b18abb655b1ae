"""`orchestrator help`: a topic, or the help of a command."""

import click
from click.shell_completion import CompletionItem

from orchestrator.cli.call import Call, json_option, words
from orchestrator.cli.lazy import COMMANDS
from orchestrator.cli.topics import TOPICS
from orchestrator.errors import NotFoundError


def _names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    lines = {name: line for name, (line, _) in TOPICS.items()}
    lines |= {name: verb.line for name, verb in COMMANDS.items() if verb.section}
    return [CompletionItem(name, help=line) for name, line in lines.items() if name.startswith(incomplete)]


@click.command(
    name="help",
    help=words("""
  orchestrator help
  orchestrator help submit
  orchestrator help exit-codes
  orchestrator help task-file

Explain a command, or one of the topics exit-codes, environment, task-file.
"""),
)
@click.argument("subject", required=False, metavar="[COMMAND|TOPIC]", shell_complete=_names)
@json_option
@click.pass_context
def command(ctx: click.Context, subject: str | None, as_json: bool) -> None:
    """Prints it."""
    text = _text(ctx, subject)
    call = ctx.ensure_object(Call)
    if as_json:
        call.out.envelope("help", {"subject": subject or "", "text": text})
    else:
        call.out.line(text.rstrip("\n"))


def _text(ctx: click.Context, subject: str | None) -> str:
    root = ctx.find_root()
    group = root.command
    if subject in TOPICS:
        return TOPICS[subject][1]
    if subject is None:
        topics = "\n".join(f"  {name.ljust(12)}{line}" for name, (line, _) in TOPICS.items())
        return f"{group.get_help(root)}\n\nTopics, by `orchestrator help TOPIC`:\n{topics}"
    found = group.get_command(root, subject) if isinstance(group, click.Group) else None
    if found is None:
        raise NotFoundError(f"no command and no topic {subject!r}; there are the topics {', '.join(TOPICS)}")
    with click.Context(found, info_name=subject, parent=root) as inner:
        return found.get_help(inner)
