"""The export to OpenTelemetry, received by a collector on loopback that speaks OTLP over HTTP."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli_world import Template, World

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TOOLS = """
tools:
  counted:
    binary: sh
    command: ["{binary}", "-c", "cat >/dev/null; printenv TRACEPARENT > parent || true; cat counted.json"]
    output: {text: /text, tokens: {input: /in, output: /out}}
    models: [large]
    billing: api
"""
CONFIGURATION = {
    "tools": TOOLS,
    "models": "models:\n  large: {provider: here, price: {input_mtok: 2, output_mtok: 10}}\n",
    "agents": "agents:\n  dev: {preferred_tool: counted, preferred_model: large}\n",
    "policies": "policies:\n  default: {privacy: full}\ntrail: {mode: own}\n",
}


class Collector:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append((self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[Any]:
        """All of them."""
        found = []
        for path, body in self.got:
            if path == "/v1/traces":
                told = ExportTraceServiceRequest.FromString(body)
                found += [span for one in told.resource_spans for scope in one.scope_spans for span in scope.spans]
        return found

    def figures(self) -> dict[str, Any]:
        """The last of each name."""
        return {
            metric.name: metric
            for path, body in self.got
            if path == "/v1/metrics"
            for one in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in one.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    serving = threading.Thread(target=made.server.serve_forever)
    serving.start()
    yield made
    made.server.shutdown()
    serving.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("made"), CONFIGURATION)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    made = template.copy(tmp_path / "repo")
    (made.root / "counted.json").write_text(json.dumps({"text": "counted", "in": 1500, "out": 800}))
    return made


@pytest.mark.parametrize("way", [("daemon", "--until-idle"), ("exec", "--agent", "dev", "--prompt", "Do it")])
def test_a_task_is_a_trace_at_the_collector(world: World, collector: Collector, way: tuple[str, ...]) -> None:
    if way[0] == "daemon":
        world.drop("a.yaml", "id: a\nagent: dev\ntitle: Do it\nprompt: a secret plan\n")
    ended = world(*way, env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address})
    assert ended.code == 0, ended.err
    spans = {span.name: span for span in collector.spans()}
    assert set(spans) == {"invoke_agent dev", "run counted"}
    root, run = spans["invoke_agent dev"], spans["run counted"]
    assert run.trace_id == root.trace_id
    assert run.parent_span_id == root.span_id
    said = {one.key: one.value.string_value or one.value.int_value for one in run.attributes}
    assert (said["gen_ai.request.model"], said["gen_ai.usage.input_tokens"]) == ("large", 1500)
    assert (world.root / "parent").read_text().strip() == f"00-{run.trace_id.hex()}-{run.span_id.hex()}-01"
    figures = collector.figures()
    assert figures["orchestrator.cost"].sum.data_points[0].as_double == pytest.approx(0.011)
    assert figures["orchestrator.invocations.succeeded"].sum.data_points[0].as_int == 1
    tokens = figures["gen_ai.client.token.usage"].histogram.data_points
    assert sorted(point.sum for point in tokens) == [800, 1500]
    assert all(b"secret plan" not in body and b"Do it" not in body for _, body in collector.got)


def test_a_collector_that_is_down_costs_no_task_its_result(world: World, collector: Collector) -> None:
    collector.server.server_close()  # nobody listens there any more
    world.drop("a.yaml", "id: a\nagent: dev\ntitle: Do it\n")
    ended = world("daemon", "--until-idle", env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address})
    assert ended.code == 0
    assert world.events_of("a")[-1]["status"] == "done"


def test_without_an_endpoint_nothing_is_sent_and_no_tool_is_told(world: World, collector: Collector) -> None:
    world.well("exec", "--agent", "dev", "--prompt", "Do it")
    assert (world.root / "parent").read_text() == ""
    assert collector.got == []
