"""`orchestrator config migrate`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.config import whose_option
from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import UsageError


@click.command(
    name="migrate",
    help=words("""
  orchestrator config migrate
  orchestrator config migrate --yes
  orchestrator config migrate --check

Write older spellings of the configuration as they are written today: `limits` for daily_budget_usd and its kin, `price`
for cost_per_1k_tokens, lists for commands in one text. Comments stay, the meaning too. The change is shown first, and
all files are written or none. Exit code 1: something would change, and was not written.
"""),
)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--check", is_flag=True, help="Only say whether anything would change.")
@whose_option
@json_option
@pass_call
def command(call: Call, *, yes: bool, check: bool, whose: str, as_json: bool) -> int:
    """Migrates them."""
    if yes and check:
        raise UsageError("--check writes nothing; leave out --yes, or leave out --check")
    from orchestrator.cli.asking import agrees, can_ask
    from orchestrator.cli.diff import show_diff
    from orchestrator.wiring.editing import daemon_note
    from orchestrator.wiring.migrating import migration
    from orchestrator.wiring.setting import Whose

    place = call.place()
    with migration(place, whose=Whose(whose)) as found:
        names = [one.shown for one in found.files]
        if not as_json:
            for one in found.files:
                show_diff(call.out, one.shown, one.before, one.text)
            call.out.flush()
        wanted = yes or (not check and not as_json and bool(names) and can_ask(call) and agrees(call, "Write this?"))
        if wanted and names:
            found.write()
    written = wanted and bool(names)
    if as_json:
        call.out.envelope("config-migrate", {"files": names, "written": written})
    elif not names:
        call.out.line(call.out.paint("the configuration is written as today already", Paint.GOOD))
    elif written:
        call.out.line(call.out.paint(f"wrote {plain(' and '.join(names))}", Paint.GOOD))
        if note := daemon_note(place):
            call.err.line(note)
    else:
        call.err.line("nothing was written; to write it: orchestrator config migrate --yes")
    return 0 if written or not names else 1
