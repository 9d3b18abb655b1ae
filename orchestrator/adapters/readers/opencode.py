"""opencode: `run --format json`. A step at a time; one whose reason is not `tool-calls` is the last."""

import re
from dataclasses import dataclass, field, replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Growing, Output, bounded
from orchestrator.adapters.readers.telling import Reader, live_event
from orchestrator.adapters.readers.values import Json
from orchestrator.core.pattern import late
from orchestrator.core.types import CostSource, ErrorKind, Tokens
from orchestrator.core.verdict import Ran, Reported

_REJECTED = late(r"rejected permission|permission (?:was )?(?:denied|rejected)|rule.{0,40}prevents", re.IGNORECASE)
_LOGGED_ERROR = late(r'level=ERROR .{0,2000}?error\.error="((?:[^"\\]|\\.){1,2000})"')  # with --print-logs
_KINDS = {"ProviderAuthError": ErrorKind.AUTH}


@dataclass(slots=True, kw_only=True)
class _Session:
    """What the events have told so far."""

    session_id: str = ""
    message: str = ""  # the one whose text is held: the last that has any
    said: Growing = field(default_factory=Growing)
    steps: values.Tally = field(default_factory=values.Tally)
    denials: list[str] = field(default_factory=list)
    error: Json | None = None
    has_ended: bool = False

    def take(self, event: Json) -> None:
        """One more event."""
        self.session_id = values.short(event.get("sessionID")) or self.session_id
        part = values.mapping(event.get("part"))
        match event.get("type"):
            case "step_start":
                self.has_ended = False
            case "text":
                self._say(part)
            case "tool_use":
                state = values.mapping(part.get("state"))
                if state.get("status") == "error" and _REJECTED.search(values.string(state.get("error"))[:2_000]):
                    telling.note(self.denials, telling.call(part.get("tool"), state.get("input")))
            case "step_finish":
                self.has_ended = values.short(part.get("reason")) not in {"tool-calls", ""}
                cost = values.micro_usd(part.get("cost"))
                self.steps.put(values.short(part.get("id")), _tokens(part.get("tokens")), cost)
            case "error":
                self.error = values.mapping(event.get("error")) or event
            case _:
                pass

    def _say(self, part: Json) -> None:
        message, words = values.short(part.get("messageID")), values.string(part.get("text"))
        if message != self.message:
            self.message, self.said = message, Growing()
        self.said.add(f"\n\n{words}" if self.said.parts and words else words)


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What the run means. It stops after a rejected permission, with exit code 0 and in the middle of its steps."""
    del previous  # every step counts for itself
    session = _Session()
    for event in output.events():
        session.take(event)
    kept = bounded(session.said.text())
    # What it has no price for costs 0 with it: that is not told, so that it is priced elsewhere.
    cost = session.steps.cost() or None
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        session_id=session.session_id,
        tokens=session.steps.total(),
        cost=cost,
        cost_source=CostSource.REPORTED if cost else None,
        turns=session.steps.count or None,
        denials=tuple(session.denials),
    )
    if session.error is not None:
        return _failed(ran, session.error)
    if session.has_ended or (session.denials and ran.exit_code == 0):
        return ran
    logged = _LOGGED_ERROR.findall(ran.errors)
    if logged:
        ran = replace(ran, failure=failures.of_words(logged[-1]), problem=values.short(logged[-1]))
    return telling.without_end(ran, output, "a last step_finish")


def live(event: Json) -> str:
    """The assistant's text, and its tool calls once they are over, with what became of them."""
    part = values.mapping(event.get("part"))
    match event.get("type"):
        case "text":
            return telling.live_text(part.get("text"))
        case "tool_use":
            state = values.mapping(part.get("state"))
            told = telling.live_call(part.get("tool"), state.get("input"))
            failure = values.short(state.get("error")) if state.get("status") == "error" else ""
            return f"{told.rstrip()}: {failure}\n" if failure else told
        case "error":
            return f"[failed] {failures.sentence(event.get('error'))}\n"
        case _:
            return ""


def _failed(ran: Ran, error: Json) -> Ran:
    name = values.short(error.get("name"))
    status = values.count(values.inner(error, "data", "statusCode"))
    ran = telling.failed(ran, failures.sentence(error) or name, status)
    return replace(ran, failure=_KINDS[name]) if name in _KINDS else ran


def _tokens(found: object) -> Tokens:
    """Of one step. Versions differ in what holds what: where a total is told, it decides."""
    fresh, output = values.number(values.inner(found, "input")), values.number(values.inner(found, "output"))
    read = values.number(values.inner(found, "cache", "read"))
    write = values.number(values.inner(found, "cache", "write"))
    reasoned = values.number(values.inner(found, "reasoning"))
    total = values.count(values.inner(found, "total"))
    if (
        total is not None
        and reasoned
        and total in {fresh + output + reasoned, fresh + output + reasoned + read + write}
    ):
        output += reasoned
    if total is not None and read + write and total == fresh + output:
        return values.disjoint(input_with_cache=fresh, cache_read=read, cache_write=write, output=output)
    return Tokens(input=fresh, cache_read=read, cache_write=write, output=output)


READER = Reader(read=read, live=live_event(live))
