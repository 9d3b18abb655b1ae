"""Every recorded run of a real tool goes through its reader and the judge, to the verdict that a person would give."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.adapters.readers import live_text, read_output
from orchestrator.core.judge import judge
from orchestrator.core.settings import Tool
from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Tokens
from orchestrator.core.verdict import Done, Ending, Outcome, Printed, Ran, Reported, Verdict
from orchestrator.core.workspace import Evidence

SHARED = Path(__file__).parents[2].parent / "shared" / "recordings"
FOLDERS = sorted(path.name for path in SHARED.iterdir() if path.is_dir()) if SHARED.is_dir() else []

DONE, NO_CHANGE = Outcome.DONE, Outcome.NO_CHANGE
ONE_CALL, TWO_CALLS = Tokens(input=1000, output=200), Tokens(input=2000, output=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A recording, and what a person who looks at it says.

    `wrote` is what git showed after it; None: its prompt asked for words alone. `ended` is how the supervisor saw it
    end, and `alone` the verdict where nobody had told the reader so.
    """

    reader: str
    means: Outcome | ErrorKind
    words: str = ""  # in the reason
    wrote: bool | None = None
    ended: Ending = Ending.EXITED
    alone: Outcome | ErrorKind | None = None
    text: str | None = None
    tokens: Tokens | None = None
    cost: int | None = None
    session: str = ""  # its first letters
    turns: int | None = None
    denials: tuple[str, ...] = ()
    after: tuple[str, ...] = ()  # recordings of the runs of the same session before this one


def claude(session: str, text: str = "", **kw: object) -> Row:
    """One answer of claude in words."""
    given = {"reader": "claude-json", "means": DONE, "tokens": ONE_CALL, "cost": 8_000, "turns": 1}
    return Row(**{**given, "session": session, "text": text, **kw})


def claude_tool(session: str, text: str = "stub-done: write", **kw: object) -> Row:
    """A tool call of claude and its answer."""
    given = {"tokens": TWO_CALLS, "cost": 16_000, "turns": 2}
    return claude(session, text, **{**given, **kw})


def denied(session: str, what: str) -> Row:
    """A tool call that claude was denied, with exit code 0 and subtype success."""
    return claude_tool(session, means=ErrorKind.DENIED, wrote=False, denials=(what,), words=what)


def refused(words: str, *, reader: str = "claude-json") -> Row:
    """A run that never began: nothing on stdout, the reason on stderr."""
    return Row(reader=reader, means=ErrorKind.CRASHED, words=words, text="")


def api_failure(kind: ErrorKind, session: str, words: str, *, reader: str = "claude-json") -> Row:
    """A failed call to the model: subtype success, is_error true."""
    return Row(reader=reader, means=kind, words=words, text="", tokens=Tokens(), cost=0, session=session, turns=1)


def ended(reader: str, ending: Ending, **kw: object) -> Row:
    """A run that was ended from outside."""
    means = ErrorKind.CANCELLED if ending is Ending.CANCELLED else ErrorKind.TIMEOUT
    given = {"means": means, "ended": ending, "alone": ErrorKind.CRASHED}
    return Row(reader=reader, **{**given, **kw})


def codex(text: str, session: str = "01a1fc8", **kw: object) -> Row:
    """A turn of codex."""
    given = {"means": DONE, "tokens": ONE_CALL}
    return Row(reader="codex", **{**given, "text": text, "session": session, **kw})


