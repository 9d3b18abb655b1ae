"""Which agent a task means."""

import pytest

from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.settings import Agent
from orchestrator.core.types import AgentKey


def agent(key: str, profile: str = "", profile_name: str = "", aliases: tuple[str, ...] = ()) -> Agent:
    return Agent(key=AgentKey(key), profile=profile, profile_name=profile_name, aliases=aliases)


AGENTS = {
    found.key: found
    for found in (
        agent("backend", "doctrine/agents/backend-dev.agent.md", "Backend Benny", ("benny", "coder")),
        agent("writer", "writer-editor.agent.md", "writer-editor", ("coder",)),
        agent("Curator"),
        agent("benny-two", aliases=("backend",)),
    )
}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("backend", "backend"),
        ("backend-dev", "backend"),
        ("Backend Benny", "backend"),
        ("backend_benny", "backend"),
        ("benny", "backend"),
        ("BENNY", "backend"),
        ("writer-editor", "writer"),
        ("curator", "Curator"),
        (" writer ", "writer"),
    ],
)
def test_an_agent_is_known_by_key_profile_name_and_alias(written: str, key: str) -> None:
    assert resolve(written, AGENTS) == key


def test_a_name_of_two_agents_is_none_and_says_which() -> None:
    found = resolve("coder", AGENTS)
    assert isinstance(found, Unknown)
    assert found.nearest == ("backend", "writer")
    assert found.why == '"coder" names "backend" and "writer"; write the one that is meant'


def test_an_unknown_name_says_what_it_may_have_meant() -> None:
    found = resolve("writer-editro", AGENTS)
    assert found == Unknown(
        why='no agent is called "writer-editro"; did you mean "writer"?', nearest=(AgentKey("writer"),)
    )


def test_a_name_like_no_other_lists_those_that_are_known() -> None:
    found = resolve("zzz", AGENTS)
    assert isinstance(found, Unknown)
    assert found.why == 'no agent is called "zzz"; known are backend, writer, Curator, benny-two'
    assert resolve("zzz", {}) == Unknown(why='no agent is called "zzz"; config/agents.yaml declares none')


def test_a_task_without_an_agent_is_told_what_to_add() -> None:
    found = resolve("", AGENTS)
    assert isinstance(found, Unknown)
    assert "`agent: backend`" in found.why
