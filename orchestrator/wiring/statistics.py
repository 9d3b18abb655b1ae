"""Statistics of a workspace: its index, with the prices and the calendar of its configuration."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.index_stats import IndexStats
from orchestrator.adapters.place import Place
from orchestrator.core.settings import Period, Settings
from orchestrator.core.statistics import By, Report, Wanted
from orchestrator.core.statistics_span import current, moment
from orchestrator.errors import ConfigRefusedError, NotFoundError, UsageError
from orchestrator.query_stats import LONGEST, StatsService
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.pricing import with_prices

if TYPE_CHECKING:
    from orchestrator.core.simulation import Outcome
    from orchestrator.core.statistics import Series

_UNREAD = "the configuration cannot be read: nothing is said of savings, and days are those of UTC"


class Statistics:
    """What `orchestrator stats` and `orchestrator simulate` ask. A configuration with mistakes hides no past."""

    def __init__(self, place: Place) -> None:
        self._now = SystemClock().now()
        self.notes: tuple[str, ...] = ()
        try:
            self._settings = with_prices(read_settings(place), place, self._now)
        except ConfigRefusedError:
            self._settings = Settings(agents={}, tools={})
            self.notes = (_UNREAD,)
        self._timezone = self._settings.policy("default").timezone
        self._service = StatsService(self._settings, open_reader=lambda: IndexStats(place.state, place.work))

    def period(self, period: Period, run: str) -> Wanted:
        """The day, week or month of now, in the time zone of the policy `default`."""
        since, until = current(period, self._now, ZoneInfo(self._timezone))
        return Wanted(since=since, until=until, run=run, timezone=self._timezone)

    def span(self, since: str, until: str, run: str) -> Wanted:
        """From one time to another, each as a person writes it; empty: no bound. Raises UsageError."""
        return Wanted(
            since=self._moment("--since", since, is_end=False),
            until=self._moment("--until", until, is_end=True),
            run=run,
            timezone=self._timezone,
        )

    def report(self, wanted: Wanted, by: Sequence[By], longest: int = LONGEST) -> Report:
        """The figures. Raises IndexNeeded."""
        return self._service.report(wanted, by, longest=longest, notes=self.notes)

    def series(self, by: Sequence[By]) -> "list[Series]":
        """All runs there ever were, for each combination of these. Raises IndexNeeded."""
        return self._service.series(Wanted(), by)

    def chain(self, policy: str) -> tuple[str, ...]:
        """The models of a policy's escalation, the cheapest first.

        Raises:
            NotFoundError: there is no such policy.
            UsageError: it does not escalate, or a step names no model.
        """
        known = self._settings.policies.get(policy)
        if known is None:
            names = ", ".join(self._settings.policies) or "none"
            raise NotFoundError(f"no policy {policy!r} in config/policies.yaml; there is: {names}")
        chain = tuple(dict.fromkeys(self._model_of(step, policy) for step in known.escalation))
        if len(chain) < 2:
            raise UsageError(f"the policy {policy} has no `escalation` of two models; write one, or give --chain a,b")
        return chain

    def outcomes(self, models: Sequence[str]) -> "list[Outcome]":
        """What the workspace's own checked runs tell of these models. Raises IndexNeeded."""
        return self._service.outcomes(models)

    def _model_of(self, step: str, policy: str) -> str:
        tool, colon, model = step.partition(":")
        if colon:
            return model
        known = self._settings.tools.get(tool)
        if known is None or len(known.models) != 1:
            raise UsageError(f"the step {step} of the policy {policy} names no model; write {tool}:MODEL, or --chain")
        return known.models[0]

    def _moment(self, option: str, text: str, *, is_end: bool) -> datetime | None:
        if not text:
            return None
        try:
            return moment(text, self._now, ZoneInfo(self._timezone), is_end=is_end)
        except ValueError as error:
            raise UsageError(f"{option}: {error}") from None
