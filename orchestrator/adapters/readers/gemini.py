"""Gemini CLI: `--output-format json` (one document) and `stream-json`. It names no cost; errors are JSON on stderr."""

from dataclasses import dataclass, field, replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Growing, Output, bounded
from orchestrator.adapters.readers.telling import Reader, live_event, live_nothing
from orchestrator.adapters.readers.values import Json
from orchestrator.core.types import ErrorKind, Tokens
from orchestrator.core.verdict import Ending, Ran, Reported

# Its own exit codes; and a status of HTTP comes out as its lowest eight bits (measured: 400 is 144).
_KINDS = {41: ErrorKind.AUTH, 42: ErrorKind.CRASHED, 53: ErrorKind.BUDGET, 55: ErrorKind.DENIED}
_STATUSES = {status & 255: status for status in (400, 401, 403, 404, 429, 500, 502, 503, 504)}
_FIXES = {
    53: "it reached its own cap on turns",
    55: "it does not work in a folder that it does not trust: start it with --skip-trust",
}


@dataclass(slots=True, kw_only=True)
class _Session:
    """What the events of a stream have told so far."""

    session_id: str = ""
    model: str = ""
    said: Growing = field(default_factory=Growing)
    calls: dict[str, str] = field(default_factory=dict)
    denials: list[str] = field(default_factory=list)
    trouble: str = ""
    result: Json | None = None

    def take(self, event: Json) -> None:
        """One more event."""
        match event.get("type"):
            case "init":
                self.session_id = values.short(event.get("session_id"))
                self.model = values.short(event.get("model"))
            case "message" if event.get("role") == "assistant":
                self.said.add(values.string(event.get("content")))
            case "tool_use" if len(self.calls) < telling.MOST_CALLS:
                label = telling.call(event.get("tool_name"), event.get("parameters"))
                self.calls[values.short(event.get("tool_id"))] = label
            case "tool_result":
                self._take_tool_result(event)
            case "error":
                self.trouble = failures.sentence(event.get("message"))
            case "result":
                self.result = event
            case _:
                pass

    def _take_tool_result(self, event: Json) -> None:
        error = values.mapping(event.get("error"))
        kind = values.short(error.get("type")).lower()
        label = self.calls.pop(values.short(event.get("tool_id")), "a tool")
        if event.get("status") == "error" and ("policy" in kind or "denied by policy" in failures.sentence(error)):
            telling.note(self.denials, label)


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What one JSON document means; where there is none, what the error on stderr means."""
    del previous  # every run counts for itself
    found = output.document()
    if not isinstance(found, dict):
        return _failed(ran, output, "a JSON object")
    stats = values.mapping(found.get("stats"))
    models = values.mapping(stats.get("models"))
    kept = bounded(values.string(found.get("response")))
    by_name = values.mapping(values.inner(stats, "tools", "byName"))
    calls = [values.inner(one, "api", "totalRequests") for one in models.values()]
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        session_id=values.short(found.get("session_id")),
        model=values.short(next(iter(models))) if len(models) == 1 else "",
        tokens=values.added(_tokens(values.inner(one, "tokens")) for one in models.values()) if models else None,
        turns=sum(values.number(one) for one in calls) if models else None,
        denials=telling.unique(
            values.short(name)
            for name, one in by_name.items()
            if values.number(values.inner(one, "decisions", "reject"))
        ),
    )
    if found.get("error"):
        return _of_error(ran, values.mapping(found.get("error")))
    if ran.exit_code != 0:
        return _failed(ran, output, "a JSON object")
    if "response" not in found:
        return telling.without_end(ran, output, "a response")
    return ran


def read_stream(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What a stream means. Without its `result` event it is no success: it exits 0 when it is ended by SIGTERM."""
    del previous
    session = _Session()
    for event in output.events():
        session.take(event)
    kept = bounded(session.said.text())
    models = values.mapping(values.inner(session.result, "stats", "models"))
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        session_id=session.session_id,
        model=values.short(next(iter(models))) if len(models) == 1 else session.model,
        tokens=_stream_tokens(values.inner(session.result, "stats")),
        denials=tuple(session.denials),
    )
    if session.result is None:
        return _failed(replace(ran, problem=session.trouble), output, "its result event")
    if session.result.get("status") != "success":
        return _of_error(ran, values.mapping(session.result.get("error")))
    return ran


def live(event: Json) -> str:
    """The assistant's text as it comes, in parts, and its tool calls."""
    match event.get("type"):
        case "message" if event.get("role") == "assistant":
            words = values.string(event.get("content"))
            return bounded(words).text if event.get("delta") else telling.live_text(words)
        case "tool_use":
            return telling.live_call(event.get("tool_name"), event.get("parameters"))
        case "error":
            return f"[trouble] {failures.sentence(event.get('message'))}\n"
        case "result" if event.get("status") != "success":
            return f"[failed] {failures.sentence(event.get('error'))}\n"
        case _:
            return ""


def _failed(ran: Ran, output: Output, awaited: str) -> Ran:
    document = values.mapping(values.document(ran.errors))
    if isinstance(document.get("error"), dict):
        return _of_error(ran, values.mapping(document.get("error")))
    if ran.ending is Ending.EXITED and ran.exit_code:
        return telling.without_end(_of_code(ran, ran.exit_code), output, awaited)
    return telling.without_end(ran, output, awaited)


def _of_error(ran: Ran, error: Json) -> Ran:
    code = values.count(error.get("code"))
    if code is None or (code not in _KINDS and failures.of_status(code) is None):
        code = _STATUSES.get(ran.exit_code or 0, ran.exit_code or 0)
    ran = telling.failed(ran, failures.sentence(error), code)
    return _of_code(ran, code) if code in _KINDS else ran


def _of_code(ran: Ran, code: int) -> Ran:
    kind = _KINDS.get(code) or failures.of_status(_STATUSES.get(code))
    words = ran.problem or failures.complaint(ran.errors)
    if code in _FIXES:
        words = f"{_FIXES[code]}: {words}" if words else _FIXES[code]
    return replace(ran, failure=kind, problem=words) if kind is not None else ran


def _tokens(found: object) -> Tokens:
    """Of one model: what is cached is in the prompt; what it thought, and what tools put in, is not."""
    counters = values.mapping(found)
    tokens = values.disjoint(
        input_with_cache=values.number(counters.get("prompt")),
        cache_read=values.number(counters.get("cached")),
        output=values.number(counters.get("candidates")) + values.number(counters.get("thoughts")),
    )
    return replace(tokens, input=tokens.input + values.number(counters.get("tool")))


def _stream_tokens(found: object) -> Tokens | None:
    """Of a stream: what it thought is told in the total alone."""
    stats = values.mapping(found)
    if not stats:
        return None
    prompt, output = values.number(stats.get("input_tokens")), values.number(stats.get("output_tokens"))
    thought = max(0, values.number(stats.get("total_tokens")) - prompt - output)
    return values.disjoint(
        input_with_cache=prompt, cache_read=values.number(stats.get("cached")), output=output + thought
    )


WHOLE = Reader(read=read, live=live_nothing)
STREAM = Reader(read=read_stream, live=live_event(live))
