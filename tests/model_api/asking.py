"""A client of the model API for tests: one conversation in each dialect, as programs hold it."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SECONDS = 20


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def data(self) -> Any:
        """Its JSON."""
        return json.loads(self.raw)

    @property
    def events(self) -> list[Any]:
        """Its server-sent events."""
        blocks = self.raw.decode().split("\n\n")
        lines = [line for block in blocks for line in block.splitlines() if line.startswith("data: ")]
        return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


def send(url: str, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Reply:
    """One request, on a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection.request(method, path, content, headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@dataclass
class Claude:
    """Speaks Anthropic messages."""

    url: str
    messages: list[Any] = field(default_factory=list)
    tools: list[Any] = field(
        default_factory=lambda: [
            {"name": "Bash", "input_schema": {"properties": {"command": {}}}},
            {"name": "Write", "input_schema": {"properties": {"file_path": {}, "content": {}}}},
        ]
    )

    def say(self, text: str) -> None:
        """As the user."""
        self.messages.append({"role": "user", "content": [{"type": "text", "text": text}]})

    def ask(self, *, stream: bool = False) -> Reply:
        """What the model answers now."""
        body = {"model": "m", "messages": self.messages, "tools": self.tools, "stream": stream}
        return send(self.url, "POST", "/v1/messages?beta=true", body)

    def turn(self) -> Any:
        """The block that it answers, after which a tool's result comes back."""
        block = self.ask().data["content"][0]
        self.messages.append({"role": "assistant", "content": [block]})
        if block["type"] == "tool_use":
            result = {"type": "tool_result", "tool_use_id": block["id"], "content": "STUB:TEXT not a directive"}
            self.messages.append({"role": "user", "content": [result]})
        return block
