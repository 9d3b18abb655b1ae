"""`orchestrator workspace list | open | clean`."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import id_argument, whole_id
from orchestrator.cli.completion import task_ids
from orchestrator.cli.screen import plain
from orchestrator.cli.status import PAINTS
from orchestrator.cli.words import count
from orchestrator.errors import BusyError, NotFoundError

if TYPE_CHECKING:
    from orchestrator.wiring.workspaces import Kept

_FINISHED = frozenset({"done", "error", "cancelled"})  # no tool works on them: what is committed needs no worktree


@click.group(
    name="workspace",
    help=words("""
  orchestrator workspace list
  cd "$(orchestrator workspace open 2026-03-02T0900)"
  orchestrator workspace clean

The worktrees of tasks. A tool works in one of its own, on the branch task/ID; it is removed once its work is committed.
"""),
)
def command() -> None:
    """The group."""


@command.command(
    name="list",
    short_help="Every task's branch and worktree.",
    help=words("""
  orchestrator workspace list
  orchestrator workspace list --json

Each task's branch and worktree: where it lies, how many commits it has, and what in it is not committed.
"""),
)
@json_option
@pass_call
def list_all(call: Call, as_json: bool) -> None:
    """Lists them."""
    from orchestrator.wiring.workspaces import list_worktrees

    rows = [(one, _status(call, one.task_id)) for one in list_worktrees(call.workspace())]
    if as_json:
        call.out.envelope("workspace-list", {"workspaces": [_plain(one, status) for one, status in rows]})
        return
    call.out.table(
        [
            [one.task_id, status, one.branch, count(one.commits, "commit"), one.left or one.path or "removed"]
            for one, status in rows
        ],
        paints=[PAINTS.get(status) for _, status in rows],
    )
    if not rows:
        call.err.line("no task has a branch or a worktree")
    elif any(one.left and status in _FINISHED for one, status in rows):
        call.err.line("next: look at what is not committed, then: orchestrator workspace clean")


@command.command(
    name="open",
    short_help="Print the folder of a task's worktree.",
    help=words("""
  cd "$(orchestrator workspace open 2026-03-02T0900)"

Print the folder of a task's worktree. One that was removed is made again from its branch.
"""),
)
@id_argument
@json_option
@pass_call
def open_one(call: Call, task_id: str, as_json: bool) -> None:
    """Prints where it is."""
    from orchestrator.wiring.workspaces import reopen_worktree

    whole = _whole(call, task_id)
    path = reopen_worktree(call.workspace(), whole)
    if as_json:
        call.out.envelope("workspace-open", {"id": whole, "path": str(path), "branch": f"task/{whole}"})
    else:
        call.out.line(str(path))


@command.command(
    name="clean",
    short_help="Remove the worktrees of finished tasks.",
    help=words("""
  orchestrator workspace clean
  orchestrator workspace clean --dry-run
  orchestrator workspace clean --force 2026-03-02T0900-writer-fares-page

Remove the worktrees of finished tasks. Branches with commits stay. What is not committed is kept and named, unless its
task is named with --force: then it is lost.
"""),
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option(
    "--force",
    "forced",
    metavar="ID",
    multiple=True,
    shell_complete=task_ids,
    help="Remove this one with all that is not committed in it.",
)
@json_option
@pass_call
def clean(call: Call, dry_run: bool, forced: tuple[str, ...], as_json: bool) -> None:
    """Removes them."""
    from orchestrator.wiring.workspaces import list_worktrees, remove_worktree, sweep_worktrees

    place = call.workspace()
    found = {one.task_id: one for one in list_worktrees(place) if one.path}
    named = {_forced(call, written, set(found)) for written in forced}
    removed: list[dict[str, str]] = []
    kept: list[dict[str, str]] = []
    for one in found.values():
        is_forced = one.task_id in named
        if _status(call, one.task_id) not in _FINISHED or (named and not is_forced):
            continue
        why = "" if is_forced else one.left
        if not dry_run:
            why = remove_worktree(place, one.task_id, one.path, force=is_forced)
        (kept if why else removed).append({"id": one.task_id, "path": one.path, **({"why": why} if why else {})})
    if not dry_run:
        sweep_worktrees(place)
    if as_json:
        call.out.envelope("workspace-clean", {"removed": removed, "kept": kept, "dry_run": dry_run})
        return
    for gone in removed:
        call.out.line(f"{'would remove' if dry_run else 'removed'} {plain(gone['path'])}")
    for left in kept:
        call.err.line(f"kept {plain(left['id'])}: {plain(left['why'])}")
    if not removed and not kept:
        call.err.line("no finished task has a worktree")


def _forced(call: Call, written: str, known: "set[str]") -> str:
    """The id. Raises where it has no worktree, or a tool may be at work in it."""
    whole = _whole(call, written)
    if whole not in known:
        raise NotFoundError(f"{whole} has no worktree; see `orchestrator workspace list`")
    if (status := _status(call, whole)) not in _FINISHED:
        raise BusyError(f"{whole} is {status}; finish or cancel it first: orchestrator cancel {whole}")
    return whole


def _whole(call: Call, written: str) -> str:
    """The id that begins so; as it is written where only its branch is known."""
    from orchestrator.wiring.workspaces import list_worktrees

    try:
        return whole_id(call, written)
    except NotFoundError:
        near = [one.task_id for one in list_worktrees(call.workspace()) if one.task_id.startswith(written)]
        if written in near or len(near) == 1:
            return written if written in near else near[0]
        raise


def _status(call: Call, task_id: str) -> str:
    try:
        return call.ask(lambda service: service.task(task_id, events=0)).state.status.value
    except NotFoundError:
        return "unknown"


def _plain(one: "Kept", status: str) -> dict[str, object]:
    return {
        "id": one.task_id,
        "status": status,
        "branch": one.branch,
        "base": one.base,
        "head": one.head,
        "commits": one.commits,
        "path": one.path,
        "uncommitted": one.left,
    }
