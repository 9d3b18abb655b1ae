"""What a run means."""

import pytest

from orchestrator.core.judge import judge
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import CheckResult, Done, Ending, Failed, Outcome, Ran, Verdict
from orchestrator.core.workspace import Evidence

WELL = Ran(ending=Ending.EXITED, exit_code=0, text="x", duration_ms=1500)
DENIED = Ran(ending=Ending.EXITED, exit_code=0, text="x", denials=("Write notes.md", "Bash rm -r x"))
UNCHANGED = Evidence(branch="task/T-1", base="a", head="a")
CHANGED = Evidence(branch="task/T-1", base="a", head="b", commits=2, changed=("a.py", "b.py", "c.py"), changed_count=3)
LACKING = Evidence(branch="task/T-1", base="a", head="b", commits=1, changed_count=1, missing=("docs/api.md",))
PARTLY = Evidence(branch="task/T-1", base="a", head="b", commits=1, changed_count=1, problems=("big.bin: 2 GiB",))
GOOD, BAD = CheckResult(name="unit", passed=True), CheckResult(name="lint", passed=False, why="exit code 1: 3 errors")


def look(ran: Ran, evidence: Evidence | None = None, **told: object) -> Verdict:
    given = {"expects_answer": True, "expects_change": evidence is not None}
    return judge(ran, evidence=evidence, **{**given, **told})


def meaning(verdict: Verdict) -> Outcome | ErrorKind:
    return verdict.outcome if isinstance(verdict, Done) else verdict.kind


