"""The figures of `orchestrator stats` for programs: as JSON and as CSV. Money is in micro-dollars, rates are 0 to 1."""

import csv
import io
from collections.abc import Iterator

from orchestrator.cli.screen import plain
from orchestrator.core.events import format_ts
from orchestrator.core.statistics import PERCENTILES, Figures, Report


def data(report: Report) -> dict[str, object]:
    """For --json."""
    wanted = report.wanted
    return {
        "since": format_ts(wanted.since) if wanted.since else None,
        "until": format_ts(wanted.until) if wanted.until else None,
        "timezone": wanted.timezone,
        "run": wanted.run,
        "total": fields_of(report.total),
        "by": {
            table.by.value: [{"name": line.name} | fields_of(line.figures) for line in table.lines]
            for table in report.tables
        },
        "left_out": {table.by.value: table.left_out for table in report.tables},
        "notes": list(report.notes),
    }


def csv_lines(report: Report) -> Iterator[str]:
    """For --csv: a head, the total, and the lines of each table."""
    yield _csv(["by", "name", *fields_of(report.total)])
    yield _csv(["total", "", *fields_of(report.total).values()])
    for table in report.tables:
        for line in table.lines:
            yield _csv([table.by.value, plain(line.name), *fields_of(line.figures).values()])


def fields_of(figures: Figures) -> dict[str, object]:
    """One line's, in the order of the columns."""
    latency = figures.latency_ms or (None,) * len(PERCENTILES)
    return {
        "invocations": figures.invocations,
        "invocations_percent": round(figures.invocations_percent, 2),
        "ended": figures.ended,
        "succeeded": figures.succeeded,
        "success_rate": _rounded(figures.success_rate),
        "fallbacks": figures.fallbacks,
        "fallback_rate": _rounded(figures.fallback_rate),
        "tokens_input": figures.tokens.input,
        "tokens_cache_read": figures.tokens.cache_read,
        "tokens_cache_write": figures.tokens.cache_write,
        "tokens_output": figures.tokens.output,
        "tokens_total": figures.total_tokens,
        "cost_microusd": figures.cost,
        "cost_percent": round(figures.cost_percent, 2),
        "average_microusd": figures.average,
        "estimated_microusd": figures.estimated,
        "unpaid_microusd": figures.unpaid,
        "saved_microusd": figures.saved,
        "saved_compared": figures.compared,
        **{f"latency_p{percent}_ms": value for percent, value in zip(PERCENTILES, latency, strict=True)},
        "latency_measured": figures.measured,
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _csv(cells: list[object]) -> str:
    held = io.StringIO()
    csv.writer(held, lineterminator="").writerow(cells)
    return held.getvalue()
