"""Adding up the runs in index.db: one pass over one row a run, whatever is asked for. It never writes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.adapters import index_rows as rows
from orchestrator.adapters import index_schema as schema
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.core.simulation import Outcome
from orchestrator.core.statistics import By, Group, Wanted
from orchestrator.core.types import MicroUsd, Tokens

_AT = "coalesce(started, finished)"
_ENDED = "finished IS NOT NULL"
_WELL = f"{_ENDED} AND (outcome = 'done' OR (outcome = '' AND error_kind = '' AND coalesce(exit_code, 0) = 0))"
_PAID = "billing IN ('', 'api')"
_KNOWN = "cost_source <> '' AND tokens_input + tokens_cache_read + tokens_cache_write + tokens_output > 0"
# What is true of a run, in one number: SQLite sorts rows to group them, and each column of text makes that slower.
_FLAGS = (_ENDED, _WELL, _PAID, _KNOWN, "cost_source = 'estimated'", "reason = 'fallback'")
_MASK = " + ".join(f"({flag}) * {1 << place}" for place, flag in enumerate(_FLAGS))
_KINDS = ("input", "cache_read", "cache_write", "output")
_SUMS = (
    "count(*)",
    "sum(cost_microusd)",
    "group_concat(duration_ms)",  # all of a group in one text: exact percentiles for the price of one pass
    *(f"sum(tokens_{kind})" for kind in _KINDS),
)
_COLUMNS = {kind: kind.value for kind in By} | {By.DAY: f"local_day({_AT})"}
_DAY_OF_UTC = f"substr({_AT}, 1, 10)"
_FAULTS_OF_THE_MODEL = ("verify_failed", "bad_output", "crashed", "timeout", "denied")
_OUTCOMES = 200_000  # runs that a what-if looks at: the newest


class IndexStats(IndexReader):
    """A look at the index that adds up."""

    def groups(self, wanted: Wanted, by: Sequence[By]) -> list[Group]:
        """Runs, added up by these, and by all that savings need. May raise as any method of IndexReader."""
        self._name_days(wanted.timezone)
        keys = [_DAY_OF_UTC if kind is By.DAY and wanted.timezone == "UTC" else _COLUMNS[kind] for kind in by]
        told = list(dict.fromkeys((*keys, "agent", "model", _MASK)))  # each once
        where, values = _conditions(wanted)
        grouped = ", ".join(str(number) for number in range(1, len(told) + 1))
        question = f"SELECT {', '.join((*told, *_SUMS))} FROM invocations {where} GROUP BY {grouped}"  # noqa: S608  # constants; values are bound
        found = self._all(question, values)
        with schema.guarded():
            return [_group(dict(zip(told, row, strict=False)), keys, row[len(told) :]) for row in found]

    def outcomes(self, models: Sequence[str]) -> list[Outcome]:
        """How the newest runs with these models ended where declared checks judged them, and what they cost.

        A run that failed for a reason that is not the model's (a rate limit, a cancel) tells nothing, and is left out.
        """
        marks = ", ".join("?" * len(models))
        faults = ", ".join("?" * len(_FAULTS_OF_THE_MODEL))
        question = (
            f"SELECT task_id, model, outcome = 'done', cost_microusd FROM invocations WHERE model IN ({marks}) "  # noqa: S608  # constants; values are bound
            f"AND task_id IN (SELECT task_id FROM invocations WHERE checked) AND cost_source <> '' AND {_PAID} "
            f"AND ((outcome = 'done' AND checked) OR outcome IN ({faults})) ORDER BY finished DESC LIMIT {_OUTCOMES}"
        )
        found = self._all(question, [*map(rows.clean, models), *_FAULTS_OF_THE_MODEL])
        with schema.guarded():
            return [Outcome(task=row[0], model=row[1], solved=bool(row[2]), cost=MicroUsd(row[3])) for row in found]

    def _name_days(self, timezone: str) -> None:
        zone = ZoneInfo(timezone)
        days: dict[str, str] = {}

        def local_day(at: str) -> str:
            minute = at[:16]
            if (day := days.get(minute)) is None:
                day = days[minute] = datetime.fromisoformat(f"{minute}:00+00:00").astimezone(zone).date().isoformat()
            return day

        with schema.guarded():
            self._connection.create_function("local_day", 1, local_day, deterministic=True)


def _conditions(wanted: Wanted) -> tuple[str, list[object]]:
    conditions = [f"{_AT} IS NOT NULL"]
    values: list[object] = []
    for sign, bound in ((">=", wanted.since), ("<", wanted.until)):
        if bound is not None:
            conditions.append(f"{_AT} {sign} ?")
            values.append(rows.from_time(bound))
    if wanted.run:
        conditions.append("run = ?")
        values.append(rows.clean(wanted.run))
    return f"WHERE {' AND '.join(conditions)}", values


def _group(told: dict[str, Any], keys: Sequence[str], sums: rows.Row) -> Group:
    ended, well, paid, known, estimated, fallback = (bool(told[_MASK] >> place & 1) for place in range(len(_FLAGS)))
    count, cost, durations, *tokens = sums
    return Group(
        keys=tuple(told[key] for key in keys),
        agent=told["agent"],
        model=told["model"],
        succeeded=well,
        is_known=known and paid,
        invocations=count,
        ended=count if ended else 0,
        fallbacks=count if fallback else 0,
        tokens=Tokens(**dict(zip(_KINDS, tokens, strict=True))),
        cost=MicroUsd(cost if paid else 0),
        estimated=MicroUsd(cost if paid and estimated else 0),
        unpaid=MicroUsd(0 if paid else cost),
        durations=tuple(took for took in map(int, durations.split(",")) if took > 0) if ended else (),
    )
