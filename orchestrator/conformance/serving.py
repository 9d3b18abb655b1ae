"""The HTTP of the scripted model API: connections, requests, answers and the ways in which they fail."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from orchestrator.conformance.anthropic import Messages
from orchestrator.conformance.conversation import Answer, Asked, Dialect, answer_to
from orchestrator.conformance.gemini import GenerateContent
from orchestrator.conformance.openai import Chat, Responses
from orchestrator.conformance.request_log import STRAYED, Log
from orchestrator.conformance.script import Failing, Fault, Turn

_MOST_BODY = 64 << 20
_CLOSING = 5.0  # seconds to wait for handlers when it closes
_KEYS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
_GEMINI = (":generateContent", ":streamGenerateContent")
_DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "/messages": Messages, "/responses": Responses, "/chat/completions": Chat,
}  # fmt: skip


class Server(ThreadingHTTPServer):
    """Knows its connections, so that it can end them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, log: Log) -> None:
        self.log = log
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._quiet = threading.Condition()
        super().__init__(("127.0.0.1", 0), Handler)

    def server_bind(self) -> None:
        """Binds, without asking the name service who we are."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Takes a connection."""
        assert isinstance(request, socket.socket)  # a tuple is a datagram's
        with self._quiet:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Ends a connection."""
        super().shutdown_request(request)
        assert isinstance(request, socket.socket)
        with self._quiet:
            self._open.discard(request)
            self._quiet.notify_all()

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is nothing to tell of; anything else is our own error."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.log.troubles.append(repr(error))

    def stop(self) -> None:
        """Ends everything."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        with self._quiet:
            for connection in self._open:
                with suppress(OSError):  # it went by itself
                    connection.shutdown(socket.SHUT_RDWR)
            self._quiet.wait_for(lambda: not self._open, _CLOSING)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 900  # seconds without a request

    def parse_request(self) -> bool:
        """Reads the head. A request for another host, as a proxy gets it, is noted and refused."""
        if not super().parse_request():
            return False
        host = self.path if self.command == "CONNECT" else urlsplit(self.path).netloc
        if not host or host == f"127.0.0.1:{self.server.server_port}":
            return True
        self.server.log.note(STRAYED, host, has_key=False, status=int(HTTPStatus.FORBIDDEN))
        self.close_connection = True
        self.send_error(HTTPStatus.FORBIDDEN, "nothing but this API may be asked")
        return False

    def do_GET(self) -> None:
        """Lists the models, and knows nothing else."""
        path = urlsplit(self.path).path
        if path.endswith("/models"):
            self._note(HTTPStatus.OK)
            self._json(HTTPStatus.OK, {"object": "list", "data": [], "models": []})
        else:
            self._nothing()

    def do_HEAD(self) -> None:
        """Is there."""
        self._note(HTTPStatus.OK)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Answers as the prompt says."""
        path = urlsplit(self.path).path
        body = self._body()
        if body is None:
            return
        if path.endswith("/count_tokens"):
            self._note(HTTPStatus.OK)
            self._json(HTTPStatus.OK, {"input_tokens": 1000})
            return
        dialect = _dialect(path)
        if dialect is None:
            self._nothing()
            return
        asked = dialect.read(body)
        turn = asked.turn()
        fault = turn.fault(self.server.log.earlier(asked), asked.model)
        status = fault.status if fault is not None else HTTPStatus.OK
        number = self._note(0 if fault and fault.failing is Failing.HANG else status, asked)
        if turn.delay and self.server.closing.wait(turn.delay):
            self.close_connection = True
            return
        self._answer(dialect, asked, turn, fault, number)

    def _answer(self, dialect: Dialect, asked: Asked, turn: Turn, fault: Fault | None, number: int) -> None:
        answer = answer_to(asked, turn.act, turn.tokens, number)
        match fault.failing if fault is not None else None:
            case None:
                self._whole_or_stream(dialect, asked, answer)
            case Failing.STATUS if fault is not None:
                words = f"stub {fault.status}"
                extra = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                self._json(fault.status, dialect.failure(fault.status, words), extra)
            case Failing.HANG:
                self._hang()
            case _:
                self._torn(dialect, answer)

    def _whole_or_stream(self, dialect: Dialect, asked: Asked, answer: Answer) -> None:
        if asked.streams:
            self._stream(dialect.stream(answer))
        else:
            self._json(HTTPStatus.OK, dialect.whole(answer))

    def _stream(self, events: Iterable[bytes]) -> None:
        self._begin_stream()
        for event in events:
            if self.server.closing.is_set():
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def _begin_stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _torn(self, dialect: Dialect, answer: Answer) -> None:
        """The first half of what there is to say, and the end of the connection."""
        said = b"".join(dialect.stream(answer))
        half = said[: len(said) // 2]
        self._begin_stream()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(half), half))
        self.close_connection = True

    def _hang(self) -> None:
        """Headers, and then nothing until either side ends the connection."""
        self._begin_stream()
        self.wfile.flush()
        self.connection.settimeout(None)
        with suppress(OSError):  # it was reset
            while self.connection.recv(4096):
                pass
        self.close_connection = True

    def _body(self) -> Mapping[str, object] | None:
        """The JSON object that was posted; None where there is none, which is answered."""
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= _MOST_BODY:
            self.close_connection = True
            self._refuse(HTTPStatus.LENGTH_REQUIRED, f"a Content-Length of at most {_MOST_BODY} is needed")
            return None
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return body
        self._refuse(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
        return None

    def _refuse(self, status: int, message: str) -> None:
        self._note(status)
        self._json(status, {"type": "error", "error": {"type": "invalid_request_error", "message": message}})

    def _nothing(self) -> None:
        self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _json(self, status: int, data: Mapping[str, object], extra: Mapping[str, str] | None = None) -> None:
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("request-id", "req_stub")
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _note(self, status: int, asked: Asked | None = None) -> int:
        path = urlsplit(self.path).path  # a query may hold a key
        has_key = any(name in self.headers for name in _KEYS) or "key=" in urlsplit(self.path).query
        return self.server.log.note(self.command, path, has_key=has_key, status=int(status), asked=asked)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Prints nothing: what came is in `ModelApi.requests`."""


def _dialect(path: str) -> Dialect | None:
    if path.endswith(_GEMINI):
        return GenerateContent(path)
    return next((make() for end, make in _DIALECTS.items() if path.endswith(end)), None)
