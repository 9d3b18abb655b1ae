"""Traces and figures to an OpenTelemetry collector, for whoever has the extra `otel` installed and names an endpoint.

What is exported is a copy: the events are the truth, and a collector that is down costs a task nothing. A thread of its
own does it; the straight path hands it an event and goes on.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

from orchestrator.core.events import Event, EventKind
from orchestrator.core.metric_names import OTEL
from orchestrator.core.tracing import ENDS, Span, samples_of, spans_of
from orchestrator.core.types import TaskId

_WAITING = 10_000  # events; more than that are dropped and counted, so that a dead collector costs no memory
_PATIENCE = 5.0  # seconds that a request to the collector, and the end of all, may take


class Exporter:
    """Sends what it hears. `close` waits for what is on its way, within bounds."""

    def __init__(
        self, environ: Mapping[str, str], repository: str, read: Callable[[TaskId], Sequence[Event]], version: str
    ) -> None:
        """Raises ImportError where the extra is not installed."""
        self._repository = repository
        self._read = read
        self._sdk = _Sdk(environ, version)
        self._started: dict[str, Event] = {}
        self._queue: queue.Queue[Event | None] = queue.Queue(_WAITING)
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, name="otel", daemon=True)
        self._thread.start()

    def hear(self, event: Event) -> None:
        """One more. Never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Sends the rest, where the collector takes it in time."""
        try:
            self._queue.put(None, timeout=_PATIENCE)
        except queue.Full:
            return
        self._thread.join(3 * _PATIENCE)

    def _work(self) -> None:
        while (event := self._queue.get()) is not None:
            if event.event == EventKind.EXECUTION_STARTED:
                self._started[event.invocation_id] = event
            if event.event == EventKind.EXECUTION_FINISHED:
                for sample in samples_of(event, self._started.pop(event.invocation_id, None)):
                    self._sdk.count(sample.metric, sample.value, sample.attributes)
            if event.event in ENDS:
                for span in spans_of(self._repository, self._upto(event)):
                    self._sdk.tell(span)
        self._sdk.close()

    def _upto(self, event: Event) -> Sequence[Event]:
        """The events of its task, this one the last: meanwhile there may be more."""
        try:
            events = list(self._read(TaskId(event.task_id)))
        except OSError:
            return ()
        places = [place for place, one in enumerate(events) if one.event_id == event.event_id]
        return events[: places[0] + 1] if places else ()


class _Ids:
    """Gives out the ids that a span is to have (the SDK's IdGenerator)."""

    def __init__(self) -> None:
        self.trace, self.span = 1, 1

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span

    def is_trace_id_random(self) -> bool:
        return True


class _Sdk:
    """OpenTelemetry's own part, imported by name: it takes 0.1 s, and most have no collector."""

    def __init__(self, environ: Mapping[str, str], version: str) -> None:
        def of(module: str, name: str) -> Any:  # its types are not ours to import
            return getattr(import_module(f"opentelemetry.{module}"), name)

        logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # each retry of its own is no news
        self._trace = import_module("opentelemetry.trace")
        name = {} if "OTEL_SERVICE_NAME" in environ else {"service.name": "orchestrator"}
        resource = of("sdk.resources", "Resource").create({**name, "service.version": version})
        timeout = None if any(one.endswith("_TIMEOUT") for one in environ if one.startswith("OTEL_EX")) else _PATIENCE
        self._ids = _Ids()
        self._tracers = of("sdk.trace", "TracerProvider")(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        spans = of("exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter")(timeout=timeout)
        self._tracers.add_span_processor(of("sdk.trace.export", "BatchSpanProcessor")(spans))
        figures = of("exporter.otlp.proto.http.metric_exporter", "OTLPMetricExporter")(timeout=timeout)
        self._meters = of("sdk.metrics", "MeterProvider")(
            metric_readers=[of("sdk.metrics.export", "PeriodicExportingMetricReader")(figures)],
            resource=resource,
            shutdown_on_exit=False,
        )
        self._tracer = self._tracers.get_tracer("orchestrator", version)
        meter = self._meters.get_meter("orchestrator", version)
        self._instruments = {
            metric: getattr(meter, f"create_{named.kind}")(named.name, unit=named.unit, description=named.means)
            for metric, named in OTEL.items()
        }

    def count(self, metric: Any, value: float, attributes: Mapping[str, Any]) -> None:
        """One value of a figure."""
        instrument = self._instruments[metric]
        if OTEL[metric].kind == "counter":
            instrument.add(value, dict(attributes))
        else:
            instrument.record(value, dict(attributes))

    def tell(self, span: Span) -> None:
        """One span, as long ago as it was."""
        self._ids.trace, self._ids.span = span.trace_id, span.span_id
        trace = self._trace
        context = None
        if span.parent_id:
            flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
            above = trace.SpanContext(span.trace_id, span.parent_id, is_remote=True, trace_flags=flags)
            context = trace.set_span_in_context(trace.NonRecordingSpan(above))
        told = self._tracer.start_span(
            span.name, context=context, start_time=_nanoseconds(span.start), attributes=dict(span.attributes)
        )
        if span.failed:
            told.set_status(trace.Status(trace.StatusCode.ERROR, span.failed))
        told.end(end_time=_nanoseconds(span.end))

    def close(self) -> None:
        """Sends what waits."""
        self._tracers.shutdown()
        self._meters.shutdown(timeout_millis=_PATIENCE * 1000)


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000
