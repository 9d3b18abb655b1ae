"""Claude Code: `--output-format json` and `stream-json` (amp's `--stream-json` is the same). One event a line."""

from dataclasses import dataclass, field, replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.claude_usage import Account, Usage
from orchestrator.adapters.readers.printed import Growing, Output, bounded
from orchestrator.adapters.readers.telling import Reader, live_event, live_nothing
from orchestrator.adapters.readers.values import Json
from orchestrator.core.pattern import late
from orchestrator.core.types import CostSource, ErrorKind
from orchestrator.core.verdict import Ending, Ran, Reported

_GUESSED_PRICE = b"[claude-code:unrecognized_model]"  # on stderr: the cost is then that of some other model
_OWN_CAPS = {"error_max_budget_usd": "its own cap on money", "error_max_turns": "its own cap on turns"}
_LIMIT_RESET = late(r"limit reached\|(\d{9,11})\b")


@dataclass(slots=True, kw_only=True)
class _Session:
    """What the events have told so far."""

    session_id: str = ""
    version: str = ""
    model: str = ""
    said: str = ""  # by the assistant, last
    saying: Growing = field(default_factory=Growing)  # of a message that is not whole yet
    usage: Usage = field(default_factory=Usage)
    denials: list[str] = field(default_factory=list)
    retrying: Json | None = None  # the last event, where that is a retry of a failed call
    resets_at: int | None = None
    result: Json | None = None

    def take(self, event: Json) -> None:
        """One more event."""
        kind, subtype = values.short(event.get("type")), event.get("subtype")
        self.session_id = values.short(event.get("session_id")) or self.session_id
        if kind in {"assistant", "stream_event", "result"}:
            self.retrying = None
        match kind, subtype:
            case "system", "init":
                self.version = values.short(event.get("claude_code_version"))
                self.model = values.short(event.get("model"))
            case "system", "api_retry":
                self.retrying = event
            case "assistant", _:
                self._take_assistant(event)
            case "stream_event", _:
                self.usage.take_partial(event)
                self._take_partial(values.mapping(event.get("event")))
            case "rate_limit_event", _ if values.inner(event, "rate_limit_info", "status") == "rejected":
                self.resets_at = values.count(values.inner(event, "rate_limit_info", "resetsAt"))
            case "result", _:
                self.result = event
                for denial in values.objects(event.get("permission_denials")):
                    telling.note(self.denials, telling.call(denial.get("tool_name"), denial.get("tool_input")))
            case _:
                pass

    def _take_partial(self, event: Json) -> None:
        if event.get("type") == "message_start":
            self.saying = Growing()
        elif words := values.string(values.inner(event, "delta", "text")):
            self.saying.add(words)

    def _take_assistant(self, event: Json) -> None:
        message = values.mapping(event.get("message"))
        if message.get("model") == "<synthetic>" or event.get("is_api_error_message"):
            return  # its own words about a failed call, in the assistant's place
        self.usage.take(message)
        if event.get("parent_tool_use_id"):
            return  # a subagent's
        self.model = values.short(message.get("model")) or self.model
        self.saying = Growing()
        texts = [values.string(part.get("text")) for part in values.objects(message.get("content"))]
        self.said = "\n".join(text for text in texts if text) or self.said


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What the run means. Without its `result` event it is no success, whatever its exit code."""
    session = _Session()
    for event in output.events():
        session.take(event)
    result = session.result
    told = replace(ran, session_id=session.session_id, model=session.model, denials=tuple(session.denials))
    if result is None:
        return _cut_off(told, output, session, previous)
    account = Account.of(result, session.version, session.session_id)
    tokens, cost = account.of_this_run(previous)
    answer = session.said if result.get("is_error") else values.string(result.get("result"))
    kept = bounded(answer)
    guessed = cost is not None and any(_GUESSED_PRICE in line for line in output.error_lines())
    told = replace(
        told,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        tokens=tokens,
        cost=cost,
        cost_source=None if cost is None else CostSource.ESTIMATED if guessed else CostSource.REPORTED,
        model=account.model or session.model,
        turns=values.count(result.get("num_turns")),
        reported=account.reported,
    )
    return _classified(told, result, _wait(session, result, output))


def live(event: Json) -> str:
    """The assistant's text and its tool calls. Parts of a message are passed over: the whole of it follows them."""
    match event.get("type"), event.get("subtype"):
        case "assistant", _:
            parts = values.objects(values.inner(event, "message", "content"))
            return "".join(_live_part(part) for part in parts)
        case "system", "api_retry":
            attempt, most = values.number(event.get("attempt")), values.number(event.get("max_retries"))
            return f"[retry {attempt} of {most}] {_retry_words(event)}\n"
        case "result", _ if event.get("is_error"):
            return f"[failed] {_words(event)}\n"
        case _:
            return ""


