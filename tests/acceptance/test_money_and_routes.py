"""The steps of `money_and_routes.feature`: the program is called in a repository, and what it left is looked at."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cli_world import SECONDS, World, repository
from exec_terminal import at_terminal, read
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("money_and_routes.feature")

PRICED = "{provider: here, price: {input_mtok: 1, output_mtok: 5}}"


@dataclass
class Story:
    """A workspace as the steps make it, and what came of the call."""

    world: World
    agent: dict[str, object] = field(default_factory=dict)
    policy: dict[str, object] = field(default_factory=lambda: {"unpriced": "allow"})
    tools: dict[str, dict[str, object]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    code: int | None = None
    said: str = ""
    terminal: Any = None
    stack: ExitStack = field(default_factory=ExitStack)

    def tool(self, name: str, script: str, **more: object) -> None:
        """A tool that is a shell script."""
        self.tools[name] = {"binary": "sh", "command": ["{binary}", "-c", script, "sh", "{model}"]} | more

    def make(self) -> World:
        """Writes the configuration: JSON is YAML."""
        models = "".join(f"  {name}: {text}\n" for name, text in self.models.items())
        self.world.configure(
            {
                "agents": json.dumps({"agents": {"dev": self.agent}}),
                "tools": json.dumps({"tools": self.tools}),
                "models": f"models:\n{models}" if models else "models: {}\n",
                "policies": json.dumps({"policies": {"default": self.policy}}),
            }
        )
        return self.world

    def events(self) -> list[Any]:
        """Those of the one task, if there is one."""
        files = list((self.world.root / "work" / "telemetry").rglob("exec-*.jsonl"))
        assert len(files) <= 1
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def event(self, kind: str) -> Any:
        """The one of that kind."""
        (found,) = [event for event in self.events() if event["event"] == kind]
        return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    """A workspace, once it was made: in a test, whose HOME and git are ours."""
    return [World(tmp_path_factory.mktemp("made") / "repo")]


@pytest.fixture
def story(made: list[World], tmp_path: Path) -> Iterator[Story]:
    """A scenario's own workspace."""
    if not made[0].root.exists():
        repository(made[0].root)
        made[0].well("init")
    told = Story(made[0].copied(tmp_path / "repo"))
    with told.stack:
        yield told


# --- given ---------------------------------------------------------------------------------------------------------


@given(parsers.parse("an agent that prefers the model {model}"))
def prefers_model(story: Story, model: str) -> None:
    story.models |= {model: PRICED, "claude-haiku-5-5": PRICED}
    story.tool("claude", "echo asked for $1", models=[model, "claude-haiku-5-5"])
    story.agent = {"preferred_tool": "claude", "preferred_model": model}


@given(parsers.parse("a policy that sends tasks of up to {tokens:d} tokens to the model {model}"))
def sends_small_tasks(story: Story, tokens: int, model: str) -> None:
    story.policy["cost_optimization"] = {"simple_task_threshold_tokens": tokens, "simple_task_models": [model]}


@given(parsers.parse("an agent that prefers the tool {tool}, which is not installed"))
def prefers_tool(story: Story, tool: str) -> None:
    story.tools[tool] = {"binary": f"no-such-{tool}", "command": ["{binary}"], "billing": "free"}
    story.agent = {"preferred_tool": tool, "fallback_chain": []}


@given(parsers.parse("its fallback chain goes on with the tool {tool}, which is"))
def goes_on_with(story: Story, tool: str) -> None:
    story.tool(tool, "echo the answer", billing="free")
    story.agent["fallback_chain"] = [tool]


@given(parsers.parse("its fallback chain goes on with the tool {tool}, which is not installed either"))
def goes_on_with_missing(story: Story, tool: str) -> None:
    story.tools[tool] = {"binary": f"no-such-{tool}", "command": ["{binary}"], "billing": "free"}
    story.agent["fallback_chain"] = [tool]


@given(parsers.parse("a model that costs ${per_input:g} for 1,000 tokens in and ${per_output:g} for 1,000 tokens out"))
def costs(story: Story, per_input: float, per_output: float) -> None:
    story.models["priced"] = f"{{provider: here, cost_per_1k_tokens: {{input: {per_input}, output: {per_output}}}}}"
    story.agent = {"preferred_tool": "counts", "preferred_model": "priced"}


