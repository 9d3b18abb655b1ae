"""`orchestrator demo`: the whole thing, on a repository that is thrown away."""

import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.progress import ProgressLine
from orchestrator.cli.screen import Paint, plain
from orchestrator.cli.status import PAINTS, reason
from orchestrator.cli.words import count, span

if TYPE_CHECKING:
    from orchestrator.core.reports import TaskReport

_COMMITS_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One task at the end of the demo."""

    id: str
    agent: str
    outcome: str
    seconds: float  # of work
    note: str
    log: str
    expected: str


@click.command(
    name="demo",
    help=words("""
  orchestrator demo
  orchestrator demo --keep ~/orchestrator-demo

Watch it work: makes a throw-away repository of a small project, drops a dozen tasks into its inbox, does what can be
done with the embedded tool `brief`, and shows what came of each. It needs no network and no key.
"""),
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Make it there, in a new or empty folder.")
@click.option("--fast", is_flag=True, help="Do not wait to see whether somebody still writes the broken file.")
@json_option
@pass_call
def command(call: Call, keep: Path | None, fast: bool, as_json: bool) -> int:
    """Shows it."""
    from orchestrator.demo import repository
    from orchestrator.wiring import initialise, run_daemon

    call.stay()
    began = time.monotonic()
    folder = repository.make(keep)
    call.err.line(f"a throw-away repository: {folder}")
    inside = Call(root=folder, colour=call.colour)
    place = inside.place()
    initialise(place, mode="own", force=False)
    dropped = repository.drop(place.work / "collaboration" / "inbox", settled=fast)
    call.err.line(
        f"dropped {count(dropped, 'task')} into work/collaboration/inbox; the daemon runs until nothing is left"
    )
    shown = ProgressLine(call.err, pause=None if call.err.may_move else 0.5)
    try:
        run_daemon(place, until="idle", on_progress=shown.take)
    finally:
        shown.end()
    told = _told(inside)
    wrong = [f"{item.id} is {item.outcome}, not {item.expected}" for item in told if item.outcome != item.expected]
    wrong += _out_of_order(inside)
    if as_json:
        data = {"folder": str(folder), "seconds": round(time.monotonic() - began, 3), "unexpected": wrong}
        tasks = [{"id": item.id, "agent": item.agent, "outcome": item.outcome, "note": item.note} for item in told]
        call.out.envelope("demo", {**data, "tasks": tasks})
    else:
        _draw(call, inside, told, time.monotonic() - began)
    for line in wrong:
        call.err.line(f"orchestrator: not as expected: {line}")
    return 1 if wrong else 0


def _told(inside: Call) -> list[Told]:
    from orchestrator.demo.story import EXPECTED

    reasons = {item.path: reason(item) for item in inside.ask(lambda service: service.status(100)).attention}
    return [_one(_report(inside, task_id), expected, reasons) for task_id, expected in EXPECTED.items()]


def _report(inside: Call, task_id: str) -> "TaskReport":
    return inside.ask(lambda service: service.task(task_id))


def _one(report: "TaskReport", expected: str, reasons: dict[str, str]) -> Told:
    state = report.state
    rejected = state.rejected or report.path.startswith("collaboration/rejected/")
    waits = f"it waits for a person: orchestrator start {state.id}" if state.status == "assigned" else ""
    return Told(
        id=str(state.id),
        agent=state.agent,
        outcome="rejected" if rejected else state.status.value,
        seconds=sum(item.duration_ms for item in report.invocations) / 1000,
        note=reasons.get(report.path) or waits or _summary(report) or state.why,
        log=report.logs[-1] if report.logs else "",
        expected=expected,
    )


def _summary(report: "TaskReport") -> str:
    """What the tool said in the end."""
    results = [event.details.get("result") for event in report.events]
    found = [result.get("summary") for result in results if isinstance(result, dict)]
    return str(found[-1] or "") if found else ""


def _out_of_order(inside: Call) -> list[str]:
    """Whether the task that depends on another one began only when that one had ended."""
    from orchestrator.demo.story import FIRST, THEN

    first = _report(inside, FIRST).state
    then = _report(inside, THEN).state
    if first.finished and then.started and first.finished <= then.started:
        return []
    return [f"{THEN} did not wait for {FIRST}"]


def _draw(call: Call, inside: Call, told: list[Told], seconds: float) -> None:
    from orchestrator.wiring import trail_log

    out, place = call.out, inside.place()
    out.line(out.paint(f"What came of {count(len(told), 'task')}, in {span(seconds)}", Paint.STRONG))
    widest = max(len(item.id) for item in told)
    for item in told:
        took = span(item.seconds) if item.outcome == "done" else ""
        out.table([[item.outcome.ljust(8), item.id.ljust(widest), took]], paints=[PAINTS.get(item.outcome)])
        if item.outcome != item.expected or not took:
            out.wrapped(item.note, indent="            ")
    commits = trail_log(place, task_id="", limit=1000)
    title = f"The trail: the last {min(_COMMITS_SHOWN, len(commits))} of {count(len(commits), 'commit')}"
    out.line(f"\n{out.paint(title, Paint.STRONG)}")
    out.table(
        [[item.commit[:7], item.subject] for item in commits[:_COMMITS_SHOWN]], paints=[Paint.WARN] * len(commits)
    )
    done = [item for item in told if item.log]
    out.line(f"\n{out.paint('The briefs', Paint.STRONG)}")
    for folder in sorted({str(Path(item.log).parent) for item in done}):
        out.line(f"  {plain(str(place.work))}/{plain(folder)}/")
    for item in done[-1:]:
        out.wrapped(f"e.g. {item.note}", indent="  ", paint=Paint.FAINT)
    out.line(f"\n{out.paint('Look next', Paint.STRONG)}")
    root = shlex.quote(str(place.root))
    with_log = (done or told)[-1].id
    out.line(f"  {_ourselves()} --root {root} status")
    out.line(f"  {_ourselves()} --root {root} show {with_log} --log")
    out.line(f"  git -C {shlex.quote(str(place.work))} log --stat")


def _ourselves() -> str:
    """How to call this very program again."""
    on_path = shutil.which("orchestrator")
    if on_path and Path(on_path).resolve() == Path(sys.argv[0]).resolve():
        return "orchestrator"
    return f"{shlex.quote(sys.executable)} -m orchestrator"
