"""`orchestrator exec`: one task, now, and its answer on stdout."""

import os
import select
import signal
import stat
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.asking import can_ask
from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.exec_asking import has_agreed
from orchestrator.cli.exec_input import Given, gather
from orchestrator.cli.exec_output import Target, envelope
from orchestrator.cli.screen import Paint, plain
from orchestrator.cli.words import count, money, span
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.wiring import Executed

_READER_LEFT = 141
_TIMED_OUT = 124


@click.command(
    name="exec",
    help=words("""
  orchestrator exec --agent writer --prompt "Explain the winter fares"
  orchestrator exec --agent architect --prompt-file ask.md --context docs/fares.md --output plan.md
  git diff | orchestrator exec --agent reviewer --prompt "Review this change" --context -
  orchestrator exec --agent analyst --prompt "What fails?" | orchestrator exec --agent dev --prompt "Mend it" -

Have one task done now, and print its answer: the same path as any task, with its file, events and commits. A running
daemon does it; without one it is done here. Without --prompt and --prompt-file the prompt is read from stdin. Ctrl-C
cancels it. Where a limit on money is nearly reached with it, whoever sits at the terminal is asked first. Files that
follow are context too; - is stdin. An answer that an earlier task gave is known again, and the two are linked.
"""),
)
@click.argument("files", nargs=-1, metavar="[FILE|-]...", type=click.Path(allow_dash=True))
@click.option("--agent", required=True, metavar="NAME", help="Who is to do it.")
@click.option("--prompt", metavar="TEXT", help="What is asked.")
@click.option("--prompt-file", metavar="FILE", type=click.Path(allow_dash=True), help="A file that says what is asked.")
@click.option("--context", metavar="FILE", multiple=True, type=click.Path(allow_dash=True), help="To read with it.")
@click.option("--task-type", metavar="TYPE", help="Chooses the model that the agent has for it.")
@click.option("--output", metavar="FILE", type=click.Path(), help="Where the answer goes instead of stdout.")
@click.option("--tool", metavar="NAME", help="The tool to do it with, instead of the agent's preferred one.")
@click.option("--model", metavar="NAME", help="The model to do it with.")
@click.option("--yes", is_flag=True, help="Answer every question with yes.")
@click.option("--force", is_flag=True, help="Go over limits on money, with --justification. Recorded.")
@click.option("--justification", metavar="TEXT", help="Why; it is in the events and in the commit.")
@click.option("--stream/--no-stream", default=None, help="Show what is printed while it runs. Default: on a terminal.")
@json_option
@pass_call
def command(call: Call, /, stream: bool | None, as_json: bool, output: str | None, **given: Any) -> int:
    """Has it done."""
    if given["force"] and not (given["justification"] or "").strip():
        raise UsageError("--force wants a reason that is recorded: --justification TEXT")
    if given["prompt"] is not None and given["prompt_file"] is not None:
        raise UsageError("--prompt or --prompt-file, not both")
    target = Target(output) if output is not None else None
    if target is not None:
        target.check()
    place = call.workspace()
    asked = gather(_given(given), root=place.root, stdin=sys.stdin.buffer, is_terminal=sys.stdin.isatty())
    arguments = dict(asked.arguments)
    if given["yes"] or (not given["force"] and can_ask(call) and has_agreed(call, place, arguments)):
        arguments["confirmed"] = True
    from orchestrator.wiring import answered_by, execute
    from orchestrator.wiring.watching import Stop

    follows = answered_by(place, asked.digests)
    watching = Watching(
        call,
        agreed=bool(arguments.get("confirmed")) and not given["yes"],
        live=call.out.is_terminal if stream is None else stream,
        as_json=as_json,
    )
    stop = Stop()
    done = execute(place, {**arguments, "follows": follows}, watching, stop)
    return _tell(call, done, watching, stop.number, target, as_json=as_json) if not stop.reader_left else _READER_LEFT


def _given(given: Mapping[str, Any]) -> Given:
    return Given(
        prompt=given["prompt"],
        prompt_file=given["prompt_file"],
        context=(*given["context"], *given["files"]),
        words={name: given[name] for name in ("agent", "task_type", "tool", "model", "justification") if given[name]},
        forced=given["force"],
    )


