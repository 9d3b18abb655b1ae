"""The scripted model API, asked as programs ask it."""

import http.client
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asking import SECONDS, Claude, Reply, send

from orchestrator.conformance.model_api import ModelApi

CHAT_TOOLS = [{"type": "function", "function": {"name": "bash", "parameters": {"properties": {"command": {}}}}}]
GEMINI_TOOLS = [{"functionDeclarations": [{"name": "run_shell_command", "parametersJsonSchema": {"properties": {}}}]}]


def anthropic(url: str, text: str, stream: bool) -> Reply:
    claude = Claude(url)
    claude.say(text)
    return claude.ask(stream=stream)


def responses(url: str, text: str, stream: bool) -> Reply:
    tools = [{"type": "function", "name": "exec_command", "parameters": {"properties": {"cmd": {}}}}]
    messages = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}]
    body = {"model": "m", "input": messages, "tools": tools, "stream": stream}
    return send(url, "POST", "/v1/responses", body)


def chat(url: str, text: str, stream: bool) -> Reply:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "tools": CHAT_TOOLS, "stream": stream}
    return send(url, "POST", "/v1/chat/completions", body)


def gemini(url: str, text: str, stream: bool) -> Reply:
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}], "tools": GEMINI_TOOLS}
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return send(url, "POST", f"/v1beta/models/m:{verb}", body)


def text_of_anthropic(reply: Reply, stream: bool) -> str:
    if not stream:
        return str(reply.data["content"][0]["text"])
    return "".join(event["delta"].get("text", "") for event in reply.events if event["type"] == "content_block_delta")


def text_of_responses(reply: Reply, stream: bool) -> str:
    if not stream:
        return str(reply.data["output"][0]["content"][0]["text"])
    deltas = "".join(event["delta"] for event in reply.events if event["type"] == "response.output_text.delta")
    done = next(event for event in reply.events if event["type"] == "response.output_item.done")
    assert done["item"]["content"][0]["text"] == deltas
    return deltas


