"""`orchestrator version`."""

import click

from orchestrator import __version__
from orchestrator.cli.call import Call, json_option, pass_call, words


@click.command(
    name="version",
    help=words("""
  orchestrator version
  orchestrator version --json

Print the version of the program and of the Python that runs it.
"""),
)
@json_option
@pass_call
def command(call: Call, as_json: bool) -> None:
    """Prints it."""
    import sys

    python = ".".join(str(part) for part in sys.version_info[:3])
    if as_json:
        call.out.envelope("version", {"version": __version__, "python": python})
    else:
        call.out.line(f"orchestrator {__version__} (Python {python})")
