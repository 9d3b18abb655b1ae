"""The check of a program against the contract that its reader expects, with programs of ours in their place."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asking import send

from orchestrator.conformance import Examined, examine_all
from orchestrator.conformance.examine import NETWORK, is_known
from orchestrator.conformance.pointing import KEY, harmless
from orchestrator.core.invocation import Invocation
from orchestrator.core.settings import Tool
from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Tokens
from orchestrator.core.verdict import Ending, Printed, Ran

COMMAND = (
    "{binary}",
    "-m",
    "{model}",
    "--cap",
    "{budget_usd}",
    "--turns",
    "{max_turns}",
    "--mode",
    "{permission_mode}",
)
CLAUDE = Tool(
    name="mine",
    binary="no-such-program",
    command=COMMAND,
    output="claude-json",
    models=("a-model",),
    options={"max_turns": "9", "permission_mode": "bypassPermissions"},
)
KINDS = {400: ErrorKind.CRASHED, 401: ErrorKind.AUTH, 429: ErrorKind.RATE_LIMITED, 529: ErrorKind.OVERLOADED}
SCENARIOS = [
    "answer", "work", "denied", "cap on turns", "cap on money", "HTTP 400", "HTTP 401", "HTTP 429", "HTTP 529", NETWORK
]  # fmt: skip


class Agent:
    """Stands in for a program that does what its contract says; tests make it do otherwise."""

    def __init__(self, spoil: Callable[[Ran], Ran] = lambda ran: ran) -> None:
        self.spoil = spoil
        self.invocations: list[Invocation] = []
        self.after: Callable[[Invocation], object] = lambda _: None
        self._ran = Ran(ending=Ending.EXITED)

    def run(self, invocation: Invocation) -> Ran:
        """Asks the model until it has answered, as an agent does."""
        self.invocations.append(invocation)
        turns = int(invocation.argv[invocation.argv.index("--turns") + 1])
        cap = float(invocation.argv[invocation.argv.index("--cap") + 1])
        messages: list[Any] = [{"role": "user", "content": invocation.stdin.decode()}]
        self._ran = Ran(ending=Ending.EXITED, session_id="s", cost=MicroUsd(1), cost_source=CostSource.REPORTED)
        spent, told = 0, [0, 0, 0, 0]
        while self._turn(invocation, messages, told):
            turns, spent = turns - 1, spent + 1
            if turns == 0 or (told[0] > 20_000 * spent - 1 and cap < 1):
                which = "turns" if turns == 0 else "budget"
                self._ran = replace(self._ran, failure=ErrorKind.BUDGET, problem=f"too many {which}")
                break
        self._ran = replace(
            self._ran, tokens=Tokens(input=told[0], cache_read=told[1], cache_write=told[2], output=told[3])
        )
        self.after(invocation)
        return Ran(ending=Ending.EXITED, exit_code=0)

    def read(self, tool: Tool, ran: Ran, printed: Printed) -> Ran:
        """What it made of it."""
        assert tool is CLAUDE or tool.output == "claude-json"
        assert ran.exit_code == 0
        assert Path(printed.stdout).parent.is_dir()
        return self.spoil(self._ran)

    def _turn(self, invocation: Invocation, messages: list[Any], told: list[int]) -> bool:
        tools = [
            {"name": "Write", "input_schema": {"properties": {"file_path": {}, "content": {}}}},
            {"name": "Bash", "input_schema": {"properties": {"command": {}}}},
        ]
        body = {"model": "m", "messages": messages, "tools": tools}
        reply = send(invocation.env["ANTHROPIC_BASE_URL"], "POST", "/v1/messages", body)
        if reply.status != 200:
            self._ran = replace(self._ran, failure=KINDS[reply.status], problem=f"API error {reply.status}")
            return False
        for place, name in enumerate(
            ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
        ):
            told[place] += reply.data["usage"][name]
        block = reply.data["content"][0]
        messages += [
            {"role": "assistant", "content": [block]},
            {"role": "user", "content": [{"type": "tool_result", "content": "ok"}]},
        ]
        if block["type"] == "text":
            self._ran = replace(self._ran, text=block["text"])
            return False
        self._work(invocation, block)
        return True

    def _work(self, invocation: Invocation, block: Any) -> None:
        if block["name"] == "Write":
            path = Path(invocation.cwd, block["input"]["file_path"])
            if path.is_relative_to(invocation.cwd):
                path.write_text(block["input"]["content"])
            else:
                self._ran = replace(self._ran, denials=(f"Write {path}",))


def examined(agent: Agent, tool: Tool = CLAUDE) -> dict[str, Examined]:
    """What is found of it, by scenario."""
    return {one.scenario: one for one in examine_all({tool.name: tool}, agent.run, agent.read)}


def test_a_program_that_keeps_its_contract_is_as_expected_in_every_scenario() -> None:
    found = examined(Agent())
    assert list(found) == SCENARIOS
    assert {one.found for one in found.values()} == {"as expected"}
    assert all(one.ok for one in found.values())


@pytest.mark.parametrize(
    ("spoil", "scenario", "words"),
    [
        pytest.param(lambda ran: replace(ran, text=""), "answer", "text ''", id="no text"),
        pytest.param(lambda ran: replace(ran, session_id=""), "answer", "no session", id="no session"),
        pytest.param(lambda ran: replace(ran, cost=None), "answer", "cost None", id="no cost"),
        pytest.param(
            lambda ran: replace(ran, tokens=Tokens(input=1300)), "answer", "tokens 1300 in, 0 read", id="other counters"
        ),
        pytest.param(lambda ran: replace(ran, denials=()), "denied", "denials []", id="a denial is not told"),
        pytest.param(lambda ran: replace(ran, denials=("Bash rm",)), "work", "denials ['Bash rm']", id="one too many"),
        pytest.param(lambda ran: replace(ran, failure=None), "HTTP 401", "failure None", id="a failure is not told"),
        pytest.param(
            lambda ran: replace(ran, failure=ErrorKind.CRASHED), "HTTP 429", "failure crashed", id="another failure"
        ),
        pytest.param(lambda ran: replace(ran, problem="oh"), "cap on money", "problem 'oh'", id="other words"),
    ],
)
def test_a_departure_is_named(spoil: Callable[[Ran], Ran], scenario: str, words: str) -> None:
    one = examined(Agent(spoil))[scenario]
    assert not one.ok
    assert words in one.found
    assert one.expected


def test_a_file_that_was_not_written_is_a_departure() -> None:
    agent = Agent()
    agent.after = lambda invocation: Path(invocation.cwd, "notes.md").unlink(missing_ok=True)
    assert "the file is not there" in examined(agent)["work"].found


def test_a_program_that_asks_another_host_is_told_of() -> None:
    agent = Agent()
    agent.after = lambda invocation: send(invocation.env["HTTPS_PROXY"], "CONNECT", "telemetry.example.invalid:443")
    one = examined(agent)[NETWORK]
    assert not one.ok
    assert one.found == "asked for telemetry.example.invalid:443"


def test_it_runs_the_command_of_the_stanza_in_folders_of_its_own_which_are_gone_afterwards() -> None:
    agent = Agent()
    examined(agent)
    first = agent.invocations[0]
    assert first.argv == (
        "no-such-program", "-m", "a-model", "--cap", "5.00", "--turns", "9", "--mode", "bypassPermissions"
    )  # fmt: skip
    assert len({invocation.id for invocation in agent.invocations}) == len(SCENARIOS) - 1
    assert not any(Path(path).exists() for run in agent.invocations for path in (run.cwd, run.env["HOME"]))


def test_no_secret_of_the_person_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-real")
    monkeypatch.setenv("SOMETHING", "of the person")
    agent = Agent()
    examined(agent, replace(CLAUDE, env={"MY_TOKEN": "sk-real", "ANTHROPIC_API_KEY": "sk-real", "REGION": "eu"}))
    for invocation in agent.invocations:
        assert "sk-real" not in json.dumps(dict(invocation.env))
        assert "SOMETHING" not in invocation.env
        assert invocation.env["REGION"] == "eu"
        assert not Path(invocation.env["HOME"]).is_relative_to(os.environ["HOME"])


def test_every_secret_of_a_stanza_becomes_a_key_of_ours() -> None:
    named = {"A_KEY": "x", "auth_token": "x", "DB_PASSWORD": "x", "CLIENT_SECRET": "x", "KEYBOARD": "us"}
    assert harmless(named) == {name: "us" if name == "KEYBOARD" else KEY for name in named}


def test_a_scenario_that_the_stanza_leaves_no_room_for_is_left_out() -> None:
    agent = Agent()
    agent.run = lambda invocation: Ran(ending=Ending.EXITED, exit_code=0)  # type: ignore[method-assign]  # not asked
    plain = replace(CLAUDE, command=("{binary}", "-p"), options={})
    assert not {"denied", "cap on turns", "cap on money"} & set(examined(agent, plain))


def test_a_tool_of_which_no_contract_is_known_is_not_examined() -> None:
    other = replace(CLAUDE, output="text")
    assert not is_known(other)
    assert list(examine_all({"other": other}, Agent().run, Agent().read)) == []
