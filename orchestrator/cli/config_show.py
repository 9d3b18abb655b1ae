"""`orchestrator config show`: the configuration in force, and where each value came from."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain


@click.command(
    name="show",
    help=words("""
  orchestrator config show
  orchestrator config show policies.default --origin
  orchestrator config show tools.brief.timeout --json

Show the configuration that is in force, or what is below a KEY: the defaults, your own files over them, the project's
files over those, then variables (ORCHESTRATOR_POLICIES__DEFAULT__MAX_PARALLEL=2) and --set. With --origin one line for
each key: the file and line, the variable, --set or default. Variables in `env` are shown as they are written, and what
looks like a secret is not shown.
"""),
)
@click.argument("key", metavar="[KEY]", default="")
@click.option("--origin", is_flag=True, help="One line for each key, with where its value came from.")
@json_option
@pass_call
def command(call: Call, key: str, origin: bool, as_json: bool) -> int:
    """Shows it."""
    from orchestrator.wiring.showing import show

    found = show(call.place(), key)
    if as_json:
        call.out.envelope("config", {"key": key, "value": found.value, "keys": [one.plain() for one in found.lines]})
        return 0
    if origin:
        rows = [(one.key, one.origin, one.written) for one in found.lines]
        paints = [Paint.FAINT if one.layer == "default" else None for one in found.lines]
        call.out.table([("KEY", "ORIGIN", "VALUE"), *rows], paints=[Paint.STRONG, *paints], indent="")
        return 0
    for line in found.yaml:
        call.out.line(plain(line))
    return 0
