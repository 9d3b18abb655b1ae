"""What the system offers to hold a tool and all that it starts."""

from collections.abc import Iterator

from orchestrator.adapters.process_features import features
from orchestrator.core.finding import Finding, Topic

SANDBOX = Topic(name="processes")


def examine() -> Iterator[Finding]:
    """Each feature that is used where it is there. None of them is needed."""
    for feature in features():
        if feature.present:
            yield SANDBOX.ok(feature.name, feature.why or "is there")
        else:
            yield SANDBOX.skip(feature.name, feature.why or "is not there")
