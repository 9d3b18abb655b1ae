"""The OpenAI APIs: responses, as Codex uses it, and chat completions, as most others do."""

import json
from collections.abc import Iterator, Mapping, Sequence

from orchestrator.conformance.conversation import Answer, Asked, Offered, event, folder_in, mapping, objects, texts
from orchestrator.conformance.script import Call

# What an answer of the model is, among the items of a conversation.
_ANSWERS = frozenset({"function_call", "custom_tool_call", "local_shell_call"})
_KINDS = {400: "invalid_request_error", 401: "invalid_api_key", 429: "rate_limit_exceeded"}


class Responses:
    """POST /v1/responses."""

    def read(self, body: Mapping[str, object]) -> Asked:
        """What a request asks."""
        given = body.get("input")
        items = objects(given)
        told = [str(body.get("instructions") or ""), *(texts(item.get("content")) for item in items)]
        said: list[str | None] = [given] if isinstance(given, str) else []
        for item, text in zip(items, told[1:], strict=True):
            if item.get("type") in _ANSWERS or item.get("role") == "assistant":
                said.append(None)
            elif item.get("role") == "user":
                said.append(text)
        return Asked(
            model=str(body.get("model", "")),
            streams=body.get("stream") is True,
            said=said,
            tools=_offered([*objects(body.get("tools")), *_additional(items)]),
            folder=next((found for found in map(folder_in, told) if found), ""),
        )

    def whole(self, answer: Answer) -> Mapping[str, object]:
        """The answer as one JSON object."""
        return _response(answer, "completed", [_item(answer)])

    def stream(self, answer: Answer) -> Iterator[bytes]:
        """The answer as server-sent events."""
        yield _event("response.created", response=_response(answer, "in_progress", []))
        item = _item(answer)
        if isinstance(answer.act, Call):
            empty = "input" if answer.act.source else "arguments"
            yield _event("response.output_item.added", output_index=0, item=item | {empty: ""})
        else:
            yield _event("response.output_item.added", output_index=0, item=item | {"content": []})
            for piece in answer.pieces():
                yield _event(
                    "response.output_text.delta", item_id=item["id"], output_index=0, content_index=0, delta=piece
                )
        yield _event("response.output_item.done", output_index=0, item=item)
        yield _event("response.completed", response=_response(answer, "completed", [item]))

    def failure(self, status: int, message: str) -> Mapping[str, object]:
        """The body of a request that failed."""
        return _failure(status, message)


class Chat:
    """POST /v1/chat/completions."""

    def read(self, body: Mapping[str, object]) -> Asked:
        """What a request asks."""
        messages = objects(body.get("messages"))
        told = [texts(message.get("content")) for message in messages]
        return Asked(
            model=str(body.get("model", "")),
            streams=body.get("stream") is True,
            said=[
                None if message.get("role") == "assistant" else text
                for message, text in zip(messages, told, strict=True)
                if message.get("role") in {"assistant", "user"}
            ],
            tools=_offered([mapping(tool.get("function")) for tool in objects(body.get("tools"))]),
            folder=next((found for found in map(folder_in, told) if found), ""),
        )

    def whole(self, answer: Answer) -> Mapping[str, object]:
        """The answer as one JSON object."""
        message: dict[str, object] = {"role": "assistant", "content": answer.words or None}
        if isinstance(answer.act, Call):
            message["tool_calls"] = [_tool_call(answer, answer.act)]
        choice = {"index": 0, "message": message, "finish_reason": _finish_reason(answer)}
        return {**_chat(answer, "chat.completion"), "choices": [choice], "usage": _chat_usage(answer)}

    def stream(self, answer: Answer) -> Iterator[bytes]:
        """The answer as server-sent events."""
        yield _chunk(answer, {"role": "assistant", "content": ""})
        if isinstance(answer.act, Call):
            yield _chunk(answer, {"tool_calls": [{"index": 0, **_tool_call(answer, answer.act)}]})
        for piece in answer.pieces():
            yield _chunk(answer, {"content": piece})
        yield _chunk(answer, {}, _finish_reason(answer))
        yield event({**_chat(answer, "chat.completion.chunk"), "choices": [], "usage": _chat_usage(answer)})
        yield b"data: [DONE]\n\n"

    def failure(self, status: int, message: str) -> Mapping[str, object]:
        """The body of a request that failed."""
        return _failure(status, message)


def _failure(status: int, message: str) -> Mapping[str, object]:
    kind = _KINDS.get(status, "server_error")
    return {"error": {"type": kind, "code": kind, "message": message, "param": None}}


def _offered(tools: Sequence[Mapping[str, object]]) -> tuple[Offered, ...]:
    """Tools that are called by a name; a tool of the API's own kind, such as a web search, has none."""
    return tuple(
        Offered(
            name=str(tool["name"]),
            schema=mapping(tool.get("parameters")),
            is_code=tool.get("type") == "custom" and tool["name"] == "exec",
        )
        for tool in tools
        if "name" in tool and tool.get("type") != "namespace"
    )


def _additional(items: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Tools that Codex offers to its own models in the conversation, in namespaces, and not beside it."""
    spaces = [space for item in items if item.get("type") == "additional_tools" for space in objects(item.get("tools"))]
    return [tool for space in spaces for tool in (objects(space.get("tools")) or [space])]


# --- responses ---


def _event(kind: str, **fields: object) -> bytes:
    return event({"type": kind, **fields}, kind)


def _response(answer: Answer, status: str, output: Sequence[object]) -> dict[str, object]:
    tokens = answer.tokens
    asked = tokens.input + tokens.cache_read + tokens.cache_write
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + tokens.output,
    }
    return {
        "id": f"resp_stub_{answer.number:06d}", "object": "response", "created_at": 0, "status": status,
        "model": answer.model, "output": output, "usage": usage if status == "completed" else None, "error": None,
    }  # fmt: skip


def _item(answer: Answer) -> dict[str, object]:
    if isinstance(answer.act, Call) and answer.act.source:
        return {
            "type": "custom_tool_call", "id": f"ctc_stub_{answer.number:06d}", "name": answer.act.name,
            "call_id": f"call_stub_{answer.number:06d}", "input": answer.act.source, "status": "completed",
        }  # fmt: skip
    if isinstance(answer.act, Call):
        return {
            "type": "function_call", "id": f"fc_stub_{answer.number:06d}", "call_id": f"call_stub_{answer.number:06d}",
            "name": answer.act.name, "arguments": json.dumps(answer.act.arguments), "status": "completed",
        }  # fmt: skip
    return {
        "type": "message", "id": f"msg_stub_{answer.number:06d}", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": answer.words, "annotations": []}],
    }  # fmt: skip


# --- chat completions ---


def _chat(answer: Answer, kind: str) -> dict[str, object]:
    return {"id": f"chatcmpl-stub-{answer.number:06d}", "object": kind, "created": 0, "model": answer.model}


def _chunk(answer: Answer, delta: Mapping[str, object], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return event({**_chat(answer, "chat.completion.chunk"), "choices": [choice]})


def _tool_call(answer: Answer, call: Call) -> dict[str, object]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": f"call_stub_{answer.number:06d}", "type": "function", "function": function}


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if isinstance(answer.act, Call) else "stop"


def _chat_usage(answer: Answer) -> dict[str, object]:
    tokens = answer.tokens
    asked = tokens.input + tokens.cache_read + tokens.cache_write
    return {
        "prompt_tokens": asked, "completion_tokens": tokens.output, "total_tokens": asked + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read},
    }  # fmt: skip
