"""`orchestrator config set`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.config import whose_option
from orchestrator.cli.screen import Paint, plain
from orchestrator.cli.words import count
from orchestrator.errors import ConfigRefusedError, UsageError


@click.command(
    name="set",
    help=words("""
  orchestrator config set policies.default.max_parallel 2
  orchestrator config set agents.writer.fallback_chain '[claude, codex]'
  orchestrator config set 'models."gpt-6.1".price' '{input_mtok: 2, output_mtok: 10}'
  orchestrator config set --unset tools.claude.limits.memory

Change one value of the configuration, and no other byte: comments, order and line ends stay. KEY is what messages
name, `[1]` is the second entry of a list. VALUE is one line of YAML. Nothing is written before the whole configuration
was read with it and found good.
"""),
)
@click.argument("key")
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take the value out instead: then the default holds.")
@whose_option
@json_option
@pass_call
def command(call: Call, key: str, value: str | None, *, unset: bool, whose: str, as_json: bool) -> None:
    """Sets it."""
    if unset == (value is not None):
        raise UsageError("give KEY and VALUE, or --unset and KEY")
    from orchestrator.wiring import setting
    from orchestrator.wiring.editing import daemon_note

    place = call.place()
    file = setting.Whose(whose)
    try:
        if value is None:
            done = setting.unset(place, key, whose=file)
        else:
            done = setting.set_value(place, key, value, whose=file)
    except ConfigRefusedError:
        call.err.line("nothing was changed: with this the configuration would be refused")
        raise
    changed = done.before != done.after
    note = daemon_note(place) if changed else ""
    over = setting.overridden(place, done, file)
    if as_json:
        told = {"key": done.key, "file": done.file, "changed": changed, "made": done.made, "note": note}
        call.out.envelope("config-set", told | {"problems_left": len(done.left), "overridden": over})
        return
    if over:
        call.err.wrapped(over, indent="", paint=Paint.WARN)
    if not changed:
        call.err.line(f"{plain(done.file)} says so already; nothing was changed")
        return
    from orchestrator.cli.diff import show_diff

    show_diff(call.out, done.file, done.before, done.after)
    if done.made:
        undo = f"orchestrator config set --unset {plain(done.made)}"
        call.err.line(f"{plain(done.made)} was not there and is new; if that is a slip: {undo}")
    if done.left:
        which = "it" if len(done.left) == 1 else "them"
        text = f"left as before: {count(len(done.left), 'problem')}; see {which} with: orchestrator config validate"
        call.err.wrapped(text, indent="", paint=Paint.WARN)
    if note:
        call.err.line(note)
