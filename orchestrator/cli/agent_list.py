"""`orchestrator agent list`: who can be given tasks, and what does them."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint

if TYPE_CHECKING:
    from orchestrator.core.settings import Agent

_HEAD = ("AGENT", "NAME", "RUNS ON", "POLICY", "PROFILE", "ALIASES")


@click.command(
    name="list",
    help=words("""
  orchestrator agent list
  orchestrator agent list --json

The agents of the configuration. A task names one by its key, the name or the file's name of its profile, or an alias.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Lists them."""
    from orchestrator.wiring.agents import agent_plain, agents

    found = agents(call.place())
    if as_json:
        call.out.envelope("agent-list", {"agents": [agent_plain(one) for one in found]})
        return
    if not found:
        call.err.line("no agent is declared; add one to config/agents.yaml")
        return
    call.out.table([_HEAD, *map(_row, found)], paints=[Paint.FAINT], indent="")
    call.err.line("next: orchestrator agent show AGENT")


def _row(agent: "Agent") -> tuple[str, ...]:
    from orchestrator.wiring.agents import runs_on

    runs = "a person" if agent.manual else runs_on(agent) or "-"
    return (
        agent.key,
        agent.profile_name or "-",
        runs,
        agent.policy,
        agent.profile or "-",
        ", ".join(agent.aliases) or "-",
    )
