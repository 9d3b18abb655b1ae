"""`orchestrator explain`: what would do a task, why, and what it would cost. Nothing is run."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.budget import limit_rows
from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.completion import task_ids
from orchestrator.cli.screen import Paint, plain
from orchestrator.cli.words import moment
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.budgets import Standing
    from orchestrator.wiring.explaining import Explained, Look

_BASES = {
    "cap": "the cap that the task has",
    "task_limit": "what is left of the limit for a task",
    "history": "what runs like it have cost",
    "estimate": "the policy's estimate: too few runs like it are known",
    "no_money": "it costs no money",
}


@click.command(
    name="explain",
    help=words("""
  orchestrator explain fares-page
  orchestrator explain fares-page.yaml --json
  orchestrator explain fares-page --at 2026-03-01T08:00 --spent 9.50

Show which tool and model would do a task, in which order others would, why, and why not the rest; how much money would
be held for a run, and the limits that it counts against. Nothing is run and nothing is written. Exit code 1 where
nothing can do it now.
"""),
)
@click.argument("wanted", metavar="TASK|FILE", shell_complete=task_ids)
@click.option("--at", "at", metavar="TIME", help="As of that time, e.g. 2026-03-01T08:00 (UTC where it has no zone).")
@click.option("--spent", metavar="USD", help="As if others had spent so much more of every limit.")
@json_option
@pass_call
def command(call: Call, wanted: str, at: str | None, spent: str | None, as_json: bool) -> int:
    """Explains it."""
    when = moment(at) if at is not None else None
    if at is not None and when is None:
        raise UsageError(f"--at: {at!r} is no time; use e.g. 2026-03-01T08:00")
    from orchestrator.cli.budget import usd
    from orchestrator.wiring.explaining import explain

    found = explain(call.workspace(), wanted, at=when, spent=usd("--spent", spent or "0"))
    code = 1 if found.why else 0
    if as_json:
        call.out.envelope("explain", found.plain() | {"exit_code": code})
        return code
    _show(call, found)
    return code


def _show(call: Call, found: "Explained") -> None:
    from orchestrator.core.budget_words import money
    from orchestrator.core.hindrance import told_time

    what_if = f", with {money(found.spent)} more spent" if found.spent else ""
    head = f"{found.task_id}: for {found.agent}, policy {found.policy}, at {told_time(found.at)}{what_if}"
    call.out.line(plain(head))
    for look in found.looks:
        _show_look(call, look)
    standings = _standings(found)
    if standings:
        call.out.line()
        call.out.table(limit_rows(standings, bars=call.out.is_terminal), paints=[Paint.FAINT])
    if found.why:
        call.err.wrapped(found.why, indent="", paint=Paint.BAD)


def _show_look(call: Call, look: "Look") -> None:
    from orchestrator.core.budget_words import money
    from orchestrator.core.hindrance import told_time

    sign = f"{look.number}." if look.number else "no"
    name = " ".join(filter(None, (look.tool or "no tool", look.model)))
    paint = Paint.GOOD if look.number == 1 else None if look.number else Paint.WARN
    call.out.line(f"  {call.out.paint(sign, paint)} {plain(name)} ({look.reason})")
    call.out.wrapped(look.why, indent="     ")
    if look.until is not None:
        call.out.line(f"     not before {told_time(look.until)}")
    if look.outlook is not None:
        estimate = look.outlook.estimate
        call.out.line(f"     holds {money(estimate.amount)}: {_BASES[estimate.basis]}")


def _standings(found: "Explained") -> "list[Standing]":
    """Each limit that binds one of them, once."""
    every = [one for look in found.looks if look.outlook is not None for one in look.outlook.standings]
    return list(
        {
            (one.applied.limit.period, tuple(sorted(one.applied.scope.items())), one.applied.limit.max_usd): one
            for one in every
        }.values()
    )
