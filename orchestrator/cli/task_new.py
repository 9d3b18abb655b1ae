"""`orchestrator task new`: a task file, asked for or by flags, looked at and then dropped into the inbox."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.asking import can_ask
from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.changes import tell
from orchestrator.cli.completion import task_ids
from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.cli.task_new_asking import PLAIN, Asking, ask
from orchestrator.errors import InterruptedByPersonError, NotFoundError, OrchestratorError, UsageError

if TYPE_CHECKING:
    from orchestrator.taskfile.drafting import Template
    from orchestrator.wiring import Place
    from orchestrator.wiring.task_writing import Choices, Draft

_PRIORITIES = ("critical", "high", "medium", "normal", "low")
_LARGEST = 1 << 20  # bytes
_OPEN = "Drop it into the inbox? [Y/n, e edits it first] "
_OPEN_OUT = "Write it? [Y/n, e edits it first] "


@click.command(
    name="new",
    help=words("""
  orchestrator task new
  orchestrator task new --agent writer --title "Explain the winter fares" --priority high
  orchestrator task new --template change --title "Answer 404 for an unknown order" --verify tests
  git log -5 | orchestrator task new --agent writer --title "Sum up these commits" -d -
  orchestrator task new --template review --title "Review the fares" --out tasks/

Write a task file and drop it into the inbox, or into a file to be committed. At a terminal you are asked for what the
options leave open; elsewhere agent and title must be there. A template is a task file of templates/tasks/, yours or
ours, whose texts in <angle brackets> are to be filled in. The file is checked before it is written anywhere.
"""),
)
@click.option("--template", metavar="NAME", help="What to begin with: analysis, change, document, review, or your own.")
@click.option("--agent", metavar="NAME", help="Who is to do it.")
@click.option("--title", metavar="TEXT", help="What is asked, in a line.")
@click.option("-d", "--description", metavar="TEXT|-", help="What is asked, in full; - reads it from stdin.")
@click.option("--priority", type=click.Choice(_PRIORITIES, case_sensitive=False), help="Default: normal.")
@click.option("--mode", metavar="TEXT", help="How to work, e.g. /analysis-mode.")
@click.option("--artefact", "artefacts", metavar="PATH", multiple=True, help="What it should produce; repeatable.")
@click.option("--context-file", "context_files", metavar="PATH", multiple=True, help="To be read with it; repeatable.")
@click.option("--depends-on", metavar="ID", multiple=True, shell_complete=task_ids, help="Runs after it; repeatable.")
@click.option("--verify", metavar="CHECK", multiple=True, help="A check that must pass; repeatable.")
@click.option("--budget-usd", metavar="USD", help="What a run of it may cost at most.")
@click.option("--timeout", metavar="TIME", help="How long it may take, e.g. 20m.")
@click.option("--run", metavar="ID", help="The run that it belongs to.")
@click.option("--id", "task_id", metavar="ID", help="Default: made of time, agent and title.")
@click.option("--out", metavar="FILE|DIR", help="Write it there, for example to commit it; never over a file.")
@click.option("--inbox", is_flag=True, help="Drop it into the inbox; this is what is done without --out.")
@click.option("--edit", is_flag=True, help="Open it in $VISUAL or $EDITOR before it is written.")
@click.option("--dry-run", is_flag=True, help="Print it, and write nothing.")
@json_option
@pass_call
def command(
    call: Call, /, template: str | None, task_id: str | None, out: str | None, as_json: bool, **given: Any
) -> int:
    """Writes it."""
    inbox, edit, dry_run = (bool(given.pop(name)) for name in ("inbox", "edit", "dry_run"))
    if inbox and out:
        raise UsageError("--inbox or --out, not both")
    if edit and not can_ask(call):
        raise UsageError("--edit opens an editor at a terminal, and there is none; leave it out")
    target = Target(call, out, task_id)
    from orchestrator.wiring.task_writing import choices, refusal, vet

    known = choices(target.place)
    chosen = known.template(template) if template else None
    fields = _fields(given)
    asks = can_ask(call) and not as_json and not _is_whole(fields, chosen, known)
    if asks:
        kind = ask(call, fields, known, template or "")
        chosen = None if kind == PLAIN else known.template(kind)
    _fill_in(fields, chosen, known)
    new = _settled(call, target.compose(fields, chosen), known, target, edit=edit, asks=asks and not dry_run)
    vetted = vet(new, known, into=target.shown(new))
    _warn(call, known, vetted.remarks)
    if vetted.problems:
        raise refusal(vetted.problems)
    if dry_run:
        return _print(call, new, as_json=as_json)
    return _put(call, new, target, as_json=as_json)


class Target:
    """Where the file is to go."""

    def __init__(self, call: Call, out: str | None, task_id: str | None) -> None:
        self._out = Path(out) if out is not None else None
        self._is_folder = self._out is not None and (str(out).endswith("/") or self._out.is_dir())
        self._id = task_id or ""
        if self._out is not None and not self._is_folder:
            self._name_of_file(self._out)
        self.place: Place | None = call.workspace() if out is None else _place(call)

    def _name_of_file(self, out: Path) -> None:
        if out.suffix not in {".yaml", ".yml"}:
            raise UsageError(f"--out {out}: a task file ends in .yaml or .yml; a folder ends in /")
        if self._id not in {"", out.stem}:
            raise UsageError(f"--id {self._id}: the name of the file is the id, and --out names {out.name}")
        self._id = out.stem

    @property
    def is_inbox(self) -> bool:
        """Whether it goes into the inbox."""
        return self._out is None

    def compose(self, fields: dict[str, object], template: "Template | None") -> "Draft":
        """The file."""
        from orchestrator.wiring.task_writing import compose

        return compose(fields, template, task_id=self._id)

    def named(self, new: "Draft") -> "Draft":
        """The same by the id that it gives itself, unless its name was given."""
        from dataclasses import replace

        from orchestrator.taskfile.rules import id_fault
        from orchestrator.wiring.vetting import written_id

        written = written_id(new.content)
        return new if self._id or id_fault(written) else replace(new, id=written)

    def file(self, new: "Draft") -> Path | None:
        """The file to be made; None for the inbox."""
        return self._out / new.name if self._out is not None and self._is_folder else self._out

    def shown(self, new: "Draft") -> str:
        """The same for people; empty for the inbox."""
        return str(self.file(new) or "")


def _place(call: Call) -> "Place | None":
    try:
        return call.workspace()
    except NotFoundError:
        return None


def _fields(given: dict[str, Any]) -> dict[str, object]:
    """What the options say, as the fields of a task file."""
    fields: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, tuple):
            fields |= {name: list(value)} if value else {}
        elif value is not None and value.strip():
            fields[name] = value.strip()
    if files := fields.pop("context_files", None):
        fields["context"] = {"files": files}
    if fields.get("description") == "-":
        fields["description"] = _stdin()
    if "budget_usd" in fields:
        fields["budget_usd"] = _amount(str(fields["budget_usd"]))
    return fields


def _stdin() -> str:
    raw = sys.stdin.buffer.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise OrchestratorError("stdin: larger than 1 MiB; put long material into files, and name them: --context-file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise OrchestratorError(f"stdin:{line}: not UTF-8; save it as UTF-8") from error
    if not text.strip():
        raise UsageError("--description -: stdin is empty; pipe the text into it")
    return text.removeprefix("\N{BOM}").replace("\r\n", "\n")


def _amount(text: str) -> float:
    from orchestrator.taskfile.rules import parse_usd

    try:
        return parse_usd(text) / 1_000_000
    except ValueError as error:
        raise UsageError(f"--budget-usd: {error}; write an amount in USD, e.g. 1.50") from error


def _is_whole(fields: dict[str, object], chosen: "Template | None", known: "Choices") -> bool:
    """Whether nothing that it needs is left open."""
    return bool(fields.get("agent") or known.agent_of(chosen)) and _says_what(fields, chosen)


def _says_what(fields: dict[str, object], chosen: "Template | None") -> bool:
    own = chosen is not None and (chosen.says("title") or chosen.says("description"))
    return bool(fields.get("title") or fields.get("description") or own)


def _fill_in(fields: dict[str, object], chosen: "Template | None", known: "Choices") -> None:
    """The agent that goes without saying. Raises UsageError where something is missing that cannot be asked for."""
    agent = str(fields.get("agent") or known.agent_of(chosen))
    missing = [] if agent else ["--agent NAME"]
    missing += [] if _says_what(fields, chosen) else ["--title TEXT"]
    if missing:
        names = ", ".join(key for key, _ in known.agents[:12])
        listed = f"; agents: {names}" if names and not agent else ""
        raise UsageError(f"say what to write: {' and '.join(missing)} (at a terminal you are asked){listed}")
    fields["agent"] = agent


def _settled(call: Call, new: "Draft", known: "Choices", target: Target, *, edit: bool, asks: bool) -> "Draft":
    """The file as it is to be: edited where that is asked for, and agreed to where somebody was asked for its parts."""
    from orchestrator.wiring.task_writing import refusal, vet

    asking = Asking(call)
    new = _edited(new, target) if edit else new
    while edit or asks:
        problems = vet(new, known, into=target.shown(new)).problems
        shown = new.content.decode()
        if problems:
            for line in plain_lines(str(refusal(problems))):
                call.err.line(call.err.paint(line, Paint.BAD))
            answer = asking.agreed("", "Edit it again? [Y/n] ") or "y"
        elif asks:
            answer = asking.agreed(shown, _OPEN if target.is_inbox else _OPEN_OUT) or "y"
        else:
            return new
        if answer == "n":
            raise _given_up(call, shown if problems else "")
        if answer == "y" and not problems:
            return new
        if answer in {"e", "y"}:
            new = _edited(new, target)
    return new


def _given_up(call: Call, lost: str) -> InterruptedByPersonError:
    """Nothing is written; what somebody wrote is shown once more, to be copied."""
    for line in plain_lines(lost):
        call.err.line(line)
    return InterruptedByPersonError("nothing was written")


def _edited(new: "Draft", target: Target) -> "Draft":
    """As it was left in the editor. Raises OrchestratorError where that fails, or leaves nothing."""
    from dataclasses import replace

    try:
        text = click.edit(new.content.decode(), extension=".yaml", require_save=False)
    except click.ClickException as error:
        raise OrchestratorError(
            f"{error.format_message()}; set EDITOR to one that works; nothing was written"
        ) from error
    if not (text or "").strip():
        raise OrchestratorError("the editor left nothing; nothing was written")
    return target.named(replace(new, content=str(text).encode()))


def _warn(call: Call, known: "Choices", remarks: Any) -> None:
    from orchestrator.core.problem import render

    if known.left_out:
        call.err.wrapped(f"agents, checks, tools, models: not looked at: {known.left_out}", indent="", paint=Paint.WARN)
    for why in known.refused:
        call.err.line(f"warning: no template: {plain(why.partition(chr(10))[0])}")
    for remark in remarks:
        for line in plain_lines(f"warning: {render(remark)}"):
            call.err.line(line)


def _print(call: Call, new: "Draft", *, as_json: bool) -> int:
    text = new.content.decode()
    if as_json:
        call.out.envelope("task-new", {"id": new.id, "content": text, "dry_run": True})
        return 0
    call.out.answer(text)
    call.err.line("nothing was written; leave out --dry-run to write it")
    return 0


def _put(call: Call, new: "Draft", target: Target, *, as_json: bool) -> int:
    from orchestrator.wiring.task_writing import next_step, write

    file = target.file(new)
    reply: dict[str, Any]
    if file is None:
        reply = call.act("submit", {"content": new.content.decode(), "name": new.name})
    else:
        write(file, new)
        reply = {"id": new.id, "path": str(file), "message": f"wrote {file}"}
    if as_json:
        call.out.envelope("task-new", reply)
        return 0
    if file is None:
        tell(call, reply)
    else:
        call.out.line(call.out.paint(plain(str(reply["message"])), Paint.GOOD))
    call.err.line(f"next: {next_step(target.place, file)}")
    return 0
