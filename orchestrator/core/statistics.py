"""What runs add up to: sums, rates, percentiles, and what was saved. Pure; the index gives groups of runs (`Group`)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from itertools import chain

from orchestrator.core.prices import Price, Rates
from orchestrator.core.types import MicroUsd, Tokens

PERCENTILES = (50, 90, 99)
_NOTHING = MicroUsd(0)


class By(StrEnum):
    """By what the lines of a report are told apart."""

    AGENT = "agent"
    TOOL = "tool"
    MODEL = "model"
    PROVIDER = "provider"
    RUN = "run"
    REASON = "reason"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs: those that began in this span of time, and of this run of the workspace, where one is named."""

    since: datetime | None = None
    until: datetime | None = None  # not in it any more
    run: str = ""
    timezone: str = "UTC"  # of the days


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs of one kind, added up. `keys` are their values of what was asked for, in that order."""

    keys: tuple[str, ...] = ()
    agent: str = ""
    model: str = ""
    succeeded: bool = False  # ended, and judged well
    is_known: bool = False  # its tokens are known, and what it cost in money
    invocations: int = 0
    ended: int = 0
    fallbacks: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    cost: MicroUsd = _NOTHING
    estimated: MicroUsd = _NOTHING  # the part of it that is no more than what was held
    unpaid: MicroUsd = _NOTHING  # what tools said of runs under a subscription: no money
    durations: tuple[int, ...] = ()  # milliseconds, of those that ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One line of a report."""

    invocations: int = 0
    ended: int = 0
    succeeded: int = 0
    fallbacks: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    cost: MicroUsd = _NOTHING
    estimated: MicroUsd = _NOTHING
    unpaid: MicroUsd = _NOTHING
    latency_ms: tuple[int, ...] = ()  # at each of PERCENTILES; empty: nobody knows
    duration_ms: int = 0  # of those together
    measured: int = 0  # how many runs the latency rests on
    saved: MicroUsd = _NOTHING  # below zero: it cost more
    compared: int = 0  # how many runs that rests on
    cost_percent: float = 0.0  # of the whole report
    invocations_percent: float = 0.0

    @property
    def average(self) -> MicroUsd:
        """What one run cost."""
        return MicroUsd(round(Decimal(self.cost) / self.invocations) if self.invocations else 0)

    @property
    def success_rate(self) -> float | None:
        """Of those that ended; None where none did."""
        return self.succeeded / self.ended if self.ended else None

    @property
    def fallback_rate(self) -> float | None:
        """Of all of them."""
        return self.fallbacks / self.invocations if self.invocations else None

    @property
    def total_tokens(self) -> int:
        """Of every kind."""
        return self.tokens.input + self.tokens.cache_read + self.tokens.cache_write + self.tokens.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one agent, tool, day ... has in a report."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The lines of one kind, the dearest first; days in their order."""

    by: By
    lines: tuple[Line, ...]
    left_out: int = 0  # lines beyond the longest report


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was asked for."""

    wanted: Wanted
    total: Figures
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


Preferred = Callable[[str], "tuple[str, Price | None]"]  # an agent's preferred model, and what that costs


def report(
    wanted: Wanted,
    by: Sequence[By],
    groups: Sequence[Group],
    preferred: Preferred,
    *,
    longest: int,
    notes: Sequence[str],
) -> Report:
    """Adds groups up whose `keys` are the values of `by`. Tables have no more than `longest` lines."""
    total = _figures(groups, preferred, whole=None)
    tables = []
    for place, kind in enumerate(by):
        parts: dict[str, list[Group]] = {}
        for group in groups:
            parts.setdefault(group.keys[place], []).append(group)
        lines = [Line(name=name, figures=_figures(part, preferred, whole=total)) for name, part in parts.items()]
        lines.sort(key=lambda line: line.name)
        if kind is By.DAY:
            shown = lines[-longest:]
        else:
            lines.sort(key=lambda line: (line.figures.cost, line.figures.invocations), reverse=True)
            shown = lines[:longest]
        tables.append(Table(by=kind, lines=tuple(shown), left_out=len(lines) - len(shown)))
    return Report(wanted=wanted, total=total, tables=tuple(tables), notes=tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one combination of agent, tool, model ... has."""

    keys: tuple[str, ...]
    figures: Figures


def series(groups: Sequence[Group], preferred: Preferred) -> list[Series]:
    """The figures of each combination of keys, in their order."""
    total = _figures(groups, preferred, whole=None)
    parts: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        parts.setdefault(group.keys, []).append(group)
    return [Series(keys=keys, figures=_figures(parts[keys], preferred, whole=total)) for keys in sorted(parts)]


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The smallest value that so many percent do not exceed (nearest rank). `ordered` is not empty."""
    return ordered[max(-(-len(ordered) * percent // 100), 1) - 1]


def _figures(groups: Sequence[Group], preferred: Preferred, whole: Figures | None) -> Figures:
    durations = sorted(chain.from_iterable(group.durations for group in groups))
    cost = MicroUsd(sum(group.cost for group in groups))
    invocations = sum(group.invocations for group in groups)
    compared = [(group, price) for group in groups if (price := _against(group, preferred)) is not None]
    return Figures(
        invocations=invocations,
        ended=sum(group.ended for group in groups),
        succeeded=sum(group.invocations for group in groups if group.succeeded),
        fallbacks=sum(group.fallbacks for group in groups),
        tokens=_tokens(group.tokens for group in groups),
        cost=cost,
        estimated=MicroUsd(sum(group.estimated for group in groups)),
        unpaid=MicroUsd(sum(group.unpaid for group in groups)),
        latency_ms=tuple(percentile(durations, percent) for percent in PERCENTILES) if durations else (),
        duration_ms=sum(durations),
        measured=len(durations),
        saved=MicroUsd(sum(_saved(group, price) for group, price in compared)),
        compared=sum(group.invocations for group, _ in compared),
        cost_percent=_percent(cost, whole.cost if whole else cost),
        invocations_percent=_percent(invocations, whole.invocations if whole else invocations),
    )


def _against(group: Group, preferred: Preferred) -> Price | None:
    """The price of the model that would have run, where another ran and both prices are known."""
    if not group.is_known:
        return None
    model, price = preferred(group.agent)
    return price if model and model != group.model else None


def _saved(group: Group, price: Price) -> MicroUsd:
    """A run that failed saved nothing: its work was thrown away, and what it cost came on top."""
    worth = _worth(group.tokens, price.rates) if group.succeeded else 0
    return MicroUsd(worth - group.cost)


def _worth(tokens: Tokens, rates: Rates) -> int:
    """As `prices.cost` at the base rates, for a sum of many runs, which that function takes for another unit."""
    read = rates.input if rates.cache_read is None else rates.cache_read
    write = rates.input if rates.cache_write is None else rates.cache_write
    total = (
        rates.input * tokens.input
        + read * tokens.cache_read
        + write * tokens.cache_write
        + rates.output * tokens.output
    )
    return int(total.to_integral_value(ROUND_HALF_EVEN))


def _tokens(every: Iterable[Tokens]) -> Tokens:
    told = list(every)
    return Tokens(
        input=sum(one.input for one in told),
        cache_read=sum(one.cache_read for one in told),
        cache_write=sum(one.cache_write for one in told),
        output=sum(one.output for one in told),
    )


def _percent(part: int, whole: int) -> float:
    return part / whole * 100 if whole else 0.0