ROWS = {
    # aider exits 0 whatever happens to the call
    "aider_400": Row(reader="aider", means=ErrorKind.CRASHED, words="BadRequestError: OpenAIException - stub 400"),
    "aider_msg": Row(reader="aider", means=DONE, wrote=True, tokens=Tokens(input=1000, output=200)),
    "aider_msg_stream": Row(reader="aider", means=DONE, tokens=Tokens(input=772, output=2)),
    # claude: words alone
    "claude_json": claude("19e00cb5", "hello world"),
    "claude_json_2": claude("50b8da45", "one"),
    "claude_bare": claude("afdf0b8c", "bare"),
    "claude_nogit": claude("e0f18e90", "nogit"),
    "claude_sessid": claude("11111111-1111-4111-8111-111111111111", "s"),
    "claude_stream": claude("b979251a", "hello world", reader="claude-stream-json"),
    "claude_partial": claude("c24d4ccd", "hello world", reader="claude-stream-json"),
    "claude_text": Row(reader="text", means=DONE, text="hello world"),
    # claude: a resumed session's total holds the runs before
    "claude_resume": claude("19e00cb5", "second", after=("claude_json",)),
    "claude_resume_2": claude("50b8da45", "two", after=("claude_json_2",)),
    "claude_resume_fork": claude("7c430e50", "three", after=("claude_json", "claude_resume")),
    # claude: tool calls. Where its result says no denial, only git tells whether anything came of it
    "claude_auto": claude_tool("455bc830", wrote=True),
    "claude_write_accept": claude_tool("9cc815ca", wrote=True),
    "claude_write_accept_2": claude_tool("f3b348ac", wrote=True),
    "claude_root_skip_sandbox": claude_tool("d764ba86", wrote=True),
    "claude_bash_allowed": claude_tool("96fe9612", "stub-done: shell", wrote=True),
    "claude_shell_term_2": claude_tool("4566d61f", "stub-done: shell"),
    "claude_bash_denied": claude_tool("f1232b20", "stub-done: shell", wrote=False, means=NO_CHANGE),
    "claude_write_denied": claude_tool("7fafb1e3", wrote=False, means=NO_CHANGE),
    "claude_promptsnone": claude_tool("01b7a448", wrote=False, means=NO_CHANGE),
    "claude_write_denied_2": denied("d5b622f6", "Write /workspace/out.txt"),
    "claude_dontask": denied("674ad47e", "Write /workspace/out3.txt"),
    "claude_plan": denied("3fefdf03", "Write /workspace/out3.txt"),
    "claude_promptsnone_2": denied("aab615c5", "Write /workspace/out3.txt"),
    "claude_outside": denied("c30cfc22", "Write /elsewhere/outside.txt"),
    # claude: failures
    "claude_budget": Row(
        reader="claude-json",
        means=ErrorKind.BUDGET,
        words="its own cap on money: Reached maximum budget ($0.05)",
        tokens=Tokens(input=13_000, output=2_600),  # `usage` has one call less
        cost=52_000,
        session="2e4c459c",
        turns=13,
    ),
    "claude_http401": api_failure(ErrorKind.AUTH, "58618a12", "Failed to authenticate. API Error: 401"),
    "claude_http429": api_failure(ErrorKind.RATE_LIMITED, "9d414e1f", "(429)", reader="claude-stream-json"),
    "claude_http529fb": api_failure(ErrorKind.OVERLOADED, "0a4dd6df", "API Error: 529"),
    "claude_stream529": api_failure(ErrorKind.OVERLOADED, "d5422d68", "API Error: 529", reader="claude-stream-json"),
    "claude_http529_defaultretries": ended(
        "claude-stream-json",
        Ending.TIMED_OUT,
        means=ErrorKind.OVERLOADED,
        alone=ErrorKind.OVERLOADED,
        words="529 overloaded, still retrying (attempt 8)",
        session="d2bd77ca",
    ),
    "claude_badflag": refused("unknown option '--no-such-flag'"),
    "claude_noprompt": refused("Input must be provided"),
    "claude_resume_bad": refused("No conversation found"),
    "claude_resume_badid": refused("--resume requires a valid session ID"),
    "claude_root_skip": refused("cannot be used with root/sudo"),
    # claude: ended from outside
    "claude_shell_kill": ended("claude-json", Ending.CANCELLED, text=""),
    "claude_shell_term": ended("claude-json", Ending.CANCELLED, text=""),
    "claude_slow_term_json": ended("claude-json", Ending.CANCELLED, text=""),
    "claude_slow_int": ended(
        "claude-stream-json",
        Ending.CANCELLED,
        text="w0 w1 w2 w3 w4 w5 ",
        tokens=Tokens(input=1000, output=6),
        cost=4_120,
        session="133c73c5",
        turns=2,
    ),
    "claude_slow_timeout": ended(
        "claude-stream-json",
        Ending.TIMED_OUT,
        words="limit on time",
        text="w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 ",
        tokens=Tokens(input=1000, output=1),
        session="84aca67f",
    ),
    # codex
    "codex_json": codex("hello world", "01a1fc85-2d19"),
    "codex_cd": codex("cd"),
    "codex_cfgbase": codex("via-cfg"),
    "codex_noanalytics": codex("hi"),
    "codex_nogit_skip": codex("ng"),
    "codex_outlast": codex("last message"),
    "codex_text": Row(reader="text", means=DONE, text="hello world"),
    "codex_resume": codex("again", "01a1fc85-2d19", after=("codex_json",)),
    "codex_write_bypass": codex("stub-done: write", tokens=TWO_CALLS, wrote=True),
    "codex_write_full": codex("stub-done: write", tokens=TWO_CALLS, wrote=True),
    "codex_write_ww": codex("stub-done: write", tokens=TWO_CALLS, wrote=True),
    # its read-only sandbox denied the write and left no word of it
    "codex_write_ro": codex("stub-done: write", tokens=TWO_CALLS, wrote=False, means=NO_CHANGE),
    "codex_http401": codex("", means=ErrorKind.AUTH, tokens=None, words="401 Unauthorized"),
    "codex_http500": codex("", means=ErrorKind.OVERLOADED, tokens=None, words="high demand"),
    "codex_nokey": codex("", means=ErrorKind.AUTH, tokens=None, words="Missing environment variable: `STUB_KEY`"),
    "codex_badflag": refused("unexpected argument '--nope' found", reader="codex"),
    "codex_nogit": refused("Not inside a trusted directory", reader="codex"),
    "codex_noprompt": refused("No prompt provided", reader="codex"),
    "codex_envbase": ended("codex", Ending.TIMED_OUT, session="01a1fc86", words="failed to lookup address"),
    "codex_loop": ended("codex", Ending.TIMED_OUT, session="01a1fc86", words="limit on time"),
    "codex_shell_term": ended("codex", Ending.CANCELLED, session="01a1fc88"),
    "codex_slow_int": ended("codex", Ending.CANCELLED, session="01a1fc85"),
    # the others
    "copilot_400": Row(
        reader="copilot", means=ErrorKind.CRASHED, words="400 stub 400", session="ca1068cf", turns=1, text=""
    ),
    "gemini_400": Row(reader="gemini", means=ErrorKind.CRASHED, words="exit code 144): stub 400", text=""),
    # the answer was complete before the signal came
    "gemini_int": ended("gemini-stream", Ending.CANCELLED, alone=DONE, tokens=ONE_CALL, session="d10005b2"),
    "gemini_stream": Row(reader="gemini-stream", means=DONE, text="hello world", tokens=ONE_CALL, session="9fb0cab0"),
    # without an approval mode it has no tool that writes: exit code 0, and nothing done
    "gemini_write_default": Row(
        reader="gemini", means=NO_CHANGE, wrote=False, tokens=ONE_CALL, session="fbdb28da", turns=1
    ),
    "llm_prompt": Row(reader="llm", means=DONE, text="hello"),
    "llm_usage": Row(reader="llm", means=DONE, text="hello", tokens=ONE_CALL),
    "opencode_400": ended("opencode", Ending.TIMED_OUT, words="AI_APICallError: stub 400", text=""),
    "opencode_int": ended("opencode", Ending.CANCELLED, session="ses_e037264a", text=""),
    "opencode_json": Row(
        reader="opencode", means=DONE, text="hello world", tokens=ONE_CALL, cost=6_000, session="ses_e037703f", turns=1
    ),
    "opencode_json2": Row(
        reader="opencode", means=DONE, text="hello world", tokens=ONE_CALL, cost=6_000, session="ses_e0376f15", turns=1
    ),
    # it stops after the rejection, with exit code 0
    "opencode_outside": Row(
        reader="opencode",
        means=ErrorKind.DENIED,
        wrote=False,
        words="write /home/user/.cache/outside-oc.txt",
        text="",
        tokens=ONE_CALL,
        cost=6_000,
        session="ses_e0372254",
        turns=1,
        denials=("write /home/user/.cache/outside-oc.txt",),
    ),
    "opencode_shell": Row(
        reader="opencode",
        means=DONE,
        wrote=True,
        text="stub-done: shell",
        tokens=TWO_CALLS,
        cost=12_000,
        session="ses_e0372424",
        turns=2,
    ),
    "opencode_write": Row(
        reader="opencode",
        means=DONE,
        wrote=True,
        text="stub-done: write",
        tokens=TWO_CALLS,
        cost=12_000,
        session="ses_e0376de1",
        turns=2,
    ),
}

