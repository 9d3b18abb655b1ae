"""`orchestrator stats`: what the runs used, cost and saved, and how they ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.statistics import By, Wanted
    from orchestrator.wiring.statistics import Statistics

_KINDS = ("agent", "tool", "model", "provider", "run", "reason", "day")


@click.command(
    name="stats",
    help=words("""
  orchestrator stats --daily
  orchestrator stats --since 7d --by day --by model
  orchestrator stats --monthly --by agent --csv
  orchestrator stats --what-if cautious

What the runs of tools used, cost and saved, and how they ended. A run belongs to the time at which it began; days,
weeks (from Monday) and months are those of the time zone of the policy `default`. It only reads; no daemon has to run.

"saved" compares with the agent's preferred model, for runs on another one whose tokens and cost are known: what those
tokens cost there, less what they did cost. A run that failed saved nothing and counts as a loss.
"""),
)
@click.option("--daily", "period", flag_value="day", help="Of today.")
@click.option("--weekly", "period", flag_value="week", help="Of this week.")
@click.option("--monthly", "period", flag_value="month", help="Of this month.")
@click.option("--since", default="", metavar="TIME", help="From then on: 2026-02-12, 2026-02-12T11:00, or 7d ago.")
@click.option("--until", default="", metavar="TIME", help="Up to then; a date: that day too.")
@click.option("--by", multiple=True, type=click.Choice(_KINDS), help="A table of these. May be repeated.")
@click.option("--run", default="", metavar="ID", help="Only of tasks with this `run`.")
@click.option("-n", "longest", type=click.IntRange(1, 1000), default=20, show_default=True, help="Lines of a table.")
@click.option("--what-if", "what_if", default="", metavar="POLICY", help="Its escalation, replayed on checked runs.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the result as CSV.")
@click.option("--prometheus", is_flag=True, help="Print it as a Prometheus text file.")
@json_option
@pass_call
def command(call: Call, /, **given: Any) -> None:
    """Shows them."""
    from orchestrator.wiring.statistics import Statistics

    asked = _Asked(**given)
    _check(asked)
    statistics = Statistics(call.workspace())
    if asked.what_if:
        _what_if(call, statistics, asked.what_if, as_json=asked.as_json)
        return
    if asked.prometheus:
        from orchestrator.cli.stats_prometheus import KINDS, text

        call.out.answer(text(call.ask(lambda _: statistics.series(KINDS))))
        return
    wanted, kinds = _wanted(statistics, asked), _kinds(asked.by)
    found = call.ask(lambda _: statistics.report(wanted, kinds, asked.longest))
    if asked.as_json:
        from orchestrator.cli.stats_data import data

        call.out.envelope("stats", data(found))
    elif asked.as_csv:
        from orchestrator.cli.stats_data import csv_lines

        for line in csv_lines(found):
            call.out.line(line)
    else:
        from orchestrator.cli.stats_page import draw

        draw(call, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The call's options."""

    period: str | None
    since: str
    until: str
    by: tuple[str, ...]
    run: str
    longest: int
    what_if: str
    as_csv: bool
    prometheus: bool
    as_json: bool


def _check(asked: _Asked) -> None:
    if asked.as_csv + asked.prometheus + asked.as_json > 1:
        raise UsageError("--csv, --json and --prometheus are three ways to print it; take one")
    narrowed = asked.period or asked.since or asked.until or asked.by or asked.run
    if (asked.what_if or asked.prometheus) and narrowed:
        raise UsageError("--what-if and --prometheus look at all runs; leave the time, --by and --run out")
    if asked.what_if and (asked.as_csv or asked.prometheus):
        raise UsageError("--what-if prints text, or --json")
    if asked.period and (asked.since or asked.until):
        raise UsageError("--daily, --weekly and --monthly have their own beginning and end; leave --since, --until out")


def _kinds(by: tuple[str, ...]) -> "list[By]":
    from orchestrator.core.statistics import By

    return [By(kind) for kind in dict.fromkeys(by)] or [By.AGENT, By.MODEL]


def _wanted(statistics: "Statistics", asked: _Asked) -> "Wanted":
    if not asked.period:
        return statistics.span(asked.since, asked.until, asked.run)
    from orchestrator.core.settings import Period

    return statistics.period(Period(asked.period), asked.run)


def _what_if(call: Call, statistics: "Statistics", policy: str, *, as_json: bool) -> None:
    from orchestrator.cli.simulate import show, simulated

    chain = statistics.chain(policy)
    outcomes = call.ask(lambda _: statistics.outcomes(chain))
    found = simulated(outcomes, chain, fill=True)
    show(call, found, as_json=as_json)
    if not as_json:
        call.err.line(
            "a stronger model was mostly asked where a cheaper one had failed, so on harder tasks: this makes it look "
            "worse than it is. A recording of all models on the same tasks says more; see `orchestrator simulate`"
        )