@given(parsers.parse("a tool that reports {tokens_in:d} tokens in and {tokens_out:d} tokens out"))
def reports(story: Story, tokens_in: int, tokens_out: int) -> None:
    printed = json.dumps({"text": "the answer", "usage": {"in": tokens_in, "out": tokens_out}})
    output = {"format": "json", "text": "/text", "tokens": {"input": "/usage/in", "output": "/usage/out"}}
    story.tool("counts", f"sleep 0.05; echo '{printed}'", models=["priced"], billing="api", output=output)


@given(parsers.parse("a limit of ${usd:g} a day with a warning at {percent:d} percent"))
def limit(story: Story, usd: float, percent: int) -> None:
    story.policy["limits"] = [{"period": "day", "max_usd": usd, "type": "hard", "threshold_percent": percent}]
    story.models["priced"] = PRICED
    story.tool("paid", "echo the answer", models=["priced"], billing="api")
    story.agent = {"preferred_tool": "paid", "preferred_model": "priced"}


@given(parsers.parse("a run that is estimated at ${usd:g}"))
def estimated(story: Story, usd: float) -> None:
    story.policy["estimate_usd"] = usd


@given(parsers.parse("${usd} were spent today"))
def were_spent(story: Story, usd: str) -> None:
    story.make().well("budget", "adjust", usd, "--reason", "spent before the scenario")


# --- when ----------------------------------------------------------------------------------------------------------


@when(parsers.parse("a prompt of {tokens:d} tokens is executed"))
def execute(story: Story, tokens: int) -> None:
    ended = story.make()("exec", "--agent", "dev", "--prompt", "word " * tokens)
    story.code, story.said = ended.code, ended.err


@when("it is executed at a terminal")
def execute_at_terminal(story: Story) -> None:
    words = ("--agent", "dev", "--prompt", "x")
    story.terminal = story.stack.enter_context(at_terminal(story.make(), *words))
    story.said = read(story.terminal[1], b"[y/N] ")


@when(parsers.parse("the person answers {answer}"))
def answers(story: Story, answer: str) -> None:
    process, fd = story.terminal
    os.write(fd, f"{answer}\n".encode())
    read(fd)
    story.code = process.wait(SECONDS)


# --- then ----------------------------------------------------------------------------------------------------------


@then(parsers.parse("the exit code is {code:d}"))
def exit_code(story: Story, code: int) -> None:
    assert story.code == code, story.said


@then(parsers.parse('it says "{text}"'))
def says(story: Story, text: str) -> None:
    assert text in story.said


@then(parsers.parse('it shows "{first}" and "{second}", and waits'))
def shows(story: Story, first: str, second: str) -> None:
    assert first in story.said
    assert second in story.said
    assert story.said.endswith("[y/N] ")
    assert story.terminal[0].poll() is None


@then(parsers.parse("the {what} {name} ran, and the reason is {reason}"))
def ran(story: Story, what: str, name: str, reason: str) -> None:
    started = story.event("execution_started")
    assert (started[what], started["reason"]) == (name, reason)
    assert story.event("task_completed")["status"] == "done"


@then("nothing ran")
def nothing_ran(story: Story) -> None:
    assert story.events() == []


@then(parsers.parse("it names {first} and {second}, each with its reason"))
def names(story: Story, first: str, second: str) -> None:
    for name in (first, second):
        assert f"{name}: no-such-{name}: not found on PATH" in story.said


@then(parsers.parse("the cost that is recorded is ${usd:g}, {source}"))
def cost(story: Story, usd: float, source: str) -> None:
    finished = story.event("execution_finished")
    assert (finished["cost_microusd"], finished["cost_source"]) == (round(usd * 1_000_000), source)


@then(parsers.parse("the tokens that are recorded are {total:d} in total"))
def tokens(story: Story, total: int) -> None:
    assert sum(story.event("execution_finished")["tokens"].values()) == total


@then("its latency and its status are recorded")
def latency(story: Story) -> None:
    assert story.event("execution_finished")["duration_ms"] >= 50
    assert story.event("task_completed")["status"] == "done"


@then("it says what can be done: a cheaper model, to wait or to raise the limit, and --force with a reason")
def ways_out(story: Story) -> None:
    lines = [line.strip() for line in story.said.splitlines()]
    for number, way in enumerate(("use a cheaper model", "wait until", "run it all the same, with a reason"), 1):
        assert any(line.startswith(f"{number}. {way}") for line in lines), story.said
    assert '--force --justification "..."' in story.said
