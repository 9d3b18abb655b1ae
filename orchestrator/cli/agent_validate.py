"""`orchestrator agent validate`: profiles checked, those of the configuration or any file."""

from dataclasses import asdict

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint
from orchestrator.cli.words import count


@click.command(
    name="validate",
    help=words("""
  orchestrator agent validate
  orchestrator agent validate doctrine/agents/*.agent.md
  orchestrator agent validate writer.agent.md --json

Check profiles: the front matter can be read, the name is a text, and there is a body. Without a file: every profile
that config/agents.yaml names. Keys that other programs use are fine. Exit code 1 where something is wrong; a profile
without a name or a description is only remarked upon.
"""),
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@json_option
@pass_call
def command(call: Call, files: tuple[str, ...], as_json: bool) -> int:
    """Validates them."""
    from orchestrator.wiring.agents import check, check_configured

    found = check(files) if files else check_configured(call.place())
    code = 1 if found.problems else 0
    if as_json:
        data = {
            "valid": not found.problems,
            "files": found.files,
            "problems": [asdict(one) for one in found.problems],
            "warnings": [asdict(one) for one in found.warnings],
            "exit_code": code,
        }
        call.out.envelope("agent-validate", data)
        return code
    from orchestrator.cli.task_validate import show_problem

    for problem in found.problems:
        show_problem(call, problem)
    for warning in found.warnings:
        show_problem(call, warning, warning=True)
    if found.problems:
        call.err.line(f"{count(len(found.problems), 'problem')} in {found.bad} of {count(found.files, 'profile')}")
    elif not found.files:
        call.err.line("no agent of config/agents.yaml names a profile")
    else:
        good = "1 profile is good" if found.files == 1 else f"{found.files:,} profiles are good"
        call.out.line(call.out.paint(good, Paint.GOOD))
    return code
