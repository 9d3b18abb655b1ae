"""The export to OpenTelemetry, where an endpoint is named: for the daemon, and for exec without one."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import orchestrator
from orchestrator.core.events import Event
from orchestrator.wiring.opening import Opened

ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether an endpoint is named, and nobody switched it off."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").casefold() == "true"
    return not is_off and any(environ.get(name) for name in ENDPOINTS)


class Ears:
    """Everybody who hears what is told. Those who come later hear what comes later."""

    def __init__(self, *first: Callable[[Event], None]) -> None:
        self._all = list(first)

    def hear(self, event: Event) -> None:
        """One more."""
        for one in self._all:
            one(event)

    def add(self, other: Callable[[Event], None]) -> None:
        """One who hears from now on."""
        self._all.append(other)


@contextmanager
def exported(opened: Opened, ears: Ears) -> Iterator[None]:
    """While the block lasts; at its end what waits is sent, within bounds. What is amiss becomes a note of `opened`."""
    if not is_wanted(os.environ):
        yield
        return
    from orchestrator.adapters.otel import Exporter

    try:
        exporter = Exporter(
            os.environ, str(opened.place.root), opened.world.events.read, version=orchestrator.__version__
        )
    except ImportError:
        named = next(name for name in ENDPOINTS if os.environ.get(name))
        opened.notes.append(f"{named} is set, and nothing is exported: install it with the extra, orchestrator[otel]")
        yield
        return
    ears.add(exporter.hear)
    try:
        yield
    finally:
        exporter.close()
        if exporter.dropped:
            opened.notes.append(f"the collector was too slow: {exporter.dropped} events were not exported")