def text_of_chat(reply: Reply, stream: bool) -> str:
    if not stream:
        return str(reply.data["choices"][0]["message"]["content"])
    choices = [choice for event in reply.events for choice in event["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def text_of_gemini(reply: Reply, stream: bool) -> str:
    chunks = reply.events if stream else [reply.data]
    return "".join(part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"])


Ask = Callable[[str, str, bool], Reply]
Text = Callable[[Reply, bool], str]
DIALECTS = pytest.mark.parametrize(
    ("ask", "text_of"),
    [
        pytest.param(anthropic, text_of_anthropic, id="anthropic"),
        pytest.param(responses, text_of_responses, id="responses"),
        pytest.param(chat, text_of_chat, id="chat"),
        pytest.param(gemini, text_of_gemini, id="gemini"),
    ],
)
STREAMS = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@DIALECTS
@STREAMS
def test_it_answers_what_the_prompt_says(api: ModelApi, ask: Ask, text_of: Text, stream: bool) -> None:
    reply = ask(api.url, "Please do this.\n\n  STUB:TEXT hëllo wörld\n\nThank you.", stream)
    assert reply.status == 200
    assert text_of(reply, stream) == "hëllo wörld"


@DIALECTS
@STREAMS
def test_a_huge_answer_has_every_byte(api: ModelApi, ask: Ask, text_of: Text, stream: bool) -> None:
    size = 300_001
    text = text_of(ask(api.url, f"STUB:HUGE {size}", stream), stream)
    assert len(text) == size
    assert set(text) == set("0123456789abcdef")


@DIALECTS
def test_a_failure_has_its_status_and_says_when_to_come_back(api: ModelApi, ask: Ask, text_of: Text) -> None:
    reply = ask(api.url, "STUB:STATUS 429 retry-after=7 times=1\nSTUB:TEXT now", stream=True)
    assert reply.status == 429
    assert reply.headers["retry-after"] == "7"
    assert reply.data["error"]["message"] == "stub 429"
    again = ask(api.url, "STUB:STATUS 429 retry-after=7 times=1\nSTUB:TEXT now", stream=True)
    assert text_of(again, stream=True) == "now"


@DIALECTS
def test_a_torn_answer_ends_its_connection_in_the_middle(api: ModelApi, ask: Ask, text_of: Text) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(api.url, "STUB:TORN\nSTUB:TEXT never whole", stream=True)


def usage_of(reply: Reply) -> Any:
    for event in reversed(reply.events):
        found = event.get("usage") or event.get("usageMetadata") or (event.get("response") or {}).get("usage")
        if found:
            return found
    raise AssertionError("no usage")


def test_cached_tokens_are_within_the_input_where_that_api_counts_so(api: ModelApi) -> None:
    script = "STUB:USAGE input=100 cache_read=20 cache_write=3 output=50\nSTUB:TEXT x"
    begun = anthropic(api.url, script, stream=True).events[0]["message"]["usage"]
    assert begun["input_tokens"] == 100
    assert (begun["cache_read_input_tokens"], begun["cache_creation_input_tokens"]) == (20, 3)
    assert usage_of(anthropic(api.url, script, stream=True)) == {"output_tokens": 50}
    told = usage_of(responses(api.url, script, stream=True))
    assert (told["input_tokens"], told["output_tokens"]) == (123, 50)
    assert told["input_tokens_details"] == {"cached_tokens": 20, "cache_write_tokens": 3}
    assert usage_of(chat(api.url, script, stream=True))["prompt_tokens"] == 123
    assert usage_of(gemini(api.url, script, stream=True))["promptTokenCount"] == 123


def test_usage_is_that_of_the_recordings_unless_told_otherwise(api: ModelApi) -> None:
    usage = anthropic(api.url, "STUB:TEXT x", stream=False).data["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (1000, 200)


def test_a_conversation_goes_through_its_script(api: ModelApi) -> None:
    claude = Claude(api.url)
    claude.say("STUB:SHELL echo hi\nSTUB:WRITE notes.md text\nSTUB:TEXT done with it")
    first, second, third, fourth = (claude.turn() for _ in range(4))
    assert (first["name"], first["input"]) == ("Bash", {"command": "echo hi"})
    assert (second["name"], second["input"]) == ("Write", {"file_path": "notes.md", "content": "text"})
    assert third["text"] == "done with it"
    assert fourth["text"] == "stub-done"


def test_a_later_text_of_the_user_with_a_directive_begins_a_new_script(api: ModelApi) -> None:
    claude = Claude(api.url)
    claude.say("STUB:TEXT one\nSTUB:TEXT two")
    assert claude.turn()["text"] == "one"
    claude.say("go on")  # a session that is resumed
    assert claude.turn()["text"] == "two"
    claude.say("STUB:TEXT another")
    assert claude.turn()["text"] == "another"


def test_the_same_script_twice_in_a_conversation_begins_anew(api: ModelApi) -> None:
    claude = Claude(api.url)
    for _ in range(2):
        claude.say("STUB:TEXT one\nSTUB:TEXT two")
        assert claude.turn()["text"] == "one"


def test_a_file_is_written_where_the_program_says_it_works(api: ModelApi) -> None:
    claude = Claude(api.url)
    claude.messages.append({"role": "system", "content": " - Primary working directory: /some/where\n - more"})
    claude.say("STUB:WRITE a/notes.md x\nSTUB:WRITE /else/b.md y")
    assert claude.turn()["input"]["file_path"] == "/some/where/a/notes.md"
    assert claude.turn()["input"]["file_path"] == "/else/b.md"


def test_a_command_goes_by_whatever_tool_is_offered(api: ModelApi) -> None:
    script = "STUB:SHELL ls -l"
    called = responses(api.url, script, stream=False).data["output"][0]
    assert (called["type"], called["name"], called["arguments"]) == (
        "function_call",
        "exec_command",
        '{"cmd": "ls -l"}',
    )
    tool_call = chat(api.url, script, stream=False).data["choices"][0]["message"]["tool_calls"][0]
    assert tool_call["function"] == {"name": "bash", "arguments": '{"command": "ls -l"}'}
    part = gemini(api.url, script, stream=False).data["candidates"][0]["content"]["parts"][0]
    assert part["functionCall"] == {"name": "run_shell_command", "args": {"command": "ls -l"}}
    claude = Claude(api.url, tools=[{"name": "Nothing", "input_schema": {}}])
    claude.say(script)
    assert claude.turn()["text"] == "stub-error: no tool that runs a command is offered; offered: Nothing"


def test_codex_in_code_mode_gets_a_program_that_runs_the_command(api: ModelApi) -> None:
    exec_tool = {"type": "custom", "name": "exec", "format": {"type": "grammar"}}
    offered = {"type": "additional_tools", "tools": [{"type": "namespace", "name": "functions", "tools": [exec_tool]}]}
    prompt = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "STUB:WRITE a.md b'c"}]}
    body: dict[str, Any] = {"model": "m", "input": [offered, prompt], "stream": True}
    events = send(api.url, "POST", "/v1/responses", body).events
    item = next(event["item"] for event in events if event["type"] == "response.output_item.done")
    assert (item["type"], item["name"]) == ("custom_tool_call", "exec")
    assert "await tools.exec_command({" in item["input"]
    assert "> 'a.md'" in item["input"]
    body["input"] += [item, {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "fine"}]
    events = send(api.url, "POST", "/v1/responses", body).events
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "stub-done"


def test_what_is_no_request_of_a_model_is_refused_and_nothing_breaks(api: ModelApi) -> None:
    assert send(api.url, "HEAD", "/").status == 200
    assert send(api.url, "GET", "/v1/models").status == 200
    assert send(api.url, "GET", "/api/hello").status == 404
    assert send(api.url, "POST", "/api/event_logging/batch", {}).status == 404
    assert send(api.url, "POST", "/v1/messages/count_tokens", {}).data == {"input_tokens": 1000}
    assert send(api.url, "POST", "/v1/messages", b"{torn").status == 400
    assert send(api.url, "POST", "/v1/messages", b"[1, 2]").status == 400
    assert send(api.url, "POST", "/v1/messages", b"[" * 100_000).status == 400
    odd = {"messages": [7, {"role": "user", "content": 5}], "tools": "none", "model": None}
    assert send(api.url, "POST", "/v1/messages", odd).data["content"][0]["text"] == "stub-done"
    assert send(api.url, "POST", "/v1/messages", headers={"Content-Length": "99999999999"}).status == 411


def test_it_remembers_what_was_asked_and_never_a_key(api: ModelApi) -> None:
    secret = "sk-very-secret"
    body = {"model": "some-model", "messages": [{"role": "user", "content": "STUB:TEXT x"}]}
    send(api.url, "POST", f"/v1/messages?key={secret}", body, {"x-api-key": secret})
    send(api.url, "GET", "/v1/models")
    first, second = api.requests
    assert (first.method, first.path, first.status, first.model) == ("POST", "/v1/messages", 200, "some-model")
    assert (first.has_key, second.has_key) == (True, False)
    assert first.prompt == "STUB:TEXT x"
    assert secret not in repr(api.requests)
    assert api.count == 2


def test_as_a_proxy_it_refuses_every_other_host_and_notes_it(api: ModelApi) -> None:
    assert send(api.url, "CONNECT", "api.example.invalid:443").status == 403
    assert send(api.url, "GET", "http://example.invalid/path?key=secret").status == 403
    assert send(api.url, "GET", f"{api.url}/v1/models").status == 200
    assert api.strayed == ["api.example.invalid:443", "example.invalid"]


def test_a_delay_is_waited_for(api: ModelApi) -> None:
    began = time.monotonic()
    anthropic(api.url, "STUB:DELAY 0.2\nSTUB:TEXT late", stream=True)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("script", ["STUB:HANG", "STUB:DELAY 600", "STUB:HUGE 200000000"])
def test_it_ends_quickly_however_its_clients_hang(script: str) -> None:
    api = ModelApi()
    connections = []
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", int(api.url.rpartition(":")[2]), timeout=SECONDS)
        body = f'{{"model": "m", "stream": true, "messages": [{{"role": "user", "content": "{script}"}}]}}'
        connection.request("POST", "/v1/messages", body)
        connections.append(connection)
    assert api.wait_for(script, SECONDS, times=3)
    began = time.monotonic()
    api.close()
    assert time.monotonic() - began < 5
    for connection in connections:
        connection.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "model-api"]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(api.url.rpartition(":")[2])), timeout=SECONDS)
