"""What a run means."""

import pytest

from orchestrator.core.judge import judge
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Done, Ending, Failed, Outcome, Ran

TABLE = {
    "an answer and exit 0 is done": (Ran(ending=Ending.EXITED, exit_code=0, text="x"), Outcome.DONE, "well"),
    "no answer is bad output": (Ran(ending=Ending.EXITED, exit_code=0), ErrorKind.BAD_OUTPUT, "said nothing"),
    "blanks are no answer": (Ran(ending=Ending.EXITED, exit_code=0, text=" \n"), ErrorKind.BAD_OUTPUT, "said nothing"),
    "an exit code is a crash with the last words": (
        Ran(ending=Ending.EXITED, exit_code=3, text="x", errors="one\ntwo\n\n"),
        ErrorKind.CRASHED,
        "exit code 3: two",
    ),
    "a signal is named": (Ran(ending=Ending.EXITED, exit_code=-11), ErrorKind.CRASHED, "SIGSEGV"),
    "an unnamed signal has its number": (Ran(ending=Ending.EXITED, exit_code=-250), ErrorKind.CRASHED, "signal 250"),
    "no exit code at all is a crash": (Ran(ending=Ending.EXITED), ErrorKind.CRASHED, "no exit code"),
    "the limit on time": (Ran(ending=Ending.TIMED_OUT, exit_code=-9, duration_ms=1500), ErrorKind.TIMEOUT, "1.5 s"),
    "what the reader saw explains a timeout": (
        Ran(ending=Ending.TIMED_OUT, exit_code=-2, failure=ErrorKind.RATE_LIMITED),
        ErrorKind.RATE_LIMITED,
        "rate limited",
    ),
    "what the reader saw wins over exit 0": (
        Ran(ending=Ending.EXITED, exit_code=0, text="x", failure=ErrorKind.DENIED, errors="no right"),
        ErrorKind.DENIED,
        "no right",
    ),
    "a person's cancel wins over what the reader saw": (
        Ran(ending=Ending.CANCELLED, exit_code=0, text="x", failure=ErrorKind.AUTH),
        ErrorKind.CANCELLED,
        "cancelled",
    ),
    "an interrupted run is lost": (Ran(ending=Ending.INTERRUPTED, exit_code=-2), ErrorKind.LOST, "daemon stopped"),
    "what did not start has its own kind": (
        Ran(ending=Ending.NOT_STARTED, failure=ErrorKind.CRASHED, errors="x: too long"),
        ErrorKind.CRASHED,
        "x: too long",
    ),
    "what did not start is by default a missing tool": (
        Ran(ending=Ending.NOT_STARTED),
        ErrorKind.NO_TOOL,
        "could not be started",
    ),
}


@pytest.mark.parametrize(("ran", "means", "words"), TABLE.values(), ids=TABLE)
def test_a_run_has_its_verdict_and_its_reason(ran: Ran, means: Outcome | ErrorKind, words: str) -> None:
    verdict = judge(ran, expects_answer=True, verify_asked=False)
    match verdict:
        case Done():
            assert verdict.outcome is means
        case Failed():
            assert verdict.kind is means
    assert words in verdict.why
    assert "\n" not in verdict.why


def test_a_tool_with_nothing_to_say_is_done_without_an_answer() -> None:
    verdict = judge(Ran(ending=Ending.EXITED, exit_code=0), expects_answer=False, verify_asked=False)
    assert isinstance(verdict, Done)


def test_work_whose_checks_did_not_run_is_unverified() -> None:
    verdict = judge(Ran(ending=Ending.EXITED, exit_code=0, text="x"), expects_answer=True, verify_asked=True)
    assert verdict == Done(outcome=Outcome.UNVERIFIED, why=verdict.why)
    assert "checks" in verdict.why


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("failure", [None, *ErrorKind])
@pytest.mark.parametrize("code", [None, 0, 1, -9])
def test_only_an_exit_with_0_and_no_failure_is_done(
    ending: Ending, failure: ErrorKind | None, code: int | None
) -> None:
    verdict = judge(
        Ran(ending=ending, exit_code=code, failure=failure, text="x"), expects_answer=True, verify_asked=False
    )
    assert isinstance(verdict, Done) == (ending is Ending.EXITED and code == 0 and failure is None)


def test_the_tools_words_in_a_reason_are_bounded() -> None:
    verdict = judge(
        Ran(ending=Ending.EXITED, exit_code=1, errors="x" * 10_000), expects_answer=True, verify_asked=False
    )
    assert len(verdict.why) < 400


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(40, "0.0 s"), (59_000, "59.0 s"), (192_000, "3 min 12 s"), (7_500_000, "2 h 5 min")]
)
def test_a_span_is_told_as_people_do(milliseconds: int, words: str) -> None:
    ran = Ran(ending=Ending.EXITED, exit_code=0, text="x", duration_ms=milliseconds)
    assert judge(ran, expects_answer=True, verify_asked=False).why == f"it ended well in {words}"