needs_recordings = pytest.mark.skipif(not FOLDERS, reason="the recordings lie beside the repository, and not here")


def read(name: str, ending: Ending, previous: Reported | None = None) -> Ran:
    """What the reader makes of a recording."""
    folder, row = SHARED / name, ROWS[name]
    if not folder.is_dir():
        pytest.skip(f"no recording {name} here")
    tool = Tool(name="recorded", binary="recorded", command=("recorded",), output=row.reader)
    code = int((folder / "exit_code").read_text())
    ran = Ran(ending=ending, exit_code=code, duration_ms=1_500)
    return read_output(tool, ran, Printed(stdout=str(folder / "stdout"), stderr=str(folder / "stderr")), previous)


def read_in_order(name: str, ending: Ending) -> Ran:
    """The same, after the runs of its session that came before."""
    previous = None
    for earlier in ROWS[name].after:
        previous = read(earlier, Ending.EXITED, previous).reported
        assert previous is not None
    return read(name, ending, previous)


def verdict(ran: Ran, row: Row) -> Verdict:
    evidence = None
    if row.wrote is not None:
        changed = ("out.txt",) if row.wrote else ()
        evidence = Evidence(
            branch="task/T-1", base="a", head="b", commits=len(changed), changed=changed, changed_count=len(changed)
        )
    return judge(ran, evidence=evidence, expects_answer=True, expects_change=row.wrote is not None)


