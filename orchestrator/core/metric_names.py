"""What our figures are called where others read them: one table of names, so that no exporter invents its own.

Prometheus names follow its own rules (base units, `_total` for what only grows). Cost has no standard name yet
(MONEY-FACTS 1.7), so it has one of ours.
"""

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """The figures that are exported."""

    INVOCATIONS = "invocations"
    SUCCEEDED = "succeeded"
    FALLBACKS = "fallbacks"
    TOKENS = "tokens"
    COST = "cost"
    UNPAID = "unpaid"
    SAVED = "saved"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One figure's name, kind and meaning."""

    name: str
    kind: str  # of Prometheus: counter, gauge, summary
    means: str


PROMETHEUS = {
    Metric.INVOCATIONS: Named(name="orchestrator_invocations_total", kind="counter", means="Runs of tools."),
    Metric.SUCCEEDED: Named(
        name="orchestrator_invocations_succeeded_total", kind="counter", means="Runs that ended well."
    ),
    Metric.FALLBACKS: Named(
        name="orchestrator_invocations_fallback_total", kind="counter", means="Runs in the place of another tool."
    ),
    Metric.TOKENS: Named(
        name="orchestrator_tokens_total", kind="counter", means="Tokens; the label token_type tells them apart."
    ),
    Metric.COST: Named(name="orchestrator_cost_usd_total", kind="counter", means="What the runs cost, in US dollars."),
    Metric.UNPAID: Named(
        name="orchestrator_unpaid_usd_total", kind="counter", means="What tools said of runs that no bill shows."
    ),
    Metric.SAVED: Named(
        name="orchestrator_saved_usd", kind="gauge", means="Saved against the preferred models, in US dollars."
    ),
    Metric.LATENCY: Named(name="orchestrator_invocation_duration_seconds", kind="summary", means="How long runs took."),
}
TOKEN_TYPE = "token_type"  # noqa: S105 - the name of a label
