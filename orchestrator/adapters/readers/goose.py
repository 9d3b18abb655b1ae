"""goose: `run --output-format json`, `stream-json` or text, by its documentation. It tells no tokens but a total."""

from dataclasses import dataclass, field, replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Growing, Output, bounded
from orchestrator.adapters.readers.telling import Reader
from orchestrator.adapters.readers.terminal import read_text
from orchestrator.adapters.readers.values import Json
from orchestrator.core.verdict import Ran, Reported


@dataclass(slots=True, kw_only=True)
class _Session:
    """What the events of a stream have told so far."""

    has_begun: bool = False
    has_ended: bool = False
    message: str = ""
    said: Growing = field(default_factory=Growing)
    error: str = ""

    def take(self, event: Json) -> None:
        """One more event."""
        match event.get("type"):
            case "message":
                self.has_begun = True
                self._say(values.mapping(event.get("message")))
            case "error":
                self.has_begun = True
                self.error = failures.sentence(event.get("error") or event.get("message")) or "it says that it failed"
            case "complete":
                self.has_begun = self.has_ended = True
            case _:
                pass

    def _say(self, message: Json) -> None:
        words = _text(message)
        if message.get("role") != "assistant" or not words:
            return
        self.error = ""
        known = values.short(message.get("id"))
        # A message comes in parts that share its id.
        if not known or known != self.message:
            self.said = Growing()
        self.said.add(words)
        self.message = known


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What the run means: by its stream, its one document, or else its text."""
    session = _Session()
    for event in output.events():
        session.take(event)
    if session.has_begun:
        return _of_stream(ran, output, session)
    document = output.document()
    if isinstance(document, dict) and isinstance(document.get("messages"), list):
        return _of_document(ran, document)
    ran = read_text(ran, output, previous)
    if ran.text.lstrip().startswith("{"):
        return telling.without_end(replace(ran, text=""), output, "the end of its JSON")
    return ran


def live(line: bytes) -> str:
    """The assistant's text and its tool calls; a line that is no JSON is shown as it is."""
    event = values.parsed(line)
    if event is None:
        raw = line.decode(errors="replace")
        return telling.live_text(raw) if raw.strip() not in {"{", "}", "[", "]"} else ""
    match event.get("type"):
        case "message" if values.inner(event, "message", "role") == "assistant":
            return "".join(map(_live_part, values.objects(values.inner(event, "message", "content"))))
        case "error":
            return f"[failed] {failures.sentence(event.get('error'))}\n"
        case _:
            return ""


def _of_stream(ran: Ran, output: Output, session: _Session) -> Ran:
    kept = bounded(session.said.text())
    ran = replace(ran, text=kept.text.strip("\n"), truncated=ran.truncated or not kept.is_whole)
    if session.error:
        return telling.failed(ran, session.error)
    return ran if session.has_ended else telling.without_end(ran, output, "its complete event")


def _of_document(ran: Ran, document: Json) -> Ran:
    said = [
        words
        for one in values.objects(document.get("messages"))
        if one.get("role") == "assistant" and (words := _text(one))
    ]
    kept = bounded(said[-1] if said else "")
    status = values.short(values.inner(document, "metadata", "status"))
    ran = replace(ran, text=kept.text.strip("\n"), truncated=ran.truncated or not kept.is_whole)
    return telling.failed(ran, f"its status is {status}") if status not in {"", "completed"} else ran


def _text(message: Json) -> str:
    parts = values.objects(message.get("content"))
    return "".join(values.string(part.get("text")) for part in parts if part.get("type") == "text")


def _live_part(part: Json) -> str:
    match part.get("type"):
        case "text":
            return telling.live_text(part.get("text"))
        case "toolRequest":
            request = values.inner(part, "toolCall", "value")
            return telling.live_call(values.inner(request, "name"), values.inner(request, "arguments"))
        case _:
            return ""


READER = Reader(read=read, live=live)
