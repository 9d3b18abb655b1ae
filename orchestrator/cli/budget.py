"""`orchestrator budget`: how much of each limit is gone, and corrections of it."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.core.budgets import Standing
    from orchestrator.core.types import MicroUsd
    from orchestrator.wiring.budgeting import LimitLine

_WIDTH = 10  # of a bar
_HEAD = ("LIMIT", "SPENT", "HELD", "MAX", "LEFT", "USED", "ENDS")
_SCOPES = ("agent", "tool", "model", "provider", "run")


@click.group(
    name="budget",
    help=words("""
  orchestrator budget show
  orchestrator budget adjust -2.50 --reason "the provider gave it back"

The limits on money are in config/policies.yaml. What is spent follows from the events, and is counted in the ledger.
"""),
)
def command() -> None:
    """The group."""


@command.command(
    name="show",
    help=words("""
  orchestrator budget show
  orchestrator budget show --json

Every limit of every policy: what is spent in its window, what is held for runs under way, what is left, and when the
window ends. A limit of the period task counts each task by itself: see orchestrator explain TASK.
"""),
)
@json_option
@pass_call
def show(call: Call, as_json: bool) -> None:
    """Shows them."""
    from orchestrator.wiring.budgeting import has_ledger, limit_lines

    lines = limit_lines(call.workspace())
    if as_json:
        call.out.envelope("budget", {"unit": "microusd", "limits": [one.plain() for one in lines]})
        return
    if not lines:
        call.err.line("no policy has a limit; see `limits:` in docs/reference/configuration.md")
        return
    for policy in dict.fromkeys(one.policy for one in lines):
        mine = [one for one in lines if one.policy == policy]
        call.out.line(plain(f"policy {policy}, {mine[0].zone}"))
        rows = [row for one in mine for row in _rows(one, bars=call.out.is_terminal)]
        call.out.table([_HEAD, *rows], paints=[Paint.FAINT, *map(_paint, mine)])
    if not has_ledger(call.workspace()):
        call.err.line("there is no ledger yet: it is made, from the events, when money is first held")


@command.command(
    name="adjust",
    context_settings={"ignore_unknown_options": True},  # -2.50 is an amount
    help=words("""
  orchestrator budget adjust -2.50 --reason "the provider gave it back"
  orchestrator budget adjust 4 --agent writer --reason "two runs by hand, outside of here"
  orchestrator budget adjust -10 --period day --reason "the release cannot wait for tomorrow"

Correct what is counted as spent, by so many US dollars: below zero there is more to spend again. It counts as a run
would of which just that is known: for limits of everything, and for those of the agent, tool, model, provider or run
that is named. With --period it counts in one window, for limits of exactly that scope. An event tells it, with the
reason; it is committed, and nothing is taken back: adjust again.
"""),
)
@click.argument("amount", metavar="AMOUNT")
@click.option("--reason", metavar="TEXT", required=True, help="Why, in a sentence; it is recorded.")
@click.option("--agent", metavar="NAME", help="Of this agent.")
@click.option("--tool", metavar="NAME", help="Of this tool.")
@click.option("--model", metavar="NAME", help="Of this model.")
@click.option("--provider", metavar="NAME", help="Of this provider's models.")
@click.option("--run", metavar="ID", help="Of this run of many tasks.")
@click.option("--task", metavar="ID", help="Of this task.")
@click.option(
    "--period",
    type=click.Choice(("task", "day", "week", "month", "total")),
    help="In the present window of limits of this period alone.",
)
@click.option("--policy", metavar="NAME", help="With --period: whose clock tells the window.")
@json_option
@pass_call
def adjust(call: Call, /, amount: str, as_json: bool, **given: str | None) -> None:
    """Adjusts it."""
    if given["policy"] and not given["period"]:
        raise UsageError("--policy says whose window --period means; leave it out, or give both")
    named = {name: value for name, value in given.items() if value}
    reply = call.act("budget-adjust", {"amount": amount, **named})
    if as_json:
        call.out.envelope("budget-adjust", reply)
        return
    call.out.line(call.out.paint(plain(str(reply["message"])), Paint.GOOD))
    for line in reply["counted_by"]:
        call.out.line(plain(f"  counted by {line}"))
    if not reply["counted_by"]:
        call.err.line("no limit of any policy counts it now; see: orchestrator budget show")
    if reply.get("warning"):
        call.err.line(f"orchestrator: {plain(str(reply['warning']))}")


def usd(option: str, text: str) -> "MicroUsd":
    """Micro-dollars of an option. Raises UsageError."""
    from orchestrator.core.types import MicroUsd
    from orchestrator.taskfile.rules import parse_usd

    try:
        return MicroUsd(parse_usd(text))
    except ValueError as error:
        raise UsageError(f"{option}: {text!r}: {error}; use US dollars, e.g. 9.50") from error


def limit_rows(standings: "Sequence[Standing]", *, bars: bool) -> list[tuple[str, ...]]:
    """A table of limits, its head with it."""
    return [_HEAD, *(_row(one, bars=bars) for one in standings)]


def _rows(one: "LimitLine", *, bars: bool) -> list[tuple[str, ...]]:
    if one.standing is not None:
        return [_row(one.standing, bars=bars)]
    from orchestrator.core.budget_words import money

    kind = "hard" if one.limit.hard else "soft"
    scope = " and ".join(f"{what} {value}" for what, value in sorted(one.limit.scope.items()))
    name = f"{kind} limit of each task" + (f" for {scope}" if scope else "")
    return [(name, "-", "-", money(one.limit.max_usd), "-", "-", "never")]


def _row(one: "Standing", *, bars: bool) -> tuple[str, ...]:
    from orchestrator.core.budget_words import ends, money, name

    percent = f"{one.percent()} %"
    used = f"{_bar(one.percent())} {percent}" if bars else percent
    limit = one.applied.limit
    return name(one), money(one.spent), money(one.held), money(limit.max_usd), money(one.left), used, ends(one)


def _bar(percent: int) -> str:
    full = min(_WIDTH, max(0, percent) * _WIDTH // 100)
    return f"[{'#' * full}{'.' * (_WIDTH - full)}]"


def _paint(one: "LimitLine") -> Paint | None:
    if one.standing is None or one.standing.percent() < one.limit.threshold_percent:
        return None
    return Paint.BAD if one.limit.hard and not one.standing.left else Paint.WARN
