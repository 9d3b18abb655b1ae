"""What a tool printed, turned into what it means. The recordings of the real tools are in tests/recordings."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.adapters.readers import READERS, live_text, printed, read_output
from orchestrator.core.judge import judge
from orchestrator.core.pointers import READER_NAMES, Pointers, Shape, TokenPointers
from orchestrator.core.settings import Tool
from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Tokens
from orchestrator.core.verdict import Done, Ending, Failed, Outcome, Printed, Ran, Reported

POINTERS = Pointers(
    text="/answer/text",
    tokens=TokenPointers(input="/usage/in", cache_read="/usage/cached", output="/usage/out"),
    input_includes_cache=True,
    cost_usd="/cost",
    session_id="/session",
    turns="/turns",
    denials="/denied",
    error="/error",
)
LINES = replace(POINTERS, format=Shape.JSONL)
OUTPUTS: dict[str, str | Pointers] = {**{name: name for name in READER_NAMES}, "json": POINTERS, "jsonl": LINES}


def tool(output: str | Pointers) -> Tool:
    return Tool(name="x", binary="x", command=("x",), output=output)


class Desk:
    """Puts what a tool printed into files, and has it read."""

    def __init__(self, folder: Path) -> None:
        self.files = Printed(stdout=str(folder / "stdout"), stderr=str(folder / "stderr"))

    def read(
        self,
        output: str | Pointers,
        stdout: bytes | str | list[object] = b"",
        stderr: str = "",
        *,
        code: int | None = 0,
        ending: Ending = Ending.EXITED,
        previous: Reported | None = None,
        **ran: object,
    ) -> Ran:
        if isinstance(stdout, list):
            stdout = "".join(json.dumps(event) + "\n" for event in stdout)
        Path(self.files.stdout).write_bytes(stdout.encode() if isinstance(stdout, str) else stdout)
        Path(self.files.stderr).write_text(stderr)
        ran = Ran(ending=ending, exit_code=code, **ran)
        return read_output(tool(output), ran, self.files, previous)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def verdict(ran: Ran) -> Outcome | ErrorKind:
    judged = judge(ran, evidence=None, expects_answer=True, expects_change=False)
    return judged.outcome if isinstance(judged, Done) else judged.kind


# --- one good run of each tool, small enough to be read here ------------------------------------------------------

INIT = {"type": "system", "subtype": "init", "session_id": "s1", "model": "m1", "claude_code_version": "2.1.329"}
ASSISTANT = {
    "type": "assistant",
    "session_id": "s1",
    "message": {
        "id": "msg1",
        "model": "m1",
        "content": [
            {"type": "text", "text": "I look"},
            {"type": "tool_use", "name": "Bash", "input": {"command": "pytest -q", "description": "tests"}},
        ],
        "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5},
    },
}
RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "done it",
    "session_id": "s1",
    "num_turns": 2,
    "total_cost_usd": 0.0123456,
    "usage": {"input_tokens": 100, "output_tokens": 20},
    "modelUsage": {
        "m1": {
            "inputTokens": 100,
            "outputTokens": 20,
            "cacheReadInputTokens": 7,
            "cacheCreationInputTokens": 3,
            "costUSD": 0.0123456,
        }
    },
    "permission_denials": [],
    "terminal_reason": "completed",
}
CODEX = [
    {"type": "thread.started", "thread_id": "t1"},
    {"type": "item.completed", "item": {"type": "error", "message": "Model metadata not found"}},
    {"type": "turn.started"},
    {"type": "error", "message": "Reconnecting... 1/5 (unexpected status 503)"},
    {"type": "item.started", "item": {"type": "command_execution", "command": "ls", "status": "in_progress"}},
    {"type": "item.completed", "item": {"type": "command_execution", "command": "ls", "status": "completed"}},
    {"type": "item.completed", "item": {"type": "agent_message", "text": "done it"}},
    {
        "type": "turn.completed",
        "usage": {
            "input_tokens": 1000,
            "cached_input_tokens": 600,
            "cache_write_input_tokens": 100,
            "output_tokens": 200,
            "reasoning_output_tokens": 50,
        },
    },
]
GEMINI = {
    "session_id": "g1",
    "response": "done it",
    "stats": {
        "models": {
            "m1": {
                "api": {"totalRequests": 2},
                "tokens": {"prompt": 1000, "candidates": 200, "cached": 400, "thoughts": 50, "tool": 5, "total": 1255},
            }
        },
        "tools": {"byName": {"read_file": {"decisions": {"reject": 0}}}},
    },
}
GEMINI_STREAM = [
    {"type": "init", "session_id": "g1", "model": "m0"},
    {"type": "message", "role": "user", "content": "please"},
    {"type": "message", "role": "assistant", "content": "done ", "delta": True},
    {"type": "tool_use", "tool_name": "read_file", "tool_id": "1", "parameters": {"file_path": "a.py"}},
    {"type": "tool_result", "tool_id": "1", "status": "success", "output": "x"},
    {"type": "message", "role": "assistant", "content": "it", "delta": True},
    {
        "type": "result",
        "status": "success",
        "stats": {
            "total_tokens": 1250,
            "input_tokens": 1000,
            "output_tokens": 200,
            "cached": 400,
            "models": {"m1": {}},
        },
    },
]


def step(part: str, reason: str, **tokens: object) -> dict[str, object]:
    given = {"input": 100, "output": 20, "reasoning": 5, "cache": {"read": 10, "write": 1}, "total": 136, **tokens}
    return {
        "type": "step_finish",
        "sessionID": "o1",
        "part": {"id": part, "reason": reason, "tokens": given, "cost": 0.0015},
    }


OPENCODE = [
    {"type": "step_start", "sessionID": "o1", "part": {"messageID": "1"}},
    {"type": "text", "sessionID": "o1", "part": {"id": "a", "messageID": "1", "text": "I look"}},
    {
        "type": "tool_use",
        "sessionID": "o1",
        "part": {"tool": "bash", "state": {"status": "completed", "input": {"command": "ls"}}},
    },
    step("p1", "tool-calls"),
    {"type": "step_start", "sessionID": "o1", "part": {"messageID": "2"}},
    {"type": "text", "sessionID": "o1", "part": {"id": "b", "messageID": "2", "text": "done it"}},
    step("p2", "stop"),
]
COPILOT = [
    {"type": "assistant.turn_start", "data": {"turnId": "0"}},
    {"type": "model.call_start", "data": {"model": "m1"}},
    {
        "type": "tool.execution_start",
        "data": {"toolCallId": "1", "toolName": "bash", "arguments": {"command": "ls"}},
    },
    {"type": "tool.execution_complete", "data": {"toolCallId": "1", "success": True}},
    {"type": "assistant.message", "data": {"messageId": "1", "content": "done it"}},
    {
        "type": "assistant.usage",
        "id": "u1",
        "data": {"inputTokens": 100, "cacheReadTokens": 40, "outputTokens": 20, "cost": 1},
    },
    {"type": "result", "sessionId": "c1", "exitCode": 0, "usage": {"premiumRequests": 1}},
]
CURSOR = {"type": "result", "subtype": "success", "is_error": False, "result": "done it", "session_id": "u1"}
GOOSE = [
    {"type": "message", "message": {"id": "1", "role": "user", "content": [{"type": "text", "text": "please"}]}},
    {"type": "message", "message": {"id": "2", "role": "assistant", "content": [{"type": "text", "text": "done "}]}},
    {"type": "message", "message": {"id": "2", "role": "assistant", "content": [{"type": "text", "text": "it"}]}},
    {"type": "complete", "total_tokens": 1200},
]
GOOSE_JSON = {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "please"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "done it"}]},
    ],
    "metadata": {"total_tokens": 1200, "status": "completed"},
}
DECLARED = {
    "answer": {"text": "done it"},
    "usage": {"in": 100, "cached": 40, "out": 20},
    "cost": "0.25",
    "session": "d1",
    "turns": 3,
    "denied": [],
    "error": None,
}
GOOD: dict[str, list[object]] = {
    "claude-json": [RESULT],
    "claude-stream-json": [INIT, ASSISTANT, RESULT],
    "codex": CODEX,
    "gemini": [GEMINI],
    "gemini-stream": GEMINI_STREAM,
    "opencode": OPENCODE,
    "copilot": COPILOT,
    "cursor": [CURSOR],
    "goose": GOOSE,
    "json": [DECLARED],
}
FIGURES = {
    "claude-json": (Tokens(input=100, cache_read=7, cache_write=3, output=20), 12_346, "s1", 2),
    "claude-stream-json": (Tokens(input=100, cache_read=7, cache_write=3, output=20), 12_346, "s1", 2),
    "codex": (Tokens(input=300, cache_read=600, cache_write=100, output=200), None, "t1", None),
    "gemini": (Tokens(input=605, cache_read=400, output=250), None, "g1", 2),
    "gemini-stream": (Tokens(input=600, cache_read=400, output=250), None, "g1", None),
    "opencode": (Tokens(input=200, cache_read=20, cache_write=2, output=50), 3_000, "o1", 2),
    "copilot": (Tokens(input=60, cache_read=40, output=20), None, "c1", 1),
    "cursor": (None, None, "u1", None),
    "goose": (None, None, "", None),
    "json": (Tokens(input=60, cache_read=40, output=20), 250_000, "d1", 3),
}


def test_the_names_that_the_configuration_takes_are_those_of_the_readers() -> None:
    assert set(READER_NAMES) == set(READERS)
    assert len(READER_NAMES) == len(set(READER_NAMES))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_run_tells_its_answer_and_its_figures(desk: Desk, name: str) -> None:
    ran = desk.read(OUTPUTS[name], GOOD[name])
    assert (ran.text, ran.failure, ran.problem, ran.denials) == ("done it", None, "", ())
    assert (ran.tokens, ran.cost, ran.session_id, ran.turns) == FIGURES[name]
    assert ran.cost_source is (None if ran.cost is None else CostSource.REPORTED)
    assert verdict(ran) is Outcome.DONE


@pytest.mark.parametrize("name", GOOD)
def test_no_beginning_of_a_good_run_is_a_success(desk: Desk, name: str) -> None:
    whole = "".join(json.dumps(event) + "\n" for event in GOOD[name]).encode()
    # Without its newline the last event is still whole.
    cuts = {*range(0, len(whole) - 1, 7), len(whole) - 2}
    assert all(verdict(desk.read(OUTPUTS[name], whole[:cut])) is not Outcome.DONE for cut in cuts)


@pytest.mark.parametrize("name", GOOD)
def test_what_another_program_printed_among_the_lines_does_not_matter(desk: Desk, name: str) -> None:
    noise = b"npm warn\n\xff\xfe\n[1, 2]\n3\nnull\n[... 1,234 bytes left out ...]\n" + b'{"type": "assist\n'
    lines = "".join(json.dumps(event) + "\n" for event in GOOD[name]).encode()
    ran = desk.read(OUTPUTS[name], noise + lines)
    assert (ran.text, ran.failure) == ("done it", None)


@pytest.mark.parametrize("name", [name for name in GOOD if name != "goose"])  # which prints plain text by default
@pytest.mark.parametrize(
    "stdout",
    [b"", b"\n \n", b"[]", b"[1]\n", b'"done"', b"null", b'{"torn": ', b"\xff" * 100, b'{"type": "resu\nlt"}', b"{}"],
)
def test_what_is_no_answer_in_json_is_bad_output(desk: Desk, name: str, stdout: bytes) -> None:
    ran = desk.read(OUTPUTS[name], stdout)
    assert verdict(ran) is ErrorKind.BAD_OUTPUT
    assert ran.problem or not ran.text


@pytest.mark.parametrize("name", OUTPUTS)
def test_files_that_are_not_there_have_said_nothing(tmp_path: Path, name: str) -> None:
    files = Printed(stdout=str(tmp_path / "none" / "stdout"), stderr=str(tmp_path / "none" / "stderr"))
    ran = read_output(tool(OUTPUTS[name]), Ran(ending=Ending.EXITED, exit_code=0), files)
    assert (ran.text, ran.errors) == ("", "")
    assert verdict(ran) is ErrorKind.BAD_OUTPUT


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "stdout")
    (tmp_path / "stderr").mkdir()
    files = Printed(stdout=str(tmp_path / "stdout"), stderr=str(tmp_path / "stderr"))
    assert read_output(tool(OUTPUTS[name]), Ran(ending=Ending.EXITED, exit_code=0), files).text == ""


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_operating_systems_part_stays_as_it_is(desk: Desk, name: str) -> None:
    stdout = GOOD.get(name, [DECLARED])
    ran = desk.read(OUTPUTS[name], stdout, ending=Ending.TIMED_OUT, code=-9, duration_ms=7, left_out=5, truncated=True)
    assert (ran.ending, ran.exit_code, ran.duration_ms, ran.left_out) == (Ending.TIMED_OUT, -9, 7, 5)
    assert ran.truncated
    assert verdict(ran) is ErrorKind.TIMEOUT


def test_what_did_not_start_is_not_read(desk: Desk) -> None:
    ran = Ran(ending=Ending.NOT_STARTED, errors="x: not found", failure=ErrorKind.NO_TOOL)
    assert read_output(tool("claude-json"), ran, desk.files) == ran


def test_a_limit_that_the_engine_saw_keeps_the_last_word(desk: Desk) -> None:
    over = {"ending": Ending.OVER_LIMIT, "code": -9, "errors": "more than 1 GiB of output"}
    ran = desk.read("claude-json", [RESULT], "noise\n", failure=ErrorKind.BAD_OUTPUT, **over)
    assert (ran.failure, ran.errors) == (ErrorKind.BAD_OUTPUT, "noise\nmore than 1 GiB of output")
    assert desk.read("codex", [{"type": "error", "message": "status 429"}], **over).failure is None


@pytest.mark.parametrize("output", ["json-of-the-future", ""])
def test_a_reader_that_nobody_has_is_a_failure_that_names_the_key(desk: Desk, output: str) -> None:
    ran = desk.read(output, "a")
    assert ran.failure is ErrorKind.BAD_OUTPUT
    assert "tools.x.output" in ran.errors
    assert "claude-json" in ran.errors


# --- plain text, and the bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "means"),
    [
        ("answer\n", "answer"),
        ("\n\n# Title\n\n    code\n", "# Title\n\n    code"),
        ("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tstays, bell\x07 goes, NUL\x00 too, and \x9b", "tab\tstays, bell goes, NUL too, and "),
        ("Grüße 日本", "Grüße 日本"),
    ],
)
def test_plain_text_is_the_answer_without_what_is_for_terminals(desk: Desk, raw: str, means: str) -> None:
    ran = desk.read("text", raw, raw)
    assert ran.text == means
    assert desk.read("claude-json", [{**RESULT, "result": raw}]).text == means


def test_invalid_bytes_are_replaced(desk: Desk) -> None:
    assert desk.read("text", b"a\xffb").text == "a\ufffdb"
    lone = b'{"type": "result", "is_error": false, "result": "a\\ud800b\xff"}\n'
    desk.read("claude-json", lone).text.encode()


@pytest.mark.parametrize("name", ["text", "claude-json", "gemini", "codex", "json"])
def test_a_long_answer_keeps_its_head_and_its_tail(desk: Desk, name: str) -> None:
    answer = "é" + "x" * 2_000_000 + "end"
    stdout: str | list[object] = {
        "text": answer,
        "claude-json": [{**RESULT, "result": answer}],
        "gemini": [{**GEMINI, "response": answer}],
        "codex": [{"type": "item.completed", "item": {"type": "agent_message", "text": answer}}, CODEX[-1]],
        "json": [{"answer": {"text": answer}}],
    }[name]
    ran = desk.read(OUTPUTS[name], stdout)
    assert len(ran.text.encode()) < printed.TEXT + 100
    assert ran.text.startswith("éx")
    assert ran.text.endswith("xend")
    assert "bytes left out ...]" in ran.text
    assert ran.truncated


def test_of_stderr_the_end_is_kept(desk: Desk) -> None:
    ran = desk.read("text", "a", "begin" + "x" * 100_000 + "\nwhy\n", code=1)
    assert ran.errors.endswith("why")
    assert "begin" not in ran.errors
    assert len(ran.errors) < printed.ERRORS + 100


@pytest.mark.parametrize("name", ["claude-stream-json", "codex", "opencode", "copilot", "gemini-stream", "jsonl"])
def test_a_line_too_long_to_be_held_is_passed_over(desk: Desk, name: str) -> None:
    events = [DECLARED] if name == "jsonl" else GOOD[name]
    lines = "".join(json.dumps(event) + "\n" for event in events).encode()
    # Its own end looks like the last event: it is no line of its own.
    long = b"x" * (2 * printed.LINE) + json.dumps(events[-1]).encode() + b"\n"
    assert desk.read(OUTPUTS[name], long + lines).text == "done it"
    assert verdict(desk.read(OUTPUTS[name], long)) is ErrorKind.BAD_OUTPUT


def test_a_document_too_long_to_be_held_is_bad_output(desk: Desk) -> None:
    long = b'{"response": "' + b"x" * printed.DOCUMENT + b'"}'
    assert verdict(desk.read("gemini", long)) is ErrorKind.BAD_OUTPUT


def test_depth_and_numbers_beyond_reason_are_no_json(desk: Desk) -> None:
    for raw in (
        b'{"a":' * 100_000,
        b'{"result": ' + b"[" * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": 1e9999999999999999999999}',
    ):
        assert verdict(desk.read("claude-json", raw)) is ErrorKind.BAD_OUTPUT
        assert verdict(desk.read("gemini", raw)) is ErrorKind.BAD_OUTPUT


# --- claude -------------------------------------------------------------------------------------------------------


def claude(
    desk: Desk, previous: Reported | None = None, *, stream: bool = False, version: str = "", **told: object
) -> Ran:
    events = [{**INIT, "claude_code_version": version}] if stream else []
    return desk.read("claude-json", [*events, {**RESULT, **told}], previous=previous)


def models(count: int) -> dict[str, object]:
    return {"m1": {"inputTokens": 100 * count, "outputTokens": 20 * count}}


FIRST = Reported(session_id="s1", tokens=Tokens(input=300, output=60), cost=MicroUsd(30_000))
ONE = Tokens(input=100, output=20)


@pytest.mark.parametrize(
    ("version", "count", "cost", "tokens", "micro"),
    [
        ("", 4, 0.04, ONE, 10_000),  # it holds what was before: the difference
        ("", 1, 0.01, ONE, 10_000),  # it began at 0 again
        ("2.1.329", 4, 0.04, ONE, 10_000),
        ("2.2.0", 4, 0.04, ONE, 10_000),
        ("2.1.197", 4, 0.04, Tokens(input=400, output=80), 40_000),  # it begins at 0 again, and this was a long run
        ("2.1.250", 1, 0.01, ONE, 10_000),
        ("2.1.250", 4, 0.04, ONE, 10_000),
        ("2.1.329", 2, 0.02, Tokens(input=200, output=40), 20_000),  # less than before: never a negative difference
        ("nightly", 4, 0.04, ONE, 10_000),
        ("", 4, 0.01, Tokens(input=400, output=80), 10_000),  # it cost less than before: it began at 0 again
    ],
)
def test_a_resumed_session_of_claude_costs_the_difference(
    desk: Desk, version: str, count: int, cost: float, tokens: Tokens, micro: int
) -> None:
    ran = claude(desk, FIRST, stream=bool(version), version=version, modelUsage=models(count), total_cost_usd=cost)
    assert (ran.tokens, ran.cost) == (tokens, micro)
    assert ran.reported is not None
    assert (ran.reported.cost, ran.reported.version) == (int(cost * 1_000_000), version)
    assert ran.reported.tokens == Tokens(input=100 * count, output=20 * count)


def test_a_version_that_is_known_to_go_on_needs_no_proof_by_usage(desk: Desk) -> None:
    usage = {"input_tokens": 150, "output_tokens": 20}
    told = {"usage": usage, "modelUsage": models(4), "total_cost_usd": 0.04}
    assert claude(desk, FIRST, stream=True, version="2.1.329", **told).tokens == ONE
    assert claude(desk, FIRST, **told).tokens == Tokens(input=400, output=80)


@given(before=st.integers(0, 50), mine=st.integers(0, 50), carries=st.booleans())
@settings(max_examples=60)
def test_a_resumed_session_is_never_negative_and_never_more_than_its_total(
    tmp_path_factory: pytest.TempPathFactory, before: int, mine: int, carries: bool
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    total = before + mine if carries else mine
    usage = {"input_tokens": 100 * mine, "output_tokens": 20 * mine}
    earlier = Reported(
        session_id="s1", tokens=Tokens(input=100 * before, output=20 * before), cost=MicroUsd(1_000 * before)
    )
    ran = claude(desk, earlier, modelUsage=models(total), usage=usage, total_cost_usd=total / 1_000)
    assert ran.tokens == Tokens(input=100 * mine, output=20 * mine)
    assert ran.cost == 1_000 * mine


def test_what_a_model_used_counts_more_than_usage(desk: Desk) -> None:
    two = {"m1": {"inputTokens": 5}, "m2": {"outputTokens": 7, "cacheReadInputTokens": 1}}
    ran = claude(desk, modelUsage=two)
    assert ran.tokens == Tokens(input=5, cache_read=1, output=7)
    assert ran.model == ""
    assert claude(desk, modelUsage={}).tokens == Tokens(input=100, output=20)


def test_usage_that_is_told_with_every_part_of_a_message_counts_once(desk: Desk) -> None:
    delta = {"type": "message_delta", "usage": {"output_tokens": 33}}
    start = {"type": "message_start", "message": {"id": "msg2", "usage": {"input_tokens": 50, "output_tokens": 1}}}
    partial = [{"type": "stream_event", "event": event} for event in (start, delta)]
    ran = desk.read("claude-stream-json", [INIT, ASSISTANT, ASSISTANT, *partial], code=-15, ending=Ending.CANCELLED)
    assert ran.tokens == Tokens(input=60, cache_read=5, output=34)
    assert (ran.cost, ran.text, ran.session_id) == (None, "I look", "s1")


def test_a_run_that_was_cut_off_leaves_what_the_session_reported_before(desk: Desk) -> None:
    assert desk.read("claude-stream-json", [INIT], code=143, previous=FIRST).reported == FIRST
    assert desk.read("codex", CODEX[:2], code=143, previous=FIRST).reported == FIRST


def test_a_price_that_claude_guessed_is_an_estimate(desk: Desk) -> None:
    ran = desk.read("claude-json", [RESULT], "[claude-code:unrecognized_model] m1 priced as another\n")
    assert ran.cost_source is CostSource.ESTIMATED


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        ({"is_error": True, "api_error_status": 401, "terminal_reason": "api_error"}, ErrorKind.AUTH, "done it"),
        ({"is_error": True, "api_error_status": 403}, ErrorKind.AUTH, ""),
        ({"is_error": True, "api_error_status": 429}, ErrorKind.RATE_LIMITED, ""),
        ({"is_error": True, "api_error_status": 529}, ErrorKind.OVERLOADED, ""),
        ({"is_error": True, "api_error_status": 503}, ErrorKind.OVERLOADED, ""),
        ({"is_error": True, "api_error_status": 400, "result": "prompt is too long"}, ErrorKind.CRASHED, "too long"),
        ({"is_error": True, "result": "Not logged in · Please run /login"}, ErrorKind.AUTH, "Not logged in"),
        ({"is_error": True, "result": "Invalid API key · Fix external API key"}, ErrorKind.AUTH, ""),
        ({"is_error": True, "result": "Credit balance is too low"}, ErrorKind.BUDGET, "Credit"),
        ({"is_error": True}, ErrorKind.CRASHED, "done it"),  # a success that says that it is an error
        ({"subtype": "error_max_turns", "is_error": True, "result": None}, ErrorKind.BUDGET, "its own cap on turns"),
        ({"subtype": "error_max_budget_usd", "is_error": True}, ErrorKind.BUDGET, "its own cap on money"),
        ({"is_error": True, "terminal_reason": "max_turns"}, ErrorKind.BUDGET, "a cap of its own"),
        (
            {"subtype": "error_during_execution", "terminal_reason": "aborted_tools", "is_error": True},
            ErrorKind.CRASHED,
            "interrupted (aborted_tools)",
        ),
        ({"subtype": "error_during_execution", "errors": ["boom"], "result": None}, ErrorKind.CRASHED, "boom"),
    ],
)
def test_claude_is_judged_by_what_its_result_says(
    desk: Desk, told: dict[str, object], kind: ErrorKind, words: str
) -> None:
    ran = claude(desk, **told)  # exit code 0: never the code alone
    assert ran.failure is kind
    assert words in ran.problem
    assert ran.text == ""


def test_an_interrupt_of_ours_is_not_a_failure_of_claude(desk: Desk) -> None:
    aborted = {**RESULT, "subtype": "error_during_execution", "terminal_reason": "aborted_tools", "is_error": True}
    ran = desk.read("claude-json", [aborted], ending=Ending.TIMED_OUT)
    assert ran.failure is None
    assert verdict(ran) is ErrorKind.TIMEOUT


def test_denials_are_told_once_each_with_what_they_were_about(desk: Desk) -> None:
    write = {"tool_name": "Write", "tool_input": {"file_path": "notes.md", "content": "x"}}
    shell = {"tool_name": "Bash", "tool_input": {"command": "rm -r\n x"}}
    ran = claude(desk, permission_denials=[write, write, shell, {}, 3])
    assert ran.denials == ("Write notes.md", "Bash rm -r x", "a tool")
    assert verdict(ran) is ErrorKind.DENIED


def test_a_retry_that_was_still_going_on_explains_the_end(desk: Desk) -> None:
    retry = {"type": "system", "subtype": "api_retry", "attempt": 3, "error_status": 529, "error": "overloaded"}
    ran = desk.read("claude-stream-json", [INIT, retry], code=-9, ending=Ending.SILENT)
    assert verdict(ran) is ErrorKind.OVERLOADED
    ran = desk.read("claude-stream-json", [INIT, retry, ASSISTANT], code=-9, ending=Ending.TIMED_OUT)
    assert verdict(ran) is ErrorKind.TIMEOUT


def test_a_reset_at_a_moment_becomes_a_wait(desk: Desk) -> None:
    desk.read("claude-json")
    then = int(Path(desk.files.stdout).stat().st_mtime) + 600
    limit = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": then}}
    failed = {**RESULT, "is_error": True, "api_error_status": 429}
    for events in ([INIT, limit, failed], [{**failed, "result": f"Claude AI usage limit reached|{then}"}]):
        ran = desk.read("claude-stream-json", events)
        assert ran.failure is ErrorKind.RATE_LIMITED
        assert ran.retry_after is not None
        assert 500 < ran.retry_after <= 600


# --- the others ---------------------------------------------------------------------------------------------------


def test_a_thread_of_codex_is_charged_for_what_is_new(desk: Desk) -> None:
    before = Reported(session_id="t1", tokens=Tokens(input=100, cache_read=600, output=50))
    assert desk.read("codex", CODEX, previous=before).tokens == Tokens(input=200, cache_write=100, output=150)
    other = replace(before, session_id="t0")
    assert desk.read("codex", CODEX, previous=other).tokens == FIGURES["codex"][0]
    larger = replace(before, tokens=Tokens(output=999))
    assert desk.read("codex", CODEX, previous=larger).tokens == FIGURES["codex"][0]


@pytest.mark.parametrize(
    ("message", "kind", "wait"),
    [
        ("unexpected status 401 Unauthorized: x", ErrorKind.AUTH, None),
        ("exceeded retry limit, last status: 429 Too Many Requests", ErrorKind.RATE_LIMITED, None),
        ("Rate limit reached for gpt. Please try again in 1.5s.", ErrorKind.RATE_LIMITED, 2),
        ("You've hit your usage limit. Try again in 2 hours 3 minutes.", ErrorKind.RATE_LIMITED, 7_380),
        ("We're currently experiencing high demand", ErrorKind.OVERLOADED, None),
        ("Missing environment variable: `OPENAI_API_KEY`.", ErrorKind.AUTH, None),
        ("unexpected status 400 Bad Request: context too long", ErrorKind.CRASHED, None),
        ("insufficient_quota", ErrorKind.BUDGET, None),
        ("unexpected status 503: the authentication service", ErrorKind.OVERLOADED, None),
        ("something new", ErrorKind.CRASHED, None),
    ],
)
def test_a_failed_turn_has_its_kind_and_its_wait(desk: Desk, message: str, kind: ErrorKind, wait: int | None) -> None:
    ran = desk.read("codex", [*CODEX[:3], {"type": "turn.failed", "error": {"message": message}}], code=1)
    assert (ran.failure, ran.problem, ran.retry_after) == (kind, message, wait)


def test_a_turn_of_codex_that_was_completed_after_all_has_not_failed(desk: Desk) -> None:
    failed = {"type": "turn.failed", "error": {"message": "status 503"}}
    assert desk.read("codex", [*CODEX[:3], failed, *CODEX[3:]]).failure is None


def test_a_command_that_codex_was_not_allowed_is_a_denial(desk: Desk) -> None:
    declined = {"type": "command_execution", "command": "curl x", "status": "declined"}
    ran = desk.read("codex", [*CODEX[:6], {"type": "item.completed", "item": declined}, *CODEX[6:]])
    assert ran.denials == ("shell curl x",)


# Its error on stderr: JSON amid other words, with the provider's own JSON inside of a string.
GEMINI_ERROR = (
    'noise\n{"session_id": "g", "error": {"code": 400, "message": "{\\"error\\":{\\"message\\":\\"bad\\"}}"}}\n'
)


@pytest.mark.parametrize(
    ("code", "stderr", "kind", "words"),
    [
        (144, GEMINI_ERROR, ErrorKind.CRASHED, "bad"),
        (41, "Invalid auth method selected.\n", ErrorKind.AUTH, "Invalid auth"),
        (53, "", ErrorKind.BUDGET, "its own cap on turns"),
        (55, "folder is not trusted\n", ErrorKind.DENIED, "--skip-trust"),
        (173, "quota\n", ErrorKind.RATE_LIMITED, "quota"),
        (247, "", ErrorKind.OVERLOADED, ""),
        (1, "Error: what\nat x\n", None, "Error: what"),
    ],
)
def test_gemini_fails_by_the_json_on_stderr_or_its_exit_code(
    desk: Desk, code: int, stderr: str, kind: ErrorKind | None, words: str
) -> None:
    for name in ("gemini", "gemini-stream"):
        ran = desk.read(name, b"", stderr, code=code)
        assert ran.failure is kind
        assert words in ran.problem
        assert isinstance(judge(ran, evidence=None, expects_answer=True, expects_change=False), Failed)


def test_gemini_tells_what_was_rejected_and_what_failed(desk: Desk) -> None:
    rejected = {"byName": {"write_file": {"decisions": {"reject": 1}}, "glob": {"decisions": {"reject": 0}}}}
    assert desk.read("gemini", [{**GEMINI, "stats": {"tools": rejected}}]).denials == ("write_file",)
    policy = {"type": "tool_result", "tool_id": "1", "status": "error", "error": {"type": "POLICY_VIOLATION"}}
    ran = desk.read("gemini-stream", [*GEMINI_STREAM[:4], policy, *GEMINI_STREAM[5:]])
    assert ran.denials == ("read_file a.py",)
    failed = {"type": "result", "status": "error", "error": {"type": "x", "message": "Resource exhausted (429)"}}
    assert desk.read("gemini-stream", [*GEMINI_STREAM[:2], failed]).failure is ErrorKind.RATE_LIMITED


def test_gemini_that_was_ended_with_exit_code_0_is_no_success(desk: Desk) -> None:
    assert verdict(desk.read("gemini-stream", GEMINI_STREAM[:3])) is ErrorKind.BAD_OUTPUT


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"name": "APIError", "data": {"message": "slow down", "statusCode": 429}}, ErrorKind.RATE_LIMITED),
        ({"name": "ProviderAuthError", "data": {"message": "who"}}, ErrorKind.AUTH),
        ({"name": "UnknownError", "data": {"message": "boom"}}, ErrorKind.CRASHED),
        ({}, ErrorKind.CRASHED),
    ],
)
def test_an_error_event_of_opencode_is_a_failure(desk: Desk, error: dict[str, object], kind: ErrorKind) -> None:
    ran = desk.read("opencode", [*OPENCODE, {"type": "error", "sessionID": "o1", "error": error}])
    assert ran.failure is kind
    assert ran.problem


def test_a_step_of_opencode_counts_once_and_a_cost_of_nothing_is_not_told(desk: Desk) -> None:
    assert desk.read("opencode", [*OPENCODE, OPENCODE[-1]]).cost == 3_000
    free = [{**event, "part": {**event["part"], "cost": 0}} for event in OPENCODE]
    ran = desk.read("opencode", free)
    assert (ran.cost, ran.cost_source) == (None, None)


def test_the_total_of_opencode_tells_whether_input_holds_the_cache(desk: Desk) -> None:
    inside = step("p", "stop", total=120, reasoning=0)
    assert desk.read("opencode", [inside]).tokens == Tokens(input=89, cache_read=10, cache_write=1, output=20)
    silent = step("p", "stop", total=None)
    assert desk.read("opencode", [silent]).tokens == Tokens(input=100, cache_read=10, cache_write=1, output=20)


def test_copilot_tells_denials_and_session_errors(desk: Desk) -> None:
    refused = {"toolCallId": "1", "success": False, "error": {"code": "denied", "message": "not now"}}
    events = [*COPILOT[:3], {"type": "tool.execution_complete", "data": refused}, *COPILOT[4:]]
    assert desk.read("copilot", events).denials == ("bash ls",)
    broken = {"toolCallId": "1", "success": False, "error": {"code": "failure", "message": "no such file"}}
    events = [*COPILOT[:3], {"type": "tool.execution_complete", "data": broken}, *COPILOT[4:]]
    assert desk.read("copilot", events).denials == ()
    error = {"type": "session.error", "data": {"message": "401 who", "statusCode": 401}}
    assert desk.read("copilot", [*COPILOT[:-1], error, COPILOT[-1]]).failure is ErrorKind.AUTH
    assert desk.read("copilot", [error, *COPILOT]).failure is None
    assert desk.read("copilot", [*COPILOT[:-1], {"type": "result", "exitCode": 3}]).failure is ErrorKind.CRASHED


def test_cursor_fails_without_json_and_with_an_error_in_it(desk: Desk) -> None:
    ran = desk.read("cursor", b"", "Error: Not logged in. Run cursor-agent login\n", code=1)
    assert ran.failure is ErrorKind.AUTH
    failed = {**CURSOR, "subtype": "error", "is_error": True, "result": "overloaded"}
    assert desk.read("cursor", [failed]).failure is ErrorKind.OVERLOADED
    assert desk.read("cursor", [{**CURSOR, "subtype": "error"}]).failure is ErrorKind.CRASHED


def test_goose_is_read_as_stream_as_document_and_as_text(desk: Desk) -> None:
    assert desk.read("goose", [GOOSE_JSON]).text == "done it"
    assert desk.read("goose", "starting session\n" + json.dumps(GOOSE_JSON, indent=2)).text == "done it"
    assert desk.read("goose", "starting session\ndone it\n").text == "starting session\ndone it"
    assert (
        desk.read("goose", [*GOOSE[:2], {"type": "error", "error": "Rate limit exceeded"}]).failure
        is ErrorKind.RATE_LIMITED
    )
    assert desk.read("goose", [{"type": "error", "error": "a hiccup"}, *GOOSE]).failure is None
    failed = {**GOOSE_JSON, "metadata": {"status": "failed"}}
    assert desk.read("goose", [failed]).failure is ErrorKind.CRASHED


def test_llm_and_ollama_tell_tokens_on_stderr(desk: Desk) -> None:
    usage = 'Token usage: 1,000 input, 200 output, {"prompt_tokens_details": {"cached_tokens": 400}}\n'
    assert desk.read("llm", "hi", usage).tokens == Tokens(input=600, cache_read=400, output=200)
    assert desk.read("llm", "hi", "Token usage: 5 input\n").tokens == Tokens(input=5)
    stats = "total duration: 1s\nprompt eval count:    26 token(s)\neval count:           298 token(s)\n"
    assert desk.read("ollama", "hi", stats).tokens == Tokens(input=26, output=298)


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("Error: Error code: 401 - {'error': {'message': 'Incorrect API key provided'}}\n", ErrorKind.AUTH),
        ("Error: Error code: 429 - slow down\n", ErrorKind.RATE_LIMITED),
        ("Error: No key found - add one using 'llm keys set openai'\n", ErrorKind.AUTH),
        ("Traceback (most recent call last):\nValueError: x\n", ErrorKind.CRASHED),
    ],
)
def test_llm_fails_by_its_exit_code_with_its_words(desk: Desk, stderr: str, kind: ErrorKind) -> None:
    assert verdict(desk.read("llm", "", stderr, code=1)) is kind


AIDER = "Aider v0.86\nRepo-map: using 1024 tokens\n\n"
REPLY = "Tokens: 12k sent, 1.5k cache write, 4k cache hit, 1.2k received. Cost: $0.02 message, $1.05 session.\n"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("litellm.AuthenticationError: AuthenticationError: who", ErrorKind.AUTH),
        (
            "litellm.RateLimitError: slow\nThe API provider has rate limited you. Try again later.",
            ErrorKind.RATE_LIMITED,
        ),
        ("litellm.InternalServerError: oh", ErrorKind.OVERLOADED),
        ("litellm.BadRequestError: no such thing", ErrorKind.CRASHED),
        ("litellm.APIConnectionError: nobody there", ErrorKind.CRASHED),
    ],
)
def test_aider_that_exits_0_after_a_failed_call_has_failed(desk: Desk, line: str, kind: ErrorKind) -> None:
    ran = desk.read("aider", f"{AIDER}{line}\n")
    assert verdict(ran) is kind
    assert desk.read("aider", f"{AIDER}{line}\nRetrying in 0.2 seconds...\nhere\n{REPLY}").failure is None


def test_aider_adds_up_its_replies(desk: Desk) -> None:
    ran = desk.read("aider", AIDER + REPLY + "Tokens: 772 sent, 2 received. Cost: $0.01 message, $1.06 session.\n")
    assert ran.tokens == Tokens(input=7_272, cache_read=4_000, cache_write=1_500, output=1_202)
    assert (ran.cost, ran.cost_source) == (1_060_000, CostSource.REPORTED)
    assert desk.read("aider", f"{AIDER}{REPLY}> litellm.AuthenticationError: quoted\n").failure is None


# --- the declarative reader ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointer", "finds"),
    [
        ("/a/b", "x"),
        ("/list/1/n", "y"),
        ("/a~1b", "slash"),
        ("/m~0n", "tilde"),
        ("/~01", "not a slash"),
        ("/", "empty key"),
        ("/list/01", ""),
        ("/list/-", ""),
        ("/list/9", ""),
        ("/a/b/c", ""),
        ("a/b", ""),
    ],
)
def test_a_pointer_finds_what_rfc_6901_says(desk: Desk, pointer: str, finds: str) -> None:
    document = {
        "a": {"b": "x"},
        "list": [{"n": "w"}, {"n": "y"}],
        "a/b": "slash",
        "m~n": "tilde",
        "~1": "not a slash",
        "": "empty key",
    }
    assert desk.read(Pointers(text=pointer), [document]).text == finds
    assert desk.read(Pointers(text=pointer, format=Shape.JSONL), [document]).text == finds


def test_in_json_lines_the_last_line_that_has_it_counts(desk: Desk) -> None:
    lines = [
        {"answer": {"text": "first"}, "session": "d1", "error": "hiccup"},
        {"answer": {"text": "done it"}, "cost": 0.1, "usage": {"in": 10, "out": 2}},
        {"answer": None, "cost": None, "error": None, "denied": [{"tool": "write", "args": {"path": "a.py"}}, "x"]},
    ]
    ran = desk.read(LINES, lines)
    assert (ran.text, ran.session_id, ran.cost, ran.failure) == ("done it", "d1", 100_000, None)
    assert ran.tokens == Tokens(input=10, output=2)
    assert ran.denials == ("write a.py", "x")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, None),
        (False, None),
        ("", None),
        ([], None),
        (0, ErrorKind.CRASHED),
        (True, ErrorKind.CRASHED),
        ("Error code: 429", ErrorKind.RATE_LIMITED),
        ({"message": "invalid api key"}, ErrorKind.AUTH),
        (["boom"], ErrorKind.CRASHED),
    ],
)
def test_a_declared_error_is_a_failure_where_it_is_something(desk: Desk, error: object, kind: ErrorKind | None) -> None:
    ran = desk.read(POINTERS, [{**DECLARED, "error": error}])
    assert ran.failure is kind
    assert bool(ran.problem) == (kind is not None)


def test_a_declared_error_message_is_told(desk: Desk) -> None:
    pointers = Pointers(text="/t", error="/failed", error_message="/why")
    ran = desk.read(pointers, [{"t": "x", "failed": True, "why": "it is overloaded"}])
    assert (ran.failure, ran.problem) == (ErrorKind.OVERLOADED, "it is overloaded")


def test_an_answer_that_is_not_where_the_stanza_says_is_bad_output_and_named(desk: Desk) -> None:
    ran = desk.read(POINTERS, [{"other": 1}])
    assert ran.failure is ErrorKind.BAD_OUTPUT
    assert "/answer/text" in ran.problem


@pytest.mark.parametrize(
    ("written", "micro"),
    [
        ("0.1", 100_000),
        ("0.05200000000000002", 52_000),
        ("0.0000005", 1),
        ("1e-30", 0),
        ('"0.25"', 250_000),
        ('"$1,234.5"', 1_234_500_000),
        ("3", 3_000_000),
        ("0", 0),
        ("-0.1", None),
        ("true", None),
        ('"free"', None),
        ("NaN", None),
        ("Infinity", None),
        ('"NaN"', None),
        ("1e400", None),
        ("99999999999999999999", None),
        ("[1]", None),
    ],
)
def test_money_is_exact_or_not_told(desk: Desk, written: str, micro: int | None) -> None:
    ran = desk.read(POINTERS, f'{{"answer": {{"text": "x"}}, "cost": {written}}}')
    assert ran.cost == micro
    assert ran.cost_source is (None if micro is None else CostSource.REPORTED)


# --- reading along ------------------------------------------------------------------------------------------------


EDITED = {"type": "item.completed", "item": {"type": "file_change", "changes": [{"path": "a"}, {"path": "b"}]}}


@pytest.mark.parametrize(
    ("name", "event", "seen"),
    [
        ("claude-stream-json", ASSISTANT, "I look\n[Bash] pytest -q\n"),
        ("claude-stream-json", INIT, ""),
        ("claude-stream-json", {**RESULT, "is_error": True, "result": "no"}, "[failed] no\n"),
        ("claude-json", RESULT, ""),
        ("codex", CODEX[4], "[shell] ls\n"),
        ("codex", CODEX[5], ""),
        ("codex", CODEX[6], "done it\n"),
        ("codex", EDITED, "[edit] a, b\n"),
        ("gemini", GEMINI, ""),
        ("gemini-stream", GEMINI_STREAM[1], ""),
        ("gemini-stream", GEMINI_STREAM[2], "done "),
        ("gemini-stream", GEMINI_STREAM[3], "[read_file] a.py\n"),
        ("opencode", OPENCODE[1], "I look\n"),
        ("opencode", OPENCODE[2], "[bash] ls\n"),
        ("copilot", COPILOT[2], "[bash] ls\n"),
        ("copilot", COPILOT[4], "done it\n"),
        ("goose", GOOSE[1], "done\n"),
        ("jsonl", DECLARED, "done it\n"),
        ("json", DECLARED, ""),
    ],
)
def test_one_line_shows_what_a_person_wants_to_see(name: str, event: object, seen: str) -> None:
    line = json.dumps(event).encode() + b"\n"
    shown = live_text(tool(OUTPUTS[name]), line)
    assert shown.replace("done \n", "done\n") == seen


@pytest.mark.parametrize("name", ["text", "llm", "aider", "ollama"])
def test_a_line_of_plain_text_is_shown_as_it_is(name: str) -> None:
    assert live_text(tool(name), b"\x1b[1mone\x1b[0m two\r\n") == "one two\n"
    assert live_text(tool(name), b"\n") == "\n"


# --- laws ---------------------------------------------------------------------------------------------------------

PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([json.dumps(event).encode() + b"\n" for events in GOOD.values() for event in events]),
)
WILD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@pytest.mark.parametrize("name", OUTPUTS)
@given(pieces=st.lists(PIECES, max_size=8), errors=st.text(max_size=200), code=st.sampled_from([0, 1, -9, None]))
@settings(max_examples=40)
def test_no_bytes_make_a_reader_raise(
    tmp_path_factory: pytest.TempPathFactory, name: str, pieces: list[bytes], errors: str, code: int | None
) -> None:
    desk = Desk(tmp_path_factory.getbasetemp())
    stderr = errors.encode(errors="replace").decode()
    for ending in (Ending.EXITED, Ending.TIMED_OUT):
        ran = desk.read(OUTPUTS[name], b"".join(pieces), stderr, code=code, ending=ending)
        ran.text.encode()
        assert (ran.ending, ran.exit_code) == (ending, code)
        assert (ran.cost is None) == (ran.cost_source is None)
    for piece in pieces:
        live_text(tool(OUTPUTS[name]), piece)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, list[object]]:
    """A good run in which some values, wherever they are, are something else."""
    name = draw(st.sampled_from(sorted(GOOD)))
    events = json.loads(json.dumps(GOOD[name]))
    for _ in range(draw(st.integers(1, 3))):
        spot = events
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(spot[key], dict | list) and draw(st.booleans()):
                spot = spot[key]
                continue
            spot[key] = draw(WILD)
            break
    return name, events


@given(run=damaged())
@example(run=("claude-json", [{**RESULT, "type": []}]))
@settings(max_examples=250)
def test_no_value_of_another_type_makes_a_reader_raise(
    tmp_path_factory: pytest.TempPathFactory, run: tuple[str, list[object]]
) -> None:
    name, events = run
    desk = Desk(tmp_path_factory.getbasetemp())
    ran = desk.read(OUTPUTS[name], events, previous=FIRST)
    assert isinstance(ran.text, str)
    assert all(isinstance(denial, str) for denial in ran.denials)
    if ran.tokens is not None:
        assert min(ran.tokens.input, ran.tokens.cache_read, ran.tokens.cache_write, ran.tokens.output) >= 0
    assert ran.cost is None or ran.cost >= 0
    for event in events:
        live_text(tool(OUTPUTS[name]), json.dumps(event).encode())
