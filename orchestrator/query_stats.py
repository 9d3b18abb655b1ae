"""The read side's sums: what runs used, cost and saved. It never writes, and takes no lock."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from orchestrator.core.prices import Price
from orchestrator.core.settings import Model, Settings
from orchestrator.core.simulation import Outcome
from orchestrator.core.statistics import By, Group, Report, Series, Wanted, report, series
from orchestrator.core.types import AgentKey
from orchestrator.query import reading

LONGEST = 1_000  # lines of one table


class Reader(Protocol):
    """What a look at the index answers. Methods may raise IndexUnusable."""

    def close(self) -> None: ...
    def groups(self, wanted: Wanted, by: Sequence[By]) -> list[Group]: ...
    def outcomes(self, models: Sequence[str]) -> list[Outcome]: ...


class StatsService:
    """Answers questions about many runs at once. `settings`: with prices, for what was saved and who provides."""

    def __init__(self, settings: Settings, *, open_reader: Callable[[], Reader]) -> None:
        self._settings = settings
        self._open_reader = open_reader
        self._models = _by_every_name(settings)

    def report(self, wanted: Wanted, by: Sequence[By], *, longest: int = LONGEST, notes: Sequence[str] = ()) -> Report:
        """What was asked for, with a table for each of `by`. Raises IndexNeeded."""
        groups = self._groups(wanted, by)
        return report(wanted, by, groups, self._preferred, longest=min(longest, LONGEST), notes=notes)

    def series(self, wanted: Wanted, by: Sequence[By]) -> list[Series]:
        """The figures of each combination of these. Raises IndexNeeded."""
        return series(self._groups(wanted, by), self._preferred)

    def outcomes(self, models: Sequence[str]) -> list[Outcome]:
        """How the runs of these models ended that checks judged. Raises IndexNeeded."""
        with reading(self._open_reader) as reader:
            return reader.outcomes(models)

    def _groups(self, wanted: Wanted, by: Sequence[By]) -> list[Group]:
        with reading(self._open_reader) as reader:
            groups = reader.groups(wanted, by)
        if By.PROVIDER in by:
            groups = [self._with_provider(group, by.index(By.PROVIDER)) for group in groups]
        return groups

    def _with_provider(self, group: Group, place: int) -> Group:
        """Events name the provider only where money was held."""
        model = self._models.get(group.model)
        if group.keys[place] or model is None or not model.provider:
            return group
        return replace(group, keys=(*group.keys[:place], model.provider, *group.keys[place + 1 :]))

    def _preferred(self, agent: str) -> tuple[str, Price | None]:
        known = self._settings.agents.get(AgentKey(agent))
        model = self._models.get(known.preferred_model) if known is not None else None
        return (model.name, model.price) if model is not None else ("", None)


def _by_every_name(settings: Settings) -> dict[str, Model]:
    models = {alias: model for model in settings.models.values() for alias in model.aliases}
    return models | dict(settings.models)
