"""What a run means, once looked at: exit code 0 is not done. Pure; each verdict carries its reason in one sentence."""

import signal
from typing import assert_never

from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Done, Ending, Failed, Outcome, Ran, Verdict

_LONGEST_WORDS = 300  # of the tool's own, in a reason


def judge(ran: Ran, *, expects_answer: bool, verify_asked: bool) -> Verdict:
    """The verdict on a run that its reader has read.

    A person's cancel and the daemon's own stop explain everything else; then what the reader recognised (a rate limit
    explains a timeout); then how the process ended; then what it said.

    Args:
        expects_answer: Whether a tool of this kind has something to say: an empty answer is then no answer.
        verify_asked: Whether the task names checks. None has run here, so that its work stays unverified.
    """
    match ran.ending:
        case Ending.CANCELLED:
            return Failed(kind=ErrorKind.CANCELLED, why="it was cancelled while it ran")
        case Ending.INTERRUPTED:
            return Failed(kind=ErrorKind.LOST, why="it was interrupted, because the daemon stopped before it ended")
        case Ending.NOT_STARTED:
            return Failed(kind=ran.failure or ErrorKind.NO_TOOL, why=_said("it could not be started", ran.errors))
        case Ending.TIMED_OUT if ran.failure is None:
            return Failed(kind=ErrorKind.TIMEOUT, why=f"it did not end within its limit on time ({_span(ran)})")
        case Ending.TIMED_OUT | Ending.EXITED:
            return _of_ended(ran, expects_answer=expects_answer, verify_asked=verify_asked)
        case _:
            assert_never(ran.ending)


def _of_ended(ran: Ran, *, expects_answer: bool, verify_asked: bool) -> Verdict:
    if ran.failure is not None:
        return Failed(kind=ran.failure, why=_said(f"it failed ({_words(ran.failure)}, {_exit(ran)})", ran.errors))
    if ran.exit_code != 0:
        return Failed(kind=ErrorKind.CRASHED, why=_said(f"it failed with {_exit(ran)}", ran.errors))
    if expects_answer and not ran.text.strip():
        return Failed(kind=ErrorKind.BAD_OUTPUT, why=_said("it exited 0 and said nothing", ran.errors))
    if verify_asked:
        return Done(
            outcome=Outcome.UNVERIFIED, why=f"it ended well in {_span(ran)}; the checks it asks for were not run"
        )
    return Done(outcome=Outcome.DONE, why=f"it ended well in {_span(ran)}")


def _exit(ran: Ran) -> str:
    if ran.exit_code is None:
        return "no exit code"
    if ran.exit_code >= 0:
        return f"exit code {ran.exit_code}"
    try:
        return f"signal {signal.Signals(-ran.exit_code).name}"
    except ValueError:
        return f"signal {-ran.exit_code}"


def _said(what: str, errors: str) -> str:
    """With the other program's own last words, where it left any."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return f"{what}: {lines[-1][:_LONGEST_WORDS]}" if lines else what


def _words(kind: ErrorKind) -> str:
    return kind.replace("_", " ")


def _span(ran: Ran) -> str:
    seconds = ran.duration_ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
