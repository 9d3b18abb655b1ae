"""The figures of `orchestrator stats` as a Prometheus text file, for the textfile collector of a node exporter."""

from collections.abc import Iterator, Sequence

from orchestrator.core.metric_names import PROMETHEUS, TOKEN_TYPE, Metric
from orchestrator.core.statistics import PERCENTILES, By, Figures, Series

KINDS = (By.AGENT, By.TOOL, By.MODEL)  # those whose number is bounded by the configuration

_Sample = tuple[str, dict[str, str], str]  # what follows the name, more labels, the value


def text(series: Sequence[Series]) -> str:
    """The file: a sample of each figure for each agent with each tool and model. Sums are left to who reads it."""
    lines: list[str] = []
    for metric in Metric:
        named = PROMETHEUS[metric]
        lines += [f"# HELP {named.name} {named.means}", f"# TYPE {named.name} {named.kind}"]
        for one in series:
            labels = {kind.value: key for kind, key in zip(KINDS, one.keys, strict=True)}
            lines += [
                f"{named.name}{suffix}{_labels(labels | more)} {value}"
                for suffix, more, value in _samples(metric, one.figures)
            ]
    return "\n".join(lines) + "\n"


def _samples(metric: Metric, figures: Figures) -> Iterator[_Sample]:
    match metric:
        case Metric.INVOCATIONS:
            yield "", {}, str(figures.invocations)
        case Metric.SUCCEEDED:
            yield "", {}, str(figures.succeeded)
        case Metric.FALLBACKS:
            yield "", {}, str(figures.fallbacks)
        case Metric.TOKENS:
            tokens = figures.tokens
            yield "", {TOKEN_TYPE: "input"}, str(tokens.input)
            yield "", {TOKEN_TYPE: "cache_read"}, str(tokens.cache_read)
            yield "", {TOKEN_TYPE: "cache_write"}, str(tokens.cache_write)
            yield "", {TOKEN_TYPE: "output"}, str(tokens.output)
        case Metric.COST:
            yield "", {}, _millionths(figures.cost)
        case Metric.UNPAID:
            yield "", {}, _millionths(figures.unpaid)
        case Metric.SAVED:
            yield "", {}, _millionths(figures.saved)
        case Metric.LATENCY:
            for percent, value in zip(PERCENTILES, figures.latency_ms, strict=False):  # none where nothing was measured
                yield "", {"quantile": f"{percent / 100:g}"}, f"{value / 1000:g}"
            yield "_sum", {}, f"{figures.duration_ms / 1000:.3f}"
            yield "_count", {}, str(figures.measured)


def _millionths(amount: int) -> str:
    sign, whole = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{whole // 1_000_000}.{whole % 1_000_000:06d}"


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
