"""What a chain of models would have cost, and how good it would have been, against always the strongest. Pure.

Recorded outcomes are replayed task by task: the cheapest model works first, a verifier looks, and what it refuses is
thrown away and goes to the next model. The last one's work is taken as it is. A verifier that errs is replayed by its
chances and not by throwing dice, so that the only chance left is which tasks there were: for that one the confidence
intervals stand, by a bootstrap over tasks with a seed.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.types import MicroUsd

RESAMPLES = 1_000
_BLOCKS = 2_000  # more tasks are resampled in blocks of equal size: independent as well, and as quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one model did on one task."""

    task: str
    model: str
    solved: bool
    cost: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """How often it errs, each from 0 to 1; by default never."""

    false_accept: float = 0.0  # of what is wrong, how much it lets through
    false_reject: float = 0.0  # of what is right, how much it sends on


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with the bounds between which it lies with 95 % of the resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """How one model does by itself on the same tasks."""

    model: str
    cost: float  # micro-dollars a task
    solved: float  # 0 to 1
    used: float  # 0 to 1: on how many of the tasks the chain comes to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """The chain against the one model."""

    chain: tuple[str, ...]
    against: str
    tasks: int  # on so many it rests
    left_out: int  # tasks of which a model of the chain has no outcome
    filled: int  # outcomes that nobody recorded, taken at that model's average
    cost: float  # micro-dollars a task
    solved: float
    against_cost: float
    against_solved: float
    saving: Interval  # percent of what the one model costs; below zero: the chain is dearer
    quality: Interval | None  # percent of what the one model solves; None: it solves nothing
    models: tuple[Alone, ...]


class _Mean(NamedTuple):
    solved: float
    cost: float


class _Replayed(NamedTuple):
    cost: float
    solved: float
    against_cost: float
    against_solved: float


class NothingToSimulateError(ValueError):
    """No task has what is needed; the text says what that is."""


def simulate(
    outcomes: Iterable[Outcome],
    chain: Sequence[str],
    *,
    against: str = "",
    verifier: Verifier | None = None,
    seed: int = 1,
    fill: bool = False,
) -> Simulated:
    """Replays them.

    Args:
        outcomes: several of one task and model count by their average.
        chain: models, the cheapest first.
        against: the model that would do everything else; empty: the last of the chain.
        fill: take a model at its average where it has no outcome of a task that another one has; else such tasks are
            left out.

    Raises:
        NothingToSimulateError: there is no such task.
    """
    needed = tuple(dict.fromkeys((*chain, against or chain[-1])))
    recorded = _means(outcomes, needed)
    tasks, filled = _complete(recorded, needed) if fill else (_whole(recorded, needed), 0)
    if not tasks:
        raise NothingToSimulateError(_why_not(recorded, needed))
    strong = against or chain[-1]
    found = [_replay(task, chain, strong, verifier or Verifier()) for task in tasks]
    cost, solved, against_cost, against_solved = (sum(column) / len(found) for column in zip(*found, strict=True))
    saving, quality = _intervals(found, seed)
    return Simulated(
        chain=tuple(chain),
        against=strong,
        tasks=len(tasks),
        left_out=len(recorded) - len(tasks),
        filled=filled,
        cost=cost,
        solved=solved,
        against_cost=against_cost,
        against_solved=against_solved,
        saving=saving,
        quality=quality,
        models=_alone(tasks, chain, needed, verifier or Verifier()),
    )


_Task = Mapping[str, _Mean]


def _means(outcomes: Iterable[Outcome], needed: Sequence[str]) -> list[dict[str, _Mean]]:
    """For each task, the models that tried it. In the order of the tasks' names: so a seed always gives the same."""
    sums: dict[str, dict[str, list[int]]] = {}
    for outcome in outcomes:
        if outcome.model in needed:
            row = sums.setdefault(outcome.task, {}).setdefault(outcome.model, [0, 0, 0])
            row[0] += 1
            row[1] += outcome.solved
            row[2] += outcome.cost
    return [
        {model: _Mean(row[1] / row[0], row[2] / row[0]) for model, row in sums[task].items()} for task in sorted(sums)
    ]