def meaning(judged: Verdict) -> Outcome | ErrorKind:
    return judged.outcome if isinstance(judged, Done) else judged.kind


@needs_recordings
def test_every_recording_has_its_row() -> None:
    assert set(FOLDERS) == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_recording_has_the_verdict_that_a_person_would_give(name: str) -> None:
    row = ROWS[name]
    judged = verdict(read_in_order(name, row.ended), row)
    assert meaning(judged) is row.means, judged.why
    assert row.words in judged.why
    assert "\n" not in judged.why


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.alone is not None])
def test_a_run_that_was_ended_from_outside_is_told_by_its_reader_alone(name: str) -> None:
    row = ROWS[name]
    judged = verdict(read_in_order(name, Ending.EXITED), row)
    assert meaning(judged) is row.alone, judged.why


@pytest.mark.parametrize("name", ROWS)
def test_a_recording_tells_its_figures(name: str) -> None:
    row = ROWS[name]
    ran = read_in_order(name, row.ended)
    assert ran.tokens == row.tokens
    assert ran.cost == (None if row.cost is None else MicroUsd(row.cost))
    assert ran.cost_source is (None if row.cost is None else CostSource.REPORTED)
    assert ran.session_id.startswith(row.session)
    assert bool(ran.session_id) == bool(row.session)
    assert (ran.turns, ran.denials) == (row.turns, row.denials)
    if row.text is not None:
        assert ran.text == row.text


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.after])
def test_the_runs_of_a_session_add_up_to_what_it_reports_in_the_end(name: str) -> None:
    runs = [read_in_order(one, Ending.EXITED) for one in (*ROWS[name].after, name)]
    assert runs[-1].reported is not None
    assert runs[-1].reported.tokens.input == sum(run.tokens.input for run in runs if run.tokens is not None)
    if runs[-1].cost is not None:
        assert runs[-1].reported.cost == sum(run.cost or 0 for run in runs)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.ended is not Ending.EXITED])
def test_whoever_ended_it_explains_it_before_its_output_does(name: str) -> None:
    ran = read_in_order(name, Ending.EXITED)
    judged = verdict(replace(ran, ending=Ending.CANCELLED), ROWS[name])
    assert meaning(judged) is ErrorKind.CANCELLED


@pytest.mark.parametrize("name", ROWS)
def test_a_recording_can_be_read_along_as_plain_lines(name: str) -> None:
    row = ROWS[name]
    tool = Tool(name="recorded", binary="recorded", command=("recorded",), output=row.reader)
    file = SHARED / name / "stdout"
    if not file.is_file():
        pytest.skip(f"no recording {name} here")
    seen = [live_text(tool, line) for line in file.read_bytes().splitlines(keepends=True)]
    assert not any("\x1b" in text or '{"type"' in text for text in seen)
    if row.text and row.reader in {"claude-stream-json", "codex", "opencode", "gemini-stream"} and row.means is DONE:
        assert row.text in "".join(seen)
