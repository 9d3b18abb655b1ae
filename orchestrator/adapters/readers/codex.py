"""Codex: `exec --json`. Its usage counts for the whole thread; it names neither a cost nor a model."""

from dataclasses import dataclass, field, replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Output, bounded
from orchestrator.adapters.readers.telling import Reader, live_event
from orchestrator.adapters.readers.values import Json
from orchestrator.core.types import Tokens
from orchestrator.core.verdict import Ran, Reported


@dataclass(slots=True, kw_only=True)
class _Thread:
    """What the events have told so far."""

    thread_id: str = ""
    said: str = ""
    trouble: str = ""  # the last `error` event, which a later event shows to be overcome
    usage: Tokens | None = None
    denials: list[str] = field(default_factory=list)
    failure: str | None = None
    has_ended: bool = False

    def take(self, event: Json) -> None:
        """One more event. An item of type `error` is a warning, not a failure."""
        match event.get("type"):
            case "thread.started":
                self.thread_id = values.short(event.get("thread_id"))
            case "error":
                self.trouble = failures.sentence(event.get("message"))
            case "item.completed":
                self._take_item(values.mapping(event.get("item")))
            case "turn.completed":
                self.has_ended, self.failure = True, None
                self.usage = _tokens(values.mapping(event.get("usage")))
            case "turn.failed":
                self.has_ended = True
                self.failure = failures.sentence(event.get("error")) or self.trouble or "the turn failed"
            case _:
                pass

    def _take_item(self, item: Json) -> None:
        kind = item.get("type")
        if kind != "error":
            self.trouble = ""
        if kind == "agent_message":
            self.said = values.string(item.get("text")) or self.said
        elif item.get("status") == "declined":
            telling.note(self.denials, _call(item))


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What the run means. Without turn.completed or turn.failed it is no success, whatever its exit code."""
    thread = _Thread()
    for event in output.events():
        thread.take(event)
    kept = bounded(thread.said)
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        session_id=thread.thread_id,
        denials=tuple(thread.denials),
        tokens=_of_this_run(thread, previous),
        reported=Reported(session_id=thread.thread_id, tokens=thread.usage) if thread.usage is not None else previous,
    )
    if thread.failure is not None:
        return telling.failed(ran, thread.failure)
    if thread.has_ended:
        return ran
    if thread.trouble:
        ran = replace(ran, failure=failures.of_words(thread.trouble), problem=thread.trouble)
    return telling.without_end(ran, output, "turn.completed")


def live(event: Json) -> str:
    """Its messages, and each command, edit and search as it begins."""
    item = values.mapping(event.get("item"))
    match event.get("type"), item.get("type"):
        case "item.completed", "agent_message":
            return telling.live_text(item.get("text"))
        case ("item.started", "command_execution" | "mcp_tool_call" | "web_search") | ("item.completed", "file_change"):
            name, about = _named(item)
            return f"[{name}] {about}".rstrip() + "\n"
        case "error", _:
            return f"[trouble] {failures.sentence(event.get('message'))}\n"
        case "turn.failed", _:
            return f"[failed] {failures.sentence(event.get('error'))}\n"
        case _:
            return ""


def _of_this_run(thread: _Thread, previous: Reported | None) -> Tokens | None:
    """The thread's total less what it was before; another thread's total is not in it."""
    if thread.usage is None or previous is None or previous.session_id != thread.thread_id:
        return thread.usage
    return values.without(thread.usage, previous.tokens)


def _tokens(usage: Json) -> Tokens:
    return values.disjoint(
        input_with_cache=values.number(usage.get("input_tokens")),
        cache_read=values.number(usage.get("cached_input_tokens")),
        cache_write=values.number(usage.get("cache_write_input_tokens")),
        output=values.number(usage.get("output_tokens")),  # with what it reasoned
    )


def _named(item: Json) -> tuple[str, str]:
    match item.get("type"):
        case "command_execution":
            return "shell", telling.target(item)
        case "mcp_tool_call":
            names = (values.short(item.get("server")), values.short(item.get("tool")))
            return ".".join(name for name in names if name) or "tool", telling.target(item.get("arguments"))
        case "file_change":
            changes = values.objects(item.get("changes"))
            return "edit", ", ".join(values.short(change.get("path")) for change in changes)
        case kind:
            return values.short(kind) or "tool", telling.target(item)


def _call(item: Json) -> str:
    return " ".join(_named(item)).strip()


READER = Reader(read=read, live=live_event(live))
