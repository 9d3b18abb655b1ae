"""`orchestrator doctor`: whether this machine and this workspace have all that an agent needs."""

from collections import Counter
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, Screen, plain
from orchestrator.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.core.finding import Finding
    from orchestrator.wiring import Place

_PAINTS = {"ok": Paint.GOOD, "warning": Paint.WARN, "failed": Paint.BAD, "not applicable": Paint.FAINT}
_SHORT = {"not applicable": "n/a"}  # in a table; elsewhere the words


@click.command(
    name="doctor",
    help=words("""
  orchestrator doctor
  orchestrator doctor claude codex
  orchestrator doctor --conformance claude
  orchestrator doctor --json

Examine git, the disks, the system, the workspace, and each tool: what is well, what is not, and what to do. It changes
nothing, and shows of credentials only whether they are there. Exit code 1: something that an agent needs has failed.
"""),
)
@click.argument("tools", nargs=-1, metavar="[TOOL]...")
@click.option(
    "--conformance",
    is_flag=True,
    help="Run each installed tool against a model API of ours on this machine, and say where it departs from what its "
    "reader expects. Takes seconds for each, and costs nothing.",
)
@json_option
@pass_call
def command(call: Call, tools: tuple[str, ...], conformance: bool, as_json: bool) -> int:
    """Examines it all; 1 where something failed."""
    from orchestrator.core.finding import is_well
    from orchestrator.wiring.examining import examine

    call.stay()
    place, why = _place(call)
    examined = examine(place, tools, why_no_place=why)
    findings = list(examined.findings)
    if conformance and examined.left_out:
        raise NotFoundError(f"no tool can be examined: {examined.left_out}")
    if conformance and place is not None:
        findings += _conformance(call, place, tools)
    if as_json:
        from orchestrator.core.reports import plain as as_plain

        marks = Counter(finding.mark.value for finding in findings)
        data = {"well": is_well(findings), "left_out": examined.left_out, "marks": marks}
        call.out.envelope("doctor", data | {"findings": [as_plain(finding) for finding in findings]})
    elif call.out.is_terminal:
        _draw(call.out, findings)
        _sum_up(call.out, findings, examined.left_out)
    else:
        _list(call.out, findings)
        _sum_up(call.out, findings, examined.left_out)
    return 0 if is_well(findings) else 1


def _place(call: Call) -> "tuple[Place | None, str]":
    try:
        return call.place(), ""
    except NotFoundError as error:
        return None, str(error)


def _conformance(call: Call, place: "Place", tools: "Sequence[str]") -> "list[Finding]":
    """What comes of it; meanwhile stderr tells how far it is."""
    from orchestrator.wiring.conforming import conform

    err = call.err
    findings = list(conform(place, tools, err.again if err.may_move else lambda text: err.line(plain(text))))
    if err.may_move:
        err.again("")
    return findings


def _draw(out: Screen, findings: "Sequence[Finding]") -> None:
    """A table for each topic; what does not fit or needs somebody stands below its line, whole."""
    widest = max(len(plain(finding.what)) for finding in findings)
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            out.line(out.paint(topic, Paint.STRONG))
        mark = _SHORT.get(finding.mark.value, finding.mark.value)
        head = f"  {out.paint(mark.ljust(7), _PAINTS[finding.mark.value])}  {plain(finding.what).ljust(widest)}"
        room = out.width - widest - 13
        found = plain(finding.found)
        out.line(f"{head}  {found}" if len(found) <= room else head.rstrip())
        if len(found) > room:
            out.wrapped(finding.found, indent=" " * 11)
        if finding.todo:
            out.wrapped(f"do: {finding.todo}", indent=" " * 11, paint=Paint.FAINT)


def _list(out: Screen, findings: "Sequence[Finding]") -> None:
    """A line for each."""
    for finding in findings:
        todo = f"; do: {finding.todo}" if finding.todo else ""
        out.line(plain(f"{finding.mark}: {finding.topic}: {finding.what}: {finding.found}{todo}"))


def _sum_up(out: Screen, findings: "Sequence[Finding]", left_out: str) -> None:
    marks = Counter(finding.mark.value for finding in findings)
    if left_out:
        out.line(f"left out: workspace, configuration, tools and agents: {plain(left_out)}")
    shown = [f"{marks[mark]} {mark}" for mark in ("failed", "warning", "ok") if marks[mark]]
    out.line(", ".join(shown))