def _live_part(part: Json) -> str:
    match part.get("type"):
        case "text":
            return telling.live_text(part.get("text"))
        case "tool_use":
            return telling.live_call(part.get("name"), part.get("input"))
        case _:
            return ""


def _cut_off(ran: Ran, output: Output, session: _Session, previous: Reported | None) -> Ran:
    kept = bounded(session.saying.text() or session.said)
    ran = replace(ran, text=kept.text.strip("\n"), tokens=session.usage.total(), reported=previous)
    if session.retrying is not None:
        words = _retry_words(session.retrying)
        ran = telling.failed(ran, words, values.count(session.retrying.get("error_status")))
    return telling.without_end(ran, output, "its result event")


def _classified(ran: Ran, result: Json, wait: int | None) -> Ran:
    """By is_error, subtype, terminal_reason and status: never by the exit code or the subtype alone."""
    subtype, reason = values.short(result.get("subtype")), values.short(result.get("terminal_reason"))
    status = values.count(result.get("api_error_status"))
    aborted = reason.startswith("aborted")
    if not (result.get("is_error") or subtype.startswith("error") or aborted or reason == "api_error"):
        return ran
    words = _words(result)
    if aborted and ran.ending is not Ending.EXITED:
        return replace(ran, problem="")  # it was ended from outside, which is told by its ending
    if aborted:
        return replace(ran, failure=ErrorKind.CRASHED, problem=f"it was interrupted ({reason}): {words}")
    if subtype in _OWN_CAPS:
        return replace(ran, failure=ErrorKind.BUDGET, problem=f"it reached {_OWN_CAPS[subtype]}: {words}")
    if reason in {"budget_exhausted", "max_turns"}:
        return replace(ran, failure=ErrorKind.BUDGET, problem=f"it reached a cap of its own: {words}")
    ran = telling.failed(ran, words, status)
    return replace(ran, retry_after=wait) if wait is not None else ran


def _words(result: Json) -> str:
    errors = result.get("errors")
    listed = "; ".join(one for one in errors if isinstance(one, str)) if isinstance(errors, list) else ""
    return failures.sentence(result.get("result")) or values.short(listed) or values.short(result.get("subtype"))


def _retry_words(event: Json) -> str:
    status = values.count(event.get("error_status"))
    words = f"API error {status or ''} {values.short(event.get('error'))}"
    return f"{' '.join(words.split())}, still retrying (attempt {values.number(event.get('attempt'))})"


def _wait(session: _Session, result: Json, output: Output) -> int | None:
    """Seconds from the end of the run to the moment that the provider named."""
    found = _LIMIT_RESET.search(values.string(result.get("result"))[:2_000])
    moment = int(found.group(1)) if found else session.resets_at
    ended = output.ended_at()
    return failures.within(max(0, round(moment - ended))) if moment is not None and ended is not None else None


JSON = Reader(read=read, live=live_nothing)
STREAM = Reader(read=read, live=live_event(live))
