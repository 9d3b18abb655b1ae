"""A world in which runs cost money: tools that are paid by use, models with prices, limits."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from world import AGENTS, TOOL, said

from orchestrator.core.prices import FREE, Price, Rates
from orchestrator.core.settings import Agent, Limit, Model, Period, Policy, Retries, Settings
from orchestrator.core.types import AgentKey, CostSource, MicroUsd
from orchestrator.core.verdict import Ran

DOLLAR = 1_000_000
PRICE = Price(rates=Rates(input=Decimal(2), output=Decimal(10)), source="test")
CHEAP = Price(rates=Rates(input=Decimal(1), output=Decimal(5)), source="test")
CAPPED = replace(
    TOOL,
    name="paid",
    command=("{binary}", "{model}", "--cap", "{budget_usd}"),
    models=("large", "small", "free", "unknown"),
    billing="api",
)
MODELS = {
    "large": Model(name="large", provider="here", price=PRICE),
    "small": Model(name="small", provider="here", price=CHEAP),
    "free": Model(name="free", provider="here", price=FREE),
    "unknown": Model(name="unknown", provider="here"),
}


def limit(period: Period, dollars: float, *, hard: bool = True, **scope: str) -> Limit:
    """A limit on money."""
    return Limit(period=period, max_usd=MicroUsd(int(dollars * DOLLAR)), hard=hard, scope=scope)


def paid(*limits: Limit, model: str = "large", chain: tuple[str, ...] = (), **policy: Any) -> Settings:
    """Those of a world whose agent `dev` is paid by use."""
    dev = Agent(key=AgentKey("dev"), preferred_tool="paid", preferred_model=model, fallback_chain=chain)
    made = {"max_parallel": 2, "retries": Retries(max=0), "estimate": MicroUsd(DOLLAR // 2)} | policy
    return Settings(
        agents=AGENTS | {AgentKey("dev"): dev},
        tools={"paid": CAPPED, "brief": TOOL},
        models=MODELS,
        policies={"default": Policy(name="default", limits=limits, **made)},
    )


def cost(dollars: float, text: str = "an answer", **changes: Any) -> Ran:
    """A run that reports what it cost."""
    amount = MicroUsd(round(dollars * DOLLAR))
    return said(text, cost=amount, cost_source=CostSource.REPORTED, **changes)
