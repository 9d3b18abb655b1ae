"""What is said about limits on money: one wording for terminals, events and commits."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from orchestrator.core.budgets import Over, Standing
from orchestrator.core.settings import Period

_PERIODS = {
    Period.TASK: "of this task",
    Period.DAY: "a day",
    Period.WEEK: "a week",
    Period.MONTH: "a month",
    Period.TOTAL: "in all",
}
_CENT, _MICRO = Decimal("0.01"), Decimal("0.000001")


def money(amount: int) -> str:
    """$0.42; exact where cents do not tell it: $0.000042."""
    dollars = Decimal(amount) / 1_000_000
    cents = dollars.quantize(_CENT, ROUND_HALF_UP)
    shown = dollars.quantize(_MICRO).normalize() if dollars and not cents else cents
    return f"-${-shown:,f}" if shown < 0 else f"${shown:,f}"


def used(standing: Standing, more: int = 0) -> str:
    """($8.10 / $10.00)."""
    return f"({money(standing.used + more)} / {money(standing.applied.limit.max_usd)})"


def name(standing: Standing) -> str:
    """Which limit: hard limit a day for agent backend-dev."""
    limit = standing.applied.limit
    scope = " and ".join(f"{what} {value}" for what, value in sorted(limit.scope.items()))
    kind = "hard" if limit.hard else "soft"
    return f"{kind} limit {_PERIODS[limit.period]}{f' for {scope}' if scope else ''}"


def warning(standing: Standing, amount: int) -> str:
    """The warning at the threshold, in a sentence or two. `amount`: what the run is taken to cost."""
    text = f"Budget {standing.percent()} % used {used(standing)}"
    if standing.held > 0:
        text += f", {money(standing.held)} of it held for runs under way"
    after = f"with it {standing.percent(amount)} % {used(standing, amount)}"
    return f"{text}: {name(standing)}. This run is estimated at {money(amount)}, {after}."


def refusal(over: Over) -> str:
    """Which limit refuses it, in a sentence: recorded, and the first line on a terminal."""
    first = over.first
    text = f"Over budget: {name(first)} {used(first, over.amount)}: {money(first.spent)} spent"
    if first.held > 0:
        text += f", {money(first.held)} held for runs under way"
    text += f", {money(over.amount)} estimated for this run"
    more = len(over.standings) - 1
    return f"{text}, and {more} more limit{'s' if more > 1 else ''}." if more else f"{text}."


def ways_out(over: Over) -> tuple[str, ...]:
    """The three things that a person can do about it, the cheapest first."""
    first = over.first
    until = over.until
    if until is None:
        wait = f"raise the limit: max_usd of the {name(first)} in config/policies.yaml, or orchestrator budget adjust"
    else:
        zone = first.applied.zone
        wait = (
            f"wait until {_local(until, zone)}, when the next window begins, or raise the limit in config/policies.yaml"
        )
    return (
        f"use a cheaper model, or a cap for the task that fits in the {money(first.left)} left: budget_usd",
        wait,
        'run it all the same, with a reason that is recorded: --force --justification "..."',
    )


def explained(over: Over) -> str:
    """The refusal with its ways out, one a line."""
    lines = [refusal(over), *(f"  {number}. {way}" for number, way in enumerate(ways_out(over), 1))]
    if over.clock_behind:
        lines.append(
            f"  The clock is {over.clock_behind} behind the newest run in the ledger; no window is opened again."
        )
    return "\n".join(lines)


def ends(standing: Standing) -> str:
    """When its window ends, by the policy's clock; never."""
    window = standing.applied.window
    return _local(window.end, standing.applied.zone) if window.ends else "never"


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
