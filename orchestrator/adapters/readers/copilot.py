"""GitHub Copilot CLI: `-p ... --output-format json`. Ends with a `result` event, which holds its exit code."""

import re
from dataclasses import dataclass, field, replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Output, bounded
from orchestrator.adapters.readers.telling import Reader, live_event
from orchestrator.adapters.readers.values import Json
from orchestrator.core.pattern import late
from orchestrator.core.types import ErrorKind, Tokens
from orchestrator.core.verdict import Ran, Reported

_DENIED = late(r"\b(?:den(?:y|ied)|reject(?:ed)?|not (?:permitted|allowed))\b", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class _Session:
    """What the events have told so far."""

    session_id: str = ""
    model: str = ""
    said: str = ""
    calls: dict[str, str] = field(default_factory=dict)
    usage: values.Tally = field(default_factory=values.Tally)  # by event
    turns: int = 0
    denials: list[str] = field(default_factory=list)
    error: Json | None = None  # the last session.error that no message follows
    result: Json | None = None

    def take(self, event: Json) -> None:
        """One more event."""
        data = values.mapping(event.get("data"))
        self.model = values.short(data.get("model")) or self.model
        match event.get("type"):
            case "assistant.message":
                self.said = values.string(data.get("content")) or self.said
                self.error = None
            case "assistant.turn_start":
                self.turns += 1
            case "assistant.usage":
                self.usage.put(values.short(event.get("id")), _tokens(data))
            case "tool.execution_start" if len(self.calls) < telling.MOST_CALLS:
                label = telling.call(data.get("toolName"), data.get("arguments"))
                self.calls[values.short(data.get("toolCallId"))] = label
            case "tool.execution_complete":
                self._take_completed(data)
            case "session.error":
                self.error = data
            case "result":
                self.result = event
                self.session_id = values.short(event.get("sessionId"))
            case _:
                pass

    def _take_completed(self, data: Json) -> None:
        label = self.calls.pop(values.short(data.get("toolCallId")), values.short(data.get("toolName")) or "a tool")
        error = values.mapping(data.get("error"))
        if data.get("success") is False and _DENIED.search(f"{values.short(error.get('code'))} {_message(error)}"):
            telling.note(self.denials, label)


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What the run means. Without its `result` event it is no success, whatever its exit code.

    Its cost is in premium requests, not in money: it is not told.
    """
    del previous  # every run counts for itself
    session = _Session()
    for event in output.events():
        session.take(event)
    kept = bounded(session.said)
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        session_id=session.session_id,
        model=session.model,
        tokens=session.usage.total(),
        turns=session.turns or None,
        denials=tuple(session.denials),
    )
    if session.error is not None:
        return telling.failed(ran, _message(session.error), values.count(session.error.get("statusCode")))
    if session.result is None:
        return telling.without_end(ran, output, "its result event")
    code = values.count(session.result.get("exitCode"))
    if code:
        return replace(ran, failure=ErrorKind.CRASHED, problem=f"its result event says exit code {code}")
    return ran


def live(event: Json) -> str:
    """The assistant's text and its tool calls."""
    data = values.mapping(event.get("data"))
    match event.get("type"):
        case "assistant.message":
            return telling.live_text(data.get("content"))
        case "tool.execution_start":
            return telling.live_call(data.get("toolName"), data.get("arguments"))
        case "session.error":
            return f"[failed] {_message(data)}\n"
        case _:
            return ""


def _message(error: Json) -> str:
    return failures.sentence(error.get("message"))


def _tokens(data: Json) -> Tokens:
    return values.disjoint(
        input_with_cache=values.number(data.get("inputTokens")),
        cache_read=values.number(data.get("cacheReadTokens")),
        cache_write=values.number(data.get("cacheWriteTokens")),
        output=values.number(data.get("outputTokens")),
    )


READER = Reader(read=read, live=live_event(live))
