"""`orchestrator completion`: the script that completes words in a shell; and the completion of task ids."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.errors import OrchestratorError

SHELLS = ("bash", "zsh", "fish")


@click.command(
    name="completion",
    help=words("""
  orchestrator completion bash > ~/.local/share/bash-completion/completions/orchestrator
  orchestrator completion zsh  > "${fpath[1]}/_orchestrator"
  orchestrator completion fish > ~/.config/fish/completions/orchestrator.fish

Print the script that completes commands, options and task ids. Start a new shell afterwards.
"""),
)
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
@pass_call
@click.pass_context
def command(ctx: click.Context, call: Call, shell: str, as_json: bool) -> None:
    """Prints it."""
    from click.shell_completion import ShellComplete, get_completion_class

    from orchestrator.cli.program import COMPLETE, NAME

    kind = get_completion_class(shell)
    if kind is None:
        raise OrchestratorError(f"this click has no completion for {shell}")
    # Not kind.source(): for bash it would run bash to look at its version.
    script = ShellComplete.source(kind(ctx.find_root().command, {}, NAME, COMPLETE))
    if as_json:
        call.out.envelope("completion", {"shell": shell, "script": script})
    else:
        call.out.line(script)


def task_ids(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Ids that begin so, from the index. Never an error: a shell shows it in the middle of the line."""
    from orchestrator.query import IndexNeeded

    options = ctx.find_root().params
    call = Call(root=options.get("root"), use_git=not options.get("no_git"))
    try:
        from orchestrator.wiring import query_service

        return [str(found) for found in query_service(call.place()).ids(incomplete, limit=100)]
    except (OrchestratorError, IndexNeeded, OSError):
        return []
