"""How much of each limit is gone, read beside whoever works here: no lock of the workspace, and nothing is made."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.ledger import Ledger
from orchestrator.adapters.ledger_schema import NAME
from orchestrator.adapters.place import Place
from orchestrator.core import budgets
from orchestrator.core.budgets import Applied, LedgerUnusable, Standing
from orchestrator.core.events import format_ts
from orchestrator.core.settings import Limit, Period, Settings
from orchestrator.core.types import MicroUsd
from orchestrator.wiring.configuring import read_settings

NOTHING = MicroUsd(0)


class LedgerAsItIs:
    """The asking half of `ports.Ledger`. A ledger that is not there holds nothing, and is not made."""

    def __init__(self, ledger: Ledger | None, more: MicroUsd) -> None:
        """`more`: micro-dollars that each limit is taken to have spent besides; a task's own limit has not."""
        self._ledger = ledger
        self._more = more

    def standing(self, limits: Sequence[Applied], at: datetime) -> Sequence[Standing]:
        """How much of each limit is gone."""
        if self._ledger is None:
            found: Sequence[Standing] = [Standing(applied=one) for one in budgets.at_time(limits, at)]
        else:
            found = self._ledger.standing(limits, at)
        return [self._with_more(one) for one in found] if self._more else found

    def _with_more(self, one: Standing) -> Standing:
        """Money that others spent."""
        is_own = one.applied.limit.period is Period.TASK
        return one if is_own else replace(one, spent=MicroUsd(one.spent + self._more))

    def costs(self, agent: str, model: str, task_type: str, limit: int = 200) -> list[int]:
        """What the latest runs of a kind cost."""
        return self._ledger.costs(agent, model, task_type, limit) if self._ledger is not None else []


@contextlib.contextmanager
def ledger_as_it_is(
    place: Place, *, more: MicroUsd = NOTHING, provider_of: Callable[[str], str] = lambda _model: ""
) -> Iterator[LedgerAsItIs]:
    """The ledger of a workspace, to be asked. One that cannot be used is told anew from the events, elsewhere."""
    if not has_ledger(place):
        yield LedgerAsItIs(None, more)
        return
    with contextlib.ExitStack() as stack:
        try:
            ledger = Ledger.open(place.state)
        except LedgerUnusable:
            from orchestrator.adapters.kept_ledger import all_events
            from orchestrator.adapters.ledger_rebuild import rebuild

            elsewhere = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orchestrator-ledger-")))
            rebuild(elsewhere, all_events(place.work), provider_of)
            ledger = Ledger.open(elsewhere)
        stack.callback(ledger.close)
        yield LedgerAsItIs(ledger, more)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """One limit as `orchestrator budget show` tells it."""

    policy: str
    zone: str
    limit: Limit
    standing: Standing | None  # None: of the period task; each task has its own

    def plain(self) -> dict[str, object]:
        """For --json. Money is micro-dollars."""
        limit, standing = self.limit, self.standing
        return {
            "policy": self.policy,
            "period": limit.period.value,
            "scope": dict(limit.scope),
            "type": "hard" if limit.hard else "soft",
            "threshold_percent": limit.threshold_percent,
            "max_microusd": int(limit.max_usd),
            **(standing_plain(standing) if standing is not None else {"window": None}),
        }


def standing_plain(standing: Standing) -> dict[str, object]:
    """How much of a limit is gone, for --json."""
    window = standing.applied.window
    return {
        "window": {
            "key": window.key,
            "start": format_ts(window.start) if window.ends else None,
            "end": format_ts(window.end) if window.ends else None,
            "timezone": standing.applied.zone,
        },
        "spent_microusd": int(standing.spent),
        "held_microusd": int(standing.held),
        "left_microusd": int(standing.left),
        "percent": standing.percent(),
    }


def has_ledger(place: Place) -> bool:
    """Whether money was ever held, or corrected, here."""
    return (place.state / NAME).exists()


def limit_lines(place: Place) -> list[LimitLine]:
    """Every limit of every policy, as they stand."""
    settings, now = read_settings(place), SystemClock().now()
    with ledger_as_it_is(place, provider_of=provider_of(settings)) as ledger:
        return [
            LimitLine(policy=policy.name, zone=policy.timezone, limit=limit, standing=_standing(ledger, one, now))
            for policy in settings.policies.values()
            for limit in policy.limits
            for one in [
                Applied(limit=limit, window=budgets.window(limit.period, policy.timezone, now), zone=policy.timezone)
            ]
        ]


def provider_of(settings: Settings) -> Callable[[str], str]:
    """Whose model it is, as far as the configuration says."""

    def found(model: str) -> str:
        known = settings.models.get(model)
        return known.provider if known is not None else ""

    return found


def _standing(ledger: LedgerAsItIs, one: Applied, now: datetime) -> Standing | None:
    return None if one.limit.period is Period.TASK else ledger.standing([one], now)[0]
