"""What a run means, once looked at: exit code 0 is not done. Pure; each verdict carries its reason in one sentence."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import CheckResult, Done, Ending, Failed, Outcome, Ran, Verdict
from orchestrator.core.workspace import Evidence

_LONGEST_WORDS = 300  # of the tool's own, in a reason
_NAMED = 3  # things named in a reason; the rest is counted


def judge(
    ran: Ran,
    *,
    evidence: Evidence | None,
    expects_answer: bool,
    expects_change: bool,
    verify: Sequence[str] = (),
    checks: Sequence[CheckResult] | None = None,
    artefacts: Sequence[str] = (),
) -> Verdict:
    """The verdict on a run that its reader has read.

    A person's cancel and the daemon's own stop explain everything else; then what the reader recognised (a rate limit
    explains a timeout); then how the process ended; then what git and the checks show; then what it said.

    Args:
        evidence: What git shows; None where nothing was looked at.
        expects_answer: Whether a tool of this kind has something to say: an empty answer is then no answer.
        expects_change: Whether the tool edits files, and had a workspace to do it in.
        verify: Names of the checks that the task asks for.
        checks: What those that ran said; None where none did.
        artefacts: The files that the task declares as its outcome; `evidence.missing` says which are not there.
    """
    match ran.ending:
        case Ending.CANCELLED:
            return Failed(kind=ErrorKind.CANCELLED, why="it was cancelled while it ran")
        case Ending.INTERRUPTED:
            return Failed(kind=ErrorKind.LOST, why="it was interrupted, because the daemon stopped before it ended")
        case Ending.ORPHANED:
            return Failed(kind=ErrorKind.LOST, why="it was ended, because its daemon died and none came back in time")
        case Ending.NOT_STARTED:
            return Failed(kind=ran.failure or ErrorKind.NO_TOOL, why=_said("it could not be started", ran.errors))
        case Ending.OVER_LIMIT:
            return Failed(kind=ran.failure or ErrorKind.CRASHED, why=_said("it went over a limit", ran.errors))
        case Ending.TIMED_OUT | Ending.SILENT if ran.failure is None:
            return Failed(kind=ErrorKind.TIMEOUT, why=_said(_out_of_time(ran), ran.problem))
        case Ending.TIMED_OUT | Ending.SILENT | Ending.EXITED:
            look = _Look(
                ran=ran,
                evidence=evidence,
                expects_answer=expects_answer,
                expects_change=expects_change,
                verify=tuple(verify),
                checks=checks,
                artefacts=tuple(artefacts),
            )
            return _failed(look) or _of_work(look)
        case _:
            assert_never(ran.ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """All that is known of a run that came to its own end."""

    ran: Ran
    evidence: Evidence | None
    expects_answer: bool
    expects_change: bool
    verify: tuple[str, ...]
    checks: Sequence[CheckResult] | None
    artefacts: tuple[str, ...]

    @property
    def has_changed(self) -> bool:
        """Whether git shows work."""
        return self.evidence is not None and (self.evidence.changed_count > 0 or self.evidence.commits > 0)

    @property
    def missing(self) -> tuple[str, ...]:
        """Declared artefacts that are not there."""
        return self.evidence.missing if self.evidence is not None else ()

    @property
    def is_as_declared(self) -> bool:
        """Whether artefacts were declared and every one is there: then what was denied was not needed."""
        return bool(self.artefacts) and self.evidence is not None and not self.evidence.missing


def _failed(look: _Look) -> Failed | None:
    ran = look.ran
    if ran.failure is not None:
        return Failed(kind=ran.failure, why=_said(f"it failed ({_words(ran.failure)}, {_exit(ran)})", _own(ran)))
    if ran.exit_code != 0:
        return Failed(kind=ErrorKind.CRASHED, why=_said(f"it failed with {_exit(ran)}", _own(ran)))
    if ran.denials and not look.has_changed:
        fix = "permit that in the command of its stanza in config/tools.yaml, or ask for what it may do"
        return Failed(kind=ErrorKind.DENIED, why=f"it was denied {_some(ran.denials)}, and changed nothing: {fix}")
    if look.expects_answer and not ran.text.strip() and not look.has_changed:
        return Failed(kind=ErrorKind.BAD_OUTPUT, why=_said("it exited 0 and said nothing", _own(ran)))
    if bad := [check for check in look.checks or () if not check.passed]:
        names = _some([f"{check.name} ({_short(check.why)})" if check.why else check.name for check in bad])
        return Failed(kind=ErrorKind.VERIFY_FAILED, why=f"it {_work(look)}, and these checks failed: {names}")
    return None


def _of_work(look: _Look) -> Done:
    ran, evidence = look.ran, look.evidence
    if ran.denials and not look.is_as_declared:
        why = f"it was denied {_some(ran.denials)}, and still {_work(look)}: look whether that is all of it"
        return Done(outcome=Outcome.UNVERIFIED, why=why)
    if unchecked := sorted(set(look.verify) - {check.name for check in look.checks or ()}):
        return _unverified(look, f"the checks it asks for were not run ({_some(unchecked)})")
    if look.missing:
        return _unverified(look, f"what the task declares is not there: {_some(look.missing)}")
    if evidence is not None and evidence.problems:
        return _unverified(look, f"not all could be committed: {_some(evidence.problems)}")
    if look.expects_change and evidence is None:
        return _unverified(look, "what it changed was not looked at")
    if look.expects_change and not look.has_changed:
        return Done(outcome=Outcome.NO_CHANGE, why=f"it ended well in {_span(ran)} and changed no file")
    denied = f"; it was denied {_some(ran.denials)}, and all that the task declares is there" if ran.denials else ""
    proved = f"; {_counted(len(look.checks), 'check')} passed" if look.checks else ""
    return Done(outcome=Outcome.DONE, why=f"it {_work(look)}{proved}{denied}")


def _unverified(look: _Look, but: str) -> Done:
    return Done(outcome=Outcome.UNVERIFIED, why=f"it {_work(look)}; {but}")


def _work(look: _Look) -> str:
    """What it did, as the end of a sentence about it."""
    ended = f"ended well in {_span(look.ran)}"
    evidence = look.evidence
    if evidence is None or not look.has_changed:
        return ended
    files = _counted(evidence.changed_count, "file")
    if not evidence.commits:
        return f"{ended} and changed {files}"
    commits = _counted(evidence.commits, "commit")
    branch = f" on {evidence.branch}" if evidence.branch else ""
    return f"{ended} and changed {files} in {commits}{branch}"


def _out_of_time(ran: Ran) -> str:
    if ran.ending is Ending.SILENT:
        return f"it printed nothing for longer than it may be silent, and was ended after {_span(ran)}"
    return f"it did not end within its limit on time ({_span(ran)})"


def _exit(ran: Ran) -> str:
    if ran.exit_code is None:
        return "no exit code"
    if ran.exit_code >= 0:
        return f"exit code {ran.exit_code}"
    try:
        return f"signal {signal.Signals(-ran.exit_code).name}"
    except ValueError:
        return f"signal {-ran.exit_code}"


def _own(ran: Ran) -> str:
    return ran.problem or ran.errors


def _said(what: str, words: str) -> str:
    """With the other program's own last words, where it left any."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return f"{what}: {lines[-1][:_LONGEST_WORDS]}" if lines else what


def _some(names: Sequence[str]) -> str:
    named = ", ".join(_short(name) for name in names[:_NAMED])
    return f"{named} and {len(names) - _NAMED} more" if len(names) > _NAMED else named


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_WORDS // _NAMED else f"{line[: _LONGEST_WORDS // _NAMED]}..."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _words(kind: ErrorKind) -> str:
    return kind.replace("_", " ")


def _span(ran: Ran) -> str:
    seconds = ran.duration_ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
