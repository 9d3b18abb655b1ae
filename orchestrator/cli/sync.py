"""`orchestrator sync`."""

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain
from orchestrator.cli.words import count


@click.command(
    name="sync",
    help=words("""
  orchestrator sync

Push this machine's work branch to the remote of `trail.remote`, and fetch those of the others.
Nothing is ever forced: what the remote has and we lack is reported.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Syncs."""
    from orchestrator.wiring import sync

    report = sync(call.place())
    if as_json:
        call.out.envelope("sync", report)
        return
    host, remote = plain(str(report.get("host", ""))), plain(str(report.get("remote", "")))
    if report.get("pushed"):
        call.out.line(call.out.paint(f"pushed the work of {host} to {remote}", Paint.GOOD))
    hosts = report.get("hosts")
    others = [item for item in hosts if isinstance(item, dict)] if isinstance(hosts, list) else []
    call.out.line(f"fetched {count(len(others), 'branch', 'branches')} of hosts")
    call.out.table(
        [[str(item.get("host", "")), str(item.get("tip", ""))[:10], str(item.get("ref", ""))] for item in others]
    )
    for key, what in (("released", "let go of the claim on {}"), ("why", "{}")):
        found = report.get(key)
        for item in found if isinstance(found, list) else []:
            call.err.line(what.format(plain(str(item))))