def _whole(recorded: Sequence[_Task], needed: Sequence[str]) -> list[_Task]:
    return [task for task in recorded if all(model in task for model in needed)]


def _complete(recorded: Sequence[_Task], needed: Sequence[str]) -> tuple[list[_Task], int]:
    means: dict[str, _Mean] = {}
    for model in needed:
        tried = [task[model] for task in recorded if model in task]
        if not tried:
            return [], 0
        means[model] = _Mean(*(sum(column) / len(tried) for column in zip(*tried, strict=True)))
    return [means | dict(task) for task in recorded], sum(len(needed) - len(task) for task in recorded)


def _why_not(recorded: Sequence[_Task], needed: Sequence[str]) -> str:
    known = {model: sum(model in task for task in recorded) for model in needed}
    tried = ", ".join(f"{model} on {count}" for model, count in known.items())
    return f"there is no task that every model of the chain was tried on: {tried}"


def _replay(task: _Task, chain: Sequence[str], against: str, verifier: Verifier) -> _Replayed:
    cost = solved = 0.0
    for model, reached, right in _stages(task, chain, verifier):
        cost += reached * task[model].cost
        solved += right
    return _Replayed(cost, solved, task[against].cost, task[against].solved)


def _stages(task: _Task, chain: Sequence[str], verifier: Verifier) -> Iterable[tuple[str, float, float]]:
    """(model, chance to come to it, chance that it ends here and is right)."""
    reached = 1.0
    for place, model in enumerate(chain):
        able = task[model].solved
        if place == len(chain) - 1:
            yield model, reached, reached * able
            return
        right, wrong = able * (1 - verifier.false_reject), (1 - able) * verifier.false_accept
        yield model, reached, reached * right
        reached *= 1 - right - wrong


def _alone(
    tasks: Sequence[_Task], chain: Sequence[str], needed: Sequence[str], verifier: Verifier
) -> tuple[Alone, ...]:
    used = dict.fromkeys(needed, 0.0)
    for task in tasks:
        for model, reached, _ in _stages(task, chain, verifier):
            used[model] += reached
    return tuple(
        Alone(
            model=model,
            cost=sum(task[model].cost for task in tasks) / len(tasks),
            solved=sum(task[model].solved for task in tasks) / len(tasks),
            used=used[model] / len(tasks),
        )
        for model in needed
    )


def _intervals(found: Sequence[_Replayed], seed: int) -> tuple[Interval, Interval | None]:
    dice = random.Random(seed)  # noqa: S311 - to be repeated, no secret
    blocks = _blocks(found, dice)
    savings: list[float] = []
    qualities: list[float] = []
    for _ in range(RESAMPLES):
        sums = [sum(column) for column in zip(*dice.choices(blocks, k=len(blocks)), strict=True)]
        savings.append(_saving(sums))
        qualities.append(_quality(sums))
    whole = [sum(column) for column in zip(*found, strict=True)]
    quality = _interval(_quality(whole), qualities) if whole[3] else None
    return _interval(_saving(whole), savings), quality


def _blocks(found: Sequence[_Replayed], dice: random.Random) -> Sequence[Sequence[float]]:
    if len(found) <= _BLOCKS:
        return found
    mixed = dice.sample(found, k=len(found))
    return [[sum(column) for column in zip(*mixed[start::_BLOCKS], strict=True)] for start in range(_BLOCKS)]


def _saving(sums: Sequence[float]) -> float:
    return 100 * (1 - sums[0] / sums[2]) if sums[2] else 0.0


def _quality(sums: Sequence[float]) -> float:
    return 100 * sums[1] / sums[3] if sums[3] else 0.0


def _interval(value: float, resampled: list[float]) -> Interval:
    resampled.sort()
    edge = round(len(resampled) * 0.025)
    return Interval(value=value, low=resampled[edge], high=resampled[-edge - 1])
