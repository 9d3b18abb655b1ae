"""The figures of `orchestrator stats` for people: a few sentences and tables, with small bars on a terminal."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from orchestrator.cli.call import Call
from orchestrator.cli.screen import Paint, Screen, plain
from orchestrator.cli.words import count, money, span
from orchestrator.core.statistics import PERCENTILES, Figures, Line, Report, Table, Wanted
from orchestrator.core.types import Tokens

_HEAD = ("RUNS", "COST", "SHARE", "AVERAGE", "WELL", "FALLBACK", "TOKENS", "P50", "P90", "P99", "SAVED")
_BARS = ""  # the head of the bars
_LEFT_OUT_FIRST = ("P99", "P90", "FALLBACK", "TOKENS", "AVERAGE", _BARS, "SAVED", "P50", "WELL")
_BAR = 10  # characters of the longest bar
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def draw(call: Call, report: Report) -> None:
    """Prints it."""
    out = call.out
    for note in report.notes:
        call.err.line(note)
    out.line(out.paint(plain(_title(report.wanted)), Paint.STRONG))
    if not report.total.invocations:
        out.line("no run of a tool began in that time")
        return
    for name, text in _sentences(report.total):
        out.line(f"  {name:<8}{text}")
    for table in report.tables:
        _draw_table(out, table)


def _title(wanted: Wanted) -> str:
    zone = ZoneInfo(wanted.timezone)
    of_run = f" of the run {wanted.run}" if wanted.run else ""
    first = wanted.since.astimezone(zone) if wanted.since else None
    past = wanted.until.astimezone(zone) if wanted.until else None
    if first and past and first.time() == past.time() and past.date() - first.date() == timedelta(days=1):
        when = f"{first:%Y-%m-%d}"
    elif first and past:
        when = f"{first:%Y-%m-%d %H:%M} to {past:%Y-%m-%d %H:%M}"
    elif first:
        when = f"since {first:%Y-%m-%d %H:%M}"
    else:
        when = f"until {past:%Y-%m-%d %H:%M}" if past else "all time"
    return f"Runs{of_run}: {when} ({wanted.timezone})"


def _sentences(total: Figures) -> list[tuple[str, str]]:
    ended = f", {total.succeeded} of {total.ended} well ({_share(total.success_rate)})" if total.ended else ""
    lines = [
        ("runs", f"{count(total.invocations, 'run')}{ended}, {_share(total.fallback_rate)} by fallback"),
        ("cost", f"{money(total.cost)}, {_money(total.average)} a run{_part(total)}"),
        ("tokens", _tokens(total.tokens)),
    ]
    if total.latency_ms:
        latency = ", ".join(
            f"p{percent} {span(value / 1000)}" for percent, value in zip(PERCENTILES, total.latency_ms, strict=True)
        )
        lines.append(("took", latency))
    if total.compared:
        runs = f"on {count(total.compared, 'run')} of {total.invocations}"
        lines.append(("saved", f"{_signed(total.saved)} against the preferred models ({runs})"))
    return lines


def _part(total: Figures) -> str:
    parts = []
    if total.estimated:
        parts.append(f"{money(total.estimated)} of it estimated")
    if total.unpaid:
        parts.append(f"and {money(total.unpaid)} that no bill shows: subscriptions and free models")
    return f" ({', '.join(parts)})" if parts else ""


def _tokens(tokens: Tokens) -> str:
    return (
        f"{tokens.input:,} input, {tokens.cache_read:,} cache read, {tokens.cache_write:,} cache write, "
        f"{tokens.output:,} output"
    )


def _draw_table(out: Screen, table: Table) -> None:
    out.line(f"\n{out.paint(f'By {table.by.value}', Paint.STRONG)}")
    by_cost = any(line.figures.cost for line in table.lines)
    columns = list(zip((table.by.value.upper(), *_HEAD), *map(_row, table.lines), strict=True))
    cells = [columns[0], *(_right(column) for column in columns[1:])]
    if out.is_terminal:
        percents = (line.figures.cost_percent if by_cost else line.figures.invocations_percent for line in table.lines)
        cells.append((_BARS, *map(_bar, percents)))
    out.table(list(zip(*_fitting(cells, out.width), strict=True)), paints=[Paint.FAINT])
    if table.left_out:
        out.line(f"  and {table.left_out} more; -n shows more of them")


def _fitting(cells: list[tuple[str, ...]], width: int) -> list[tuple[str, ...]]:
    """The columns without the least important ones, where a terminal is too narrow for all."""
    kept = list(cells)
    for name in _LEFT_OUT_FIRST:
        if not width or sum(2 + max(map(len, column)) for column in kept) <= width:
            break
        kept = [column for column in kept if column[0].strip() != name]
    return kept


def _right(column: tuple[str, ...]) -> tuple[str, ...]:
    width = max(map(len, column))
    return tuple(cell.rjust(width) for cell in column)


def _row(line: Line) -> tuple[str, ...]:
    figures = line.figures
    latency = [span(value / 1000) for value in figures.latency_ms] or ["-"] * len(PERCENTILES)
    return (
        line.name or "-",
        f"{figures.invocations:,}",
        money(figures.cost),
        f"{figures.cost_percent:.1f} %",
        _money(figures.average),
        _share(figures.success_rate),
        _share(figures.fallback_rate),
        f"{figures.total_tokens:,}",
        *latency,
        _signed(figures.saved) if figures.compared else "-",
    )


def _share(rate: float | None) -> str:
    return "-" if rate is None else f"{rate * 100:.0f} %"


def _money(amount: int) -> str:
    """An average: three digits behind the point where a cent is too coarse."""
    return f"${amount / 1_000_000:.3f}" if 10_000 <= amount < 1_000_000 else money(amount)


def _signed(amount: int) -> str:
    return f"-{money(-amount)}" if amount < 0 else money(amount)


def _bar(percent: float) -> str:
    whole, eighths = divmod(round(percent / 100 * _BAR * 8), 8)
    return "█" * whole + (_EIGHTHS[eighths] if eighths else "")
