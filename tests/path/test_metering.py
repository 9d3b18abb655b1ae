"""A run that tells what it uses is stopped at what is held for it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from world import POLICY, SETTINGS, TOOL, Fake, until, working

from orchestrator.core.prices import Price, Rates
from orchestrator.core.settings import Agent, Limit, Model, Period, Settings, Tool
from orchestrator.core.types import AgentKey, ErrorKind, MicroUsd, TaskId, Tokens
from orchestrator.core.verdict import Ending, Printed, Ran, Reported
from orchestrator.daemon import Daemon

PRICE = Price(rates=Rates(input=Decimal(1), output=Decimal(1)))
METERED = replace(TOOL, output="claude-stream-json", models=("m",), billing="api")
AGENT = Agent(key=AgentKey("dev"), preferred_tool="brief", preferred_model="m")


def settings(*, hard: bool) -> Settings:
    limit = Limit(period=Period.TASK, max_usd=MicroUsd(1000), hard=hard)
    policy = replace(POLICY, limits=(limit,))
    models = {"m": Model(name="m", price=PRICE)}
    agents = {AgentKey("dev"): AGENT}
    return replace(SETTINGS, agents=agents, tools={"brief": METERED}, models=models, policies={"default": policy})


class Printing:
    """A tool whose usage grows with each look."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.looks = 0

    def read(self, tool: Tool, ran: Ran, printed: Printed, previous: Reported | None) -> Ran:
        self.looks += 1
        file = Path(printed.stdout)
        if file.parent.is_dir():
            file.write_bytes(file.read_bytes() + b"more" if file.exists() else b"more")
        return replace(ran, tokens=Tokens(output=300 * self.looks))


@pytest.mark.parametrize("hard", [True, False])
def test_it_is_stopped_at_the_hold_where_a_hard_limit_binds_and_never_by_a_soft_one(
    tmp_path: Path, *, hard: bool
) -> None:
    fake = Fake(tmp_path, settings(hard=hard))
    printing = Printing(fake)
    fake.world = replace(fake.world, read_output=printing.read)
    fake.engine.held.add("x")
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        await until(lambda: working(daemon) == ["x"] and bool(fake.engine.runs))
        out = Path(fake.engine.runs[0].stdout_path)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(b"some")
        if not hard:
            fake.engine.let_go()
        await until(lambda: fake.status("x").value in {"error", "done"}, seconds=500)

    fake.run_and(story)
    if hard:
        error = fake.task("x").error
        assert error["kind"] == ErrorKind.BUDGET
        assert "where $0.001 is held for it, and was stopped" in error["message"]
        assert fake.engine.stopped == [(fake.engine.runs[0].id, Ending.OVER_LIMIT)]
        finished = next(event for event in fake.events.told[TaskId("x")] if event.event == "execution_finished")
        assert finished.details["cost_source"] == "computed"
    else:
        assert fake.engine.stopped == []
