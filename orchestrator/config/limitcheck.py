"""Limits of one policy that say two things about the same money: nobody can tell which one was meant."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.config.schema import PolicyEntry, ScopeEntry
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding, Step

_OLDER = (("daily_budget_usd", "day"), ("monthly_budget_usd", "month"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One limit of a policy, in any of its spellings."""

    at: tuple[Step, ...]  # of its amount
    period: str
    micro: int
    hard: bool
    scope: tuple[tuple[str, str], ...]

    @property
    def about(self) -> tuple[object, ...]:
        """What it limits, and how."""
        return (self.period, self.hard, self.scope)

    @property
    def told(self) -> str:
        """`the hard limit of 10 USD a day, for tool claude`."""
        scope = "".join(f", for {kind} {name}" for kind, name in self.scope)
        return f"the {'hard' if self.hard else 'soft'} limit of {usd(self.micro)} USD {_A[self.period]}{scope}"


_A = {"task": "for a task", "day": "a day", "week": "a week", "month": "a month", "total": "in all"}


def usd(micro: int) -> str:
    """2, 2.5, 0.000001: as people write it."""
    whole, part = divmod(micro, 1_000_000)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def stated(name: str, policy: PolicyEntry) -> Iterator[Stated]:
    """Every limit of a policy, older spellings as what they mean."""
    at: tuple[Step, ...] = ("policies", name)
    for index, one in enumerate(policy.limits):
        place = (*at, "limits", index, "max_usd")
        yield Stated(
            at=place, period=one.period, micro=one.max_usd, hard=one.type == "hard", scope=_scope_of(one.scope)
        )
    shape = policy.limit
    hard = policy.block_over_budget is not False if shape is None or shape.type is None else shape.type == "hard"
    scope = _scope_of(shape.scope) if shape else ()
    for key, period in _OLDER:
        amount: int | None = getattr(policy, key)
        if amount:
            yield Stated(at=(*at, key), period=period, micro=amount, hard=hard, scope=scope)
    if shape and shape.period and shape.max_usd:
        yield Stated(at=(*at, "limit", "max_usd"), period=shape.period, micro=shape.max_usd, hard=hard, scope=scope)


def _scope_of(scope: ScopeEntry) -> tuple[tuple[str, str], ...]:
    return tuple(scope.model_dump(exclude_none=True).items())


def check_limits(sheet: Sheet, name: str, policy: PolicyEntry) -> None:
    """Note every limit that contradicts one above it. Two that say the same are only odd."""
    first: dict[tuple[object, ...], Stated] = {}
    for one in stated(name, policy):
        other = first.setdefault(one.about, one)
        if other.micro != one.micro:
            message = f"{usd(one.micro)} contradicts {other.told}"
            sheet.refuse(Finding(at=one.at, message=message, hint="keep one of the two"))
