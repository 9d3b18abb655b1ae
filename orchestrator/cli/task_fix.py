"""`orchestrator task fix`."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.cli.words import count
from orchestrator.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.wiring import Place
    from orchestrator.wiring.mending import Looked


@click.command(
    name="fix",
    help=words("""
  orchestrator task fix fares-page.yaml
  orchestrator task fix --check tasks/*.yaml
  orchestrator task fix --yes work/collaboration/rejected/fares-page.yaml

Mend task files where the meaning is certain: older spellings, text that needs quotes, tabs, a missing `---` above the
Markdown body, odd characters. The change is shown first. What already was a task is the same task afterwards; what
cannot be mended is left as it is, with the reason. Exit code 1: a file is no task, or a change was not written.
"""),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--check", is_flag=True, help="Only say what would change.")
@json_option
@pass_call
def command(call: Call, *, files: tuple[str, ...], yes: bool, check: bool, as_json: bool) -> int:
    """Mends them."""
    if yes and check:
        raise UsageError("--check writes nothing; leave out --yes, or leave out --check")
    from orchestrator.wiring.mending import look

    found = look(_place(call), files)
    changed = [one for one in found if one.is_changed]
    if not as_json:
        for one in found:
            _show(call, one)
    wanted = yes or (not check and not as_json and _asked(call, len(changed)))
    if wanted:
        for one in changed:
            one.write()
    if as_json:
        call.out.envelope("task-fix", {"files": [_told(one, written=wanted and one.is_changed) for one in found]})
    else:
        _sum_up(call, found, changed, written=wanted)
    is_good = all(one.is_task for one in found) and (wanted or not changed)
    return 0 if is_good and not any(one.taken and one.mended.raw != one.before for one in found) else 1


def _place(call: Call) -> "Place | None":
    """The workspace; None outside of one, where a file can be mended just as well."""
    try:
        return call.place()
    except NotFoundError:
        return None


def _asked(call: Call, number: int) -> bool:
    from orchestrator.cli.asking import agrees, can_ask

    call.out.flush()
    return bool(number) and can_ask(call) and agrees(call, f"Write {count(number, 'file')}?")


def _show(call: Call, one: "Looked") -> None:
    from orchestrator.cli.diff import show_diff
    from orchestrator.core.problem import render

    for problem in one.mended.left:
        for line in plain_lines(render(problem)):
            call.out.line(line)
    if one.taken and one.mended.raw != one.before:
        call.err.wrapped(f"{one.shown}: {one.taken}", indent="", paint=Paint.WARN)
    if not one.is_changed:
        return
    before, after = (raw.decode("utf-8", "backslashreplace") for raw in (one.before, one.mended.raw))
    show_diff(call.out, one.shown, before, after)
    for repair in one.mended.repairs:
        where = f"{one.shown}:{repair.line}" if repair.line else one.shown
        call.err.line(plain(f"{where}: {repair.what}"))


def _sum_up(call: Call, found: "Sequence[Looked]", changed: "Sequence[Looked]", *, written: bool) -> None:
    bad = [one for one in found if not one.is_task]
    if written and changed:
        call.out.line(call.out.paint(f"wrote {count(len(changed), 'file')}", Paint.GOOD))
    elif not changed and not bad:
        call.out.line(call.out.paint(f"nothing to mend in {count(len(found), 'file')}", Paint.GOOD))
    if bad:
        call.err.line(f"{count(len(bad), 'file')} cannot be mended without knowing what was meant")
    if changed and not written:
        names = " ".join(plain(one.shown) for one in changed)
        call.err.line(f"nothing was written; to write it: orchestrator task fix --yes {names}")
    for one in found:
        if one.rejected and one.is_task and (written or not one.is_changed):
            call.err.line(f"next: orchestrator submit {plain(one.shown)}")


def _told(one: "Looked", *, written: bool) -> dict[str, object]:
    return {
        "file": one.shown,
        "is_task": one.is_task,
        "changed": one.is_changed,
        "written": written,
        "repairs": [{"line": repair.line, "what": repair.what} for repair in one.mended.repairs],
        "problems": [
            {"line": problem.line, "column": problem.column, "message": problem.message, "hint": problem.hint}
            for problem in one.mended.left
        ],
        "taken": one.taken,
    }
