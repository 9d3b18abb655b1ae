"""The Anthropic messages API, as far as Claude Code and the like use it."""

import json
from collections.abc import Iterator, Mapping

from orchestrator.conformance.conversation import Answer, Asked, Offered, event, folder_in, mapping, objects, texts
from orchestrator.conformance.script import Call

_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip


class Messages:
    """POST /v1/messages."""

    def read(self, body: Mapping[str, object]) -> Asked:
        """What a request asks."""
        messages = objects(body.get("messages"))
        told = [texts(body.get("system")), *(texts(message.get("content")) for message in messages)]
        return Asked(
            model=str(body.get("model", "")),
            streams=body.get("stream") is True,
            said=[
                None if message.get("role") == "assistant" else text
                for message, text in zip(messages, told[1:], strict=True)
                if message.get("role") in {"assistant", "user"}
            ],
            tools=tuple(
                Offered(name=str(tool.get("name", "")), schema=mapping(tool.get("input_schema")))
                for tool in objects(body.get("tools"))
            ),
            folder=next((found for found in map(folder_in, told) if found), ""),
        )

    def whole(self, answer: Answer) -> Mapping[str, object]:
        """The answer as one JSON object."""
        if isinstance(answer.act, Call):
            block = _tool_use(answer, answer.act) | {"input": answer.act.arguments}
        else:
            block = {"type": "text", "text": answer.words}
        return {
            **_message(answer), "content": [block], "stop_reason": _stop_reason(answer), "usage": _usage(answer),
        }  # fmt: skip

    def stream(self, answer: Answer) -> Iterator[bytes]:
        """The answer as server-sent events."""
        begun = {**_message(answer), "content": [], "stop_reason": None, "usage": _usage(answer) | {"output_tokens": 1}}
        yield _event("message_start", message=begun)
        if isinstance(answer.act, Call):
            yield _event("content_block_start", index=0, content_block=_tool_use(answer, answer.act))
            arguments = json.dumps(answer.act.arguments)
            yield _event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": arguments})
        else:
            yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            for piece in answer.pieces():
                yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        yield _event("content_block_stop", index=0)
        ended = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
        yield _event("message_delta", delta=ended, usage={"output_tokens": answer.tokens.output})
        yield _event("message_stop")

    def failure(self, status: int, message: str) -> Mapping[str, object]:
        """The body of a request that failed."""
        return {"type": "error", "error": {"type": _KINDS.get(status, "api_error"), "message": message}}


def _event(kind: str, **fields: object) -> bytes:
    return event({"type": kind, **fields}, kind)


def _message(answer: Answer) -> dict[str, object]:
    return {
        "id": f"msg_stub_{answer.number:06d}", "type": "message", "role": "assistant", "model": answer.model,
        "stop_sequence": None,
    }  # fmt: skip


def _tool_use(answer: Answer, call: Call) -> dict[str, object]:
    return {"type": "tool_use", "id": f"toolu_stub_{answer.number:06d}", "name": call.name, "input": {}}


def _stop_reason(answer: Answer) -> str:
    return "tool_use" if isinstance(answer.act, Call) else "end_turn"


def _usage(answer: Answer) -> dict[str, int]:
    tokens = answer.tokens
    return {
        "input_tokens": tokens.input, "cache_read_input_tokens": tokens.cache_read,
        "cache_creation_input_tokens": tokens.cache_write, "output_tokens": tokens.output,
    }  # fmt: skip
