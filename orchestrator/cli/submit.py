"""`orchestrator submit`."""

import sys
from pathlib import Path

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import tell
from orchestrator.cli.completion import task_ids
from orchestrator.errors import OrchestratorError, UsageError

_PRIORITIES = ("critical", "high", "medium", "normal", "low")
_LARGEST = 1 << 20  # bytes: the limit of a task file


@click.command(
    name="submit",
    help=words("""
  orchestrator submit fares-page.yaml
  orchestrator submit - --name fares-page < task.yaml
  orchestrator submit --agent writer --title "Explain the winter fares" --priority high

Drop a task into the inbox: a file, what comes on stdin, or one that is made of the options. A file is checked first,
and copied. How a task file looks: orchestrator help task-file
"""),
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, allow_dash=True), metavar="[FILE|-]")
@click.option("--name", metavar="ID", help="With -: the id of the task.")
@click.option("--agent", metavar="NAME", help="Who is to do it.")
@click.option("--title", metavar="TEXT", help="What is asked, in a line.")
@click.option("--description", metavar="TEXT", help="What is asked, in full.")
@click.option("--priority", type=click.Choice(_PRIORITIES, case_sensitive=False), help="Default: normal.")
@click.option("--mode", metavar="TEXT", help="How to work, e.g. /analysis-mode.")
@click.option("--depends-on", metavar="ID", multiple=True, shell_complete=task_ids, help="Runs after it; repeatable.")
@click.option("--artefact", "artefacts", metavar="PATH", multiple=True, help="What it should produce; repeatable.")
@json_option
@pass_call
def command(call: Call, /, file: str | None, name: str | None, as_json: bool, **fields: object) -> None:
    """Submits it."""
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items() if value}
    if file is None:
        reply = call.act("submit", _composed(given, name))
    elif given:
        raise UsageError("a file says everything itself; leave out the options, or leave out the file")
    else:
        reply = call.act("submit", _read(file, name))
    if as_json:
        call.out.envelope("submit", reply)
        return
    tell(call, reply)
    call.err.line(f"next: orchestrator show {reply['id']}")


def _composed(given: dict[str, object], name: str | None) -> dict[str, object]:
    if not given.get("agent") or not given.get("title"):
        raise UsageError("say what to submit: a FILE, - for stdin, or at least --agent NAME --title TEXT")
    return {**given, "id": name} if name else given


def _read(file: str, name: str | None) -> dict[str, object]:
    if file == "-":
        if not name:
            raise UsageError("what comes on stdin has no name; give it an id: orchestrator submit - --name ID")
        raw = sys.stdin.buffer.read(_LARGEST + 1)
        file_name = name if name.endswith((".yaml", ".yml")) else f"{name}.yaml"
    else:
        try:
            with Path(file).open("rb") as source:
                raw = source.read(_LARGEST + 1)
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}; name a file that can be read") from error
        file_name = f"{name}.yaml" if name else Path(file).name
    if len(raw) > _LARGEST:
        raise OrchestratorError(
            f"{file}: larger than 1 MiB; put long material into files, and name them in context.files"
        )
    try:
        return {"content": raw.decode("utf-8"), "name": file_name}
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise OrchestratorError(f"{file}:{line}: not UTF-8; save it as UTF-8 and submit it again") from error
