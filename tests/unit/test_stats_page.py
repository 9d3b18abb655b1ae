"""The page of `orchestrator stats`: bars on a terminal, whole columns in a pipe."""

import io

import pytest

from orchestrator.cli.call import Call
from orchestrator.cli.screen import Colour, Screen
from orchestrator.cli.stats_page import draw
from orchestrator.core.statistics import By, Figures, Line, Report, Table, Wanted
from orchestrator.core.types import MicroUsd


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def line(name: str, percent: float, **fields: object) -> Line:
    base: dict[str, object] = {"invocations": 1, "ended": 1, "cost": MicroUsd(10_000), "cost_percent": percent}
    return Line(name=name, figures=Figures(**(base | fields)))  # type: ignore[arg-type]  # a table


def drawn(
    *lines: Line, stream: io.StringIO, columns: int = 200, left_out: int = 0, total: Figures | None = None
) -> str:
    call = Call()
    call.out = Screen(stream, Colour.NEVER, {"COLUMNS": str(columns)})
    table = Table(by=By.AGENT, lines=lines, left_out=left_out)
    draw(call, Report(wanted=Wanted(), total=total or Figures(invocations=2), tables=(table,)))
    return stream.getvalue()


def test_a_terminal_has_bars_and_a_pipe_has_none() -> None:
    lines = line("a", 75), line("b", 25)
    rows = [row for row in drawn(*lines, stream=Terminal()).splitlines() if row.startswith(("  a ", "  b "))]
    assert [row.rpartition("  ")[2] for row in rows] == ["███████▌", "██▌"]
    assert "█" not in drawn(*lines, stream=io.StringIO())


def test_bars_stand_for_runs_where_nothing_cost_money() -> None:
    found = drawn(line("a", 0.0, cost=MicroUsd(0), invocations_percent=50.0), stream=Terminal())
    assert "█████" in found


@pytest.mark.parametrize("columns", [200, 100, 80, 60, 40])
def test_a_narrow_terminal_loses_columns_and_cuts_none(columns: int) -> None:
    found = drawn(line("analyst", 100.0, latency_ms=(1, 2, 3)), stream=Terminal(), columns=columns)
    table = found.split("By agent\n")[1]
    assert "…" not in table
    assert all(len(row) <= columns for row in table.splitlines())
    assert "RUNS" in table
    assert ("P99" in table) is (columns > 100)


def test_control_characters_of_a_name_are_made_visible() -> None:
    assert "\x1b" not in drawn(line("a\x1b[2J", 100.0), stream=Terminal())


def test_lines_that_are_left_out_are_counted() -> None:
    assert "and 3 more; -n shows more of them" in drawn(line("a", 100.0), stream=io.StringIO(), left_out=3)


def test_what_was_lost_has_a_minus_and_what_no_bill_shows_is_told_apart() -> None:
    total = Figures(
        invocations=4,
        cost=MicroUsd(2_000_000),
        estimated=MicroUsd(500_000),
        unpaid=MicroUsd(7_000_000),
        saved=MicroUsd(-1_500_000),
        compared=3,
    )
    found = drawn(line("a", 100.0), stream=io.StringIO(), total=total)
    assert "$2.00, $0.500 a run ($0.50 of it estimated, and $7.00 that no bill shows" in found
    assert "saved   -$1.50 against the preferred models (on 3 runs of 4)" in found
