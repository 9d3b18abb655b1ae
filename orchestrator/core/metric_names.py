"""What our figures are called where others read them: one table of names, so that no exporter invents its own.

Prometheus names follow its own rules (base units, `_total` for what only grows). OpenTelemetry's are those of its
semantic conventions for generative AI, version 1.41; all of them are still called "development" there. Cost has no
standard name yet (MONEY-FACTS 1.7), so it has one of ours, as everything has that only we know.
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
    kind: str  # of Prometheus: counter, gauge, summary; of OpenTelemetry: counter, histogram
    means: str
    unit: str = ""  # of OpenTelemetry; Prometheus has it in the name


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

# What is told of each run as it ends. Savings are no such thing: `stats` reckons them at the prices of the day.
OTEL = {
    Metric.INVOCATIONS: Named(name="orchestrator.invocations", kind="counter", means="Runs of tools.", unit="{run}"),
    Metric.SUCCEEDED: Named(
        name="orchestrator.invocations.succeeded", kind="counter", means="Runs that ended well.", unit="{run}"
    ),
    Metric.FALLBACKS: Named(
        name="orchestrator.invocations.fallback",
        kind="counter",
        means="Runs in the place of another tool.",
        unit="{run}",
    ),
    Metric.TOKENS: Named(
        name="gen_ai.client.token.usage",
        kind="histogram",
        means="Tokens of a run, by gen_ai.token.type.",
        unit="{token}",
    ),
    Metric.COST: Named(name="orchestrator.cost", kind="counter", means="What the runs cost.", unit="USD"),
    Metric.UNPAID: Named(
        name="orchestrator.unpaid", kind="counter", means="What tools said of runs that no bill shows.", unit="USD"
    ),
    Metric.LATENCY: Named(
        name="gen_ai.client.operation.duration", kind="histogram", means="How long runs took.", unit="s"
    ),
}


class Attribute(StrEnum):
    """What spans and figures carry in OpenTelemetry."""

    OPERATION = "gen_ai.operation.name"
    AGENT = "gen_ai.agent.name"
    PROVIDER = "gen_ai.provider.name"
    MODEL = "gen_ai.request.model"
    SESSION = "gen_ai.conversation.id"
    TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - the name of a label
    INPUT = "gen_ai.usage.input_tokens"  # what was cached is in it, as the convention has it
    OUTPUT = "gen_ai.usage.output_tokens"
    CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
    CACHE_WRITE = "gen_ai.usage.cache_creation.input_tokens"
    ERROR = "error.type"
    EXIT_CODE = "process.exit.code"
    TASK = "orchestrator.task.id"
    RUN = "orchestrator.run.id"
    STATUS = "orchestrator.task.status"
    TOOL = "orchestrator.tool"
    INVOCATION = "orchestrator.invocation.id"
    ATTEMPT = "orchestrator.attempt"
    REASON = "orchestrator.route.reason"
    COST = "orchestrator.cost_usd"
    COST_SOURCE = "orchestrator.cost_source"
    CHECK = "orchestrator.check"


# Providers by the names of models.yaml and of the price table, where the convention calls them otherwise.
OTEL_PROVIDERS = {"google": "gcp.gemini", "azure": "azure.ai.openai", "aws": "aws.bedrock", "mistral": "mistral_ai"}
