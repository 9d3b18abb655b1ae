"""`orchestrator task validate`: every problem of task files, wherever they lie, before anybody runs them."""

import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.cli.words import count
from orchestrator.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from orchestrator.core.problem import Problem
    from orchestrator.wiring import Place
    from orchestrator.wiring.vetting import Checked

_STDIN = "-"
_TITLE = "orchestrator task"


@click.command(
    name="validate",
    help=words("""
  orchestrator task validate fares-page.yaml
  orchestrator task validate tasks/ work/collaboration/
  orchestrator task validate --github tasks/*.yaml
  git show HEAD:tasks/fares-page.yaml | orchestrator task validate -

Check task files: what they say, that id and name agree, and no id is there twice; inside a workspace also that the
agent, checks, tool and model are known, and that status and agent agree with the folder. Folders are searched for
*.yaml and *.yml. Every problem is shown with its line; nothing is written. Exit code 1 where there is one.
"""),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|-...", type=click.Path(allow_dash=True))
@click.option("--name", metavar="ID", help="With -: what the file would be called.")
@click.option("--github", is_flag=True, help="Print annotations, as a workflow on GitHub shows them beside the line.")
@json_option
@pass_call
def command(call: Call, files: tuple[str, ...], name: str | None, github: bool, as_json: bool) -> int:
    """Checks them; 1 where one has a problem."""
    if github and as_json:
        raise UsageError("--json or --github, not both")
    if files.count(_STDIN) > 1:
        raise UsageError("- can be read only once")
    if name and _STDIN not in files:
        raise UsageError("--name says what stdin would be called; a file has its own name")
    from orchestrator.wiring.vetting import LARGEST, check

    stdin = sys.stdin.buffer.read(LARGEST + 1) if _STDIN in files else b""
    found = check(_place(call), files, stdin=stdin, stdin_name=name or "")
    if as_json:
        _envelope(call, found)
    elif github:
        _annotate(call, found)
    else:
        _draw(call, found)
    return 0 if found.is_good else 1


def _place(call: Call) -> "Place | None":
    try:
        return call.place()
    except NotFoundError:
        return None


def _envelope(call: Call, found: "Checked") -> None:
    from orchestrator.core.reports import plain as as_plain

    data = {"good": found.is_good, "files": found.files, "bad": found.bad, "left_out": found.left_out}
    lists = {"problems": as_plain(found.problems), "remarks": as_plain(found.remarks)}
    call.out.envelope("task-validate", data | lists)


def _annotate(call: Call, found: "Checked") -> None:
    from orchestrator.cli.annotations import annotation

    for problem in found.problems:
        call.out.line(plain(annotation(problem, title=_TITLE)))
    for remark in found.remarks:
        call.out.line(plain(annotation(remark, title=_TITLE, warning=True)))
    _sum_up(call, found)


def _draw(call: Call, found: "Checked") -> None:
    for problem in found.problems:
        show_problem(call, problem)
    for remark in found.remarks:
        show_problem(call, remark, warning=True)
    _sum_up(call, found)


def show_problem(call: Call, problem: "Problem", *, warning: bool = False) -> None:
    """A finding with its line and a caret; a warning says so."""
    from orchestrator.core.problem import render

    head, *below = plain_lines(render(problem))
    if warning:
        head = f"warning: {head}"
    call.out.line(call.out.paint(head, Paint.WARN if warning else Paint.BAD))
    for line in below:
        call.out.line(line)


def _sum_up(call: Call, found: "Checked") -> None:
    if found.left_out:
        call.err.wrapped(f"agents, checks, tools, models: not looked at: {found.left_out}", indent="", paint=Paint.WARN)
    if not found.is_good:
        where = f"{found.bad} of {count(found.files, 'task file')}" if found.files > 1 else "the file"
        call.err.line(f"{count(len(found.problems), 'problem')} in {where}")
        if first := next((one.path for one in found.problems if one.path != "<stdin>"), ""):
            call.err.line(
                f"next: mend it in an editor; or see what can be mended safely: orchestrator task fix {plain(first)}"
            )
    elif not found.files:
        call.err.line("no task files there: *.yaml and *.yml are looked for")
    else:
        good = "1 task file is good" if found.files == 1 else f"{found.files:,} task files are good"
        call.out.line(call.out.paint(good, Paint.GOOD))