class Watching:
    """What is shown while it runs. The answer alone goes to stdout; what comes live goes there on a terminal only."""

    def __init__(self, call: Call, *, live: bool, as_json: bool, agreed: bool = False) -> None:
        """`agreed`: the warnings were shown, and a person said yes."""
        self._call = call
        self._agreed = agreed
        self._live = live
        self._to = call.out if call.out.is_terminal and not as_json else call.err
        self._shown: list[str] = []
        self._is_pipe = _is_pipe(sys.stdout.fileno())

    @property
    def wants_live(self) -> bool:
        """Whether what is printed is wanted while it runs."""
        return self._live

    def begun(self, reply: Mapping[str, Any]) -> None:
        """Says what is about to run."""
        err = self._call.err
        if reply.get("unavailable"):
            err.line(f"Primary tool {plain(str(reply['unavailable']))} unavailable, trying fallback")
        for warning in () if self._agreed else reply.get("warnings") or ():
            err.wrapped(str(warning), indent="", paint=Paint.WARN)
        with_model = " ".join(str(reply[name]) for name in ("tool", "model") if reply.get(name))
        err.line(f"{plain(str(reply['id']))}: {plain(str(reply['agent']))} with {plain(with_model)}")
        err.line(f"  {plain(str(reply.get('why', '')))}")
        if reply.get("follows"):
            err.line(f"  goes on from {plain(', '.join(map(str, reply['follows'])))}")
        err.flush()

    def live(self, text: str) -> None:
        """Shows what was printed."""
        self._shown.append(text)
        self._to.piece(text)
        self._to.flush()

    def showed(self, answer: str) -> bool:
        """Whether the whole answer was shown on stdout already, as it came."""
        return self._to is self._call.out and "".join(self._shown).strip("\n") == answer.strip("\n")

    def is_gone(self) -> bool:
        """Whether whoever read our stdout went away: a pipe tells. Asked again and again while a tool runs."""
        self._call.stay()  # only now: a quick tool is never waited for, and what is loaded until here stays
        if not self._is_pipe:
            return False
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))

    def cancelling(self, presses: int) -> None:
        """Answers a signal. Short: it may come from within a handler."""
        if presses == 1:
            self._call.err.line("cancelling: the tool may end by itself; press again to end it at once")
        elif presses == 2:
            self._call.err.line("ending it at once")
        self._call.err.flush()


def _is_pipe(fd: int) -> bool:
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _tell(
    call: Call, done: "Executed", watching: Watching, signal_number: int, target: Target | None, *, as_json: bool
) -> int:
    text = done.ran.text if done.ran is not None else ""
    code = _exit_code(done, signal_number)
    if code == 0 and target is not None:
        code = target.write(call, text, done)
    if as_json:
        written = target.path if target is not None and code == 0 else ""
        call.out.envelope("exec", envelope(done, exit_code=code, output=written))
    elif done.status == "done" and target is None and not watching.showed(text):
        call.out.answer(text)
    _sum_up(call, done, target)
    return code


def _sum_up(call: Call, done: "Executed", target: Target | None) -> None:
    call.out.flush()
    err, ran = call.err, done.ran
    good = done.status == "done" and done.verdict == "done"
    parts = [err.paint(plain(done.verdict), Paint.GOOD if good else Paint.WARN if done.status == "done" else Paint.BAD)]
    if ran is not None:
        parts.append(span(ran.duration_ms / 1000))
        if ran.cost is not None:
            parts.append(money(ran.cost) + ("" if ran.cost_source in {None, "reported"} else f" ({ran.cost_source})"))
        if ran.tokens is not None:
            into = ran.tokens.input + ran.tokens.cache_read + ran.tokens.cache_write
            parts.append(f"{count(into, 'token')} in, {ran.tokens.output} out")
    parts += [f"branch {plain(done.branch)}"] if done.branch else []
    parts += [f"answer in {plain(target.path)}"] if target is not None and target.written else []
    err.line(", ".join(parts))
    if not good:
        err.wrapped(done.why, indent="  ")
        if (last := _last_words(done)) and last not in done.why:  # withheld from the record, and no secret here
            err.wrapped(last, indent="  ")
    if ran is not None and ran.truncated and done.printed is not None:
        err.line(f"  the middle of a long answer was left out; what is kept lies in {plain(done.printed.stdout)}")
    for place in (done.path, done.log):
        if place:
            err.line(f"  work/{plain(place)}")
    if done.warning:
        err.line(f"orchestrator: {plain(done.warning)}")


def _last_words(done: "Executed") -> str:
    """The last line that the tool itself left of what went wrong."""
    words = done.ran.problem or done.ran.errors if done.ran is not None else ""
    return next((line.strip()[:300] for line in reversed(words.splitlines()) if line.strip()), "")


def _exit_code(done: "Executed", signal_number: int) -> int:
    if done.status == "done":
        return 0
    if done.status == "cancelled" and signal_number:
        return 128 + int(signal.Signals(signal_number))
    return _TIMED_OUT if done.verdict == "timeout" else 1
