"""A model API on loopback that answers what the prompt tells it to (see `script` for the language).

It speaks Anthropic messages, OpenAI responses and chat completions, and Gemini, streamed and whole. It is for tests and
for `orchestrator doctor --conformance`: a real tool runs against it without an account, a cost or a network. Given to a
program as its proxy, it refuses and notes every request for another host.
"""

import threading
from types import TracebackType
from typing import Self

from orchestrator.conformance.request_log import Log
from orchestrator.conformance.serving import Server

_CLOSING = 5.0  # seconds to wait for its thread


class ModelApi(Log):
    """The server, and what it was asked. Use it as a context, or close it."""

    def __init__(self) -> None:
        """Listens on a free port of 127.0.0.1 at once."""
        super().__init__()
        self._server = Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="model-api", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, with no path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Ends it, and every connection of it, however it hangs."""
        self._server.stop()
        self._thread.join(_CLOSING)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Closes it."""
        self.close()
