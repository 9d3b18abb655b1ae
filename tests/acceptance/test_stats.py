"""The steps of `stats.feature`: the program is called on event files of the past, and what it prints is read."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cli_world import World
from past_runs import Past, fifty, workspace
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("stats.feature")


@pytest.fixture
def noon() -> datetime:
    """The middle of today, in the time zone of the workspace."""
    return datetime.now(ZoneInfo("Europe/Berlin")).replace(hour=12)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The workspace."""
    return workspace(tmp_path / "repo")


@pytest.fixture
def past(world: World) -> Past:
    """What ran in it."""
    return Past(world)


@given("50 invocations today at $3.45 together")
def runs_of_today(past: Past, noon: datetime) -> None:
    fifty(past, noon)


@given("another one yesterday")
def run_of_yesterday(past: Past, noon: datetime) -> None:
    past.run(noon - timedelta(days=1), cost=9_000_000)


@when("the daily report is asked for", target_fixture="page")
def daily(world: World) -> str:
    return world.well("stats", "--daily").out


@then(parsers.parse("it says {runs} invocations, {cost} in total and {average} on average"))
def totals(page: str, runs: str, cost: str, average: str) -> None:
    said = page.split("\n\n", maxsplit=1)[0].splitlines()
    assert any(line.startswith(f"  runs    {runs} runs") for line in said), page
    assert f"  cost    {cost}, {average} a run" in said


@then(parsers.parse("by {kind} it says"))
def table(page: str, kind: str, datatable: list[list[str]]) -> None:
    (part,) = (part for part in page.split("\n\n") if part.startswith(f"By {kind}\n"))
    rows = [line.split() for line in part.splitlines()[2:]]
    assert [[row[0], row[1], row[2], row[3]] for row in rows] == datatable[1:]
