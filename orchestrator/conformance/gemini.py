"""The Gemini API: generateContent and streamGenerateContent."""

from collections.abc import Iterator, Mapping

from orchestrator.conformance.conversation import Answer, Asked, Offered, event, folder_in, mapping, objects
from orchestrator.conformance.script import Call

_KINDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


class GenerateContent:
    """POST /v1beta/models/NAME:generateContent and :streamGenerateContent."""

    def __init__(self, path: str) -> None:
        """Which of them it is, and the model, are in the path."""
        self._path = path

    def read(self, body: Mapping[str, object]) -> Asked:
        """What a request asks."""
        contents = objects(body.get("contents"))
        told = [_words(content) for content in (mapping(body.get("systemInstruction")), *contents)]
        declared = [
            declaration
            for tool in objects(body.get("tools"))
            for declaration in objects(tool.get("functionDeclarations"))
        ]
        return Asked(
            model=self._path.rpartition("/models/")[2].partition(":")[0],
            streams=":streamGenerateContent" in self._path,
            said=[
                None if content.get("role") == "model" else text
                for content, text in zip(contents, told[1:], strict=True)
            ],
            tools=tuple(
                Offered(
                    name=str(entry.get("name", "")),
                    schema=mapping(entry.get("parametersJsonSchema") or entry.get("parameters")),
                )
                for entry in declared
            ),
            folder=next((found for found in map(folder_in, told) if found), ""),
        )

    def whole(self, answer: Answer) -> Mapping[str, object]:
        """The answer as one JSON object."""
        return _chunk(answer, answer.words, is_last=True)

    def stream(self, answer: Answer) -> Iterator[bytes]:
        """The answer as server-sent events."""
        held = ""
        for piece in answer.pieces():
            if held:
                yield event(_chunk(answer, held, is_last=False))
            held = piece
        yield event(_chunk(answer, held, is_last=True))

    def failure(self, status: int, message: str) -> Mapping[str, object]:
        """The body of a request that failed."""
        return {"error": {"code": status, "message": message, "status": _KINDS.get(status, "UNAVAILABLE")}}


def _words(content: Mapping[str, object]) -> str:
    found = (part.get("text") for part in objects(content.get("parts")))
    return "\n".join(text for text in found if isinstance(text, str))


def _chunk(answer: Answer, words: str, *, is_last: bool) -> dict[str, object]:
    part: dict[str, object] = {"text": words}
    if isinstance(answer.act, Call):
        part = {"functionCall": {"name": answer.act.name, "args": answer.act.arguments}}
    candidate: dict[str, object] = {"content": {"role": "model", "parts": [part]}, "index": 0}
    chunk: dict[str, object] = {"modelVersion": answer.model, "responseId": f"stub-{answer.number:06d}"}
    if is_last:
        candidate["finishReason"] = "STOP"
        tokens = answer.tokens
        asked = tokens.input + tokens.cache_read + tokens.cache_write
        chunk["usageMetadata"] = {
            "promptTokenCount": asked, "cachedContentTokenCount": tokens.cache_read,
            "candidatesTokenCount": tokens.output, "totalTokenCount": asked + tokens.output,
        }  # fmt: skip
    return {"candidates": [candidate], **chunk}
