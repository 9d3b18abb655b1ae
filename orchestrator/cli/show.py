"""`orchestrator show ID`: everything about one task."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import id_argument
from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.cli.status import PAINTS
from orchestrator.cli.words import clock, money, span
from orchestrator.errors import NotFoundError

if TYPE_CHECKING:
    from orchestrator.core.events import Event
    from orchestrator.core.history import InvocationState
    from orchestrator.core.reports import TaskReport

_LAST = 5  # events shown unless all are asked for
_LARGEST = 4 << 20  # bytes of a work log that are shown


@click.command(
    name="show",
    help=words("""
  orchestrator show 2026-03-02T0900-writer-fares-page
  orchestrator show 2026-03-02T0900 --events
  orchestrator show 2026-03-02T0900 --log

Everything about one task: where it stands and why, what ran, what happened. A unique beginning of its id will do.
"""),
)
@id_argument
@click.option("--events", is_flag=True, help="Every event, not only the last few.")
@click.option("--log", is_flag=True, help="Its work log: what was asked, what ran, and the answer.")
@json_option
@pass_call
def command(call: Call, task_id: str, events: bool, log: bool, as_json: bool) -> None:
    """Shows it."""
    work = call.workspace().work
    report = call.ask(lambda service: service.task(task_id))
    if log:
        _show_log(call, work, report, as_json)
    elif as_json:
        from orchestrator.core.reports import plain as as_plain

        call.out.envelope("show", as_plain(report))
    else:
        _draw(call, work, report, len(report.events) if events else _LAST)


def _show_log(call: Call, work: Path, report: "TaskReport", as_json: bool) -> None:
    if not report.logs:
        raise NotFoundError(f"{report.state.id} has no work log yet; see `orchestrator show {report.state.id}`")
    path = report.logs[-1]
    text = _read(work / path)
    if as_json:
        call.out.envelope("show-log", {"id": report.state.id, "path": path, "text": text})
        return
    for line in plain_lines(text):
        call.out.line(line)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror}; was it taken away?") from error


def _draw(call: Call, work: Path, report: "TaskReport", how_many: int) -> None:
    state, out = report.state, call.out
    status = "rejected" if state.rejected else state.status.value
    out.line(f"{out.paint(plain(state.id), Paint.STRONG)}  {out.paint(status, PAINTS.get(status))}")
    out.table([[name, value] for name, value in _facts(report) if value])
    if state.rejected and (reason := work / f"{report.path}.why.md").is_file():
        out.line()
        for line in plain_lines(_read(reason)):
            out.line(f"  {line}")
    if report.invocations:
        out.line(f"\n{out.paint('Runs', Paint.STRONG)}")
        out.table([_invocation(item) for item in report.invocations])
    if report.events:
        shown = report.events[-how_many:]
        title = "Events" if len(shown) == len(report.events) else f"Events (the last {len(shown)})"
        out.line(f"\n{out.paint(title, Paint.STRONG)}")
        out.table([_event(event) for event in shown])
    if next_step := _next(report):
        call.err.line(f"next: {next_step}")


def _facts(report: "TaskReport") -> list[tuple[str, str]]:
    state = report.state
    where = f"work/{report.path}" if report.path else "its file is not where it was; was it taken away?"
    known = "" if report.known or state.rejected else "no daemon has taken it up yet"
    return [
        ("title", state.title),
        ("agent", state.agent),
        ("priority", state.priority.value if report.known else ""),
        ("file", where),
        ("note", "frozen: it stays in the fridge until it is thawed" if state.frozen else known),
        ("why", state.why),
        ("verdict", state.verdict),
        ("tool", f"{state.tool} with {state.model}" if state.model else state.tool),
        ("attempts", str(state.attempts) if state.attempts > 1 else ""),
        ("cost", money(state.cost) if state.cost else ""),
        ("claimed", clock(state.claimed)),
        ("started", clock(state.started)),
        ("ended", clock(state.finished)),
        ("branch", _branch(report)),
        ("log", f"work/{report.logs[-1]}" if report.logs else ""),
        ("event file", f"work/{report.event_file}" if report.event_file else ""),
    ]


def _branch(report: "TaskReport") -> str:
    """The branch with its work, as its last end tells."""
    for event in reversed(report.events):
        result = event.details.get("result", event.details)
        if isinstance(result, dict) and event.event in {"task_completed", "task_error", "task_cancelled"}:
            return str(result.get("branch") or "")
    return ""


def _invocation(item: "InvocationState") -> list[str]:
    ended = "runs" if item.finished is None else item.error_kind or f"exit {item.exit_code}"
    took = span(item.duration_ms / 1000) if item.finished else ""
    return [str(item.attempt or 1), clock(item.started), item.tool, item.model, took, ended]


def _event(event: "Event") -> list[str]:
    return [clock(event.ts), event.event, event.why or event.reason or event.status]


def _next(report: "TaskReport") -> str:
    state = report.state
    if state.rejected:
        return f"mend work/{report.path} and move it to work/collaboration/inbox"
    if state.frozen:
        return f"orchestrator thaw {state.id}"
    if state.status.value in {"error", "cancelled", "blocked"}:
        return f"orchestrator retry {state.id}"
    if branch := _branch(report):
        return f"git diff HEAD...{branch}, or orchestrator show {state.id} --log"
    if report.logs:
        return f"orchestrator show {state.id} --log"
    return "" if report.known else "orchestrator daemon"
