"""cursor-agent: `-p --output-format json` or `stream-json`. It tells no tokens and no cost; from its documentation."""

from dataclasses import replace

from orchestrator.adapters.readers import failures, telling, values
from orchestrator.adapters.readers.printed import Output, bounded
from orchestrator.adapters.readers.telling import Reader, live_event
from orchestrator.adapters.readers.values import Json
from orchestrator.core.verdict import Ran, Reported


def read(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """What the run means. On failure it prints no JSON: then stderr tells why."""
    del previous
    result: Json | None = None
    model = said = ""
    for event in output.events():
        match event.get("type"):
            case "system":
                model = values.short(event.get("model")) or model
            case "assistant":
                said = _text(event) or said
            case "result":
                result = event
            case _:
                pass
    answer = said if result is None or result.get("is_error") else values.string(result.get("result"))
    kept = bounded(answer)
    ran = replace(
        ran,
        text=kept.text.strip("\n"),
        truncated=ran.truncated or not kept.is_whole,
        model=model,
        session_id=values.short(values.inner(result, "session_id")),
    )
    if result is None:
        return telling.without_end(ran, output, "its result")
    if result.get("is_error") or result.get("subtype") != "success":
        return telling.failed(ran, failures.sentence(result.get("result")) or values.short(result.get("subtype")))
    return ran


def live(event: Json) -> str:
    """The assistant's text and its tool calls."""
    match event.get("type"):
        case "assistant":
            return telling.live_text(_text(event))
        case "tool_call" if event.get("subtype") == "started":
            calls = values.mapping(event.get("tool_call"))
            return "".join(
                telling.live_call(name.removesuffix("ToolCall"), values.inner(one, "args"))
                for name, one in calls.items()
            )
        case _:
            return ""


def _text(event: Json) -> str:
    parts = values.objects(values.inner(event, "message", "content"))
    return "".join(values.string(part.get("text")) for part in parts)


READER = Reader(read=read, live=live_event(live))
