"""What the commands that change tasks share: ids in, one reply each, and what to do next."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from orchestrator.cli.call import Call
from orchestrator.cli.completion import task_ids
from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import OrchestratorError

id_argument = click.argument("task_id", metavar="ID", shell_complete=task_ids)
ids_argument = click.argument("task_ids", metavar="ID...", nargs=-1, required=True, shell_complete=task_ids)
reason_option = click.option("--reason", metavar="TEXT", default="", help="Why, in a sentence; it is recorded.")

Arguments = Callable[[str], dict[str, object]]


def change(
    call: Call, verb: str, written: Sequence[str], *, as_json: bool, more: Mapping[str, object], next_step: str
) -> int:
    """Carries the verb out on each task, does what it can, and returns the exit code of the first refusal.

    `written` are ids or unique beginnings of ids; `next_step` is a command in which {id} stands for the id.
    """
    replies: list[dict[str, Any]] = []
    refusals: list[dict[str, object]] = []
    for text in written:
        try:
            task_id = whole_id(call, text)
            replies.append(call.act(verb, {"id": task_id, **more}))
        except OrchestratorError as error:
            if len(written) == 1:
                raise
            refusals.append({"id": text, "exit_code": error.exit_code, "message": str(error)})
    if as_json:
        call.out.envelope(verb, {"changed": replies, "refused": refusals})
    else:
        for reply in replies:
            tell(call, reply)
        if replies and next_step:
            call.err.line(f"next: {next_step.format(id=replies[0].get('id', ''))}")
    for refusal in refusals:
        call.err.line(f"orchestrator: {plain(str(refusal['message']))}")
    return int(str(refusals[0]["exit_code"])) if refusals else 0


def tell(call: Call, reply: Mapping[str, Any]) -> None:
    """One line for what was changed, and one for where it is now."""
    call.out.line(call.out.paint(plain(str(reply.get("message", ""))), Paint.GOOD))
    if reply.get("path"):
        call.out.line(f"  {plain(str(reply.get('status', '')))}: work/{plain(str(reply['path']))}")
    if reply.get("warning"):
        call.err.line(f"orchestrator: {plain(str(reply['warning']))}")


def whole_id(call: Call, written: str) -> str:
    """The id that begins so. Raises NotFoundError where none does, or several do."""
    return str(call.ask(lambda service: service.task(written, events=0)).state.id)
