"""`orchestrator agent show`: one agent, what does its tasks, and who its profile tells it to be."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.cli.words import count
from orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.wiring.agents import Shown

_LINES = 12  # of the body


def _names(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Keys and aliases that begin so. Never an error: a shell shows it in the middle of the line."""
    from orchestrator.wiring.agents import agents

    options = ctx.find_root().params
    call = Call(root=options.get("root"), use_git=not options.get("no_git"))
    try:
        found = [name for agent in agents(call.place()) for name in (agent.key, *agent.aliases)]
    except (OrchestratorError, OSError):
        return []
    return [name for name in found if name.startswith(incomplete)]


@click.command(
    name="show",
    help=words("""
  orchestrator agent show writer
  orchestrator agent show "Backend Benny" --json

Show one agent, found as a task would find it: by its key, the file's name or the name of its profile, or an alias. With
--json the whole body of the profile is there.
"""),
)
@click.argument("name", shell_complete=_names)
@json_option
@pass_call
def command(call: Call, name: str, as_json: bool) -> None:
    """Shows it."""
    from orchestrator.wiring.agents import show

    found = show(call.place(), name)
    if as_json:
        call.out.envelope("agent", found.plain())
        return
    call.out.line(call.out.paint(plain(found.agent.key), Paint.STRONG))
    call.out.table([row for row in _rows(found) if row[1]])
    profile = found.profile
    if profile is None:
        call.err.line("it has no profile: what it is told is the task alone")
        return
    body = profile.body.splitlines()
    if not body:
        call.err.line(plain(f"the body of {profile.path} is empty: what it is told is the task alone"))
        return
    call.out.line()
    for line in plain_lines("\n".join(body[:_LINES])):
        call.out.line(f"  {line}".rstrip())
    if len(body) > _LINES:
        call.out.line(plain(f"  ... and {count(len(body) - _LINES, 'more line')} in {profile.path}"))


def _rows(found: "Shown") -> "Iterator[tuple[str, str]]":
    from orchestrator.wiring.agents import runs_on

    agent, profile = found.agent, found.profile
    yield "name", agent.profile_name
    yield "about", profile.description if profile else ""
    yield "aliases", ", ".join(agent.aliases)
    yield "runs on", "nothing: a person does its tasks" if agent.manual else runs_on(agent) or "nothing of its own"
    yield "falls back to", ", then ".join(agent.fallback_chain)
    for kind, model in agent.task_types.items():
        yield f"for {kind}", model
    yield "policy", agent.policy
    yield "profile", agent.profile
    if profile and profile.tools:
        yield "its tools", f"{', '.join(profile.tools)} (of other programs; not used here)"
    if profile and profile.extras:
        yield "also says", ", ".join(profile.extras)