ENDINGS = {
    "an answer and exit 0 is done": (WELL, Outcome.DONE, "well"),
    "no answer is bad output": (Ran(ending=Ending.EXITED, exit_code=0), ErrorKind.BAD_OUTPUT, "said nothing"),
    "blanks are no answer": (Ran(ending=Ending.EXITED, exit_code=0, text=" \n"), ErrorKind.BAD_OUTPUT, "said nothing"),
    "an exit code is a crash with the last words": (
        Ran(ending=Ending.EXITED, exit_code=3, text="x", errors="one\ntwo\n\n"),
        ErrorKind.CRASHED,
        "exit code 3: two",
    ),
    "what the tool itself says wins over its last words": (
        Ran(ending=Ending.EXITED, exit_code=3, errors="one\ntwo", problem="it is Monday"),
        ErrorKind.CRASHED,
        "exit code 3: it is Monday",
    ),
    "a signal is named": (Ran(ending=Ending.EXITED, exit_code=-11), ErrorKind.CRASHED, "SIGSEGV"),
    "an unnamed signal has its number": (Ran(ending=Ending.EXITED, exit_code=-250), ErrorKind.CRASHED, "signal 250"),
    "no exit code at all is a crash": (Ran(ending=Ending.EXITED), ErrorKind.CRASHED, "no exit code"),
    "the limit on time": (Ran(ending=Ending.TIMED_OUT, exit_code=-9, duration_ms=1500), ErrorKind.TIMEOUT, "1.5 s"),
    "the limit on time with what it was at": (
        Ran(ending=Ending.TIMED_OUT, exit_code=-9, problem="Reconnecting... 2/5"),
        ErrorKind.TIMEOUT,
        "Reconnecting... 2/5",
    ),
    "what the reader saw explains a timeout": (
        Ran(ending=Ending.TIMED_OUT, exit_code=-2, failure=ErrorKind.RATE_LIMITED),
        ErrorKind.RATE_LIMITED,
        "rate limited",
    ),
    "silence is a timeout": (Ran(ending=Ending.SILENT, exit_code=-2), ErrorKind.TIMEOUT, "printed nothing"),
    "what the reader saw explains silence": (
        Ran(ending=Ending.SILENT, exit_code=-2, failure=ErrorKind.OVERLOADED),
        ErrorKind.OVERLOADED,
        "overloaded",
    ),
    "a limit is a crash that names it": (
        Ran(ending=Ending.OVER_LIMIT, exit_code=-9, errors="noise\nmore than 4 GiB of memory"),
        ErrorKind.CRASHED,
        "over a limit: more than 4 GiB of memory",
    ),
    "too much output is bad output": (
        Ran(ending=Ending.OVER_LIMIT, failure=ErrorKind.BAD_OUTPUT, errors="more than 1 GiB of output"),
        ErrorKind.BAD_OUTPUT,
        "1 GiB of output",
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
    "an orphaned run is lost": (Ran(ending=Ending.ORPHANED, exit_code=-2), ErrorKind.LOST, "daemon died"),
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

WORK = {
    "a change is done, and counted": (look(WELL, CHANGED), Outcome.DONE, "changed 3 files in 2 commits on task/T-1"),
    "no change is no success of an editor": (look(WELL, UNCHANGED), Outcome.NO_CHANGE, "changed no file"),
    "no change is fine where none was wanted": (look(WELL, UNCHANGED, expects_change=False), Outcome.DONE, "well"),
    "an edit without git's look is unverified": (
        look(WELL, None, expects_change=True),
        Outcome.UNVERIFIED,
        "not looked at",
    ),
    "work speaks where words are missing": (
        look(Ran(ending=Ending.EXITED, exit_code=0), CHANGED),
        Outcome.DONE,
        "3 files",
    ),
    "neither work nor words is bad output": (
        look(Ran(ending=Ending.EXITED, exit_code=0), UNCHANGED),
        ErrorKind.BAD_OUTPUT,
        "said nothing",
    ),
    "work does not excuse a crash": (
        look(Ran(ending=Ending.EXITED, exit_code=1, text="x"), CHANGED),
        ErrorKind.CRASHED,
        "exit code 1",
    ),
    "a denial and no change is denied": (look(DENIED, UNCHANGED), ErrorKind.DENIED, "Write notes.md, Bash rm -r x"),
    "a denial that nobody looked behind is denied": (look(DENIED), ErrorKind.DENIED, "config/tools.yaml"),
    "a denial without an answer is a denial": (
        look(Ran(ending=Ending.EXITED, exit_code=0, denials=("Write x",)), UNCHANGED),
        ErrorKind.DENIED,
        "Write x",
    ),
    "a denial beside a change is unverified": (look(DENIED, CHANGED), Outcome.UNVERIFIED, "Write notes.md"),
    "a denial that was not needed is done, and told": (
        look(DENIED, CHANGED, artefacts=["a.py"]),
        Outcome.DONE,
        "denied Write notes.md",
    ),
    "a denial with an artefact missing is unverified": (
        look(DENIED, LACKING, artefacts=["docs/api.md"]),
        Outcome.UNVERIFIED,
        "denied",
    ),
    "declared artefacts do not make a change": (
        look(DENIED, UNCHANGED, artefacts=["a.py"]),
        ErrorKind.DENIED,
        "changed nothing",
    ),
    "a missing artefact is unverified": (look(WELL, LACKING), Outcome.UNVERIFIED, "docs/api.md"),
    "what could not be committed is unverified": (look(WELL, PARTLY), Outcome.UNVERIFIED, "big.bin: 2 GiB"),
    "a failed check fails the work, by name": (
        look(WELL, CHANGED, verify=["unit", "lint"], checks=[GOOD, BAD]),
        ErrorKind.VERIFY_FAILED,
        "lint (exit code 1: 3 errors)",
    ),
    "a failed check weighs more than a denial": (
        look(DENIED, CHANGED, verify=["lint"], checks=[BAD]),
        ErrorKind.VERIFY_FAILED,
        "lint",
    ),
    "checks that passed are told": (
        look(WELL, CHANGED, verify=["unit"], checks=[GOOD]),
        Outcome.DONE,
        "1 check passed",
    ),
    "checks that did not run leave it unverified": (
        look(WELL, CHANGED, verify=["unit"]),
        Outcome.UNVERIFIED,
        "were not run (unit)",
    ),
    "checks that passed make no change out of none": (
        look(WELL, UNCHANGED, verify=["unit"], checks=[GOOD]),
        Outcome.NO_CHANGE,
        "no file",
    ),
}


@pytest.mark.parametrize(("ran", "means", "words"), ENDINGS.values(), ids=ENDINGS)
def test_a_run_has_its_verdict_and_its_reason(ran: Ran, means: Outcome | ErrorKind, words: str) -> None:
    verdict = look(ran)
    assert meaning(verdict) is means
    assert words in verdict.why
    assert "\n" not in verdict.why


@pytest.mark.parametrize(("verdict", "means", "words"), WORK.values(), ids=WORK)
def test_what_git_and_the_checks_show_decides(verdict: Verdict, means: Outcome | ErrorKind, words: str) -> None:
    assert meaning(verdict) is means, verdict.why
    assert words in verdict.why
    assert "\n" not in verdict.why


def test_a_tool_with_nothing_to_say_is_done_without_an_answer() -> None:
    assert isinstance(look(Ran(ending=Ending.EXITED, exit_code=0), expects_answer=False), Done)


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("failure", [None, *ErrorKind])
@pytest.mark.parametrize("code", [None, 0, 1, -9])
def test_only_an_exit_with_0_and_no_failure_is_done(
    ending: Ending, failure: ErrorKind | None, code: int | None
) -> None:
    for evidence in (None, UNCHANGED, CHANGED, LACKING, PARTLY):
        verdict = look(Ran(ending=ending, exit_code=code, failure=failure, text="x"), evidence)
        assert isinstance(verdict, Done) == (ending is Ending.EXITED and code == 0 and failure is None)


@pytest.mark.parametrize("kind", ErrorKind)
def test_a_failure_that_the_reader_recognised_keeps_its_kind(kind: ErrorKind) -> None:
    verdict = look(Ran(ending=Ending.EXITED, exit_code=0, text="x", failure=kind, problem="so it says"), CHANGED)
    assert verdict == Failed(kind=kind, why=verdict.why)
    assert verdict.why.endswith("so it says")


def test_the_tools_words_in_a_reason_are_bounded() -> None:
    assert len(look(Ran(ending=Ending.EXITED, exit_code=1, errors="x" * 10_000)).why) < 400
    many = Ran(ending=Ending.EXITED, exit_code=0, denials=tuple(f"Write {n} {'y' * 500}" for n in range(9)))
    verdict = look(many)
    assert len(verdict.why) < 600
    assert "and 6 more" in verdict.why


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(40, "0.0 s"), (59_000, "59.0 s"), (192_000, "3 min 12 s"), (7_500_000, "2 h 5 min")]
)
def test_a_span_is_told_as_people_do(milliseconds: int, words: str) -> None:
    ran = Ran(ending=Ending.EXITED, exit_code=0, text="x", duration_ms=milliseconds)
    assert look(ran).why == f"it ended well in {words}"
